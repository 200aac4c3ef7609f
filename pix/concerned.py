"""Whom an event is about: these records must be held by the change that notes it (``pix.locks``)."""

from collections.abc import Iterable

from ihe.identifiers import PatientKey
from pix.decisions import Decision, Pair
from pix.events import Event, IdentifierChanged, Merged, Unmerged


def concerned(event: Event) -> set[PatientKey]:
    """Its records, and those about whom something was decided that goes over to another record with it.

    Else who is merged away at the same moment would take along a decision, or a task, that has gone over already.
    """
    named = {getattr(event, "record", None), getattr(event, "other", None)}
    return {key for key in named if key is not None} | {key for two in _pairs(event) for key in two}


def _pairs(event: Event) -> Iterable[Pair]:
    match event:
        case Merged(decisions=decisions):
            return _of(decisions)
        case Unmerged(decisions=decisions, displaced=displaced, undone=undone):
            return (*_of((*decisions, *displaced)), *undone)
        case IdentifierChanged(record=record, replaced=replaced, adopted=adopted):
            return (*_of(adopted), (record, replaced or record))
    return ()


def _of(decisions: Iterable[Decision]) -> tuple[Pair, ...]:
    return tuple(each.pair for each in decisions)
