"""Every kind of answer against the official HL7 v3 schemas (Normative Edition 2008), skipped where they are absent."""

from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree
from lxml.etree import _Element

from soap.xml import parse
from tests.pix.v3.desk import MESSAGES, Answered, Desk, complaints, official_schema

Change = tuple[str, str]
NO_MATRICULE = ('<id root="2.25.999.9" extension="1980051512305"/>', '<id nullFlavor="NI"/>')
ANYBODY = ("<family>Weber</family>", "<family>Niemand</family>")
CLINIC = ('root="2.25.999.1" extension="H-1"', 'root="2.25.999.2" extension="C-1"')
SCOPE = "<otherIDsScopingOrganization><value root={}/><semanticsText>s</semanticsText></otherIDsScopingOrganization>"
ALGORITHM = (
    '<matchAlgorithm><value xsi:type="ST">{}</value><semanticsText>MatchAlgorithm</semanticsText></matchAlgorithm>'
)
ONE = ('initialQuantity value="2"', 'initialQuantity value="1"')


def scoped(root: str) -> Change:
    return ("</livingSubjectName>", "</livingSubjectName>" + SCOPE.format(f'"{root}"'))


def nobody(desk: Desk) -> None:
    """No patient at all."""


def one(desk: Desk) -> None:
    desk.announce(1)


def two(desk: Desk) -> None:
    desk.announce(1)
    desk.announce(2, NO_MATRICULE, ("<given>Anna</given>", "<given>Berta</given>"))


def linked(desk: Desk) -> None:
    """One person with an id of the hospital and one of the clinic."""
    desk.announce(1)
    desk.ask("iti44_added", ('extension="1"/>', 'extension="c"/>'), CLINIC)


def paged(desk: Desk) -> None:
    two(desk)
    desk.ask("iti47_query", ONE)


ACK, IDS, CANDIDATES = "MCCI_IN000002UV01", "PRPA_IN201310UV02", "PRPA_IN201306UV02"
Case = tuple[Callable[[Desk], None], str, tuple[Change, ...], str, str]
CASES: dict[str, Case] = {
    "44 added": (nobody, "iti44_added", (), ACK, "CA"),
    "44 revised": (one, "iti44_revised", (), ACK, "CA"),
    "44 merged": (two, "iti44_duplicates_resolved", (), ACK, "CA"),
    "44 merged, unknown": (nobody, "iti44_duplicates_resolved", (), ACK, "CE 204"),
    "44 malformed": (nobody, "iti44_added", (("19800515", "15.05.1980"),), ACK, "CE 102"),
    "44 rejected": (nobody, "iti44_added", (("TE201301", "TE201302"),), ACK, "CR 201"),
    "44 without an id": (nobody, "iti44_added", (('<id root="2.25.999.100" extension="1"/>', ""),), ACK, "CE 101"),
    "44 of nobody": (nobody, "iti44_added", (('<id root="2.25.999.100"/>', '<id root="HIS"/>'),), ACK, "CE 101"),
    "45 one": (linked, "iti45_query", (), IDS, "AA OK"),
    "45 none": (one, "iti45_query", (), IDS, "AA NF"),
    "45 unknown patient": (nobody, "iti45_query", (), IDS, "AE AE 204"),
    "45 unknown domain": (one, "iti45_query", (('root="2.25.999.3"', 'root="2.25.998"'),), IDS, "AE AE 204"),
    "45 malformed": (one, "iti45_query", (('root="2.25.999.2"', 'root="CLINIC"'),), IDS, "AE QE 102"),
    "45 rejected": (one, "iti45_query", (('processingCode code="P"', 'processingCode code="X"'),), IDS, "AR AE 202"),
    "47 none": (one, "iti47_query", (ANYBODY,), CANDIDATES, "AA NF"),
    "47 one": (one, "iti47_query", (), CANDIDATES, "AA OK"),
    "47 many": (two, "iti47_query", (), CANDIDATES, "AA OK"),
    "47 a page": (two, "iti47_query", (ONE,), CANDIDATES, "AA OK"),
    "47 exact": (
        two,
        "iti47_query",
        (("<minimum", ALGORITHM.format("exact") + "<minimum"),),
        CANDIDATES,
        "AA OK",
    ),
    "47 domains": (two, "iti47_query", (scoped("2.25.999.9"),), CANDIDATES, "AA OK"),
    "47 unknown domain": (two, "iti47_query", (scoped("2.25.998"),), CANDIDATES, "AE AE 204"),
    "47 too broad": (two, "iti47_query", (("<family>Weber", "<family>*"),), CANDIDATES, "AE QE 101"),
    "47 deferred": (two, "iti47_query", (('PriorityCode code="I"', 'PriorityCode code="D"'),), CANDIDATES, "AE QE 103"),
    "47 malformed": (two, "iti47_query", (('value="75"', 'value="high"'),), CANDIDATES, "AE QE 102"),
    "47 rejected": (two, "iti47_query", (("TE201305", "TE201309"),), CANDIDATES, "AR AE 201"),
    "47 continued": (paged, "iti47_continue", (), CANDIDATES, "AA OK"),
    "47 continued, unknown": (nobody, "iti47_continue", (), CANDIDATES, "AE AE 204"),
    "47 cancelled": (paged, "iti47_cancel", (), ACK, "CA"),
    "47 aborted": (paged, "iti47_continue", (("waitContinuedQueryResponse", "aborted"),), ACK, "CA"),
    "47 cancelled, wrong": (nobody, "iti47_cancel", (("aborted", "new"),), ACK, "CE 103"),
}


def answered(desk: Desk, case: str) -> Answered:
    scene, message, changes, _, _ = CASES[case]
    scene(desk)
    return desk.ask(message, *changes)


@pytest.mark.parametrize("case", CASES)
def test_an_answer_of_every_kind_is_valid(desk: Desk, shared: Path, case: str) -> None:
    answer = answered(desk, case)
    assert (answer.name, answer.verdict) == CASES[case][3:]
    assert official_schema(answer.name) is not None, shared
    assert complaints(answer.element) == []


@pytest.mark.parametrize("case", ["44 added", "45 one", "47 many"])
def test_the_schema_notices_what_is_missing(desk: Desk, shared: Path, case: str) -> None:
    element = answered(desk, case).element
    acknowledgement = element.find("{urn:hl7-org:v3}acknowledgement")
    assert acknowledgement is not None
    acknowledgement.remove(acknowledgement[0])
    assert complaints(element), shared


def test_every_interaction_that_is_answered_is_among_the_cases(shared: Path) -> None:
    assert {case[3] for case in CASES.values()} == {ACK, IDS, CANDIDATES}
    assert {case[1] for case in CASES.values()} == {path.stem for path in MESSAGES.glob("*.xml")}


def in_its_schema(element: _Element) -> _Element:
    """The cancellation is an element of the published WSDL; the schema has it under the name of the interaction."""
    element.tag = str(element.tag).removesuffix("_Cancel")
    return element


@pytest.mark.parametrize("path", sorted(MESSAGES.glob("*.xml")), ids=lambda path: path.stem)
def test_the_questions_of_this_suite_are_valid_themselves(path: Path, shared: Path) -> None:
    element = in_its_schema(parse(path.read_bytes()))
    assert official_schema(etree.QName(element).localname) is not None, shared
    assert complaints(element) == []
