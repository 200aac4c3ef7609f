"""What a message of ITI-31 does to the patient's encounters, or why it does nothing (ITI TF-2: 3.31.7)."""

from dataclasses import dataclass, replace

from ihe.errors import Rejected
from ihe.identifiers import PatientKey
from pix import registration, store_encounters, store_records
from pix.agreement import disagreement
from pix.claims import own_identifiers, refuse_subsumed
from pix.encounter_events import EFFECTS, EVENTS, HISTORIC, Otherwise, Reach, Situation, TriggerEvent
from pix.encounter_refusals import is_admitted, is_known_movement, is_not_current, is_unknown_movement
from pix.encounter_requests import CANCEL, CHANGES_OF_CLASS, UPDATE, EncounterMessage
from pix.encounters import LOCATION, OPEN, PRESENT, Encounter, Movement, Status, after
from pix.events import EncounterChanged, Remarked
from pix.journal import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One message before the patient whom it names."""

    change: Change
    message: EncounterMessage
    situation: Situation

    @property
    def event(self) -> TriggerEvent:
        """The row of the table that the message is judged by."""
        return EVENTS[self.message.trigger]


def apply(change: Change, message: EncounterMessage) -> None:
    """Insert, cancel or update a movement, and feed the patient; a message that does not fit changes nothing."""
    case = Case(change=change, message=message, situation=_situation(change, message))
    if message.action == UPDATE:
        _update(case)
    elif message.action == CANCEL:
        _cancel(case)
    else:
        _insert(case)


def _situation(change: Change, message: EncounterMessage) -> Situation:
    known = _patient_keys(change, message)
    encounters = store_encounters.encounters_of(change.connection, known)
    here = tuple(each for each in encounters if each.facility == message.facility)
    named = _named(here, message)
    movements = store_encounters.movements(change.connection, named.number) if named else ()
    return Situation(encounter=named, movements=movements, open=tuple(each for each in here if each.status in OPEN))


def _patient_keys(change: Change, message: EncounterMessage) -> set[PatientKey]:
    """The records that PID-3 names, and those that were merged into them."""
    own = own_identifiers(message.feed.identifiers)
    known = store_records.by_identifiers(change.connection, own)
    refuse_subsumed(own, known)
    keys = {each.key for each in known.values()}
    return keys | {key for each in keys for key in store_records.subsumed_by(change.connection, each)}


def _named(encounters: tuple[Encounter, ...], message: EncounterMessage) -> Encounter | None:
    """The encounter of the visit number; without one, the account's, which may be the one before (MRG-3)."""
    if message.visit:
        found = [each for each in encounters if each.visit == message.visit]
        if found:
            return found[-1]
    accounts = {message.prior_account} if message.prior_account else set()
    if not message.visit:
        accounts |= {message.account}
    found = [each for each in encounters if each.account and each.account in accounts]
    return max(found, key=lambda each: (each.status in PRESENT, each.status in OPEN, each.number), default=None)


def _insert(case: Case) -> None:
    """Record a movement; it begins an encounter if it is the first of its visit."""
    if not case.event.legal(case.situation):
        _conflict(case)
        return
    _refuse_known_movement(case)
    registration.register(case.change, case.message.feed)
    if case.situation.encounter is None and case.event is EVENTS["A08"]:
        return  # it names none of the encounters that are open: the demographics alone are news
    said = case.message.movement
    state = after(case.situation.encounter or _begun(case), (*case.situation.movements, said), EFFECTS)
    _note(case, state, movement=said)


def _begun(case: Case) -> Encounter:
    """A new encounter, of the first patient id that is the patient's and not by mistake somebody else's."""
    own = own_identifiers(case.message.feed.identifiers)
    known = store_records.by_identifiers(case.change.connection, own)
    records = [known[each.key] for each in own if each.key in known]
    said = case.message.feed.demographics
    mine = [each.key for each in records if not disagreement(each.demographics, said)]
    record = next(iter(mine), records[0].key)
    return Encounter(number=0, record=record, facility=case.message.facility, pv1={}, pv2={})


