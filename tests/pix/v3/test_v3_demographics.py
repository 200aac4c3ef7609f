"""Demographics to v3 and back: what both can say is the same, and nothing makes an answer the schema would refuse."""

from datetime import UTC, datetime
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ihe.datatypes import CX, HD
from ihe.domain import AssigningAuthority
from ihe.exchange import Exchange, SOAPRequest
from ihe.identifiers import PatientKey
from pix.iti47 import ITI_47, Candidates
from pix.model import ATTRIBUTES, NOTHING_KNOWN, Address, Coded, Demographics, Identifier, PersonName, Telecom
from pix.queries import Candidate, Page
from pix.v3_answers import Community
from pix.v3_datatypes import ADDRESS_PARTS, NAME_USES
from pix.v3_demographics import add_person, demographics
from pix.v3_elements import add, attribute, child, message
from soap.xml import parse
from tests.pix.v3.desk import MESSAGES, complaints

HOSPITAL = AssigningAuthority(namespace_id="HOSP", oid="2.25.999.1")
times = st.sampled_from(["1980", "198005", "19800515", "1980051508", "198005150830", "19800515083059"])
words = st.text(st.characters(categories=("L", "N"), include_characters="-'’."), min_size=1, max_size=12)
optional = st.one_of(st.just(""), words)
oids = st.sampled_from(["2.25.999.1", "1.2.840.114350"])

names = st.builds(
    PersonName,
    family=words,
    given=words,
    further_given=st.lists(words, max_size=2).map(" ".join),
    prefix=optional,
    suffix=optional,
    degree=optional,
    type_code=st.sampled_from(["", *dict.fromkeys(v2 for _, v2 in NAME_USES)]),
)
married = st.builds(PersonName, family=words, own_family=words, given=words, type_code=st.just("L")).filter(
    lambda name: name.family != name.own_family
)
maiden = st.builds(PersonName, family=words, given=optional, type_code=st.just("M"))
addresses = st.builds(
    Address,
    street=words,
    type_code=st.sampled_from(["", "H", "V", "B", "C", "BA", "M"]),
    **{attribute: optional for _, attribute in ADDRESS_PARTS},
)
numbers = st.from_regex(r"\A\+?[0-9][0-9-]{3,12}\Z")
extensions = st.from_regex(r"\A[0-9]{0,4}\Z")
uses = st.sampled_from(["PRN", "VHN", "ASN", "EMR", "BPN"])
phones = st.builds(
    Telecom, number=numbers, use=uses, equipment=st.sampled_from(["PH", "CP", "FX"]), extension=extensions
)
emails = st.builds(
    Telecom,
    email=st.from_regex(r"\A[a-z0-9+.%ü-]{1,8}@[a-z]{1,8}\.lu\Z"),
    use=st.just("NET"),
    equipment=st.just("Internet"),
)
office_phones = st.builds(
    Telecom, number=numbers, use=st.just("WPN"), equipment=st.sampled_from(["PH", "FX"]), extension=extensions
)
codes = st.builds(Coded, code=words, text=optional, scheme=st.sampled_from(["", "2.16.840.1.113883.5.2", "HL70002"]))
several_codes = st.lists(codes, max_size=2).map(tuple)
sayable = st.builds(
    Demographics,
    names=st.lists(names | married | maiden, min_size=1, max_size=3).map(tuple),
    mothers_maiden_names=st.lists(names | maiden, max_size=1).map(tuple),
    mothers_identifiers=st.lists(st.builds(lambda id, oid: CX(id, HD("", oid, "ISO")), words, oids), max_size=2).map(
        tuple
    ),
    birth_time=st.none() | times,
    sex=st.sampled_from([None, "M", "F", "O"]),
    races=several_codes,
    addresses=st.lists(addresses, max_size=2).map(tuple),
    home_phones=st.lists(phones | emails, max_size=3).map(tuple),
    business_phones=st.lists(office_phones, max_size=2).map(tuple),
    languages=several_codes,
    marital_status=st.none() | codes,
    religion=st.none() | codes,
    ssn=st.none() | words,
    ethnic_groups=several_codes,
    citizenships=several_codes,
    multiple_birth=st.sampled_from([None, "Y", "N"]),
    birth_order=st.none() | st.integers(1, 9).map(str),
    death_indicator=st.sampled_from([None, "Y", "N"]),
    death_time=st.none() | times,
    birth_place=st.none() | words,
)
CODE = Coded(code="C", text="text", scheme="HL70002")
EVERYTHING = Demographics(
    names=(PersonName(family="Weber", own_family="Kremer", given="Anna", further_given="Lea", type_code="L"),),
    mothers_maiden_names=(PersonName(family="Hoffmann", given="Eva"),),
    mothers_identifiers=(CX("H-77", HD("", "2.25.999.1", "ISO")),),
    birth_time="19800515",
    sex="F",
    races=(CODE,),
    addresses=(Address(street="1, rue A", other_designation="Bloc B", city="Esch", type_code="H"),),
    home_phones=(Telecom(number="+352-1", use="PRN", equipment="PH"),),
    business_phones=(Telecom(number="+352-2", use="WPN", equipment="PH"),),
    languages=(CODE,),
    marital_status=CODE,
    religion=CODE,
    ssn="999-99-4452",
    ethnic_groups=(CODE,),
    birth_place="Esch",
    multiple_birth="Y",
    birth_order="2",
    citizenships=(CODE,),
    death_time="20260101",
    death_indicator="Y",
)
UNSAID = {
    "aliases": "come back as further names",
    "county": "is a part of an address",
    "accounts": "are no attribute of the v3 model",
    "drivers_license": "loses the arc of its issuer when it is read",
    "veterans_status": "has no attribute of its own",
    "nationality": "has none beside the citizenships",
    "identity_unknown": "has none",
    "identity_reliability": "has none",
    "last_update_time": "is metadata (ITI TF-2: R.2)",
    "last_update_facility": "is metadata (ITI TF-2: R.2)",
}

