"""The trigger events of ITI-31 as a table: when each is legal, what it does, and what if not (ITI TF-2: 3.31.7)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from ihe.citations import Citation, tf2
from pix.encounters import (
    ATTENDING,
    LOCATION,
    PENDING,
    PRESENT,
    TEMPORARY,
    Effect,
    Encounter,
    Movement,
    Status,
)


class Otherwise(Enum):
    """What becomes of a message that does not fit the patient's situation."""

    ERROR = "the message is discarded and an error condition is raised"
    DISCARD = "the message is discarded but no error condition is raised"


class Reach(Enum):
    """How much a cancellation takes back."""

    MOVEMENT = "the movement alone"
    ALL_SINCE = "the movement and all that followed: who was not admitted was not transferred either"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What is known of the patient when a message arrives.

    ``encounter`` is the one that the message names and ``movements`` those of it that were not cancelled, in order;
    ``open`` are all encounters of this patient at this facility that are not over.
    """

    encounter: Encounter | None = None
    movements: tuple[Movement, ...] = ()
    open: tuple[Encounter, ...] = ()

    def last(self, triggers: tuple[str, ...]) -> Movement | None:
        """The latest movement that one of these events inserted."""
        return next((each for each in reversed(self.movements) if each.trigger in triggers), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerEvent:
    """One row of the tables. ``cancels`` names the events whose latest movement it takes back."""

    section: str
    legal: Callable[[Situation], bool]
    otherwise: Otherwise = Otherwise.DISCARD
    cancels: tuple[str, ...] = ()
    reach: Reach = Reach.MOVEMENT
    effect: Effect = field(default_factory=Effect)

    @property
    def citation(self) -> Citation:
        """Where the expected actions stand."""
        return tf2(self.section)


def always(situation: Situation) -> bool:
    """No situation is a conflict."""
    return True


def no_admission_is_open(situation: Situation) -> bool:
    """The patient is not in a bed of this facility."""
    return not any(each.is_inpatient and each.status in PRESENT for each in situation.open)


def visit_is_open(situation: Situation) -> bool:
    """The encounter is one that was opened and is not over."""
    return situation.encounter is not None and situation.encounter.status in PRESENT


def inpatient_is_active(situation: Situation) -> bool:
    """The encounter is open, and the patient has a bed."""
    return visit_is_open(situation) and situation.encounter is not None and situation.encounter.is_inpatient


def patient_is_here(situation: Situation) -> bool:
    """The patient has an encounter that is not over, be it pending."""
    return bool(situation.open)


def is_on_leave(situation: Situation) -> bool:
    """A leave of absence was notified, and no return."""
    return situation.encounter is not None and situation.encounter.status is Status.ON_LEAVE


def inserted_by(*triggers: str) -> Callable[[Situation], bool]:
    """A movement of one of these events is there to be cancelled."""
    return lambda situation: situation.last(triggers) is not None


def cancellation(section: str, *triggers: str, says: frozenset[int] = frozenset()) -> TriggerEvent:
    """A row for an event that takes back another one, and may tell what holds again."""
    return TriggerEvent(section=section, legal=inserted_by(*triggers), cancels=triggers, effect=Effect(says=says))


def tracking(section: str, *cancels: str) -> TriggerEvent:
    """A row for a move to or from a temporary location."""
    places = frozenset({TEMPORARY, PENDING})
    effect = Effect(says=places | {LOCATION, 6, 43}, clears=places)
    return TriggerEvent(section=section, legal=visit_is_open, cancels=cancels, effect=effect)


BASIC: Mapping[str, TriggerEvent] = {
    "A01": TriggerEvent(
        section="3.31.7.1",
        legal=no_admission_is_open,
        otherwise=Otherwise.ERROR,
        effect=Effect(becomes=Status.ACTIVE, patient_class="I"),
    ),
    "A11": replace(cancellation("3.31.7.2", "A01", "A04"), reach=Reach.ALL_SINCE),
    "A04": TriggerEvent(section="3.31.7.3", legal=always, effect=Effect(becomes=Status.ACTIVE, patient_class="O")),
    "A03": TriggerEvent(
        section="3.31.7.4",
        legal=visit_is_open,
        effect=Effect(becomes=Status.DISCHARGED, clears=frozenset({PENDING, TEMPORARY})),
    ),
    "A13": cancellation("3.31.7.5", "A03", says=frozenset({LOCATION})),
}
MAINTAIN_DEMOGRAPHICS: Mapping[str, TriggerEvent] = {
    "A08": TriggerEvent(section="3.31.7.6", legal=patient_is_here),
}
INPATIENT_OUTPATIENT: Mapping[str, TriggerEvent] = {
    "A05": TriggerEvent(
        section="3.31.7.7", legal=always, effect=Effect(becomes=Status.PRE_ADMITTED, keeps=PRESENT, patient_class="P")
    ),
    "A38": cancellation("3.31.7.8", "A05"),
    "A06": TriggerEvent(
        section="3.31.7.9", legal=always, effect=Effect(becomes=Status.ACTIVE, keeps=PRESENT, patient_class="I")
    ),
    "A07": TriggerEvent(
        section="3.31.7.10", legal=always, effect=Effect(becomes=Status.ACTIVE, keeps=PRESENT, patient_class="O")
    ),
    "A02": TriggerEvent(
        section="3.31.7.11",
        legal=always,
        effect=Effect(becomes=Status.ACTIVE, keeps=PRESENT, clears=frozenset({PENDING, TEMPORARY})),
    ),
    "A12": cancellation("3.31.7.12", "A02", says=frozenset({LOCATION, TEMPORARY})),
}
PENDING_EVENTS: Mapping[str, TriggerEvent] = {
    "A14": TriggerEvent(
        section="3.31.7.13", legal=always, effect=Effect(becomes=Status.PENDING_ADMIT, keeps=PRESENT, patient_class="P")
    ),
    "A27": cancellation("3.31.7.14", "A14"),
    "A15": TriggerEvent(section="3.31.7.15", legal=inpatient_is_active, effect=Effect(says=frozenset({PENDING}))),
    "A26": cancellation("3.31.7.16", "A15"),
    "A16": TriggerEvent(
        section="3.31.7.17",
        legal=inpatient_is_active,
        effect=Effect(becomes=Status.PENDING_DISCHARGE, says=frozenset({36, 37})),
    ),
    "A25": cancellation("3.31.7.18", "A16"),
}
ADVANCED: Mapping[str, TriggerEvent] = {
    "A54": TriggerEvent(section="3.31.7.19", legal=visit_is_open),
    "A55": TriggerEvent(
        section="3.31.7.20", legal=visit_is_open, cancels=("A54",), effect=Effect(says=frozenset({ATTENDING}))
    ),
    "A21": TriggerEvent(section="3.31.7.21", legal=visit_is_open, effect=Effect(becomes=Status.ON_LEAVE)),
    "A52": cancellation("3.31.7.22", "A21"),
    "A22": TriggerEvent(section="3.31.7.23", legal=is_on_leave, effect=Effect(becomes=Status.ACTIVE)),
    "A53": cancellation("3.31.7.24", "A22"),
}
TEMPORARY_TRANSFERS: Mapping[str, TriggerEvent] = {
    "A09": tracking("3.31.7.26"),
    "A33": tracking("3.31.7.27", "A09"),
    "A10": tracking("3.31.7.28"),
    "A32": tracking("3.31.7.29", "A10"),
}
EVENTS: Mapping[str, TriggerEvent] = {
    **BASIC,
    **MAINTAIN_DEMOGRAPHICS,
    **INPATIENT_OUTPATIENT,
    **PENDING_EVENTS,
    **ADVANCED,
    **TEMPORARY_TRANSFERS,
}
"""What inserts or cancels a movement, by option; Z99, A40 and A44 are told apart by what they are about."""
EFFECTS: Mapping[str, Effect] = {trigger: event.effect for trigger, event in EVENTS.items()}
HISTORIC = frozenset(EVENTS) - {"A08", *TEMPORARY_TRANSFERS} | {"Z99"}
"""The events whose messages carry ZBE with the option Historic Movement Management (ITI TF-2: 3.31.5.6)."""
