"""Movements with an id (ZBE): the option Historic Movement Management [ITI-31] (ITI TF-2: 3.31.5.6, 3.31.6.1)."""

from dataclasses import dataclass

import pytest

from conformance.counterparts.adt import Fields, Visit, a_visit
from conformance.counterparts.patients import PatientActors
from conformance.covering import Covering, Suite, covers
from conformance.expectations import accepted, declined
from conformance.suites.patient_encounters import CONSUMER, NEEDS, located, no_visit_is_found
from conformance.wrong_v2 import breaking
from hl7v2.compose import FieldValue

SUITE = Suite(actor=CONSUMER, profile="PAM", option="Historic Movement Management", needs=NEEDS)


def movement(visit: Visit, action: str, original: str | None = None, number: int = 1) -> dict[int, FieldValue]:
    """ZBE of a movement of this visit."""
    id = (f"M{visit.number.id}-{number}", None, visit.number.authority.universal_id, "ISO")
    return {1: id, 2: "20261101080000", 4: action, 5: "N", 6: original}


def admitted(visit: Visit) -> None:
    """An admission whose movement has an id."""
    accepted(visit.send("A01", zbe=movement(visit, "INSERT")))


@covers("ITI-31-032", "ITI-31-036", "ITI-31-070", "ITI-31-374", "ITI-31-375")
def test_a_movement_that_is_corrected(patients: PatientActors) -> None:
    """Z99 changes the movement with the id in ZBE-1."""
    visit = a_visit(patients)
    admitted(visit)
    accepted(visit.send("Z99", {3: ("W7", "7", "7")}, movement(visit, "UPDATE", "A01")))
    located(visit, "W7")


@covers("ITI-31-033", "ITI-31-070")
def test_a_movement_that_is_cancelled(patients: PatientActors) -> None:
    """CANCEL deletes the movement with the id in ZBE-1."""
    visit = a_visit(patients)
    admitted(visit)
    accepted(visit.send("A11", zbe=movement(visit, "CANCEL", "A01")))
    no_visit_is_found(visit)


@covers("ITI-31-391")
def test_a_movement_that_another_followed(patients: PatientActors) -> None:
    """A CANCEL of a movement that is not the current one is not carried out."""
    visit = a_visit(patients)
    admitted(visit)
    accepted(visit.send("A02", {3: ("W2", "1", "1")}, movement(visit, "INSERT", number=2)))
    visit.send("A11", zbe=movement(visit, "CANCEL", "A01"))
    located(visit, "W2")


@covers("ITI-31-376", "ITI-31-377")
def test_a_movement_that_is_not_known(patients: PatientActors) -> None:
    """Z99 about a movement that is not known is an error and changes nothing."""
    visit = a_visit(patients)
    admitted(visit)
    stranger = movement(visit, "UPDATE", "A01", number=9)
    declined(visit.send("Z99", {3: ("W9", "9", "9")}, stranger), "204", location="ZBE^1^1")
    located(visit, "W1")


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongMovement:
    """An event whose ZBE has one wrong field."""

    id: str
    sentence: str
    event: str
    zbe: Fields
    code: str
    location: str
    covering: Covering


def _wrong(
    id: str, sentence: str, event: str, field: int, value: str | None, code: str, *assertions: str
) -> WrongMovement:
    return WrongMovement(
        id=id,
        sentence=sentence,
        event=event,
        zbe={field: value},
        code=code,
        location=f"ZBE^1^{field}",
        covering=breaking(*assertions),
    )


WRONG = (
    _wrong("no-id", "A movement without an id.", "A02", 1, None, "101", "ITI-31-058"),
    _wrong("no-start", "A movement without a start.", "A02", 2, None, "101", "ITI-31-059"),
    _wrong("no-action", "A movement without an action.", "A02", 4, None, "101", "ITI-31-060"),
    _wrong("no-indicator", "A movement that does not say if it is past.", "A02", 5, None, "101", "ITI-31-061"),
    _wrong("start", "A start that is no time.", "A02", 2, "soon", "102", "TF2-N-019"),
    _wrong("cancels", "A transfer that cancels.", "A02", 4, "CANCEL", "103", "ITI-31-062"),
    _wrong("inserts", "A correction that inserts.", "Z99", 4, "INSERT", "103", "ITI-31-063", "ITI-31-373"),
    _wrong("no-cancel", "A cancellation that inserts.", "A11", 4, "INSERT", "103", "ITI-31-064"),
    _wrong("past", "A past movement that is inserted.", "A02", 5, "Y", "103", "ITI-31-067"),
    _wrong("perhaps", "A movement that is neither past nor not.", "Z99", 5, "P", "103", "ITI-31-065"),
    _wrong(
        "original", "A correction that does not name what inserted the movement.", "Z99", 6, None, "101", "ITI-31-068"
    ),
    _wrong(
        "cancelled",
        "A cancellation that does not name what inserted the movement.",
        "A11",
        6,
        None,
        "101",
        "ITI-31-038",
    ),
)
GOOD = {"A02": ("INSERT", None, 2), "Z99": ("UPDATE", "A01", 1), "A11": ("CANCEL", "A01", 1)}


@covers("ITI-31-182", "ITI-31-375")
@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.id)
def test_it_is_declined(case: WrongMovement, patients: PatientActors) -> None:
    visit = a_visit(patients)
    admitted(visit)
    zbe = {**movement(visit, *GOOD[case.event]), **case.zbe}
    declined(visit.send(case.event, {3: ("W5", "5", "5")}, zbe), case.code, location=case.location)
    located(visit, "W1")
