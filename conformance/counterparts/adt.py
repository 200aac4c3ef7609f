"""ADT messages and visit queries of HL7 2.5 that the harness sends (ITI TF-2: 3.22.4.1.2, 3.30.5, 3.31.7)."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from conformance.counterparts.patients import Answered, PatientActors, Person, cx
from hl7v2.compose import FieldValue, Value, compose, segment
from hl7v2.message import Message, Segment
from ihe.datatypes import CX, HD
from ihe.transactions import Actor

STRUCTURES: Mapping[str, str] = {
    **dict.fromkeys(("A04", "A08", "A13"), "ADT_A01"),
    **dict.fromkeys(("A05", "A14", "A28", "A31"), "ADT_A05"),
    "A07": "ADT_A06",
    **dict.fromkeys(("A10", "A11", "A12"), "ADT_A09"),
    **dict.fromkeys(("A22", "A25", "A26", "A27", "A32", "A33"), "ADT_A21"),
    "A40": "ADT_A39",
    "A44": "ADT_A43",
    "A47": "ADT_A30",
    **dict.fromkeys(("A53", "A55"), "ADT_A52"),
    "Z99": "ADT_A01",
}
"""MSH-9.3 where it is not named like the event (ITI TF-2: Tables 3.30-1, 3.31-1)."""
Fields = Mapping[int, FieldValue]


def adt(patients: PatientActors, event: str, *segments: Segment, **header: FieldValue) -> Message:
    """An ADT message with MSH and EVN; ``header`` are further fields of MSH such as ``msh15``."""
    now = datetime.now(UTC).strftime("%Y%m%d%H%M%S+0000")
    named: dict[int, FieldValue] = {int(name.removeprefix("msh")): value for name, value in header.items()}
    kind = ("ADT", event, STRUCTURES.get(event, f"ADT_{event}"))
    return _message(patients, kind, (segment("EVN", {2: now, 6: now}), *segments), named)


def pid(*identifiers: CX, person: Person | None = None, fields: Fields | None = None) -> Segment:
    """PID with these identifiers; ``fields`` replace others."""
    said: dict[int, FieldValue] = {3: [cx(each) for each in identifiers]}
    if person is not None:
        said |= {
            5: (person.family, person.given, None, None, None, None, "L"),
            7: person.birth_date,
            8: person.sex,
            11: (person.street, None, person.city, None, person.postal_code),
        }
    return segment("PID", {**said, **(fields or {})})


def about(person: Person, **fields: FieldValue) -> Segment:
    """PID of one person; ``fields`` such as ``pid18``."""
    return pid(person.id, person=person, fields={int(name.removeprefix("pid")): each for name, each in fields.items()})


def mrg(identifier: CX, account: FieldValue = None) -> Segment:
    """MRG with the id that goes, or the account that moves."""
    return segment("MRG", {1: [cx(identifier)], 3: account})


def no_visit() -> Segment:
    """PV1 of a message that is about no visit."""
    return segment("PV1", {2: "N"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Somebody's visit: messages of ITI-31 about it, and what a visit query says of it."""

    patients: PatientActors
    person: Person
    number: CX

    def message(
        self, event: str, pv1: Fields | None = None, zbe: Fields | None = None, **fields: FieldValue
    ) -> Message:
        """An event of this visit: an inpatient's, unless ``pv1`` says otherwise; ``fields`` are of PID."""
        said: dict[int, FieldValue] = {2: "I", 3: ("W1", "1", "1"), 19: cx(self.number), **(pv1 or {})}
        movement = (segment("ZBE", dict(zbe)),) if zbe else ()
        return adt(self.patients, event, about(self.person, **fields), segment("PV1", said), *movement)

    def send(self, event: str, pv1: Fields | None = None, zbe: Fields | None = None, **fields: FieldValue) -> Answered:
        """Tell the Patient Encounter Consumer."""
        return self.tell(self.message(event, pv1, zbe, **fields))

    def tell(self, message: Message | bytes) -> Answered:
        """Tell it anything, also wrong things."""
        return self.patients.send("ITI-31", Actor.PATIENT_ENCOUNTER_CONSUMER, message)

    def asked(self) -> Answered:
        """ITI-22 by the visit number."""
        return visit_query(self.patients, {"@PV1.19.1": self.number.id})


def a_visit(patients: PatientActors) -> Visit:
    """A visit of somebody whom nobody knows, which has not begun."""
    person = patients.person()
    return Visit(patients=patients, person=person, number=CX(f"V{person.id.id[2:]}", person.id.authority))


def visit_query(
    patients: PatientActors, criteria: Mapping[str, str], domains: Iterable[HD] = (), quantity: int | None = None
) -> Answered:
    """ITI-22: QBP^ZV1 (ITI TF-2: 3.22.4.1.2)."""
    wanted: list[Value] = [
        (None, None, None, (each.namespace_id or None, each.universal_id, "ISO")) for each in domains
    ]
    asked: list[Value] = list(criteria.items())
    query: Fields = {1: "IHE PDVQ Query", 2: uuid.uuid4().hex, 3: asked, 8: wanted or None}
    limit = segment("RCP", {1: "I", 2: (str(quantity), "RD") if quantity else None})
    message = _message(patients, ("QBP", "ZV1", "QBP_Q21"), (segment("QPD", query), limit), {})
    return patients.send("ITI-22", Actor.PATIENT_DEMOGRAPHICS_SUPPLIER, message)


def _message(patients: PatientActors, kind: tuple[str, ...], segments: Iterable[Segment], more: Fields) -> Message:
    route = patients.route
    header: dict[int, FieldValue] = {
        3: route.application,
        4: route.facility,
        5: route.receiving_application,
        6: route.receiving_facility,
        7: datetime.now(UTC).strftime("%Y%m%d%H%M%S+0000"),
        9: kind,
        10: uuid.uuid4().hex[:20],
        11: "P",
        12: "2.5",
    }
    return compose({**header, **more}, segments)
