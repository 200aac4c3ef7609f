"""The audit records of one exchange, as its transaction describes them (``ihe.audited``)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from operator import attrgetter

from atna.entries import EPOCH, Entry, Template, template
from atna.model import (
    ActiveParticipant,
    AuditMessage,
    AuditSource,
    EventActionCode,
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
PATIENT = ObjectTypeCodeRole.PATIENT
DISPLAY = attrgetter("display")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Systems:
    """The two that take part, and who writes the record. ``initiator`` began; their roles follow from the transaction.

    The same few take part in most exchanges: keep one value for them, and what their records have in common is kept.
    """

    initiator: ActiveParticipant
    responder: ActiveParticipant
    source: AuditSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """When, and who took part."""

    at: datetime
    systems: Systems
    principal: Principal | None
    canonical: Canonical = str


def succeeded(audit: Audit, events: Iterable[Event], around: Circumstances) -> list[Entry]:
    """The records of an exchange whose parts ended as their events say."""
    made: list[Entry] = []
    displays = _displays(around.principal) if around.principal else ()
    for event in events:
        action = event.action or audit.action
        common = _template(audit, action, event.outcome, around.systems, around.principal, displays)
        description = event.description[:LONGEST_DESCRIPTION] if event.description else None
        objects = event.objects if around.canonical is str else _canonical_objects(event.objects, around.canonical)
        for some in (objects,) if len(objects) <= MOST_OBJECTS else _bounded(objects):
            made.append(common.filled(around.at, description, some))
    return made


def failed(
    audit: Audit, events: Iterable[Event], around: Circumstances, outcome: EventOutcomeIndicator, why: str
) -> list[Entry]:
    """The records of an exchange that was refused or broke."""
    return succeeded(audit, (replace(each, outcome=outcome, description=why) for each in events), around)


@lru_cache(maxsize=512)
def _template(
    audit: Audit,
    action: EventActionCode,
    outcome: EventOutcomeIndicator,
    systems: Systems,
    principal: Principal | None,
    displays: tuple[str, ...],
) -> Template:
    """What these records have in common. ``displays`` tells apart what equal codes of a principal display."""
    event = EventIdentification(
        id=audit.event,
        action=action,
        time=EPOCH,
        outcome=outcome,
        types=(audit.type,),
        purpose_of_use=principal.purpose_of_use if principal else (),
    )
    first, second = systems.initiator, systems.responder
    source, destination = (second, first) if audit.answers_as_source else (first, second)
    participants = (as_source(source), *people(principal), as_destination(destination))
    return template(AuditMessage(event=event, participants=participants, source=systems.source))


def _displays(principal: Principal) -> tuple[str, ...]:
    return tuple(map(DISPLAY, principal.roles + principal.purpose_of_use))


def _bounded(objects: tuple[ParticipantObject, ...]) -> list[tuple[ParticipantObject, ...]]:
    """Cut a long list; what stands first, the patient, stands first in every piece."""
    whose = objects[:1] if objects[0].role is PATIENT else ()
    others = objects[len(whose) :]
    return [(*whose, *others[start : start + MOST_OBJECTS]) for start in range(0, len(others), MOST_OBJECTS)]


def _canonical_objects(objects: tuple[ParticipantObject, ...], canonical: Canonical) -> tuple[ParticipantObject, ...]:
    """With the ids of patients as metadata spell them; nothing else of them changes."""
    return tuple([_canonical(each, canonical) if each.role is PATIENT else each for each in objects])


def _canonical(each: ParticipantObject, canonical: Canonical) -> ParticipantObject:
    if each.id is None:
        return each
    id, details = canonical(each.id), each.details
    if details:
        details = tuple([_canonical_detail(detail, canonical) for detail in details])
    return each if id == each.id and details == each.details else replace(each, id=id, details=details)


def _canonical_detail(detail: Detail, canonical: Canonical) -> Detail:
    return Detail(detail.type, canonical(detail.value.decode()).encode()) if detail.type == ALSO_KNOWN_AS else detail