def _cancel(case: Case) -> None:
    """Take back the movement, and record what the message says of the situation before it."""
    target = _target(case)
    fits = target is not None if _is_change_of_class(case) else case.event.legal(case.situation)
    identified = case.message.has_movement_id and target is None
    encounter = case.situation.encounter
    if encounter is None or not fits or identified:
        _conflict(case)
        return
    gone = _taken_back(case, target) if target else ()
    _refuse_historic(case, gone)
    told = replace(case.message.movement, ids=()) if case.event.effect.says else None
    rest = tuple(each for each in case.situation.movements if each not in gone)
    state = after(encounter, (*rest, told) if told else rest, EFFECTS)
    if told and state.status is Status.CANCELLED and LOCATION in (case.event.effect.says or ()):
        # Nobody told how the visit began: the patient is where this says, as after a transfer (3.31.7.11.4).
        told = replace(told, trigger="A02")
        state = after(encounter, (*rest, told), EFFECTS)
    _note(case, state, movement=told, cancelled=tuple(each.number for each in gone))


def _is_change_of_class(case: Case) -> bool:
    return case.message.trigger in CHANGES_OF_CLASS


def _target(case: Case) -> Movement | None:
    """The movement that ZBE-1 names; without ZBE, the last one that this event may cancel."""
    triggers = CHANGES_OF_CLASS if _is_change_of_class(case) else case.event.cancels
    if not case.message.has_movement_id:
        return case.situation.last(triggers)
    return next((each for each in _identified(case) if each.trigger in triggers), None)


def _identified(case: Case) -> list[Movement]:
    """The movements that have one of the ids of ZBE-1, the last first."""
    ids = set(case.message.movement.ids)
    return [each for each in reversed(case.situation.movements) if ids.intersection(each.ids)]


def _taken_back(case: Case, target: Movement) -> tuple[Movement, ...]:
    movements = case.situation.movements
    if case.event.reach is Reach.ALL_SINCE and not case.message.has_movement_id:
        return movements[movements.index(target) :]
    return (target,)


def _refuse_historic(case: Case, gone: tuple[Movement, ...]) -> None:
    """Only the current Movement can be cancelled (ITI TF-2: 3.31.5.6); without ZBE nobody can tell which it is."""
    if not case.message.has_movement_id:
        return
    ids = {each for movement in gone for each in movement.ids}
    later = [each for each in case.situation.movements if each.number > max(one.number for one in gone)]
    if any(_is_movement(each) and not ids.intersection(each.ids) for each in later):
        raise Rejected(is_not_current(case.message, case.event.citation))


def _is_movement(each: Movement) -> bool:
    return each.trigger in HISTORIC and not EVENTS[each.trigger].cancels


def _update(case: Case) -> None:
    """Correct a movement, current or historic, and all that follows from it (ITI TF-2: 3.31.7.30)."""
    found = _identified(case)
    target = next((each for each in found if each.trigger == case.message.original), None)
    if target is None or case.situation.encounter is None:
        raise Rejected(is_unknown_movement(case.message))
    said = case.message.movement
    corrected = replace(
        said,
        number=target.number,
        trigger=target.trigger,
        ids=tuple(dict.fromkeys((*target.ids, *said.ids))),
        pv1={**target.pv1, **said.pv1},  # a deletion stays: it deletes what earlier movements said, too
        pv2={**target.pv2, **said.pv2},
        account=said.account or target.account,
    )
    registration.register(case.change, case.message.feed)
    movements = tuple(corrected if each is target else each for each in case.situation.movements)
    state = after(case.situation.encounter, movements, EFFECTS)
    _note(case, state, movement=corrected, updated=target)


def _conflict(case: Case) -> None:
    """Discard the message, with an error where the standard wants one."""
    if case.event.otherwise is Otherwise.ERROR:
        raise Rejected(is_admitted(case.situation.open, case.event.citation))
    detail = {"visit": case.message.visit or case.message.account}
    case.change.note(Remarked(remark="encounter-message-discarded", detail=detail))


def _refuse_known_movement(case: Case) -> None:
    """A movement is inserted once; messages of other events may state the same movement (ITI TF-4: 4.1.3.3.1.2)."""
    if any(each.trigger == case.message.trigger for each in _identified(case)):
        raise Rejected(is_known_movement(case.message, case.event.citation))


def _note(
    case: Case,
    state: Encounter,
    *,
    movement: Movement | None,
    updated: Movement | None = None,
    cancelled: tuple[int, ...] = (),
) -> None:
    case.change.note(
        EncounterChanged(
            record=state.record,
            before=store_encounters.plain_movement(updated) if updated else None,
            encounter=state.number or None,
            movement=store_encounters.plain_movement(movement) if movement else None,
            updated=updated.number if updated else None,
            cancelled=cancelled,
            state=store_encounters.plain_state(state),
        )
    )
