"""The cases of PIXV3 (ITI TF-2: 3.45.4.2.3) and PDQV3 (3.47.4.2.3) as one table: every code at its place.

A row says what is known and asked, and the acknowledgement's typeCode, the queryResponseCode, the details (typeCode,
code, location) and the ids that are returned.
"""

from collections.abc import Callable

import pytest

from pix.found import Limits
from pix.manager import PatientIndex
from pix.v3_answers import TABLE_0357
from tests.pix.v3.desk import Answered, Desk

Change = tuple[str, str]
Detail = tuple[str, str, str]
Case = tuple[Callable[[Desk], None], tuple[Change, ...], str, str, list[Detail], list[str], tuple[str, str, str]]
NO_COUNTS = ("", "", "")
PIX = "/PRPA_IN201309UV02/controlActProcess/queryByParameter/parameterList"
PDQ = "/PRPA_IN201305UV02/controlActProcess/queryByParameter/parameterList"
SOURCE = '<dataSource><value root="{}"/><semanticsText>DataSource.id</semanticsText></dataSource>'
ALL_DOMAINS = tuple((SOURCE.format(f"2.25.999.{number}"), "") for number in (2, 3))
CLINIC = ('root="2.25.999.1" extension="H-1"', 'root="2.25.999.2" extension="{}"')
NO_MATRICULE = ('<id root="2.25.999.9" extension="1980051512305"/>', '<id nullFlavor="NI"/>')
SCOPE = '<otherIDsScopingOrganization><value root="{}"/><semanticsText>s</semanticsText></otherIDsScopingOrganization>'


def nobody(desk: Desk) -> None:
    """No patient at all."""


def one(desk: Desk) -> None:
    """H-1 of the hospital with a national id."""
    desk.announce(1)


def alone(desk: Desk) -> None:
    """H-1 of the hospital and no other id."""
    desk.announce(1, NO_MATRICULE)


def linked(desk: Desk, *ids: str) -> None:
    """H-1 of the hospital, linked with ids of the clinic."""
    desk.announce(1)
    for id in ids or ("C-1",):
        fed = desk.ask("iti44_added", ('extension="1"/>', f'extension="{id}"/>'), (CLINIC[0], CLINIC[1].format(id)))
        assert fed.verdict == "CA"


def twice(desk: Desk) -> None:
    linked(desk, "C-1", "C-2")


def many(desk: Desk) -> None:
    """H-1 to H-3, three people named Weber whom nobody takes for one."""
    for number, given in enumerate(("Anna", "Berta", "Clara"), 1):
        desk.announce(number, NO_MATRICULE, ("<given>Anna</given>", f"<given>{given}</given>"))


def unknown(*locations: str) -> list[Detail]:
    return [("E", "204", location) for location in locations]


def details(answered: Answered) -> list[Detail]:
    types = answered.all("acknowledgementDetail", "typeCode")
    codes = answered.all("acknowledgementDetail/code", "code")
    return list(zip(types, codes, answered.locations, strict=True))


def returned(answered: Answered) -> list[str]:
    return answered.all("patient/id", "extension") + answered.all("asOtherIDs/id", "extension")


PIX_CASES: dict[str, Case] = {
    "1: in one of the domains": (linked, (), "AA", "OK", [], ["C-1"], NO_COUNTS),
    "2: all domains": (linked, ALL_DOMAINS, "AA", "OK", [], ["C-1", "1980051512305"], NO_COUNTS),
    "2: all domains, but there is no other id": (alone, ALL_DOMAINS, "AA", "NF", [], [], NO_COUNTS),
    "3: in none of the domains": (one, (), "AA", "NF", [], [], NO_COUNTS),
    "4: an unknown id": (nobody, (), "AE", "AE", unknown(f"{PIX}/patientIdentifier/value"), [], NO_COUNTS),
    "4: an id of an unknown domain": (
        one,
        (('<value root="2.25.999.1"', '<value root="2.25.998"'),),
        "AE",
        "AE",
        unknown(f"{PIX}/patientIdentifier/value"),
        [],
        NO_COUNTS,
    ),
    "5: one unknown domain": (
        linked,
        (('root="2.25.999.3"', 'root="2.25.998"'),),
        "AE",
        "AE",
        unknown(f"{PIX}/dataSource[2]/value"),
        [],
        NO_COUNTS,
    ),
    "5: two unknown domains": (
        linked,
        (('root="2.25.999.2"', 'root="2.25.997"'), ('root="2.25.999.3"', 'root="2.25.998"')),
        "AE",
        "AE",
        unknown(f"{PIX}/dataSource[1]/value", f"{PIX}/dataSource[2]/value"),
        [],
        NO_COUNTS,
    ),
    "5: the only domain is unknown": (
        linked,
        ((SOURCE.format("2.25.999.3"), ""), ('root="2.25.999.2"', 'root="2.25.998"')),
        "AE",
        "AE",
        unknown(f"{PIX}/dataSource[1]/value"),
        [],
        NO_COUNTS,
    ),
    "6: two ids in one domain": (twice, (), "AA", "OK", [], ["C-1", "C-2"], NO_COUNTS),
}


