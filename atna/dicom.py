"""AuditMessage from DICOM audit XML (ITI TF-2: 3.20.7.1; DICOM PS3.15 A.5); ``write`` is its other direction.

What is read may come from anybody: also the older RFC 3881 spelling, ``code`` for ``csd-code``.
"""

from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from lxml.etree import _Element

from atna.dicom_writing import write as write
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
from soap.xml import XMLLimits, XMLRefused, parse

Value = TypeVar("Value")

LIMITS = XMLLimits(size=4 * 1024 * 1024, depth=16, attributes=32, tags=50_000)
"""An audit message is of one event; the longest that we know of hold a query of some kilobytes."""


class NotAnAuditMessage(ValueError):
    """What cannot be read as an audit message. The text names elements and attributes, never their values."""


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
