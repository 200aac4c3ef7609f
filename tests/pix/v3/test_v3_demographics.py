"""Demographics to v3 and back: what both can say is the same, and nothing makes an answer the schema would refuse."""

from datetime import UTC, datetime
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ihe.domain import AssigningAuthority
from ihe.exchange import Exchange, SOAPRequest
from ihe.identifiers import PatientKey
from pix.iti47 import ITI_47, Candidates
from pix.model import Address, Coded, Demographics, Identifier, PersonName, Telecom
from pix.queries import Candidate, Page
from pix.v3_answers import Community
from pix.v3_demographics import add_person, demographics
from pix.v3_elements import add, child, message
from soap.xml import parse
from tests.pix.v3.desk import MESSAGES, complaints

HOSPITAL = AssigningAuthority(namespace_id="HOSP", oid="2.25.999.1")
times = st.sampled_from(["1980", "198005", "19800515", "1980051508", "198005150830", "19800515083059"])
words = st.text(st.characters(categories=("L", "N"), include_characters="-'’."), min_size=1, max_size=12)
optional = st.one_of(st.just(""), words)

names = st.builds(
    PersonName,
    family=words,
    given=words,
    further_given=optional,
    prefix=optional,
    type_code=st.sampled_from(["L", "S", ""]),
)
addresses = st.builds(
    Address, street=words, city=optional, state=optional, postal_code=optional, country=optional, county=optional
)
phones = st.builds(
    Telecom,
    number=st.from_regex(r"\A\+?[0-9][0-9-]{3,12}\Z"),
    use=st.sampled_from(["PRN", "VHN", "ASN"]),
    equipment=st.sampled_from(["PH", "CP"]),
    extension=st.from_regex(r"\A[0-9]{0,4}\Z"),
)
codes = st.builds(Coded, code=words, text=optional, scheme=st.sampled_from(["", "2.16.840.1.113883.5.2", "HL70002"]))
sayable = st.builds(
    Demographics,
    names=st.lists(names, min_size=1, max_size=3).map(tuple),
    birth_time=st.none() | times,
    sex=st.sampled_from([None, "M", "F", "O"]),
    addresses=st.lists(addresses, max_size=2).map(tuple),
    home_phones=st.lists(phones, max_size=2).map(tuple),
    marital_status=st.none() | codes,
    religion=st.none() | codes,
    races=st.lists(codes, max_size=2).map(tuple),
    languages=st.lists(codes, max_size=2).map(tuple),
    citizenships=st.lists(codes, max_size=2).map(tuple),
    multiple_birth=st.sampled_from([None, "Y", "N"]),
    death_indicator=st.sampled_from([None, "Y", "N"]),
    death_time=st.none() | times,
    birth_place=st.none() | words,
)

anything = st.text(max_size=8)
hostile = st.builds(
    Demographics,
    names=st.lists(
        st.builds(PersonName, family=anything, given=anything, suffix=anything, degree=anything, type_code=anything),
        max_size=2,
    ).map(tuple),
    mothers_maiden_names=st.lists(st.builds(PersonName, family=anything, given=anything), max_size=1).map(tuple),
    birth_time=st.none() | times,
    sex=st.none() | anything,
    addresses=st.lists(st.builds(Address, street=anything, city=anything, type_code=anything), max_size=2).map(tuple),
    home_phones=st.lists(
        st.builds(Telecom, number=anything, email=anything, use=anything, equipment=anything, extension=anything),
        max_size=2,
    ).map(tuple),
    marital_status=st.none() | st.builds(Coded, code=anything, text=anything, scheme=anything),
    citizenships=st.lists(st.builds(Coded, code=anything, text=anything, scheme=anything), max_size=1).map(tuple),
    birth_order=st.none() | anything,
    multiple_birth=st.none() | anything,
    birth_place=st.none() | anything,
    ssn=st.none() | anything,
)


@given(sayable)
def test_what_v3_can_say_comes_back_as_it_was(known: Demographics) -> None:
    patient = add(message("PRPA_IN201306UV02"), "patient")
    add_person(patient, known)
    assert demographics(patient) == known


@given(hostile)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_whatever_the_index_holds_the_answer_is_valid(known: Demographics) -> None:
    request = SOAPRequest(parse((MESSAGES / "iti47_query.xml").read_bytes()))
    candidate = Candidate(
        key=PatientKey(1), identifiers=(Identifier(authority=HOSPITAL, id="H-1"),), demographics=known
    )
    found = Candidates(
        page=Page(candidates=(candidate,), total=1, domains=("2.25.999.9",)),
        community=Community(oid="2.25.999", name="test"),
    )
    exchange = Exchange(correlation_id="c", received_at=datetime(2026, 11, 23, 9, tzinfo=UTC))
    answer = parse(b"".join(ITI_47.encode(request, found, exchange).body))
    assert complaints(answer) == []
    assert child(answer, "controlActProcess/subject/registrationEvent/subject1/patient") is not None


def test_the_schema_is_there_or_the_validity_tests_say_nothing(shared: Path) -> None:
    answer = message("PRPA_IN201306UV02")
    assert shared.is_dir()
    assert complaints(answer) != []
