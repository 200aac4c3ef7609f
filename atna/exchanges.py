"""The audit messages of one exchange, as its transaction describes them (``ihe.audited``)."""

from collections.abc import Callable, Iterable
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


def succeeded(audit: Audit, events: Iterable[Event], around: Circumstances) -> list[AuditMessage]:
    """The messages of an exchange whose parts ended as their events say."""
    messages: list[AuditMessage] = []
    for event in events:
        messages += _messages(audit, event, around)
    return messages


def failed(
    audit: Audit, events: Iterable[Event], around: Circumstances, outcome: EventOutcomeIndicator, why: str
) -> list[AuditMessage]:
    """The messages of an exchange that was refused or broke."""
    return succeeded(audit, (replace(each, outcome=outcome, description=why) for each in events), around)


def _messages(audit: Audit, event: Event, around: Circumstances) -> list[AuditMessage]:
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
    humans = people(around.principal) if around.principal else ()
    participants = (as_source(source), *humans, as_destination(destination))
    objects = _canonical_objects(event.objects, around.canonical)
    return [
        AuditMessage(event=identification, participants=participants, source=around.source, objects=some)
        for some in _bounded(objects)
    ]


def _bounded(objects: tuple[ParticipantObject, ...]) -> list[tuple[ParticipantObject, ...]]:
    """Cut a long list; what stands first, the patient, stands first in every piece."""
    if len(objects) <= MOST_OBJECTS:
        return [objects]
    whose = objects[:1] if objects[0].role is ObjectTypeCodeRole.PATIENT else ()
    others = objects[len(whose) :]
    return [(*whose, *others[start : start + MOST_OBJECTS]) for start in range(0, len(others), MOST_OBJECTS)]


def _canonical_objects(objects: tuple[ParticipantObject, ...], canonical: Canonical) -> tuple[ParticipantObject, ...]:
    """With the ids of patients as metadata spell them; nothing else of them changes."""
    return tuple([_canonical(each, canonical) if each.role is ObjectTypeCodeRole.PATIENT else each for each in objects])


def _canonical(each: ParticipantObject, canonical: Canonical) -> ParticipantObject:
    if each.id is None or canonical is str:
        return each
    id, details = canonical(each.id), tuple([_canonical_detail(detail, canonical) for detail in each.details])
    return each if (id, details) == (each.id, each.details) else replace(each, id=id, details=details)


def _canonical_detail(detail: Detail, canonical: Canonical) -> Detail:
    return Detail(detail.type, canonical(detail.value.decode()).encode()) if detail.type == ALSO_KNOWN_AS else detail
