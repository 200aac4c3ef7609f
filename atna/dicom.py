"""AuditMessage as DICOM audit XML, out and in (ITI TF-2: 3.20.7.1; DICOM PS3.15 A.5).

Written by splicing: a record is made in the transaction that it describes, so its time is the sender's. What is read
may come from anybody: also the older RFC 3881 spelling, ``code`` for ``csd-code``.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from enum import IntEnum
from functools import lru_cache
from typing import TypeVar

from lxml.etree import _Element

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
from soap.xml import XMLLimits, XMLRefused, escape, parse

Value = TypeVar("Value")

LIMITS = XMLLimits(size=4 * 1024 * 1024, depth=16, attributes=32, tags=50_000)
"""An audit message is of one event; the longest that we know of hold a query of some kilobytes."""


PARTICIPANT = (
    b"UserID",
    b"AlternativeUserID",
    b"UserName",
    b"UserIsRequestor",
    b"NetworkAccessPointID",
    b"NetworkAccessPointTypeCode",
)


class NotAnAuditMessage(ValueError):
    """What cannot be read as an audit message. The text names elements and attributes, never their values."""


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


def read(data: bytes) -> AuditMessage:
    """Read a message, ours or anybody's; NotAnAuditMessage says what is wrong."""
    try:
        root = parse(data, LIMITS)
    except XMLRefused as error:
        raise NotAnAuditMessage(str(error)) from None
    if root.tag != "AuditMessage":
        raise NotAnAuditMessage("the root element is not AuditMessage")
    return AuditMessage(
        event=_read_event(_only(root, "EventIdentification")),
        participants=tuple(map(_read_participant, root.findall("ActiveParticipant"))),
        source=_read_source(_only(root, "AuditSourceIdentification")),
        objects=tuple(map(_read_object, root.findall("ParticipantObjectIdentification"))),
    )


def _element(name: bytes, attributes: Iterable[tuple[bytes, str | IntEnum | None]], content: bytes = b"") -> bytes:
    start = b"<" + name
    for key, value in attributes:
        if value is not None:
            start += b' %b="%b"' % (key, escape(value) if isinstance(value, str) else b"%d" % value)
    return b"%b>%b</%b>" % (start, content, name) if content else start + b"/>"


def _coded(name: bytes, code: Code) -> bytes:
    return _spelled(name, code.code, code.scheme, code.display)


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
    return b"".join(_coded(name, each) for each in codes)


def _text(name: bytes, text: str | None) -> bytes:
    return b"" if text is None else b"<%b>%b</%b>" % (name, escape(text), name)


def _event(event: EventIdentification) -> bytes:
    attributes = (
        (b"EventActionCode", event.action),
        (b"EventDateTime", event.time.astimezone(UTC).isoformat().replace("+00:00", "Z")),
        (b"EventOutcomeIndicator", event.outcome),
    )
    content = (
        _coded(b"EventID", event.id)
        + _several(b"EventTypeCode", event.types)
        + _text(b"EventOutcomeDescription", event.outcome_description)
        + _several(b"PurposeOfUse", event.purpose_of_use)
    )
    return _element(b"EventIdentification", attributes, content)


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
        content += b"<MediaIdentifier>%b</MediaIdentifier>" % _coded(b"MediaType", participant.media)
    return _spelled_participant(attributes, content)


@lru_cache(maxsize=1024)
def _spelled_participant(attributes: tuple[str | IntEnum | None, ...], content: bytes) -> bytes:
    """Systems and people take part again and again."""
    return _element(b"ActiveParticipant", zip(PARTICIPANT, attributes, strict=True), content)


def _source(source: AuditSource) -> bytes:
    attributes = ((b"AuditEnterpriseSiteID", source.enterprise_site_id), (b"AuditSourceID", source.id))
    content = b"".join(map(_source_type, source.types))
    return _element(b"AuditSourceIdentification", attributes, content)


def _source_type(code: Code) -> bytes:
    attributes = (
        (b"csd-code", code.code),
        (b"codeSystemName", code.scheme or None),
        (b"originalText", code.display or None),
    )
    return _element(b"AuditSourceTypeCode", attributes)


def _object(each: ParticipantObject) -> bytes:
    attributes = (
        (b"ParticipantObjectID", each.id),
        (b"ParticipantObjectTypeCode", each.type_code),
        (b"ParticipantObjectTypeCodeRole", each.role),
        (b"ParticipantObjectDataLifeCycle", each.life_cycle),
        (b"ParticipantObjectSensitivity", each.sensitivity),
    )
    content = _coded(b"ParticipantObjectIDTypeCode", each.id_type) + _text(b"ParticipantObjectName", each.name)
    if each.query is not None:
        content += b"<ParticipantObjectQuery>%b</ParticipantObjectQuery>" % b64encode(each.query)
    return _element(b"ParticipantObjectIdentification", attributes, content + b"".join(map(_detail, each.details)))


