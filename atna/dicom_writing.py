"""AuditMessage as DICOM audit XML, out (ITI TF-2: 3.20.7.1; DICOM PS3.15 A.5).

Written by splicing: a record is made in the transaction that it describes, so its time is the sender's. Records differ
in their time, in their objects and where something failed; the rest of them is a ``Frame``, spelled once for many.
"""

from binascii import b2a_base64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from functools import lru_cache

from atna.model import ActiveParticipant, AuditMessage, AuditSource, EventIdentification, ParticipantObject
from ihe.audit import ObjectDataLifeCycle, ObjectTypeCode, ObjectTypeCodeRole
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


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A message without its time, the description of its outcome and its objects: what stands before each of them."""

    before_time: bytes
    before_description: bytes
    before_objects: bytes

    def filled(self, time: datetime, description: str | None, objects: Iterable[ParticipantObject]) -> bytes:
        """The whole message."""
        return b"".join(
            (
                self.before_time,
                time.astimezone(UTC).isoformat().replace("+00:00", "Z").encode(),
                self.before_description,
                b"" if description is None else _text(b"EventOutcomeDescription", description),
                self.before_objects,
                *map(_object, objects),
                b"</AuditMessage>",
            )
        )


def write(message: AuditMessage) -> bytes:
    """Spell a message as UTF-8, without XML declaration and byte order mark (ITI TF-2: 3.20.4.1.2)."""
    return frame(message).filled(message.event.time, message.event.outcome_description, message.objects)


def frame(message: AuditMessage) -> Frame:
    """Spell what does not depend on the time, the description of the outcome and the objects."""
    event = message.event
    action = b"" if event.action is None else b' EventActionCode="%b"' % event.action.encode()
    return Frame(
        b'<AuditMessage><EventIdentification%b EventDateTime="' % action,
        b'" EventOutcomeIndicator="%d">%b' % (event.outcome, _kind(event)),
        b"%b</EventIdentification>%b%b"
        % (
            _several(b"PurposeOfUse", event.purpose_of_use),
            b"".join(map(_participant, message.participants)),
            _source(message.source),
        ),
    )


def _element(name: bytes, attributes: Iterable[tuple[bytes, str | IntEnum | None]], content: bytes = b"") -> bytes:
    start = b"<" + name + _attributes(attributes)
    return b"%b>%b</%b>" % (start, content, name) if content else start + b"/>"


def _attributes(attributes: Iterable[tuple[bytes, str | IntEnum | None]]) -> bytes:
    return b"".join(_attribute(key, value) for key, value in attributes if value is not None)


def _attribute(key: bytes, value: str | IntEnum) -> bytes:
    return b' %b="%b"' % (key, escape(value) if isinstance(value, str) else b"%d" % value)


def _code(name: bytes, code: str, scheme: str, display: str) -> bytes:
    return b'<%b csd-code="%b" codeSystemName="%b" originalText="%b"/>' % (
        name,
        escape(code),
        escape(scheme),
        escape(display),
    )


def _several(name: bytes, codes: Iterable[Code]) -> bytes:
    return b"".join([_code(name, each.code, each.scheme, each.display) for each in codes])


def _text(name: bytes, text: str) -> bytes:
    return b"<%b>%b</%b>" % (name, escape(text), name)


def _kind(event: EventIdentification) -> bytes:
    return _several(b"EventID", (event.id,)) + _several(b"EventTypeCode", event.types)


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
    return _element(b"ActiveParticipant", zip(PARTICIPANT, attributes, strict=True), content)


def _source(source: AuditSource) -> bytes:
    attributes = ((b"AuditEnterpriseSiteID", source.enterprise_site_id), (b"AuditSourceID", source.id))
    return _element(b"AuditSourceIdentification", attributes, b"".join(map(_source_type, source.types)))


def _source_type(type: Code) -> bytes:
    attributes = ((b"csd-code", type.code), (b"codeSystemName", type.scheme or None))
    return _element(b"AuditSourceTypeCode", (*attributes, (b"originalText", type.display or None)))


def _object(each: ParticipantObject) -> bytes:
    type, details = each.id_type, b""
    for detail in each.details:
        details += b'%b%b"/>' % (_detail(detail.type), b2a_base64(detail.value, newline=False))
    return b"<ParticipantObjectIdentification%b%b%b%b%b</ParticipantObjectIdentification>" % (
        b"" if each.id is None else b' ParticipantObjectID="%b"' % escape(each.id),
        _part(each.type_code, each.role, each.life_cycle, each.sensitivity, type.code, type.scheme, type.display),
        b"" if each.name is None else _text(b"ParticipantObjectName", each.name),
        b"" if each.query is None else QUERY % b2a_base64(each.query, newline=False),
        details,
    )


@lru_cache(maxsize=256)
def _part(
    type_code: ObjectTypeCode | None,
    role: ObjectTypeCodeRole | None,
    life_cycle: ObjectDataLifeCycle | None,
    sensitivity: str | None,
    *id_type: str,
) -> bytes:
    """The part that an object plays, and its type: about as many as the tables of all transactions have rows."""
    attributes = _attributes(zip(PART, (type_code, role, life_cycle, sensitivity), strict=True))
    return b"%b>%b" % (attributes, _code(b"ParticipantObjectIDTypeCode", *id_type))


@lru_cache(maxsize=256)
def _detail(type: str) -> bytes:
    return b'<ParticipantObjectDetail type="%b" value="' % escape(type)
