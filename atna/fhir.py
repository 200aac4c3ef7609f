"""AuditMessage as FHIR R4 AuditEvent, both ways (ITI Suppl. RESTful ATNA: Tables 3.20.4.2.2.1-1, 3.81.4.2.2.1-1).

Members stand in the order of FHIR's definition, which its XML needs. FHIR has no empty strings: they come back as
absent, and an empty UserID as an agent without ``who``.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar

from atna.fhir_coding import (
    JSON,
    coding,
    concept,
    identifier,
    read_coding,
    read_concept,
    read_identifier,
    read_identifier_type,
)
from atna.fhir_kinds import WrongKind, check
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

Value = TypeVar("Value")

TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
ENTITY_TYPE = TERMINOLOGY + "audit-entity-type"
OBJECT_ROLE = TERMINOLOGY + "object-role"
LIFE_CYCLE = TERMINOLOGY + "dicom-audit-lifecycle"
SOURCE_TYPE = TERMINOLOGY + "security-source-type"
CONFIDENTIALITY = TERMINOLOGY + "v3-Confidentiality"
CONFIDENTIALITIES = frozenset("ULMNRV")
UNNAMED = "-"
"""ParticipantObjectDetail.type where the sender left it empty."""


class NotAnAuditEvent(ValueError):
    """What cannot be read as an AuditEvent. The text names elements, never their values."""


def write(message: AuditMessage, id: str | None = None) -> JSON:
    """The AuditEvent that says the same."""
    event = message.event
    return _present(
        resourceType="AuditEvent",
        id=id,
        type=coding(event.id),
        subtype=[coding(each) for each in event.types],
        action=event.action and event.action.value,
        recorded=instant(event.time),
        outcome=str(event.outcome.value),
        outcomeDesc=event.outcome_description,
        purposeOfEvent=[concept(each) for each in event.purpose_of_use],
        agent=[_agent(each) for each in message.participants],
        source=_source(message.source),
        entity=[_entity(each) for each in message.objects],
    )


def read(resource: JSON) -> AuditMessage:
    """Read an AuditEvent, ours or anybody's; NotAnAuditEvent says what is wrong."""
    if not isinstance(resource, dict) or resource.get("resourceType") != "AuditEvent":
        raise NotAnAuditEvent("the resource is no AuditEvent")
    try:
        check(resource)
        return AuditMessage(
            event=_read_event(resource),
            participants=tuple(map(_read_agent, resource.get("agent", ()))),
            source=_read_source(resource.get("source", {})),
            objects=tuple(map(_read_entity, resource.get("entity", ()))),
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise NotAnAuditEvent(f"an element of AuditEvent is missing or of the wrong kind: {_named(error)}") from None


def instant(time: datetime) -> str:
    """A time as FHIR's ``instant``, in UTC, no more precise than it is."""
    precision = "microseconds" if time.microsecond % 1000 else "milliseconds"
    return time.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def _present(**members: Any) -> JSON:
    return {name: value for name, value in members.items() if value is not None and value not in ("", [], {})}


def _agent(each: ActiveParticipant) -> JSON:
    """RoleIDCodes of DICOM are kinds of participants, hence ``type``; others are roles (Note 1)."""
    kinds = [role for role in each.roles if role.scheme == "DCM"][:1]
    roles = list(each.roles)
    if kinds:
        roles.remove(kinds[0])
    kind = each.network_access_point_type
    return _present(
        type=concept(kinds[0]) if kinds else None,
        role=[concept(role) for role in roles],
        who={"identifier": identifier(each.user_id)} if each.user_id else None,
        altId=each.alternative_user_id,
        name=each.user_name,
        requestor=each.is_requestor,
        media=each.media and coding(each.media),
        network=_present(address=each.network_access_point, type=kind and str(kind.value)),
    )


def _source(source: AuditSource) -> JSON:
    return _present(
        site=source.enterprise_site_id,
        observer={"identifier": _present(value=source.id)} if source.id else {"display": UNNAMED},
        type=[_source_type(each) for each in source.types],
    )


def _source_type(code: Code) -> JSON:
    return coding(code) if code.scheme else _present(system=SOURCE_TYPE, code=code.code, display=code.display)


def _entity(each: ParticipantObject) -> JSON:
    """Of ``name`` and ``query`` only one may be there (Note 2); a name beside a query goes into ``what``."""
    is_patient = each.role is ObjectTypeCodeRole.PATIENT
    return _present(
        what=_present(
            type="Patient" if is_patient else None,
            identifier=identifier(each.id, each.id_type),
            display=each.name if each.query is not None else None,
        ),
        type=_numbered(ENTITY_TYPE, each.type_code),
        role=_numbered(OBJECT_ROLE, each.role),
        lifecycle=_numbered(LIFE_CYCLE, each.life_cycle),
        securityLabel=[_label(each.sensitivity)] if each.sensitivity else [],
        name=each.name if each.query is None else None,
        query=b64encode(each.query).decode() if each.query else None,
        detail=[_detail(detail) for detail in each.details],
    )


def _numbered(system: str, code: ObjectTypeCode | ObjectTypeCodeRole | ObjectDataLifeCycle | None) -> JSON | None:
    if code is None:
        return None
    return {"system": system, "code": str(code.value), "display": code.name.replace("_", " ").capitalize()}


def _label(sensitivity: str) -> JSON:
    if sensitivity in CONFIDENTIALITIES:
        return {"system": CONFIDENTIALITY, "code": sensitivity}
    return {"display": sensitivity}


def _detail(each: Detail) -> JSON:
    return {"type": each.type or UNNAMED, "valueBase64Binary": b64encode(each.value).decode()}


def _read_event(resource: JSON) -> EventIdentification:
    return EventIdentification(
        id=read_coding(resource["type"]),
        types=tuple(map(read_coding, resource.get("subtype", ()))),
        action=_optional(resource, "action", EventActionCode),
        time=_value(resource["recorded"], "recorded", _instant),
        outcome=_value(resource.get("outcome", "0"), "outcome", lambda text: EventOutcomeIndicator(int(text))),
        outcome_description=resource.get("outcomeDesc"),
        purpose_of_use=tuple(map(read_concept, resource.get("purposeOfEvent", ()))),
    )


def _read_agent(agent: JSON) -> ActiveParticipant:
    kinds = [agent["type"]] if "type" in agent else []
    network = agent.get("network", {})
    return ActiveParticipant(
        user_id=_reference(agent.get("who", {})) or "",
        is_requestor=agent["requestor"] is True,
        alternative_user_id=agent.get("altId"),
        user_name=agent.get("name"),
        roles=tuple(map(read_concept, [*kinds, *agent.get("role", ())])),
        media=read_coding(agent["media"]) if "media" in agent else None,
        network_access_point=network.get("address"),
        network_access_point_type=_optional(network, "type", lambda text: NetworkAccessPointTypeCode(int(text))),
    )


def _read_source(source: JSON) -> AuditSource:
    observer = source["observer"]
    return AuditSource(
        id="" if observer == {"display": UNNAMED} else _reference(observer) or "",
        enterprise_site_id=source.get("site"),
        types=tuple(map(_read_source_type, source.get("type", ()))),
    )


def _read_source_type(written: JSON) -> Code:
    code = read_coding(written)
    return Code(code.code, "", code.display) if code.scheme == SOURCE_TYPE else code


def _read_entity(entity: JSON) -> ParticipantObject:
    what = entity.get("what", {})
    query = entity.get("query")
    return ParticipantObject(
        id=_reference({name: value for name, value in what.items() if name != "display"}),
        id_type=read_identifier_type(what.get("identifier", {})) or Code("12", "RFC-3881", "URI"),
        type_code=_optional_code(entity, "type", ObjectTypeCode),
        role=_optional_code(entity, "role", ObjectTypeCodeRole),
        life_cycle=_optional_code(entity, "lifecycle", ObjectDataLifeCycle),
        sensitivity=_read_label(entity.get("securityLabel", ())),
        name=entity.get("name") or (what.get("display") if query else None),
        query=None if query is None else _value(query, "query", _binary),
        details=tuple(map(_read_detail, entity.get("detail", ()))),
    )


def _read_label(labels: Iterable[JSON]) -> str | None:
    first: JSON = next(iter(labels), {})
    return first.get("code") or first.get("display")


def _read_detail(detail: JSON) -> Detail:
    text = detail.get("valueString")
    value = text.encode() if text is not None else _value(detail["valueBase64Binary"], "detail", _binary)
    return Detail("" if detail["type"] == UNNAMED else detail["type"], value)


def _reference(reference: JSON) -> str | None:
    """Whom or what a Reference means: its identifier, else its address, else its words."""
    return read_identifier(reference.get("identifier", {})) or reference.get("reference") or reference.get("display")


def _optional_code(entity: JSON, name: str, kind: Callable[[int], Value]) -> Value | None:
    """The DICOM number of a Coding; codes of other systems have none."""
    code = entity.get(name, {}).get("code", "")
    return _value(code, name, lambda text: kind(int(text))) if code.isdecimal() else None


def _optional(resource: JSON, name: str, kind: Callable[[str], Value]) -> Value | None:
    return _value(resource[name], name, kind) if name in resource else None


def _value(text: str, name: str, kind: Callable[[str], Value]) -> Value:
    try:
        return kind(text)
    except ValueError:
        raise NotAnAuditEvent(f"{name} has a value that FHIR R4 does not define") from None


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("an instant knows its zone")
    return found.astimezone(UTC)


def _binary(text: str) -> bytes:
    return b64decode(text, validate=True)


def _named(error: Exception) -> str:
    return str(error) if isinstance(error, KeyError | WrongKind) else type(error).__name__