def _detail(detail: Detail) -> bytes:
    return b'<ParticipantObjectDetail type="%b" value="%b"/>' % (escape(detail.type), b64encode(detail.value))


def _read_event(element: _Element) -> EventIdentification:
    return EventIdentification(
        id=_read_code(_only(element, "EventID")),
        action=_optional(element, "EventActionCode", EventActionCode),
        time=_demanded(element, "EventDateTime", _instant),
        outcome=_demanded(element, "EventOutcomeIndicator", lambda text: EventOutcomeIndicator(int(text))),
        types=_read_codes(element, "EventTypeCode"),
        outcome_description=_child_text(element, "EventOutcomeDescription"),
        purpose_of_use=_read_codes(element, "PurposeOfUse"),
    )


def _read_participant(element: _Element) -> ActiveParticipant:
    media = element.find("MediaIdentifier/MediaType")
    return ActiveParticipant(
        user_id=_demanded(element, "UserID", str),
        alternative_user_id=element.get("AlternativeUserID"),
        user_name=element.get("UserName"),
        is_requestor=element.get("UserIsRequestor", "true").strip() in ("true", "1"),
        roles=_read_codes(element, "RoleIDCode"),
        media=None if media is None else _read_code(media),
        network_access_point=element.get("NetworkAccessPointID"),
        network_access_point_type=_number(element, "NetworkAccessPointTypeCode", NetworkAccessPointTypeCode),
    )


def _read_source(element: _Element) -> AuditSource:
    return AuditSource(
        id=_demanded(element, "AuditSourceID", str),
        enterprise_site_id=element.get("AuditEnterpriseSiteID"),
        types=_read_codes(element, "AuditSourceTypeCode"),
    )


def _read_object(element: _Element) -> ParticipantObject:
    query = _child_text(element, "ParticipantObjectQuery")
    return ParticipantObject(
        id=element.get("ParticipantObjectID"),
        id_type=_read_code(_only(element, "ParticipantObjectIDTypeCode")),
        type_code=_number(element, "ParticipantObjectTypeCode", ObjectTypeCode),
        role=_number(element, "ParticipantObjectTypeCodeRole", ObjectTypeCodeRole),
        life_cycle=_number(element, "ParticipantObjectDataLifeCycle", ObjectDataLifeCycle),
        sensitivity=element.get("ParticipantObjectSensitivity"),
        name=_child_text(element, "ParticipantObjectName"),
        query=None if query is None else _binary(element, query),
        details=tuple(map(_read_detail, element.findall("ParticipantObjectDetail"))),
    )


def _read_detail(element: _Element) -> Detail:
    return Detail(_demanded(element, "type", str), _binary(element, element.get("value", "")))


def _read_codes(parent: _Element, name: str) -> tuple[Code, ...]:
    return tuple(map(_read_code, parent.findall(name)))


def _read_code(element: _Element) -> Code:
    code = element.get("csd-code", element.get("code"))
    if code is None:
        raise NotAnAuditMessage(f"{element.tag} has no csd-code")
    text = element.get("originalText") or element.get("displayName") or ""
    return Code(code, element.get("codeSystemName") or element.get("codeSystem") or "", text)


def _only(parent: _Element, name: str) -> _Element:
    found = parent.findall(name)
    if len(found) != 1:
        raise NotAnAuditMessage(f"{parent.tag} has {len(found)} elements {name}, not one")
    return found[0]


def _child_text(parent: _Element, name: str) -> str | None:
    return None if parent.find(name) is None else _only(parent, name).text or ""


def _number(element: _Element, name: str, kind: Callable[[int], Value]) -> Value | None:
    return _optional(element, name, lambda text: kind(int(text)))


def _optional(element: _Element, name: str, kind: Callable[[str], Value]) -> Value | None:
    return None if element.get(name) is None else _demanded(element, name, kind)


def _demanded(element: _Element, name: str, kind: Callable[[str], Value]) -> Value:
    text = element.get(name)
    if text is None:
        raise NotAnAuditMessage(f"{element.tag} has no {name}")
    try:
        return kind(text)
    except ValueError:
        raise NotAnAuditMessage(f"{name} of {element.tag} has a value that DICOM does not define") from None


def _instant(text: str) -> datetime:
    """An xs:dateTime; without a zone it is taken for UTC, which ITI TF-2: 3.1 keeps all clocks in."""
    instant = datetime.fromisoformat(text.strip())
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)


def _binary(element: _Element, text: str) -> bytes:
    try:
        return b64decode(text)
    except ValueError:
        raise NotAnAuditMessage(f"{element.tag} holds what is not base64") from None