anything = st.text(max_size=8)
zoned = st.sampled_from(["1980+0100", "19800515+0100", "198005150830.5", "198005150830-0500", "19800515083059.25-0500"])
"""Times as HL7 v2 has them: a zone and a fraction of a second after any precision (ITI TF-2: N.5)."""
hostile = st.builds(
    Demographics,
    names=st.lists(
        st.builds(PersonName, family=anything, given=anything, suffix=anything, degree=anything, type_code=anything),
        max_size=2,
    ).map(tuple),
    mothers_maiden_names=st.lists(st.builds(PersonName, family=anything, given=anything), max_size=1).map(tuple),
    birth_time=st.none() | times | zoned,
    death_time=st.none() | times | zoned,
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
    mothers_identifiers=st.lists(
        st.builds(lambda id, oid: CX(id, HD("", oid, "ISO")), anything, oids | anything), max_size=1
    ).map(tuple),
)


@given(sayable)
def test_what_v3_can_say_comes_back_as_it_was(known: Demographics) -> None:
    patient = add(message("PRPA_IN201306UV02"), "patient")
    add_person(patient, known)
    assert demographics(patient) == known


def test_a_zone_stays_where_v3_can_say_it() -> None:
    patient = add(message("PRPA_IN201306UV02"), "patient")
    add_person(patient, Demographics(birth_time="198005150830-0500", death_time="2026+0100"))
    assert attribute(patient, "patientPerson/birthTime") == "198005150830-0500"
    assert attribute(patient, "patientPerson/deceasedTime") == "2026"


def test_no_attribute_is_forgotten_on_the_way() -> None:
    empty = {name for name in ATTRIBUTES if getattr(EVERYTHING, name) == getattr(NOTHING_KNOWN, name)}
    assert empty == set(UNSAID)
    patient = add(message("PRPA_IN201306UV02"), "patient")
    add_person(patient, EVERYTHING)
    assert demographics(patient) == EVERYTHING


@given(hostile)
@example(Demographics(birth_time="19800515+0100", death_time="198005150830.5"))
@example(Demographics(citizenships=(Coded(code="0", scheme="3.0"),)))
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)  # the first one compiles the schema
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
