"""Pages of AuditEvents out of the trail, newest first [ITI-81]. Runs in the caller's transaction."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, or_, select

from atna import fhir
from atna.compact import Damaged
from atna.dicom import NotAnAuditMessage
from atna.entries import Subject, number
from atna.fhir_coding import JSON, OID_URN
from atna.iti81 import Query, Token
from atna.store import Stored, stored
from atna.tables import audit_event, audit_subject

ROWS = 200
"""Rows of one statement."""
SCANNED = 5000
"""Most records that are looked at for one page: what a page does not find, the next one may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """AuditEvents, and after which record the next page begins; None: this is the last one."""

    events: tuple[JSON, ...]
    following: int | None


def page(connection: Connection, query: Query) -> Page:
    """The next events that fit."""
    found: list[JSON] = []
    before, scanned = query.before, 0
    while scanned < SCANNED:
        rows = _rows(connection, query, before)
        for each in rows:
            before, scanned = each.sequence, scanned + 1
            event = audit_event_of(each)
            if event is not None and query.fits(event):
                found.append(event)
            if len(found) == query.count:
                return Page(events=tuple(found), following=before)
        if len(rows) < ROWS:
            return Page(events=tuple(found), following=None)
    return Page(events=tuple(found), following=before)


def audit_event_of(record: Stored) -> JSON | None:
    """The AuditEvent of a record; None where the record was damaged, which ``affinity audit verify`` shows."""
    try:
        return fhir.write(record.message, id=str(record.sequence))
    except (Damaged, NotAnAuditMessage):
        return None


def _rows(connection: Connection, query: Query, before: int | None) -> list[Stored]:
    wanted = select(audit_event).where(*_conditions(query))
    if before is not None:
        wanted = wanted.where(audit_event.c.sequence < before)
    return list(map(stored, connection.execute(wanted.order_by(audit_event.c.sequence.desc()).limit(ROWS))))


def _conditions(query: Query) -> Iterator[ColumnElement[bool]]:
    """What the columns can tell; the event itself has the last word."""
    if query.since is not None:
        yield audit_event.c.at >= query.since
    if query.until is not None:
        yield audit_event.c.at < query.until
    if query.outcomes is not None:
        yield audit_event.c.outcome.in_(query.outcomes)
    for tokens in query.patients:
        ids = list(map(_cx, tokens))
        if None not in ids:
            yield _about([each for each in ids if each])


def _cx(token: Token) -> str | None:
    """The id by which the store finds a patient; None if the token leaves the authority or the id open."""
    if not token.code or not (token.system or "").startswith(OID_URN):
        return None
    return f"{token.code}^^^&{(token.system or '').removeprefix(OID_URN)}&ISO"


def _about(ids: list[str]) -> ColumnElement[bool]:
    patients = [number(Subject.PATIENT, each) for each in ids]
    persons = [number(Subject.PERSON, each) for each in ids]
    further = select(audit_subject.c.sequence).where(audit_subject.c.subject.in_(patients))
    return or_(
        audit_event.c.patient.in_(patients),
        audit_event.c.person.in_(persons),
        audit_event.c.sequence.in_(further),
    )
