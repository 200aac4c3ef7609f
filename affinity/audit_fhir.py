"""The Audit Record Repository over HTTP: searches [ITI-81] and the FHIR Feed [ITI-20] (ITI Suppl. RESTful ATNA).

Plain functions that run in a worker thread. Who reads needs a token of an audit consumer, and each reading is itself
recorded (3.81.5.1); who feeds is a node that has shown its certificate, or sits on this machine.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import structlog
from cryptography import x509

from affinity.audit_fhir_calls import JSON_TYPES, FHIRCall, FHIRReply, outcome, refusal, wants_xml
from affinity.database import Database
from affinity.doors import is_loopback
from affinity.outages import Unavailable
from affinity.stewardship.access import Stewards
from affinity.stewardship.problems import Problem
from atna import fhir
from atna.fhir_coding import JSON
from atna.iti81 import CURSOR, BadQuery, Query, parse
from atna.iti81_audit import retrieved
from atna.reception import Arrival, Reception, Transport, receive_event
from atna.store import record
from atna.store_exchange import receive as store
from atna.store_retrieval import Page, audit_event_of, page
from atna.trail import AuditTrail, AuditUnavailable

log = structlog.get_logger()

PATH = "/fhir"
MOST_BODY = 4 * 1024 * 1024
MOST_ENTRIES = 1000
"""AuditEvents of one Bundle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecordRepository:
    """Answers every request below ``/fhir``. ``url`` is the address of that path."""

    database: Database
    trail: AuditTrail
    consumers: Stewards
    clock: Callable[[], datetime]
    url: str

    def __call__(self, call: FHIRCall) -> FHIRReply:
        """Answer one request; what nobody foresaw is raised."""
        try:
            reply = self._answer(call)
        except (Problem, BadQuery, AuditUnavailable, Unavailable) as error:
            reply = refusal(error)
        log.info("fhir", method=call.method, what=call.path[0][:20] if call.path else "", status=reply.status)
        return FHIRReply(status=reply.status, resource=reply.resource, in_xml=wants_xml(call), headers=reply.headers)

    def _answer(self, call: FHIRCall) -> FHIRReply:
        match (call.method, call.path):
            case ("GET", ("metadata",)):
                return FHIRReply(status=200, resource=self._capabilities())
            case ("GET", ("AuditEvent",)):
                return self._search(call)
            case ("GET", ("AuditEvent", number)):
                return self._read(call, number)
            case ("POST", ("AuditEvent",)):
                return self._create(call)
            case ("POST", ()):
                return self._batch(call)
            case (_, ("metadata" | "AuditEvent", *_)):
                raise Problem(405, "method", "AuditEvents are searched, read and created; nobody changes them")
        raise Problem(404, "unknown-path", f"Only AuditEvent and metadata are found below {PATH}")

    def _search(self, call: FHIRCall) -> FHIRReply:
        consumer = self.consumers.authenticate(call.authorization, call.peer, secure=call.secure)
        given = call.parameters
        query = parse(given)
        self._record(call, consumer, f"{self.url}/AuditEvent")
        found = self.database.read(lambda connection: page(connection, query))
        return FHIRReply(status=200, resource=self._bundle(given, query, found))

    def _bundle(self, given: list[tuple[str, str]], query: Query, found: Page) -> JSON:
        address = f"{self.url}/AuditEvent"
        links = [{"relation": "self", "url": f"{address}?{urlencode(given)}"}]
        if found.following is not None:
            rest = [each for each in given if each[0] != CURSOR]
            links.append({"relation": "next", "url": f"{address}?{urlencode([*rest, (CURSOR, found.following)])}"})
        whole = found.following is None and query.before is None
        entries = [
            {"fullUrl": f"{address}/{each['id']}", "resource": each, "search": {"mode": "match"}}
            for each in found.events
        ]
        return {
            "resourceType": "Bundle",
            "type": "searchset",
            **({"total": len(entries)} if whole else {}),
            "link": links,
            **({"entry": entries} if entries else {}),
        }

    def _read(self, call: FHIRCall, number: str) -> FHIRReply:
        consumer = self.consumers.authenticate(call.authorization, call.peer, secure=call.secure)
        self._record(call, consumer, f"{self.url}/AuditEvent/{number[:20]}")
        known = number.isascii() and number.isdecimal() and len(number) < 19
        found = self.database.read(lambda connection: record(connection, int(number))) if known else None
        event = audit_event_of(found) if found else None
        if event is None:
            raise Problem(404, "unknown-id", "There is no AuditEvent of this id")
        return FHIRReply(status=200, resource=event)

    def _record(self, call: FHIRCall, consumer: str, url: str) -> None:
        """Before anything is read: what cannot be recorded is not answered."""
        self.trail.record(retrieved(self.trail.node, self.clock(), consumer, call.peer, url, call.query))

    def _create(self, call: FHIRCall) -> FHIRReply:
        sender = _sender(call)
        made = self._receive(call, sender, _body(call))
        [number] = self.database.write(lambda connection: store(connection, [made]))
        location = {"Location": f"{self.url}/AuditEvent/{number}/_history/1"}
        return FHIRReply(status=201, resource=outcome("informational", "stored"), headers=location)

    def _batch(self, call: FHIRCall) -> FHIRReply:
        """A Bundle of type batch: each entry succeeds or fails by itself (3.20.4.5)."""
        sender, bundle = _sender(call), _body(call)
        entries = bundle.get("entry")
        if bundle.get("resourceType") != "Bundle" or bundle.get("type") != "batch" or not isinstance(entries, list):
            raise Problem(400, "bundle", "A Bundle of type batch with entries is wanted (Table 3.20.4.4.2-1)")
        if not 0 < len(entries) <= MOST_ENTRIES:
            raise Problem(413 if entries else 400, "bundle", f"A Bundle holds 1 to {MOST_ENTRIES} AuditEvents")
        made = [self._attempt(call, sender, each) for each in entries]
        good = [each for each in made if isinstance(each, Reception)]
        numbers = iter(self.database.write(lambda connection: store(connection, good)))
        answers = [self._answered(each, numbers) for each in made]
        return FHIRReply(status=200, resource={"resourceType": "Bundle", "type": "batch-response", "entry": answers})

    def _attempt(self, call: FHIRCall, sender: str, entry: Any) -> Reception | Problem:
        request = entry.get("request", {}) if isinstance(entry, dict) else {}
        if not isinstance(request, dict) or request.get("method") != "POST":
            return Problem(400, "bundle", "entry.request.method shall be POST (Table 3.20.4.4.2-1)")
        try:
            return self._receive(call, sender, entry.get("resource"))
        except Problem as problem:
            return problem

    def _answered(self, made: Reception | Problem, numbers: Any) -> JSON:
        if isinstance(made, Problem):
            refused = refusal(made)
            return {"response": {"status": str(made.status), "outcome": refused.resource}}
        return {"response": {"status": "201", "location": f"AuditEvent/{next(numbers)}/_history/1"}}

    def _receive(self, call: FHIRCall, sender: str, resource: Any) -> Reception:
        arrived = Arrival(
            data=json.dumps(resource, ensure_ascii=False).encode("utf-8", "replace"),
            at=self.clock(),
            peer=sender,
            address=call.peer,
            transport=Transport.FHIR,
        )
        try:
            return receive_event(resource, arrived)
        except fhir.NotAnAuditEvent as error:
            raise Problem(422, "invalid", str(error)) from None

    def _capabilities(self) -> JSON:
        interactions = [{"code": each} for each in ("read", "create", "search-type")]
        return {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "date": "2026-01-01",
            "kind": "instance",
            "implementation": {"description": "Audit Record Repository (ITI-20, ITI-81)", "url": self.url},
            "fhirVersion": "4.0.1",
            "format": ["application/fhir+json", "application/fhir+xml"],
            "rest": [
                {
                    "mode": "server",
                    "resource": [{"type": "AuditEvent", "interaction": interactions}],
                    "interaction": [{"code": "batch"}],
                }
            ],
        }


def _sender(call: FHIRCall) -> str:
    """Who feeds: the subject of its certificate (ITI-19), or a program of this machine. Raises Problem (403)."""
    if call.certificate is not None:
        return x509.load_der_x509_certificate(call.certificate).subject.rfc4514_string()
    if is_loopback(call.peer):
        return call.peer
    raise Problem(403, "node", "Audit events are taken from nodes that show a certificate (ITI TF-2: 3.19)")


def _body(call: FHIRCall) -> JSON:
    if call.content_type.partition(";")[0].strip().lower() not in JSON_TYPES:
        raise Problem(415, "media-type", "The body must be application/fhir+json")
    if call.content is None:
        raise Problem(413, "too-large", f"The body is longer than {MOST_BODY} bytes")
    try:
        read = json.loads(call.content.decode("utf-8"))
    except (UnicodeDecodeError, RecursionError, ValueError):
        raise Problem(400, "syntax", "The body is no JSON in UTF-8") from None
    if not isinstance(read, dict):
        raise Problem(400, "syntax", "The body must be a resource")
    return read
