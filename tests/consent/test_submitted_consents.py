"""Consents submitted by ITI-41 take effect with the submission, and end with the document, on both engines."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha1
from typing import Any

import pytest
from sqlalchemy import Connection, Select, select, update

from consent import recording
from consent.model import Act, RecordState, organization
from ihe.errors import ErrorCode, Rejected
from ihe.exchange import Exchange, SOAPRequest
from ihe.identifiers import EntryUUID, UniqueId
from soap.xml import parse
from tests.consent.stage import (
    APPC,
    APPC_CONSENT,
    BPPC,
    BPPC_CONSENT,
    BPPC_UNTIL_NEW_YEAR,
    NATIONAL,
    NOW,
    OPPOSITION,
    Stage,
    submission,
)
from xds import removal
from xds.ebrim_writing import encode
from xds.iti57 import ITI_57
from xds.model import AssociationType, AvailabilityStatus, Submission
from xds.tables import association, document_entry, submission_set

HOSPITAL = organization("2.999.2.1")
SCAN = "urn:ihe:iti:xds:2017:mimeTypeSufficient"


def uuid_of(stage: Stage, unique_id: UniqueId) -> EntryUUID:
    query = select(document_entry.c.entry_uuid).where(document_entry.c.unique_id == unique_id)
    return EntryUUID(stage.index.database.read(lambda each: each.execute(query).scalar_one()))


def patient_id(id: str) -> str:
    return f'root="{NATIONAL.oid}" extension="{id}"'


def all_of(query: Select[Any], connection: Connection) -> list[str]:
    return list(connection.scalars(query))


def excluded(stage: Stage) -> list[str]:
    return [each.party for each in stage.facts().exclusions]


def state(stage: Stage) -> RecordState | None:
    return stage.facts().state(NOW)


def test_a_consent_takes_effect_and_is_returned_like_any_document(stage: Stage) -> None:
    unique_id = stage.submit(APPC_CONSENT, APPC)
    assert excluded(stage) == [HOSPITAL]
    document = stage.repository.documents([unique_id])[unique_id]
    assert b"".join(stage.repository.deliver(document).chunks()).decode() == APPC_CONSENT


def test_an_acknowledgement_opens_and_an_opposition_closes(stage: Stage) -> None:
    first = stage.submit(BPPC_CONSENT, BPPC)
    assert state(stage) is RecordState.OPEN
    stage.submit(OPPOSITION, BPPC, replaces=uuid_of(stage, first))
    assert state(stage) is RecordState.CLOSED
    (record,) = stage.facts().records
    assert record.delete_at is not None and (record.delete_at - NOW).days == 3650


def test_an_acknowledgement_with_an_end_ends_by_itself(stage: Stage) -> None:
    stage.submit(BPPC_UNTIL_NEW_YEAR, BPPC)
    facts = stage.facts()
    new_year = datetime(2027, 1, 1, tzinfo=UTC)
    last = facts.state(new_year - timedelta(seconds=1))
    assert (last, facts.state(new_year)) == (RecordState.OPEN, RecordState.SUSPENDED)
    stage.submit(BPPC_CONSENT, BPPC)
    assert stage.facts().state(new_year) is RecordState.OPEN, "the newer consent has no end"


def test_a_replacement_ends_what_the_replaced_document_said(stage: Stage) -> None:
    first = stage.submit(APPC_CONSENT, APPC)
    other = APPC_CONSENT.replace("2.999.2.1", "2.999.2.2").replace("e3585197", "e3585198")
    stage.submit(other, APPC, replaces=uuid_of(stage, first))
    assert excluded(stage) == [organization("2.999.2.2")]


def test_a_replacement_that_is_no_consent_ends_it_as_well(stage: Stage) -> None:
    first = stage.submit(APPC_CONSENT, APPC)
    stage.submit("a scan", SCAN, replaces=uuid_of(stage, first))
    assert excluded(stage) == []


def test_removal_of_the_metadata_ends_it(stage: Stage) -> None:
    stage.submit(APPC_CONSENT, APPC)

    def everything() -> Iterable[EntryUUID]:
        for table in (document_entry, submission_set, association):
            query = select(table.c.entry_uuid).order_by(table.c.id)
            yield from map(EntryUUID, stage.index.database.read(partial(all_of, query)))

    removal.remove(stage.index.database, stage.index, tuple(everything()), stage.registry.witness)
    assert excluded(stage) == []


def test_a_deprecation_ends_it_and_an_approval_brings_it_back(stage: Stage) -> None:
    stage.submit(APPC_CONSENT, APPC)
    for status, expected in ((AvailabilityStatus.DEPRECATED, []), (AvailabilityStatus.APPROVED, [HOSPITAL])):
        set_status(stage, status)
        assert excluded(stage) == expected


def set_status(stage: Stage, status: AvailabilityStatus) -> None:
    def change(connection: Connection) -> None:
        connection.execute(update(document_entry).values(status=status))
        stage.registry.witness.changed(connection, stage.patient().keys)

    stage.index.database.write(change)


@pytest.mark.parametrize("text", [BPPC_CONSENT, OPPOSITION])
def test_a_consent_that_comes_back_does_not_outweigh_what_was_decided_since(stage: Stage, text: str) -> None:
    stage.submit(text, BPPC)
    decide = recording.close_record if text == BPPC_CONSENT else recording.open_record
    set_status(stage, AvailabilityStatus.DEPRECATED)
    act = Act(actor="the patient", reason="at the desk", at=NOW)
    stage.index.database.write(lambda each: decide(each, stage.patient(), act))
    decided = state(stage)
    set_status(stage, AvailabilityStatus.APPROVED)
    assert state(stage) is decided
    set_status(stage, AvailabilityStatus.DEPRECATED)
    assert state(stage) is decided


def test_a_consent_that_comes_back_opens_where_what_was_decided_since_has_ended(stage: Stage) -> None:
    first = stage.submit(BPPC_CONSENT, BPPC)
    assert stage.facts().state(NOW) is RecordState.OPEN
    stage.submit(OPPOSITION, BPPC, replaces=uuid_of(stage, first))
    assert state(stage) is RecordState.CLOSED

    def swap(connection: Connection) -> None:
        opposition = document_entry.c.unique_id != first
        connection.execute(update(document_entry).values(status=AvailabilityStatus.APPROVED))
        connection.execute(update(document_entry).where(opposition).values(status=AvailabilityStatus.DEPRECATED))
        stage.registry.witness.changed(connection, stage.patient().keys)

    stage.index.database.write(swap)
    assert state(stage) is RecordState.OPEN


def version_of(stage: Stage, unique_id: UniqueId, id: str) -> Submission:
    """ITI-57: the next version of a document, of a patient."""
    entry, sent = submission(BPPC, None, id)
    data = BPPC_CONSENT.encode()
    version = replace(
        entry,
        logical_id=uuid_of(stage, unique_id),
        unique_id=unique_id,
        hash=sha1(data).hexdigest(),
        size=len(data),
        repository_unique_id="2.25.300",
    )
    (link,) = sent.associations
    return replace(sent, document_entries=(version,), associations=(replace(link, previous_version=1),))


def deprecation_of(stage: Stage, unique_id: UniqueId, id: str) -> Submission:
    """ITI-57: the document is deprecated, by a SubmissionSet of a patient."""
    _, sent = submission(BPPC, None, id)
    change = replace(
        sent.associations[0],
        association_type=AssociationType.UPDATE_AVAILABILITY_STATUS,
        target_object=uuid_of(stage, unique_id),
        submission_set_status=None,
        original_status=AvailabilityStatus.APPROVED,
        new_status=AvailabilityStatus.DEPRECATED,
    )
    return replace(sent, document_entries=(), associations=(change,))


@pytest.mark.parametrize("update", [version_of, deprecation_of])
def test_an_update_under_another_patient_ends_it(
    stage: Stage, update: Callable[[Stage, UniqueId, str], Submission]
) -> None:
    """The document is not this patient's any more, or approved no more, whoever the SubmissionSet is about."""
    stage.feed((NATIONAL, "79"), family="Klein", birth="19500101")
    consent = stage.submit(BPPC_CONSENT, BPPC)
    assert state(stage) is RecordState.OPEN
    wire = SOAPRequest(parse(encode(update(stage, consent, "79"))))
    ITI_57.handle(ITI_57.decode(wire), stage.registry, Exchange(correlation_id="test", received_at=NOW))
    assert state(stage) is RecordState.WAITING
    assert stage.facts("79").state(NOW) is RecordState.WAITING


