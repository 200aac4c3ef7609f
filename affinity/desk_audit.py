"""The audit of the stewards' desk: each call is recorded, a decision together with the change that it makes."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qs

from sqlalchemy import Connection

from affinity.audited_database import opened
from affinity.auditing import Auditor
from affinity.database import Database
from affinity.stewardship.calls import Call
from affinity.stewardship.problems import IN_DOUBT, UNAVAILABLE
from affinity.works import Result, Work
from atna.events import authentication_failed, console_used
from atna.model import AuditMessage, EventOutcomeIndicator
from ihe.audit import ParticipantObject, patient

MOST_IDS = 20
"""Patients that a record of one call names."""
UNAUTHORIZED, REFUSED = 401, 400


class DeskCall:
    """One call until it is recorded. ``steward`` is set once they are known."""

    def __init__(self, auditor: Auditor, call: Call, at: datetime) -> None:
        self.steward: str | None = None
        self._auditor = auditor
        self._call = call
        self._at = at
        self._is_recorded = False

    def read(self, database: Database, work: Work[Result]) -> Result:
        """Look something up: what stewards decide by is the primary's word."""
        return database.read(work)

    def write(self, database: Database, work: Work[Result]) -> Result:
        """Make what a POST changes, and record it, both or neither."""
        if self._is_recorded or self._call.method != "POST":
            return database.write(work)

        def audited(connection: Connection) -> Result:
            result = work(connection)
            self._auditor.trail.append(connection, [self._message(EventOutcomeIndicator.SUCCESS)])
            return result

        result = database.write(audited)
        self._is_recorded = True
        return result

    def answered(self, status: int) -> None:
        """Record how the call ended, before its answer leaves. Raises AuditUnavailable."""
        if status == UNAUTHORIZED:
            node, reason = self._auditor.trail.node, "the token of a steward was not accepted"
            self._auditor.trail.record(authentication_failed(node, self._at, self._call.peer, reason))
        elif status in (UNAVAILABLE, IN_DOUBT):
            return
        elif status >= REFUSED:
            self._auditor.trail.record(self._message(EventOutcomeIndicator.MINOR_FAILURE))
        elif not self._is_recorded:
            self._auditor.trail.record(self._message(EventOutcomeIndicator.SUCCESS))

    def _message(self, outcome: EventOutcomeIndicator) -> AuditMessage:
        what = f"{self._call.method} stewardship/{'/'.join(self._call.path)}"
        user = f"{self.steward or 'unknown'}@stewardship"
        return console_used(self._auditor.trail.node, self._at, user, what, self._patients(), outcome)

    def _patients(self) -> Iterator[ParticipantObject]:
        named = dict.fromkeys(each for each in _texts(self._call) if "^^^" in each)
        yield from (patient([self._auditor.canonical(each)]) for each in list(named)[:MOST_IDS])


@dataclass(frozen=True, slots=True)
class DeskAudit:
    """Opens the audit of calls."""

    auditor: Auditor
    clock: Callable[[], datetime]

    @contextmanager
    def __call__(self, call: Call) -> Iterator[DeskCall]:
        """Open one in this thread."""
        made = DeskCall(self.auditor, call, self.clock())
        with opened(made):
            yield made


def _texts(call: Call) -> Iterator[str]:
    """Whatever a call says in its query or in the members of its body."""
    for values in parse_qs(call.query).values():
        yield from values
    try:
        body = json.loads(call.content or b"null")
    except ValueError:
        return
    members = body.values() if isinstance(body, dict) else ()
    for each in members:
        if isinstance(each, str):
            yield each
        elif isinstance(each, list):
            yield from (one for one in each if isinstance(one, str))
