"""MatchAlgorithm and MinimumDegreeMatch: what reaches the index, what the answer says, what is refused."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from ihe.domain import AffinityDomain, AssigningAuthority
from ihe.exchange import Exchange, SOAPRequest
from ihe.identifiers import PatientKey
from pix.iti47 import ITI_47
from pix.model import Demographics, Identifier, PersonName
from pix.queries import Candidate, CandidateQuery, Page, SearchMode
from soap.xml import parse
from tests.pix.v3.desk import Answered, Desk, complaints

ALGORITHM = (
    '<matchAlgorithm><value xsi:type="ST">{}</value><semanticsText>MatchAlgorithm</semanticsText></matchAlgorithm>'
)
LOCATION = "/PRPA_IN201305UV02/controlActProcess/queryByParameter/matchCriterionList/matchAlgorithm/value"


def algorithm(name: str) -> tuple[str, str]:
    return ("<matchCriterionList>", "<matchCriterionList>" + ALGORITHM.format(name))


@dataclass(frozen=True)
class Supplier:
    """An index that notes what it is asked, and finds two people, one of them only nearly."""

    domain: AffinityDomain
    asked: list[CandidateQuery] = field(default_factory=list)

    def find(self, query: CandidateQuery) -> Page:
        self.asked.append(query)
        found = tuple(self.candidate(number, degree) for number, degree in ((1, 100), (2, 83)))
        return Page(candidates=found, total=2)

    def candidate(self, number: int, degree: int) -> Candidate:
        return Candidate(
            key=PatientKey(number),
            identifiers=(Identifier(authority=self.domain.assigning_authorities[0], id=f"H-{number}"),),
            demographics=Demographics(names=(PersonName(family="Weber"),)),
            match_degree=degree,
        )


@pytest.fixture
def supplier(domain: AffinityDomain) -> Supplier:
    return Supplier(domain)


def ask(supplier: Supplier, message: bytes) -> Answered:
    exchange = Exchange(correlation_id="c", received_at=datetime(2026, 11, 23, 9, tzinfo=UTC))
    wire = SOAPRequest(parse(message))
    found = ITI_47.handle(ITI_47.decode(wire), supplier, exchange)  # type: ignore[arg-type]
    return Answered(parse(b"".join(ITI_47.encode(wire, found, exchange).body)))


@pytest.mark.parametrize(
    ("name", "mode"),
    [("exact", SearchMode.EXACT), ("approximate", SearchMode.APPROXIMATE), (" Approximate ", SearchMode.APPROXIMATE)],
)
def test_the_algorithm_chooses_how_the_index_searches(
    desk: Desk, supplier: Supplier, name: str, mode: SearchMode
) -> None:
    ask(supplier, desk.golden("iti47_query", algorithm(name)))
    assert [query.algorithm for query in supplier.asked] == [mode]


def test_without_an_algorithm_the_search_is_exact_whatever_degree_is_asked(desk: Desk, supplier: Supplier) -> None:
    ask(supplier, desk.golden("iti47_query"))
    assert [(query.algorithm, query.minimum_degree) for query in supplier.asked] == [(SearchMode.EXACT, 75)]


def test_without_a_minimum_degree_the_index_filters_nothing(desk: Desk, supplier: Supplier) -> None:
    message = desk.golden("iti47_query").decode()
    start, end = message.index("<matchCriterionList>"), message.index("<parameterList>")
    ask(supplier, (message[:start] + message[end:]).encode())
    assert [query.minimum_degree for query in supplier.asked] == [None]


def test_every_patient_in_the_answer_has_the_degree_of_its_match(desk: Desk, supplier: Supplier) -> None:
    answered = ask(supplier, desk.golden("iti47_query", algorithm("approximate")))
    assert complaints(answered.element) == []
    assert answered.all("queryMatchObservation/value", "value") == ["100", "83"]
    assert answered.all("queryMatchObservation/code", "code") == ["IHE_PDQ", "IHE_PDQ"]


@pytest.mark.parametrize("name", ["soundex", "", "exact approximate"])
def test_an_algorithm_that_nobody_agreed_on_is_refused_with_those_that_are(desk: Desk, name: str) -> None:
    refused = desk.ask("iti47_query", algorithm(name))
    assert refused.verdict == "AE QE 103"
    assert refused.locations == [LOCATION]
    assert "exact or approximate" in refused.texts("acknowledgementDetail/text")[0]


@pytest.mark.parametrize("degree", ["101", "-1", "7.5", "high"])
def test_a_degree_is_a_percentage(desk: Desk, degree: str) -> None:
    assert desk.ask("iti47_query", ('value="75"', f'value="{degree}"')).verdict == "AE QE 102"


def test_exact_matches_are_found_whatever_degree_is_asked(desk: Desk, hospital: AssigningAuthority) -> None:
    desk.announce(1)
    answered = desk.ask("iti47_query", ('value="75"', 'value="100"'), algorithm("exact"))
    assert answered.verdict == "AA OK"
    assert answered.all("patient/id", "root") == [hospital.oid]
    assert answered.all("queryMatchObservation/value", "value") == ["100"]
