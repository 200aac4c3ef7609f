"""The JSON API below ``PATH``: the patient's view of accesses, for a patient portal; tokens are those of stewards.

Whoever reads the view reads the audit trail, so that this is recorded as well, before the answer leaves.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from affinity.access_words import LANGUAGES, plain
from affinity.accesses import MOST, Wanted, view
from affinity.stewardship import bodies
from affinity.stewardship.access import Stewards
from affinity.stewardship.calls import Call, Reply
from affinity.stewardship.problems import Problem, refused, wrong
from affinity.stewardship.shapes import Plain
from atna.events import audit_log_used
from atna.trail import AuditTrail, AuditUnavailable
from ihe.datatypes import parse_patient_id
from pix.manager import PatientIndex

log = structlog.get_logger()

PATH = "/consent"
PARAMETERS = ("patient", "lang", "since", "until", "everything", "limit")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentAPI:
    """Answers every request below ``/consent``."""

    index: PatientIndex
    trail: AuditTrail
    stewards: Stewards
    clock: Callable[[], datetime]

    def __call__(self, call: Call) -> Reply:
        """Answer one request; what nobody foresaw is raised."""
        correlation, steward = uuid.uuid4().hex, None
        try:
            steward = self.stewards.authenticate(call.authorization, call.peer, secure=call.secure)
            reply = Reply(status=200, content=self._answer(call, steward))
        except Exception as error:
            problem = _problem(error)
            if problem is None:
                raise
            reply = Reply(status=problem.status, content=problem.plain(correlation))
        log.info("accesses", steward=steward, status=reply.status, correlation=correlation)
        return reply

    def _answer(self, call: Call, steward: str) -> Plain:
        if call.path != ("accesses",):
            raise Problem(404, "unknown-path", "Nothing is here", where="path")
        if call.method != "GET":
            raise Problem(405, "method", "Only GET is understood here", where="method")
        given = bodies.parameters(call.query, *PARAMETERS)
        language = given.get("lang", "en")
        if language not in LANGUAGES:
            raise wrong(f"lang is one of {', '.join(LANGUAGES)}", "lang")
        wanted = Wanted(
            since=_moment(given.get("since"), "since"),
            until=_moment(given.get("until"), "until"),
            everything=given.get("everything") == "true",
            limit=min(bodies.number(given.get("limit", str(MOST)), "limit") or MOST, MOST),
        )
        return self._accesses(given.get("patient", ""), language, wanted, steward)

    def _accesses(self, text: str, language: str, wanted: Wanted, steward: str) -> Plain:
        try:
            patient_id = parse_patient_id(text)
        except ValueError as error:
            raise wrong(f"patient: {error}", "patient") from error
        self.trail.record(audit_log_used(self.trail.node, self.clock(), steward, f"accesses to the record of {text}"))
        found = self.index.database.read(
            lambda connection: (
                None
                if (patient := self.index.resolve(connection, patient_id)) is None
                else view(connection, patient, wanted)
            )
        )
        if found is None:
            raise Problem(
                404, "unknown-patient", "No feed announced this patient id, or it was merged", where="patient"
            )
        return plain(found, language)


def _problem(error: Exception) -> Problem | None:
    if isinstance(error, AuditUnavailable):
        return Problem(503, "audit-unavailable", "The audit trail cannot be written, so nothing is shown")
    return refused(error)


def _moment(text: str | None, where: str) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise wrong(f"{where} is a date or a time as ISO 8601 spells it", where) from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)