@pytest.mark.parametrize("case", PIX_CASES)
def test_a_case_of_the_identifiers_query(desk: Desk, case: str) -> None:
    scene, changes, type_code, response_code, told, ids, _ = PIX_CASES[case]
    scene(desk)
    answered = desk.ask("iti45_query", *changes)
    assert answered.all("acknowledgement/typeCode", "code") == [type_code]
    assert answered.all("queryAck/queryResponseCode", "code") == [response_code]
    assert details(answered) == told
    assert returned(answered) == ids
    assert len(answered.all("registrationEvent", "classCode")) == (1 if ids else 0)
    assert answered.all("queryByParameter/queryId", "extension") == ["q4"]


def domains(*roots: str) -> Change:
    return ("</livingSubjectName>", "</livingSubjectName>" + "".join(map(SCOPE.format, roots)))


def named(name: str) -> Change:
    return ("<family>Weber</family>", f"<family>{name}</family>")


PDQ_CASES: dict[str, Case] = {
    "1: none": (many, (named("Niemand"),), "AA", "NF", [], [], ("0", "0", "0")),
    "1: one": (one, (), "AA", "OK", [], ["H-1", "1980051512305"], ("1", "1", "0")),
    "1: many, the first increment": (many, (), "AA", "OK", [], ["H-1", "H-2"], ("3", "2", "1")),
    "1: many, all at once": (
        many,
        (('<initialQuantity value="2"/>', ""),),
        "AA",
        "OK",
        [],
        ["H-1", "H-2", "H-3"],
        ("3", "3", "0"),
    ),
    "2: one domain": (linked, (domains("2.25.999.2"),), "AA", "OK", [], ["C-1"], ("1", "1", "0")),
    "2: two domains": (
        linked,
        (domains("2.25.999.9", "2.25.999.2"),),
        "AA",
        "OK",
        [],
        ["C-1", "1980051512305"],
        ("1", "1", "0"),
    ),
    "2: nobody has an id in the domain": (many, (domains("2.25.999.3"),), "AA", "NF", [], [], ("0", "0", "0")),
    "3: one unknown domain": (
        many,
        (domains("2.25.998"),),
        "AE",
        "AE",
        unknown(f"{PDQ}/otherIDsScopingOrganization[1]/value"),
        [],
        ("0", "0", "0"),
    ),
    "3: the second and third of three domains are unknown": (
        many,
        (domains("2.25.999.1", "2.25.997", "2.25.998"),),
        "AE",
        "AE",
        unknown(f"{PDQ}/otherIDsScopingOrganization[2]/value", f"{PDQ}/otherIDsScopingOrganization[3]/value"),
        [],
        ("0", "0", "0"),
    ),
    "too many to be asked for": (many, (named("*"),), "AE", "QE", [("E", "101", PDQ)], [], ("0", "0", "0")),
}


@pytest.mark.parametrize("case", PDQ_CASES)
def test_a_case_of_the_demographics_query(desk: Desk, case: str) -> None:
    scene, changes, type_code, response_code, told, ids, counts = PDQ_CASES[case]
    scene(desk)
    answered = desk.ask("iti47_query", *changes)
    assert answered.all("acknowledgement/typeCode", "code") == [type_code]
    assert answered.all("queryAck/queryResponseCode", "code") == [response_code]
    assert details(answered) == told
    assert returned(answered) == ids
    quantities = [answered.all(f"queryAck/result{each}Quantity", "value") for each in ("Total", "Current", "Remaining")]
    assert quantities == [[count] for count in counts]
    assert len(answered.all("registrationEvent", "classCode")) == int(counts[1])
    assert answered.all("queryByParameter/queryId", "extension") == ["q5"]


def test_more_than_are_listed_are_counted_and_said_without_an_error(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PatientIndex, "search_limits", Limits(listed=2), raising=False)
    many(desk)
    answered = desk.ask("iti47_query")
    assert answered.verdict == "AA OK 207"
    assert answered.all("acknowledgementDetail", "typeCode") == ["W"]
    assert answered.texts("acknowledgementDetail/text")[0].startswith("More patients match than are listed")


@pytest.mark.parametrize(
    ("message", "changes", "code", "name", "text"),
    [
        ("iti45_query", (), "204", "Unknown key identifier", "No patient is known by this id"),
        ("iti47_continue", (), "204", "Unknown key identifier", "No unfinished query of this sender has this id"),
        ("iti44_duplicates_resolved", (), "204", "Unknown key identifier", "No feed announced this patient id"),
        ("iti47_query", (named("*"),), "101", "Required field missing", "The query would list everybody"),
        ("iti44_added", (("19800515", "1980-05-15"),), "102", "Data type error", "birthTime and deceasedTime are"),
        ("iti44_added", (('code="F"', 'code="X"'),), "103", "Table value not found", "administrativeGenderCode is"),
        ("iti44_added", (('"PRPA_TE2', '"PRPA_TE9'),), "201", "Unsupported trigger event", "The trigger event code"),
        (
            "iti44_added",
            (('processingCode code="P"', 'processingCode code="X"'),),
            "202",
            "Unsupported processing id",
            "proc",
        ),
    ],
)
def test_a_detail_has_the_code_and_name_of_table_0357_and_a_sentence(
    desk: Desk, message: str, changes: tuple[Change, ...], code: str, name: str, text: str
) -> None:
    refused = desk.ask(message, *changes)
    assert set(refused.all("acknowledgementDetail/code", "code")) == {code}
    assert set(refused.all("acknowledgementDetail/code", "displayName")) == {name}
    assert set(refused.all("acknowledgementDetail/code", "codeSystem")) == {TABLE_0357}
    assert refused.texts("acknowledgementDetail/text")[0].startswith(text)
