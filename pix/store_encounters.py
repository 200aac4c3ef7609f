"""Encounters and movements: values in, values out, over ``pix.tables_encounters``."""

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, delete, insert, select, union, update

from hl7v2.encoding import STANDARD, read_text
from ihe.identifiers import PatientKey
from pix.encounters import PATIENT_CLASS, Encounter, Fields, Movement, Status
from pix.folding import fold
from pix.tables import ACTIVE, link
from pix.tables import record as patient
from pix.tables_encounters import encounter, movement, word
from statements.among import Among
from statements.compiled import Row
from statements.prepared import Prepared

MOST = 1000
"""Most encounters of one patient that are looked at, the latest."""
MOST_MOVEMENTS = 10_000
"""Of one encounter; beyond it something is wrong with the data."""
SEARCHED = (PATIENT_CLASS, 3, 7, 8, 9, 10, 17, 19)
"""The fields of PV1 that visits are searched by (ITI TF-2: Table 3.22-4)."""
COLUMNS = tuple(encounter.columns)
THIS: BindParameter[int] = bindparam("this")
STATE = ("facility", "visit", "account", "patient_class", "status", "begins", "ends", "pv1", "pv2")
OF_RECORDS = Prepared(
    select(*COLUMNS).where(Among(encounter.c.record, "keys")).order_by(encounter.c.number.desc()).limit(MOST)
)
HAVING = Prepared(select(encounter.c.record).where(Among(encounter.c.record, "keys")).distinct())
_LINKED = select(link.c.person).where(Among(link.c.person, "persons"), ACTIVE)
PERSONS_HAVING = Prepared(
    union(
        _LINKED.join(encounter, encounter.c.record == link.c.record),
        _LINKED.join(patient, patient.c.survivor == link.c.record).join(encounter, encounter.c.record == patient.c.key),
    )
)
INSERT = Prepared(insert(encounter), ("number", "record", *STATE))
UPDATE = Prepared(update(encounter).where(encounter.c.number == THIS), ("record", *STATE))
MOVEMENT_COLUMNS = tuple(each for each in movement.columns if each.name not in ("encounter", "cancelled"))
MOVEMENTS = Prepared(
    select(*MOVEMENT_COLUMNS)
    .where(movement.c.encounter == THIS, movement.c.cancelled.is_(False))
    .order_by(movement.c.number)
    .limit(MOST_MOVEMENTS)
)
MOVEMENT = ("trigger", "ids", "at", "until", "ward", "nursing_ward", "scope", "account", "pv1", "pv2")
INSERT_MOVEMENT = Prepared(insert(movement), ("number", "encounter", *MOVEMENT, "cancelled"))
UPDATE_MOVEMENT = Prepared(update(movement).where(movement.c.number == THIS), MOVEMENT)
CANCEL_MOVEMENT = Prepared(update(movement).where(movement.c.number == THIS), ("cancelled",))
INSERT_WORD = Prepared(insert(word), word.columns)
DELETE_WORDS = Prepared(delete(word).where(word.c.encounter == THIS))


def encounters_of(connection: Connection, keys: Collection[PatientKey]) -> tuple[Encounter, ...]:
    """All encounters announced with these patient ids, oldest first; those that were cancelled altogether left out.

    ``facility`` of each is the organisation, ``begin`` and ``end`` (None: not over) are DTM. A patient's ids include
    those that were merged into it: ``ihe.patients.Patient.keys``.
    """
    return tuple(each for each in all_of(connection, keys) if each.status is not Status.CANCELLED)


def all_of(connection: Connection, keys: Collection[PatientKey]) -> tuple[Encounter, ...]:
    """The same with those that were cancelled, for whoever has to take back what they once meant."""
    return tuple(map(_encounter, reversed(OF_RECORDS.rows(connection, {"keys": keys}))))


def records_with_any(connection: Connection, keys: Collection[PatientKey]) -> set[PatientKey]:
    """Those of the records that encounters were announced with."""
    return {PatientKey(key) for (key,) in HAVING.rows(connection, {"keys": keys})}


def persons_with_any(connection: Connection, persons: Collection[PatientKey]) -> set[PatientKey]:
    """Those of the persons whose records, or records that were merged into them, encounters were announced with."""
    return {PatientKey(person) for (person,) in PERSONS_HAVING.rows(connection, {"persons": persons})}


