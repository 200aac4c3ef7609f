"""What becomes of a visit when its events are told one after the other (ITI TF-2: 3.31.7)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from conformance.counterparts.adt import Fields, a_visit
from conformance.counterparts.patients import PatientActors
from conformance.covering import Covering
from conformance.expectations import accepted
from conformance.suites.patient_encounters import no_visit_is_found, shown

Told = tuple[str, Fields]
"""A trigger event, and fields of PV1."""
NOTHING: Fields = {}
ADMITTED: Told = ("A01", NOTHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Events that are all acknowledged with AA, and what PV1 of the visit holds afterwards.

    ``shown`` has the first component of fields of PV1, empty where nothing stands there; None: there is no such visit.
    """

    id: str
    sentence: str
    told: tuple[Told, ...]
    covering: Covering
    shown: Mapping[int, str] | None = field(default_factory=dict)


def story(id: str, sentence: str, *told: Told, shown: Mapping[int, str] | None, covers: tuple[str, ...]) -> Story:
    """A Story that shows assertions."""
    return Story(id=id, sentence=sentence, told=told, shown=shown, covering=Covering(covers))


def of(transaction: str, *numbers: int) -> tuple[str, ...]:
    """Ids of assertions of a transaction."""
    return tuple(f"{transaction}-{number:03}" for number in numbers)


def play(patients: PatientActors, case: Story) -> None:
    """Tell the events; the visit is then as the story says."""
    visit = a_visit(patients)
    for event, pv1 in case.told:
        accepted(visit.send(event, pv1))
    if case.shown is None:
        no_visit_is_found(visit)
        return
    pv1_shown = shown(visit)
    came = {number: pv1_shown.text(number) for number in case.shown}
    assert came == case.shown, f"PV1 of {visit.number.id} has {came}, where {dict(case.shown)} is due"
