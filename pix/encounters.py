"""Encounters and the movements that they consist of, in values (ITI TF-2: 3.31.4).

An encounter is what its movements, those that were cancelled left out, say one after the other. So a cancellation takes
back just what it cancels, and an update of a past movement changes what follows from it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from hl7v2.encoding import NULL
from ihe.identifiers import PatientKey

Fields = Mapping[int, str]
"""The fields of PV1 or PV2 that say something, by number, in the standard's own delimiters."""
PATIENT_CLASS, LOCATION, TEMPORARY, ATTENDING, VISIT_NUMBER = 2, 3, 11, 7, 19
PENDING, ADMITTED, DISCHARGED_AT = 42, 44, 45
INPATIENT = frozenset({"I", "B"})
"""Classes of table 0004 that take a bed: inpatient and obstetrics."""


class Status(StrEnum):
    """The patient's status in one encounter, in the words of ITI TF-2: 3.31.7."""

    PENDING_ADMIT = "pending admit"
    PRE_ADMITTED = "pre-admitted"
    ACTIVE = "active"
    ON_LEAVE = "leave of absence"
    PENDING_DISCHARGE = "pending discharge"
    DISCHARGED = "discharged"
    CANCELLED = "cancelled"


PRESENT = frozenset({Status.ACTIVE, Status.ON_LEAVE, Status.PENDING_DISCHARGE})
"""An admission or a visit that was opened and is not over."""
OPEN = PRESENT | {Status.PENDING_ADMIT, Status.PRE_ADMITTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One change of the patient's situation, as its message stated it.

    ``at`` and ``until`` are DTM. ``ids`` are the EI of ZBE-1, ``ward``, ``nursing_ward`` and ``scope`` ZBE-7 to ZBE-9,
    all as sent; ``number`` is that of the row, 0 for one that is not stored yet.
    """

    trigger: str
    at: str
    pv1: Fields
    pv2: Fields
    account: str = ""
    ids: tuple[str, ...] = ()
    until: str | None = None
    ward: str = ""
    nursing_ward: str = ""
    scope: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Encounter:
    """A stay or a visit as it stands now. ``begin`` and ``end`` are DTM; ``end`` is None until the discharge.

    ``record`` is the patient id that it was announced with, ``facility`` the organisation that treats (MSH-4).
    ``visit`` and ``account`` are ``id^^^authority``, empty if not given.
    """

    number: int
    record: PatientKey
    facility: str
    visit: str = ""
    account: str = ""
    patient_class: str = ""
    status: Status = Status.CANCELLED
    begin: str = ""
    end: str | None = None
    pv1: Fields
    pv2: Fields

    @property
    def is_inpatient(self) -> bool:
        """Claim that the patient has a bed."""
        return self.patient_class in INPATIENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a trigger event does to an encounter.

    ``becomes`` is the new status, unless the present one is among ``keeps``. ``says`` are the fields of PV1 that the
    event is about, None for all; ``clears`` those that no longer hold unless it says them again.
    """

    becomes: Status | None = None
    keeps: frozenset[Status] = frozenset()
    patient_class: str | None = None
    says: frozenset[int] | None = None
    clears: frozenset[int] = frozenset()


def after(encounter: Encounter, movements: Iterable[Movement], effects: Mapping[str, Effect]) -> Encounter:
    """The encounter that these movements, in order, make; cancelled if there are none."""
    state = replace(encounter, status=Status.CANCELLED, begin="", end=None, pv1={}, pv2={})
    found = False
    for movement in movements:
        found, state = True, _moved(state, movement, effects[movement.trigger])
    return state if found else replace(encounter, status=Status.CANCELLED)


def merged(known: Fields, said: Fields) -> Fields:
    """What is said replaces, ``""`` deletes, what is absent stays (ITI TF-2: C.2.6)."""
    return {number: text for number, text in {**known, **said}.items() if text != NULL}


def _moved(state: Encounter, movement: Movement, effect: Effect) -> Encounter:
    said = {number: text for number, text in movement.pv1.items() if effect.says is None or number in effect.says}
    kept = {number: text for number, text in state.pv1.items() if number not in effect.clears}
    pv1 = merged(kept, said)
    status = state.status if effect.becomes is None or state.status in effect.keeps else effect.becomes
    opened = status in OPEN and state.status not in PRESENT
    begin = pv1.get(ADMITTED) or (movement.at if opened else state.begin)
    left = movement.at if state.status is not Status.DISCHARGED else state.end
    return replace(
        state,
        status=status,
        patient_class=pv1.get(PATIENT_CLASS) or effect.patient_class or state.patient_class,
        visit=cx(pv1.get(VISIT_NUMBER, "")) or state.visit,
        account=movement.account or state.account,
        begin=begin,
        end=(pv1.get(DISCHARGED_AT) or left) if status is Status.DISCHARGED else None,
        pv1=pv1,
        pv2=merged(state.pv2, movement.pv2),
    )


def cx(text: str) -> str:
    """A visit or account number as encounters are found by it: the id and its authority, by OID if there is one."""
    parts = text.split("~")[0].split("^")
    id, authority = parts[0], (parts[3] if len(parts) > 3 else "").split("&")
    named = authority[1] if len(authority) > 1 and authority[1] else authority[0]
    return f"{id}^^^{named}".rstrip("^") if id and id != NULL else ""
