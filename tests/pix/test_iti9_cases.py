"""PIX Query as a table: what is known of id and domains, and the exact MSA, ERR, QAK and PID (3.9.4.2.2.6)."""

from collections.abc import Callable

import pytest

from hl7v2.er7 import serialize
from hl7v2.message import Message

Ask = Callable[[str], Message | None]
FEED = "MSH|^~\\&|HIS|HOSP|A|A|2026||ADT^A28^ADT_A05|{control}|P|2.5\rPID|||{ids}||Weber^Anna||19800515|F\r"
MERGE = "MSH|^~\\&|HIS|HOSP|A|A|2026||ADT^A40^ADT_A39|M|P|2.5\rPID|||30^^^HOSP||Weber^Anna\rMRG|31^^^HOSP\r"
QUERY = "MSH|^~\\&|PORTAL|HOSP|INDEX|STATE|2026||QBP^Q23^QBP_Q21|Q1|P|2.5\rQPD|IHE PIX Query|T|{qpd}\rRCP|I\r"
HOSP, CLINIC, LAB = "&2.25.999.1&ISO", "&2.25.999.2&ISO", "&2.25.999.3&ISO"
ID, DOMAIN = "QPD^1^3^1^1|204", "QPD^1^3^1^4|204"

CASES = {
    # question: QPD-3|QPD-4, MSA-1, QAK-2, then ERR-2 and ERR-3.1, or PID-3
    "1: one id in the one domain asked for": ("10^^^HOSP|^^^CLINIC", "AA", "OK", f"11^^^CLINIC{CLINIC}"),
    "1: an id in each of two domains asked for": (
        f"10^^^HOSP|^^^CLINIC~^^^{LAB}",
        "AA",
        "OK",
        f"11^^^CLINIC{CLINIC}~12^^^LAB{LAB}",
    ),
    "1: an id in one of two domains asked for": ("20^^^HOSP|^^^CLINIC~^^^LAB", "AA", "OK", f"21^^^CLINIC{CLINIC}"),
    "1: all domains": (f"11^^^{CLINIC}", "AA", "OK", f"10^^^HOSP{HOSP}~12^^^LAB{LAB}"),
    "2: no id in the domain asked for": ("20^^^HOSP|^^^LAB", "AA", "NF", ""),
    "2: no id in any domain": ("30^^^HOSP", "AA", "NF", ""),
    "2: the only id of the domain is the one asked about": ("10^^^HOSP|^^^HOSP", "AA", "NF", ""),
    "1: trailing blanks, which are optional in HL7 (v2.5: 2.A.74)": (
        "10 ^^^HOSP|^^^CLINIC",
        "AA",
        "OK",
        f"11^^^CLINIC{CLINIC}",
    ),
    "1: an id that was fed with trailing blanks": ("50^^^HOSP|^^^CLINIC", "AA", "OK", f"51^^^CLINIC{CLINIC}"),
    "3: an id that nobody announced": ("404^^^HOSP", "AE", "AE", ID),
    "3: an id that is known in another domain": ("11^^^HOSP|^^^CLINIC", "AE", "AE", ID),
    "3: an id that was merged away": ("31^^^HOSP", "AE", "AE", ID),
    "3: an id that differs in its case": ("x7^^^HOSP", "AE", "AE", ID),
    "4: a domain that is not known by name": ("10^^^NOBODY", "AE", "AE", DOMAIN),
    "4: a domain that is not known by OID": ("10^^^&1.2.3&ISO", "AE", "AE", DOMAIN),
    "4: an OID that is called no OID": ("10^^^&2.25.999.1&DNS", "AE", "AE", DOMAIN),
    "4: a name and the OID of another domain": (f"10^^^HOSP{CLINIC}", "AE", "AE", DOMAIN),
    "4: no domain": ("10", "AE", "AE", DOMAIN),
    "5: one domain asked for is not known": ("10^^^HOSP|^^^CLINIC~^^^NOBODY", "AE", "AE", "QPD^1^4^2|204"),
    "5: several domains asked for are not known": ("10^^^HOSP|^^^X~^^^CLINIC~^^^Y", "AE", "AE", "QPD^1^4^1|204"),
    "5: an id instead of a domain": ("10^^^HOSP|CLINIC", "AE", "AE", "QPD^1^4^1|204"),
    "6: several ids in one domain": ("40^^^HOSP|^^^CLINIC", "AA", "OK", f"41^^^CLINIC{CLINIC}~42^^^CLINIC{CLINIC}"),
    "6: several ids, and one in another domain": (
        "41^^^CLINIC|^^^HOSP~^^^CLINIC",
        "AA",
        "OK",
        f"40^^^HOSP{HOSP}~42^^^CLINIC{CLINIC}",
    ),
    "3 or 4: the domain is looked at first": ("404^^^NOBODY", "AE", "AE", DOMAIN),
    "4 or 5: the patient's domain is looked at first": ("10^^^NOBODY|^^^NOBODY", "AE", "AE", DOMAIN),
    "3 or 5: the domains are looked at first": ("404^^^HOSP|^^^NOBODY", "AE", "AE", "QPD^1^4^1|204"),
    "two patients in one query": ("10^^^HOSP~20^^^HOSP", "AE", "AE", "QPD^1^3^2|102"),
    "no id": ("^^^HOSP", "AE", "AE", "QPD^1^3^1^1|101"),
}


@pytest.fixture
def query(ask: Ask) -> Callable[[str], list[str]]:
    """Patients with one, two and three ids, one merged; then ask: the answer's segments."""
    alone = ("30^^^HOSP", "31^^^HOSP", "X7^^^HOSP")
    fed = (
        "10^^^HOSP~11^^^CLINIC",
        "20^^^HOSP~21^^^CLINIC",
        "40^^^HOSP~41^^^CLINIC~42^^^CLINIC",
        "50  ^^^HOSP~51^^^CLINIC",
        *alone,
    )
    for number, ids in enumerate(fed):
        ask(FEED.format(control=f"F{number}", ids=ids))
    ask(FEED.format(control="L", ids="12^^^LAB~10^^^HOSP").replace("|HIS|HOSP|", "|LIS|LABO|"))
    ask(MERGE)

    def send(qpd: str) -> list[str]:
        reply = ask(QUERY.format(qpd=qpd))
        assert reply is not None
        return serialize(reply).decode().split("\r")[1:-1]

    return send


@pytest.mark.parametrize("case", CASES)
def test_a_case(query: Callable[[str], list[str]], case: str) -> None:
    qpd, code, status, told = CASES[case]
    msa, *rest = query(qpd)
    assert msa == f"MSA|{code}|Q1"
    if code == "AE":
        (err, *rest) = rest
        place, number = told.split("|")
        sentence = {"204": "Unknown key identifier", "101": "Required field missing", "102": "Data type error"}[number]
        assert err.startswith(f"ERR||{place}|{number}^{sentence}^HL70357|E|||")
    assert rest[0] == f"QAK|T|{status}"
    assert rest[1] == f"QPD|IHE PIX Query|T|{qpd}"
    assert rest[2:] == ([f"PID|||{told}||~^^^^^^S"] if status == "OK" else [])


def test_a_query_that_would_be_answered_later_is_refused(ask: Ask) -> None:
    """RCP-1 "shall always contain I" (3.9.4.1.2.3.1): who asks for another time must not take this answer for it."""
    reply = ask(QUERY.format(qpd="10^^^HOSP").replace("RCP|I", "RCP|D"))
    assert reply is not None
    assert (reply["QAK"].text(2), reply["ERR"].raw(2), reply["ERR"].text(3)) == ("AE", "RCP^1^1", "103")
