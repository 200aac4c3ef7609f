"""AuditMessage as DICOM audit XML, out (ITI TF-2: 3.20.7.1; DICOM PS3.15 A.5).

Written by splicing: a record is made in the transaction that it describes, so its time is the sender's.
"""

from base64 import b64encode
from collections.abc import Iterable
from datetime import UTC
from enum import IntEnum
from functools import lru_cache
from operator import attrgetter

from atna.model import ActiveParticipant, AuditMessage, AuditSource, Detail, EventIdentification, ParticipantObject
from ihe.datatypes import Code
from soap.xml import escape

PARTICIPANT = (
    b"UserID",
    b"AlternativeUserID",
    b"UserName",
    b"UserIsRequestor",
    b"NetworkAccessPointID",
    b"NetworkAccessPointTypeCode",
)
PART = (
    b"ParticipantObjectTypeCode",
    b"ParticipantObjectTypeCodeRole",
    b"ParticipantObjectDataLifeCycle",
    b"ParticipantObjectSensitivity",
)


QUERY = b"<ParticipantObjectQuery>%b</ParticipantObjectQuery>"
SPELLING = attrgetter("code", "scheme", "display")
"""What is written of a Code."""


def write(message: AuditMessage) -> bytes:
    """Spell a message as UTF-8, without XML declaration and byte order mark (ITI TF-2: 3.20.4.1.2)."""
    return b"".join(
        (
            b"<AuditMessage>",
            _event(message.event),
            *map(_participant, message.participants),
            _source(message.source),
            *map(_object, message.objects),
            b"</AuditMessage>",
        )
    )


def _element(name: bytes, attributes: Iterable[tuple[bytes, str | IntEnum | None]], content: bytes = b"") -> bytes:
    start = b"<" + name + _attributes(attributes)
    return b"%b>%b</%b>" % (start, content, name) if content else start + b"/>"


def _attributes(attributes: Iterable[tuple[bytes, str | IntEnum | None]]) -> bytes:
    return b"".join(_attribute(key, value) for key, value in attributes if value is not None)


def _attribute(key: bytes, value: str | IntEnum) -> bytes:
    return b' %b="%b"' % (key, escape(value) if isinstance(value, str) else b"%d" % value)


@lru_cache(maxsize=4096)
def _spelled(name: bytes, code: str, scheme: str, display: str) -> bytes:
    """Nearly all codes are those of our own tables."""
    return b'<%b csd-code="%b" codeSystemName="%b" originalText="%b"/>' % (
        name,
        escape(code),
        escape(scheme),
        escape(display),
    )


def _several(name: bytes, codes: Iterable[Code]) -> bytes:
    spelled = b""
    for each in codes:
        spelled += _spelled(name, each.code, each.scheme, each.display)
    return spelled


def _text(name: bytes, text: str) -> bytes:
    return b"<%b>%b</%b>" % (name, escape(text), name)


def _event(event: EventIdentification) -> bytes:
    time = event.time.astimezone(UTC).isoformat().replace("+00:00", "Z")
    id, description = event.id, event.outcome_description
    return b'<EventIdentification%b EventDateTime="%b" EventOutcomeIndicator="%d">%b%b%b%b</EventIdentification>' % (
        b"" if event.action is None else b' EventActionCode="%b"' % event.action.encode(),
        time.encode(),
        event.outcome,
        _spelled(b"EventID", id.code, id.scheme, id.display),
        _several(b"EventTypeCode", event.types),
        b"" if description is None else _text(b"EventOutcomeDescription", description),
        _several(b"PurposeOfUse", event.purpose_of_use) if event.purpose_of_use else b"",
    )


def _participant(participant: ActiveParticipant) -> bytes:
    attributes = (
        participant.user_id,
        participant.alternative_user_id,
        participant.user_name,
        "true" if participant.is_requestor else "false",
        participant.network_access_point,
        participant.network_access_point_type,
    )
    content = _several(b"RoleIDCode", participant.roles)
    if participant.media is not None:
        content += b"<MediaIdentifier>%b</MediaIdentifier>" % _several(b"MediaType", (participant.media,))
    return _spelled_participant(attributes, content)


@lru_cache(maxsize=1024)
def _spelled_participant(attributes: tuple[str | IntEnum | None, ...], content: bytes) -> bytes:
    """Systems and people take part again and again."""
    return _element(b"ActiveParticipant", zip(PARTICIPANT, attributes, strict=True), content)


def _source(source: AuditSource) -> bytes:
    return _spelled_source(source.enterprise_site_id, source.id, tuple(map(SPELLING, source.types)))


@lru_cache(maxsize=64)
def _spelled_source(site: str | None, id: str, types: tuple[tuple[str, str, str], ...]) -> bytes:
    """Nearly all records are those of one node."""
    content = b"".join(_source_type(*each) for each in types)
    return _element(b"AuditSourceIdentification", ((b"AuditEnterpriseSiteID", site), (b"AuditSourceID", id)), content)


def _source_type(code: str, scheme: str, display: str) -> bytes:
    attributes = ((b"csd-code", code), (b"codeSystemName", scheme or None), (b"originalText", display or None))
    return _element(b"AuditSourceTypeCode", attributes)


def _object(each: ParticipantObject) -> bytes:
    type = each.id_type
    return b"<ParticipantObjectIdentification%b%b>%b%b%b%b</ParticipantObjectIdentification>" % (
        b"" if each.id is None else b' ParticipantObjectID="%b"' % escape(each.id),
        _part(each.type_code, each.role, each.life_cycle, each.sensitivity),
        _spelled(b"ParticipantObjectIDTypeCode", type.code, type.scheme, type.display),
        b"" if each.name is None else _text(b"ParticipantObjectName", each.name),
        b"" if each.query is None else QUERY % b64encode(each.query),
        b"".join(map(_detail, each.details)) if each.details else b"",
    )


@lru_cache(maxsize=256)
def _part(*codes: str | IntEnum | None) -> bytes:
    """The part that an object plays: there are about as many as rows in the tables of all transactions."""
    return _attributes(zip(PART, codes, strict=True))


def _detail(detail: Detail) -> bytes:
    return b'<ParticipantObjectDetail type="%b" value="%b"/>' % (escape(detail.type), b64encode(detail.value))