@pytest.mark.parametrize(("closed", "surviving"), [("79", "78"), ("78", "79")])
def test_what_ends_after_a_merge_opens_no_record_that_the_other_patient_closed(
    stage: Stage, closed: str, surviving: str
) -> None:
    stage.feed((NATIONAL, "79"), family="Klein", birth="19500101")
    act = Act(actor="the patient", reason="at the desk", at=NOW)
    database, other = stage.index.database, "78" if closed == "79" else "79"
    database.write(lambda each: recording.close_record(each, stage.patient(closed), act))
    database.write(lambda each: recording.open_record(each, stage.patient(other), act))
    opposition = OPPOSITION.replace('root="1.3.6.1.4.1.21367.13.20.3000" extension="L-1"', patient_id(other))
    document = stage.submit(opposition, BPPC, id=other)
    assert stage.facts(other).state(NOW) is RecordState.CLOSED
    stage.merge({"78": "79", "79": "78"}[surviving], surviving)
    stage.submit("a scan", SCAN, replaces=uuid_of(stage, document), id=surviving)
    records = {each.key: each.state for each in stage.facts(surviving).records}
    assert sorted(records.values()) == [RecordState.CLOSED, RecordState.OPEN]
    assert stage.facts(surviving).state(NOW) is RecordState.CLOSED