def movements(connection: Connection, number: int) -> tuple[Movement, ...]:
    """The movements of an encounter that were not cancelled, in the order in which they were announced."""
    return tuple(map(_movement, MOVEMENTS.rows(connection, {"this": number})))


def put(connection: Connection, number: int | None, event: int, record: PatientKey, state: Mapping[str, Any]) -> None:
    """Write an encounter as it stands now, and what finds it; without a number it begins with this event."""
    pv1 = {int(key): text for key, text in state["pv1"].items()}
    texts = {"pv1": _json(pv1), "pv2": _json(state["pv2"])}
    row = {name: state[name] for name in STATE if name not in texts} | texts | {"record": record}
    if number is None:
        INSERT.run(connection, row | {"number": event})
    else:
        UPDATE.run(connection, row | {"this": number})
        DELETE_WORDS.run(connection, {"this": number})
    if state["status"] != Status.CANCELLED:
        this = number or event
        found = [{"position": at, "value": text, "encounter": this} for at, text in sorted(words(pv1))]
        INSERT_WORD.run_all(connection, found)


def append(connection: Connection, number: int, event: int, added: Mapping[str, Any]) -> None:
    """Insert a movement of an encounter."""
    INSERT_MOVEMENT.run(connection, _movement_row(added) | {"number": event, "encounter": number, "cancelled": False})


def correct(connection: Connection, number: int, corrected: Mapping[str, Any]) -> None:
    """Write another content of a movement."""
    UPDATE_MOVEMENT.run(connection, _movement_row(corrected) | {"this": number})


def cancel(connection: Connection, numbers: Iterable[int]) -> None:
    """Let movements count no more; they stay in the table."""
    CANCEL_MOVEMENT.run_all(connection, [{"this": each, "cancelled": True} for each in numbers])


def words(pv1: Fields) -> set[tuple[str, str]]:
    """What finds a visit: every component of the fields that are searched by, folded, under its position."""
    texts = (
        (position(number, component, subcomponent), fold(read_text(text, STANDARD)))
        for number in SEARCHED
        for repetition in pv1.get(number, "").split("~")
        for component, part in enumerate(repetition.split("^"), 1)
        for subcomponent, text in enumerate(part.split("&"), 1)
    )
    return {(at, text) for at, text in texts if text}


def position(number: int, component: int = 1, subcomponent: int = 1) -> str:
    """Where a word stands: ``3.2``, ``7.2.2``."""
    return f"{number}.{component}" + (f".{subcomponent}" if subcomponent > 1 else "")


def plain_state(state: Encounter) -> Mapping[str, Any]:
    """An encounter as an event keeps it."""
    named = {name: getattr(state, name) for name in ("facility", "visit", "account", "patient_class")}
    times = {"status": state.status.value, "begins": state.begin, "ends": state.end}
    return named | times | {"pv1": dict(state.pv1), "pv2": dict(state.pv2)}


def plain_movement(each: Movement) -> Mapping[str, Any]:
    """A movement as an event keeps it."""
    said = {name: getattr(each, name) for name in MOVEMENT if name not in ("ids", "pv1", "pv2")}
    return said | {"ids": list(each.ids), "pv1": dict(each.pv1), "pv2": dict(each.pv2)}


def _encounter(row: Row) -> Encounter:
    number, record, facility, visit, account, patient_class, status, begins, ends, pv1, pv2 = row
    return Encounter(
        number=number,
        record=PatientKey(record),
        facility=facility,
        visit=visit,
        account=account,
        patient_class=patient_class,
        status=Status(status),
        begin=begins,
        end=ends,
        pv1=_fields(pv1),
        pv2=_fields(pv2),
    )


def _movement_row(plain: Mapping[str, Any]) -> dict[str, Any]:
    texts = {"ids": json.dumps(plain["ids"]), "pv1": _json(plain["pv1"]), "pv2": _json(plain["pv2"])}
    return {name: plain[name] for name in MOVEMENT if name not in texts} | texts


def _movement(row: Row) -> Movement:
    number, trigger, ids, at, until, ward, nursing_ward, scope, account, pv1, pv2 = row
    return Movement(
        number=number,
        trigger=trigger,
        ids=tuple(json.loads(ids)),
        at=at,
        until=until,
        ward=ward,
        nursing_ward=nursing_ward,
        scope=scope,
        account=account,
        pv1=_fields(pv1),
        pv2=_fields(pv2),
    )


def _json(fields: Mapping[Any, str]) -> str:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def _fields(text: str) -> Fields:
    return {int(number): field for number, field in json.loads(text).items()}
