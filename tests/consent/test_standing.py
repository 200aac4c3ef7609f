"""What holds of a record goes out as a FHIR Consent, and comes in again as the same."""

import json
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from consent import documents, fhir_reading, fhir_writing, recording
from consent.effects import Deed, Hide, LetIn, OpenRecord, ShutOut, deeds
from consent.facts import Facts
from consent.fhir_table import R4
from consent.model import Act, Emergency, Mask, Relationship, RelationshipKind, organization, person, professional
from consent.standing import standing
from consent.statements import Definitions
from ihe.datatypes import CX, HD
from ihe.identifiers import PatientKey, UniqueId
from ihe.patients import Patient
from tests.consent.stage import NATIONAL, NOW, Stage

ACT = Act(actor="Léa", reason="asked at the counter", at=NOW, origin="console")
DAY = timedelta(days=1)
PATIENT = Patient(key=PatientKey(1), keys=(PatientKey(1),), id=CX("P1", HD("", "1.2", "ISO")))


def test_a_record_is_exported_and_imported_into_another(stage: Stage) -> None:
    stage.feed((NATIONAL, "79"), family="Klein", birth="19500101")
    said: tuple[Deed, ...] = (
        OpenRecord(NOW + 9 * DAY),
        LetIn(professional("9"), NOW + DAY),
        ShutOut(organization("2.999.2.1")),
        Hide(UniqueId("1.2.3^4")),
    )
    one, other = stage.patient(), stage.patient("79")
    stage.index.database.write(lambda each: documents.do(each, one, said, ACT))
    document = standing(one, stage.facts(), NOW).document
    exported = json.dumps(fhir_writing.write(document)).encode()
    read = deeds(fhir_reading.read(exported), Definitions(), NOW, R4)
    assert set(read) == set(said)
    stage.index.database.write(lambda each: documents.do(each, other, read, ACT))
    again = standing(other, stage.facts("79"), NOW).document
    assert set(again.statements) == set(document.statements)


def test_what_no_consent_can_say_is_told(here: Stage) -> None:
    patient = here.patient()

    def work(connection: Connection) -> None:
        recording.relate(connection, patient, person("anna", "urn:idp"), RelationshipKind.PATIENT, ACT)
        recording.mask(connection, patient, (UniqueId("1.9"),), ACT, "nurse")

    here.index.database.write(work)
    found = standing(patient, here.facts(), NOW)
    assert not found.document.statements
    assert [each.split(" ")[0] for each in found.left_out] == ["the", "person:anna@urn:idp", "document"]


keys = st.just(PatientKey(1))
facts = st.builds(
    Facts,
    relationships=st.lists(
        st.builds(
            Relationship,
            number=st.integers(1, 9),
            key=keys,
            party=st.sampled_from((professional("9"), organization("1.2"), person("a", "b"))),
            kind=st.sampled_from(RelationshipKind),
            since=st.just(NOW - DAY),
            until=st.none() | st.datetimes(datetime(2026, 11, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
        ),
        max_size=4,
    ).map(tuple),
    masks=st.lists(
        st.builds(
            Mask,
            number=st.integers(1, 9),
            key=keys,
            unique_id=st.just(UniqueId("1.2")),
            profession=st.sampled_from(("*", "nurse")),
        ),
        max_size=2,
    ).map(tuple),
    emergencies=st.lists(
        st.builds(
            Emergency,
            number=st.integers(1, 9),
            key=keys,
            party=st.just(professional("9")),
            since=st.just(NOW - DAY),
            until=st.just(NOW + DAY),
            level=st.just("R"),
            reason=st.just("x"),
        ),
        max_size=1,
    ).map(tuple),
)


@given(known=facts)
def test_every_word_of_a_standing_can_be_kept_to(known: Facts) -> None:
    """What is exported is no more than what holds: each statement is one that an import takes."""
    document = standing(PATIENT, known, NOW).document
    deeds(document, Definitions(), NOW, R4)