UNREADABLE = {
    "no XML": ("%PDF-1.7", APPC, "well-formed XML"),
    "the wrong format": (BPPC_CONSENT, APPC, "one XACML 2.0 PolicySet"),
    "another patient": (APPC_CONSENT.replace('extension="78"', 'extension="79"'), APPC, "names the patient"),
    "an unknown patient": (APPC_CONSENT.replace('root="2.999.1"', 'root="2.999.5"'), APPC, "names the patient"),
    "a policy of another domain": (BPPC_CONSENT.replace('"share"', '"chicken"'), BPPC, "policies that this domain"),
    "a condition that nobody can keep to": (
        APPC_CONSENT.replace("xspa:1.0:subject:organization-id", "xspa:1.0:subject:mood"),
        APPC,
        "Access can be decided",
    ),
    "more than can be enforced": (
        APPC_CONSENT.replace("xspa:1.0:subject:organization-id", "xca:2010:homeCommunityId").replace(
            "urn:oasis:names:tc:xca", "urn:ihe:iti:xca"
        ),
        APPC,
        "A rule is about",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_consent_that_cannot_be_kept_to_is_refused_and_nothing_is_stored(here: Stage, name: str) -> None:
    here.feed((NATIONAL, "79"), family="Klein", birth="19500101")
    text, format, why = UNREADABLE[name]
    refused = here.refusal(text, format)
    assert refused.codes == {ErrorCode.INVALID_DOCUMENT_CONTENT}
    assert any(why in each.text for each in refused.breaches), refused.breaches
    assert all("2.25.400." in each.code_context for each in refused.breaches), "codeContext has the uniqueID"
    count = here.index.database.read(lambda each: len(each.execute(select(document_entry.c.id)).all()))
    assert count == 0
    assert excluded(here) == [] and state(here) is RecordState.WAITING


def test_a_failed_replacement_leaves_the_consent_in_force(stage: Stage) -> None:
    first = stage.submit(APPC_CONSENT, APPC)
    with pytest.raises(Rejected):
        stage.submit("%PDF-1.7", APPC, replaces=uuid_of(stage, first))
    assert excluded(stage) == [HOSPITAL]


def test_a_consent_names_the_patient_by_a_local_id_as_well(stage: Stage) -> None:
    """The BPPC document has the hospital's own id in its recordTarget."""
    assert "L-1" in BPPC_CONSENT and "2.999.1" not in BPPC_CONSENT
    stage.submit(BPPC_CONSENT, BPPC)
    assert state(stage) is RecordState.OPEN


def test_an_ordinary_document_changes_nothing(stage: Stage) -> None:
    stage.submit(APPC_CONSENT, SCAN)
    assert excluded(stage) == []
