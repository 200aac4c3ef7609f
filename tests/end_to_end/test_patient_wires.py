"""What patients of a real node are asked and told over HTTP and MLLP: degrees of match, moved accounts and ids."""

import json
from itertools import count
from pathlib import Path

import pytest
from lxml.etree import _Element
from typer.testing import CliRunner

from affinity.cli import app
from hl7v2.er7 import parse as read
from hl7v2.message import Message
from ihe.transactions import SOAPBinding
from mllp import client as mllp
from pix.iti44 import ITI_44
from pix.iti47 import ITI_47
from soap.client import SOAPClient
from soap.xml import parse, serialize
from tests.end_to_end.conftest import RunningNode
from tests.pix.v3.desk import MESSAGES, Answered

RED = "1.3.6.1.4.1.21367.13.20.1000"
GREEN = "1.3.6.1.4.1.21367.13.20.2000"
ALGORITHM = (
    '<matchAlgorithm><value xsi:type="ST">{}</value><semanticsText>MatchAlgorithm</semanticsText></matchAlgorithm>'
)
LIST = "/PRPA_IN201305UV02/controlActProcess/queryByParameter/matchCriterionList"
NUMBERS = count(1)


def call(node: RunningNode, binding: object, message: str) -> _Element:
    """Send a v3 message about patients of the red domain."""
    assert isinstance(binding, SOAPBinding)
    body = serialize(parse(message.replace('"2.25.999.1"', f'"{RED}"').encode()))
    path = "/pdq" if "201305" in binding.request else "/pix"
    return SOAPClient(url=node.url(path)).call(binding, [body]).body


@pytest.fixture(scope="module")
def schmitts(connectathon: RunningNode) -> RunningNode:
    """Anna Schmitt and Clara Schmidt are known."""
    added = (MESSAGES / "iti44_added.xml").read_text()
    for number, given, family in ((1, "Anna", "Schmitt"), (2, "Clara", "Schmidt")):
        message = added.replace('extension="1"/>', f'extension="w{number}"/>').replace('"H-1"', f'"W-{number}"')
        message = message.replace("<given>Anna</given><given>Lea</given>", f"<given>{given}</given>")
        message = message.replace("<family>Weber<", f"<family>{family}<").replace('"19800515"', f'"19{number}70512"')
        message = message.replace('<id root="2.25.999.9" extension="1980051512305"/>', '<id nullFlavor="NI"/>')
        answer = Answered(call(connectathon, ITI_44.bindings[0], message))
        assert answer.verdict == "CA", answer.texts("acknowledgementDetail/text")
    return connectathon


def find(node: RunningNode, algorithm: str, degree: str) -> Answered:
    """Ask for the family Schmitt."""
    query = (MESSAGES / "iti47_query.xml").read_text().replace("<family>Weber<", "<family>Schmitt<")
    named = ALGORITHM.format(algorithm) if algorithm else ""
    query = query.replace("<matchCriterionList>", f"<matchCriterionList>{named}").replace('"75"', f'"{degree}"')
    return Answered(call(node, ITI_47.bindings[0], query))


@pytest.mark.parametrize(
    ("algorithm", "degree", "found"),
    [
        ("", "0", ["W-1"]),
        ("exact", "0", ["W-1"]),
        ("exact", "100", ["W-1"]),
        ("approximate", "75", ["W-1", "W-2"]),
        ("APPROXIMATE", "75", ["W-1", "W-2"]),
        ("approximate", "100", ["W-1"]),
    ],
)
def test_the_algorithm_says_who_matches_and_the_degree_who_is_told(
    schmitts: RunningNode, algorithm: str, degree: str, found: list[str]
) -> None:
    answered = find(schmitts, algorithm, degree)
    assert answered.verdict == "AA OK"
    assert answered.all("patient/id", "extension") == found
    told = [int(each) for each in answered.all("queryMatchObservation/value", "value")]
    assert told[0] == 100
    assert all(int(degree) <= each < 100 for each in told[1:])
    assert len(told) == len(found)


def test_a_degree_between_them_is_the_limit(schmitts: RunningNode) -> None:
    _, second = (int(each) for each in find(schmitts, "approximate", "75").all("queryMatchObservation/value", "value"))
    assert find(schmitts, "approximate", str(second)).all("patient/id", "extension") == ["W-1", "W-2"]
    assert find(schmitts, "approximate", str(second + 1)).all("patient/id", "extension") == ["W-1"]


