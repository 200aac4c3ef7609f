"""HL7 v2 messages of a Patient Identity Source and of the query consumers (ITI TF-2: 3.30, 3.9, 3.21)."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from affinity.client.patients import Sought
from hl7v2.compose import FieldValue, Value, compose, segment
from hl7v2.message import Message, Segment
from ihe.datatypes import CX, HD


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """MSH-3 to MSH-6: who sends, who receives."""

    application: str = "AFFINITY-CLIENT"
    facility: str = "AFFINITY-CLIENT"
    receiving_application: str = "AFFINITY"
    receiving_facility: str = "AFFINITY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """A patient to announce. ``birth_date`` is YYYYMMDD, ``sex`` of HL7 table 0001."""

    identifiers: tuple[CX, ...]
    family: str
    given: str
    birth_date: str
    sex: str
    street: str = ""
    postal_code: str = ""
    city: str = ""


def announce(route: Route, patient: Announced) -> Message:
    """ADT^A28: add a person (ITI TF-2: 3.30.5.1)."""
    now = _now()
    pid: dict[int, FieldValue] = {
        3: [_cx(each) for each in patient.identifiers],
        5: (patient.family, patient.given, None, None, None, None, "L"),
        7: patient.birth_date,
        8: patient.sex,
        11: (patient.street, None, patient.city, None, patient.postal_code),
    }
    segments = (segment("EVN", {2: now}), segment("PID", pid), segment("PV1", {2: "N"}))
    return _message(route, ("ADT", "A28", "ADT_A05"), segments)


def pix_query(route: Route, patient: CX, domains: Iterable[HD] = ()) -> Message:
    """QBP^Q23: which ids do you know for this one (ITI TF-2: 3.9.4.1.2)."""
    wanted: list[Value] = [(None, None, None, _hd(each)) for each in domains]
    qpd = segment("QPD", {1: "IHE PIX Query", 2: _tag(), 3: _cx(patient), 4: wanted or None})
    return _message(route, ("QBP", "Q23", "QBP_Q21"), (qpd, segment("RCP", {1: "I"})))


def demographics_query(
    route: Route,
    criteria: Mapping[str, str],
    domains: Iterable[HD] = (),
    quantity: int | None = None,
    algorithm: str | None = None,
) -> Message:
    """QBP^Q22: who matches; ``criteria`` by field name such as ``@PID.5.1.1`` (ITI TF-2: 3.21.4.1.2).

    ``algorithm`` is the supplier's name for a way to search, None for its usual one.
    """
    wanted: list[Value] = [(None, None, None, _hd(each)) for each in domains]
    asked: list[Value] = list(criteria.items())
    qpd = segment("QPD", {1: "IHE PDQ Query", 2: _tag(), 3: asked, 5: algorithm, 8: wanted or None})
    rcp = segment("RCP", {1: "I", 2: (str(quantity), "RD") if quantity else None})
    return _message(route, ("QBP", "Q22", "QBP_Q21"), (qpd, rcp))


def criteria(sought: Sought) -> dict[str, str]:
    """What is known of a patient, by the field names of QPD-3 (ITI TF-2: Tables 3.21-3, 3.21-4)."""
    authority = sought.id.authority if sought.id else HD()
    asked = {
        "@PID.3.1": sought.id.id if sought.id else "",
        "@PID.3.4.1": authority.namespace_id,
        "@PID.3.4.2": authority.universal_id,
        "@PID.3.4.3": authority.universal_id_type,
        "@PID.5.1.1": sought.family,
        "@PID.5.2": sought.given,
        "@PID.6.1.1": sought.mothers_family,
        "@PID.6.2": sought.mothers_given,
        "@PID.7.1": sought.birth_date,
        "@PID.8": sought.sex,
        "@PID.11.1.1": sought.street,
        "@PID.11.3": sought.city,
        "@PID.11.4": sought.state,
        "@PID.11.5": sought.postal_code,
        "@PID.11.6": sought.country,
        "@PID.13.1": sought.phone,
    }
    return {name: value for name, value in asked.items() if value}


def _message(route: Route, message_type: tuple[str, ...], segments: Iterable[Segment]) -> Message:
    header: dict[int, FieldValue] = {
        3: route.application,
        4: route.facility,
        5: route.receiving_application,
        6: route.receiving_facility,
        7: _now(),
        9: message_type,
        10: uuid.uuid4().hex[:20],
        11: "P",
        12: "2.5",
    }
    return compose(header, segments)


def _cx(identifier: CX) -> Value:
    return (identifier.id, None, None, _hd(identifier.authority), identifier.type_code or None)


def _hd(authority: HD) -> tuple[str | None, ...]:
    return (authority.namespace_id or None, authority.universal_id or None, authority.universal_id_type or None)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y%m%d%H%M%S+0000")


def _tag() -> str:
    return uuid.uuid4().hex
