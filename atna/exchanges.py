"""The audit messages of one exchange, as its transaction describes them (``ihe.audited``)."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from atna.model import (
    ActiveParticipant,
    AuditMessage,
    AuditSource,
    EventIdentification,
    EventOutcomeIndicator,
    ParticipantObject,
)
from atna.participants import as_destination, as_source, people
from ihe.audit import ALSO_KNOWN_AS, Detail, ObjectTypeCodeRole
from ihe.audited import Audit, Event
from ihe.exchange import Principal

Canonical = Callable[[str], str]
"""Spells a patient id as metadata do, so that one patient is found by one id whatever the message called them."""
LONGEST_DESCRIPTION = 4000
MOST_OBJECTS = 500
"""Participant objects of one message; an event about more becomes several messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """When, and who took part. ``initiator`` began the exchange; their roles follow from the transaction."""

    at: datetime
    initiator: ActiveParticipant
    responder: ActiveParticipant
    principal: Principal | None
    source: AuditSource
    canonical: Canonical = str


def succeeded(audit: Audit, events: Iterable[Event], around: Circumstances) -> Iterator[AuditMessage]:
    """The messages of an exchange whose parts ended as their events say."""
    for event in events:
        yield from _messages(audit, event, around)


def failed(
    audit: Audit, events: Iterable[Event], around: Circumstances, outcome: EventOutcomeIndicator, why: str
) -> Iterator[AuditMessage]:
    """The messages of an exchange that was refused or broke."""
    for event in events:
        yield from _messages(audit, replace(event, outcome=outcome, description=why), around)


def _messages(audit: Audit, event: Event, around: Circumstances) -> Iterator[AuditMessage]:
    identification = EventIdentification(
        id=audit.event,
        action=event.action or audit.action,
        time=around.at,
        outcome=event.outcome,
        types=(audit.type,),
        outcome_description=event.description[:LONGEST_DESCRIPTION] if event.description else None,
        purpose_of_use=around.principal.purpose_of_use if around.principal else (),
    )
    first, second = around.initiator, around.responder
    source, destination = (second, first) if audit.answers_as_source else (first, second)
    participants = (as_source(source), *people(around.principal), as_destination(destination))
    for objects in _bounded(tuple(_canonical(each, around.canonical) for each in event.objects)):
        yield AuditMessage(event=identification, participants=participants, source=around.source, objects=objects)


def _bounded(objects: tuple[ParticipantObject, ...]) -> Iterator[tuple[ParticipantObject, ...]]:
    """Cut a long list; what stands first, the patient, stands first in every piece."""
    if len(objects) <= MOST_OBJECTS:
        yield objects
        return
    whose = objects[:1] if objects[0].role is ObjectTypeCodeRole.PATIENT else ()
    others = objects[len(whose) :]
    for start in range(0, len(others), MOST_OBJECTS):
        yield (*whose, *others[start : start + MOST_OBJECTS])


def _canonical(each: ParticipantObject, canonical: Canonical) -> ParticipantObject:
    if each.role is not ObjectTypeCodeRole.PATIENT or each.id is None or canonical is str:
        return each
    id, details = canonical(each.id), tuple(_canonical_detail(detail, canonical) for detail in each.details)
    return each if (id, details) == (each.id, each.details) else replace(each, id=id, details=details)


def _canonical_detail(detail: Detail, canonical: Canonical) -> Detail:
    return Detail(detail.type, canonical(detail.value.decode()).encode()) if detail.type == ALSO_KNOWN_AS else detail
