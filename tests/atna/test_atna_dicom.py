"""Audit messages as DICOM audit XML: what is written is read again, and is valid by the official schema."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml.etree import XMLSchema

from atna.dicom import NotAnAuditMessage, read, write
from atna.model import (
    ActiveParticipant,
    AuditMessage,
    AuditSource,
    Detail,
    EventActionCode,
    EventIdentification,
    EventOutcomeIndicator,
    NetworkAccessPointTypeCode,
    ParticipantObject,
)
from ihe.audit import ObjectDataLifeCycle, ObjectTypeCode, ObjectTypeCodeRole
from ihe.datatypes import Code
from soap.xml import parse, schema

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=12)
XML_TEXTS = st.one_of(TEXTS, st.sampled_from(["", "<&>\"'", "\t\n\r", "a  b", "a^^^&1.2.3&ISO", "é\N{OPEN BOOK}"]))
CODES = st.builds(Code, XML_TEXTS, XML_TEXTS, XML_TEXTS)


def few(values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(values, max_size=2).map(tuple)


def or_none(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


EVENTS = st.builds(
    EventIdentification,
    id=CODES,
    action=or_none(st.sampled_from(EventActionCode)),
    time=st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),
    outcome=st.sampled_from(EventOutcomeIndicator),
    types=few(CODES),
    outcome_description=or_none(XML_TEXTS),
    purpose_of_use=few(CODES),
)
PARTICIPANTS = st.builds(
    ActiveParticipant,
    user_id=XML_TEXTS,
    is_requestor=st.booleans(),
    alternative_user_id=or_none(XML_TEXTS),
    user_name=or_none(XML_TEXTS),
    roles=few(CODES),
    media=or_none(CODES),
    network_access_point=or_none(XML_TEXTS),
    network_access_point_type=or_none(st.sampled_from(NetworkAccessPointTypeCode)),
)
SOURCES = st.builds(AuditSource, id=XML_TEXTS, enterprise_site_id=or_none(XML_TEXTS), types=few(CODES))
OBJECTS = st.builds(
    ParticipantObject,
    id=or_none(XML_TEXTS),
    id_type=CODES,
    type_code=or_none(st.sampled_from(ObjectTypeCode)),
    role=or_none(st.sampled_from(ObjectTypeCodeRole)),
    life_cycle=or_none(st.sampled_from(ObjectDataLifeCycle)),
    sensitivity=or_none(XML_TEXTS),
    details=few(st.builds(Detail, XML_TEXTS, st.binary(max_size=20))),
)
MESSAGES = st.builds(
    AuditMessage,
    event=EVENTS,
    participants=st.lists(PARTICIPANTS, min_size=1, max_size=3).map(tuple),
    source=SOURCES,
    objects=few(
        OBJECTS
        | st.builds(lambda each, query: replace(each, query=query), OBJECTS, st.binary(max_size=30))
        | st.builds(lambda each, name: replace(each, name=name), OBJECTS, XML_TEXTS)
    ),
)


@pytest.fixture(scope="module")
def dicom_schema(shared: Path) -> XMLSchema:
    return schema(shared / "schemas" / "audit" / "dicom2017c.xsd")


def displays(message: AuditMessage) -> list[str]:
    """Equality of codes ignores what they display, so that is compared by itself."""
    codes = [message.event.id, *message.event.types, *message.event.purpose_of_use, *message.source.types]
    codes += [role for each in message.participants for role in each.roles]
    codes += [each.media for each in message.participants if each.media]
    return [each.display for each in [*codes, *(each.id_type for each in message.objects)]]


@settings(max_examples=150)
@given(sent=MESSAGES)
def test_what_is_written_is_valid_and_reads_the_same(dicom_schema: XMLSchema, sent: AuditMessage) -> None:
    spelled = write(sent)
    received = read(spelled)
    assert received == sent
    assert displays(received) == displays(sent)
    dicom_schema.assertValid(parse(spelled))


def foreign() -> list[str]:
    folder = Path(__file__).parents[2].parent / "shared" / "samples" / "ATNA"
    return sorted(each.name for each in folder.glob("*.xml") if not each.name.startswith("ihe_"))


@pytest.mark.parametrize("name", foreign())
def test_messages_of_other_systems_are_read_and_mean_the_same_when_written_again(shared: Path, name: str) -> None:
    message = read((shared / "samples" / "ATNA" / name).read_bytes())
    assert message.participants
    assert read(write(message)) == message


def test_the_older_spelling_of_rfc_3881_is_read() -> None:
    message = read(
        b'<AuditMessage><EventIdentification EventDateTime="2012-01-01T00:00:00" EventOutcomeIndicator="0">'
        b'<EventID code="110112" codeSystemName="DCM" displayName="Query"/></EventIdentification>'
        b'<ActiveParticipant UserID="a"/><AuditSourceIdentification AuditSourceID="b"/></AuditMessage>'
    )
    assert message.event.id == Code("110112", "DCM")
    assert message.event.time == datetime(2012, 1, 1, tzinfo=UTC)
    assert message.participants[0].is_requestor  # RFC 3881, section 5.2.4: true where nothing is said


GOOD = (
    b'<AuditMessage><EventIdentification EventDateTime="2012-01-01T00:00:00Z" EventOutcomeIndicator="0">'
    b'<EventID csd-code="110112" codeSystemName="DCM" originalText="Query"/></EventIdentification>'
    b'<ActiveParticipant UserID="a" UserIsRequestor="true"/><AuditSourceIdentification AuditSourceID="b"/>'
    b"</AuditMessage>"
)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda good: good[:-5], "not well-formed"),
        (lambda good: b"<!DOCTYPE AuditMessage>" + good, "document type declaration"),
        (lambda good: b"<a>" + good + b"</a>", "root element"),
        (lambda good: good.replace(b'Indicator="0"', b'Indicator="7"'), "EventOutcomeIndicator"),
        (lambda good: good.replace(b"01-01", b"13-01"), "EventDateTime"),
        (lambda good: good.replace(b'UserID="a"', b""), "no UserID"),
        (lambda good: good.replace(b'csd-code="110112"', b""), "no csd-code"),
        (lambda good: good.replace(b"AuditSourceIdentification", b"AuditSource"), "0 elements"),
    ],
)
def test_what_is_no_audit_message_is_refused_with_what_is_wrong(
    change: Callable[[bytes], bytes], complaint: str
) -> None:
    assert read(GOOD)
    with pytest.raises(NotAnAuditMessage, match=complaint):
        read(change(GOOD))