@pytest.mark.parametrize(
    ("algorithm", "degree", "verdict", "location"),
    [
        ("soundex", "75", "AE QE 103", f"{LIST}/matchAlgorithm/value"),
        ("exact", "101", "AE QE 102", f"{LIST}/minimumDegreeMatch/value"),
        ("exact", "high", "AE QE 102", f"{LIST}/minimumDegreeMatch/value"),
    ],
)
def test_what_is_not_agreed_on_is_told_in_a_detail(
    schmitts: RunningNode, algorithm: str, degree: str, verdict: str, location: str
) -> None:
    refused = find(schmitts, algorithm, degree)
    assert (refused.verdict, refused.locations) == (verdict, [location])


def send(node: RunningNode, trigger: str, *segments: str, sender: str = "HIS|HOSP") -> Message:
    head = f"MSH|^~\\&|{sender}|AFFINITY|AFFINITY|20261127||{trigger}|E{next(NUMBERS)}|P|2.5"
    address = mllp.Address(host="127.0.0.1", port=node.ports["mllp"])
    return read(mllp.send(address, "\r".join((head, *segments, "")).encode()))


def visitors(node: RunningNode, parameter: str) -> list[str]:
    """The red id and the visit of each patient whom ITI-22 finds."""
    reply = send(node, "QBP^ZV1^QBP_Q21", f"QPD|IHE PDVQ Query|T|{parameter}", "RCP|I")
    return [f"{group['PID'].text(3)} {group['PV1'].text(19)}" for group in reply.groups("PID")]


def test_an_account_is_moved_with_its_visit(connectathon: RunningNode) -> None:
    who = ("A-1^^^IHERED", "Konrad^Ida"), ("A-2^^^IHERED", "Thill^Otto")
    for (id, name), visit, account in zip(who, ("V1", "V2"), ("K1", "K2"), strict=True):
        pid = f"PID|||{id}||{name}||19800515|F||||||||||{account}^^^IHERED"
        pv1 = f"PV1||I|W1{'|' * 16}{visit}^^^IHERED"
        assert send(connectathon, "ADT^A01^ADT_A01", "EVN||20261127", pid, pv1)["MSA"].text(1) == "AA"
    assert visitors(connectathon, "@PID.18.1^K1") == ["A-1 V1"]
    moved = send(
        connectathon,
        "ADT^A44^ADT_A43",
        "EVN||20261127",
        "PID|||A-2^^^IHERED||Thill^Otto",
        "MRG|A-1^^^IHERED||K1^^^IHERED",
    )
    assert moved["MSA"].text(1) == "AA"
    assert visitors(connectathon, "@PID.18.1^K1") == ["A-2 V2"]
    assert visitors(connectathon, "@PV1.19.1^V1") == ["A-2 V1"]
    assert visitors(connectathon, "@PID.5.1^Konrad") == []


def xds_id(id: str) -> str:
    return f"{id}^^^&{RED}&ISO"


def documents(node: RunningNode, id: str) -> list[str]:
    """The documents that the registry finds for a red id."""
    words = ("query", "--patient-id", xds_id(id), "--json", "--data", str(node.data))
    found = CliRunner().invoke(app, list(words))
    return sorted(each["uniqueId"] for each in json.loads(found.stdout)["objects"])


def test_documents_follow_a_changed_link(connectathon: RunningNode, tmp_path: Path) -> None:
    for id, local, name in (("X-1", "L-1", "Muster^Lea"), ("X-2", "L-2", "Probst^Max")):
        pid = f"PID|||{id}^^^IHERED~{local}^^^IHEGREEN||{name}||19880317|F"
        assert send(connectathon, "ADT^A28^ADT_A05", "EVN||20261127", pid, "PV1||N")["MSA"].text(1) == "AA"
        report = tmp_path / "report.txt"
        report.write_text(f"about {name}")
        source = ("--source-patient-id", f"{local}^^^&{GREEN}&ISO", "--unique-id", f"2.25.66{id[-1]}")
        words = ("submit", str(report), "--patient-id", xds_id(id), *source, "--data", str(connectathon.data))
        submitted = CliRunner().invoke(app, list(words))
        assert submitted.exit_code == 0, submitted.output
    assert (documents(connectathon, "X-1"), documents(connectathon, "X-2")) == (["2.25.661"], ["2.25.662"])
    pid, mrg = f"PID|||X-2^^^&{RED}&ISO~L-1^^^&{GREEN}&ISO|| ", f"MRG|X-1^^^&{RED}&ISO"
    changed = send(connectathon, "ADT^A43^ADT_A43", "EVN||20261127", pid, mrg, sender="2.25.77|STATE")
    assert changed["MSA"].text(1) == "AA"
    assert documents(connectathon, "X-1") == []
    assert documents(connectathon, "X-2") == ["2.25.661", "2.25.662"]
