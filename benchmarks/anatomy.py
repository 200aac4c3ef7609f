"""Where the CPU of one request goes, step by step: real transactions in one process, on SQLite, without a wire.

Each function of ``STEPS`` is timed by the CPU of its own thread, what it calls of other steps not counted; what no step
names is the rest, the rules of ITI-42 among it: they are generators. Looking costs about a microsecond for each call,
which the smallest steps show most.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

from sqlalchemy.engine.default import DefaultDialect

from affinity import dispatch, hl7_answers, sqlite_connections
from affinity.auditing import AuditedExchange, Auditor
from affinity.catalogue import TRANSACTIONS
from affinity.domain import load
from affinity.hl7_answers import HL7Answers
from affinity.node import Node, open_node, utc_now
from affinity.settings import Settings
from atna.trail import AuditTrail
from benchmarks import messages
from benchmarks.figures import Effort, Figure, Say
from ihe.exchange import Exchange, SOAPRequest
from ihe.transactions import HL7v2Binding, Transaction
from mllp.replies import Peer
from pix import adt, comparing, linking, registration, store_tokens
from pix.journal import Change
from soap import xml
from statements import prepared
from xds import ebrim, registry, registry_query, store
from xds.iti18 import ITI_18
from xds.iti42 import ITI_42

DOMAIN = "connectathon"
REQUESTS, WARM, ENTRIES = 400, 60, 10
REST = "the rest"
STEPS: tuple[tuple[str, Any, str], ...] = (
    ("parse", hl7_answers, "parse"),
    ("parse", xml, "parse"),
    ("parse", adt, "read_demographics"),
    ("check", HL7Answers, "_sender"),
    ("check", HL7Answers, "_look_at"),
    ("check", adt, "breaches"),
    ("read metadata", ebrim, "decode_objects"),
    ("render metadata", registry, "fragment"),
    ("store", store, "find"),
    ("store", store, "claim"),
    ("store", store, "locate"),
    ("store", store, "add"),
    ("events and rows", Change, "note"),
    ("match", comparing, "verdicts"),
    ("match", registration, "reevaluate"),
    ("match", linking, "settle"),
    ("search words", store_tokens, "tokens"),
    ("SQL", prepared, "_execute"),
    ("SQL", prepared, "_insert_together"),
    ("SQL", DefaultDialect, "do_execute"),
    ("SQL", DefaultDialect, "do_executemany"),
    ("search", registry_query, "_answer"),
    ("audit", AuditTrail, "append_entries"),
    ("audit", AuditedExchange, "_entries"),
    ("audit", AuditTrail, "record_entries"),
    ("audit", Auditor, "_circumstances"),
    ("commit", sqlite_connections, "_end"),
    ("acknowledge", adt, "ack"),
    ("acknowledge", adt, "serialize"),
)
"""The name of a step, and a function that does it, where it is called."""


class Ledger:
    """CPU seconds by step; each thread has its own stack of the steps that it is in."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._guard = threading.Lock()
        self._threads = threading.local()

    def timed(self, step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, on this account."""

        @wraps(function)
        def on_account(*arguments: Any, **named: Any) -> Any:
            outer: str | None = getattr(self._threads, "step", None)
            self._turn(outer, step)
            try:
                return function(*arguments, **named)
            finally:
                self._turn(step, outer)

        return on_account

    def _turn(self, before: str | None, after: str | None) -> None:
        now = time.thread_time()
        if before is not None:
            with self._guard:
                self.seconds[before] = self.seconds.get(before, 0.0) + now - self._threads.since
        self._threads.step, self._threads.since = after, now


@contextmanager
def accounted(ledger: Ledger) -> Iterator[None]:
    """Every step is on account; as it was, afterwards."""
    usual = [(owner, name, getattr(owner, name)) for _, owner, name in STEPS]
    for (step, owner, name), (_, _, function) in zip(STEPS, usual, strict=True):
        setattr(owner, name, ledger.timed(step, function))
    try:
        yield
    finally:
        for owner, name, function in usual:
            setattr(owner, name, function)


def measure(directory: Path, effort: Effort, say: Say) -> list[Figure]:
    """Microseconds of CPU of each step, of four transactions."""
    node = open_node(Settings(data=directory / "anatomy", domain=DOMAIN), load(DOMAIN))
    figures: list[Figure] = []
    try:
        for name, requests in _transactions(node, effort.count(REQUESTS) * effort.runs + WARM):
            say(f"anatomy of {name}")
            figures += _dissected(name, requests, effort)
    finally:
        node.close()
    return figures


def _dissected(name: str, requests: Sequence[Callable[[], object]], effort: Effort) -> list[Figure]:
    for request in requests[:WARM]:
        request()
    size = (len(requests) - WARM) // effort.runs
    runs = [_run(requests[start : start + size]) for start in range(WARM, WARM + size * effort.runs, size)]
    steps = dict.fromkeys(step for step, _, _ in STEPS if any(step in run for run in runs))
    return [
        Figure(benchmark=name, name=step, unit="µs CPU", runs=tuple(run.get(step, 0.0) for run in runs))
        for step in (*steps, REST, "altogether")
    ]


def _run(requests: Sequence[Callable[[], object]]) -> dict[str, float]:
    """What each step took of one request on average, in microseconds."""
    ledger = Ledger()
    with accounted(ledger):
        began = time.process_time()
        for request in requests:
            request()
        total = time.process_time() - began
    found = {**ledger.seconds, REST: total - sum(ledger.seconds.values()), "altogether": total}
    return {step: seconds / len(requests) * 1e6 for step, seconds in found.items()}


def _transactions(node: Node, count: int) -> Iterator[tuple[str, list[Callable[[], object]]]]:
    answers, peer = _hl7_answers(node), Peer("127.0.0.1")
    news = [each[1:-2] for each in messages.announcements(count)]
    known = news[0].replace(b"A28", b"A31")
    again = [known.replace(_control(known), b"%020d" % number) for number in range(count)]
    yield "ITI-30 A28, a new patient", [_fed(answers, each, peer) for each in news]
    yield "ITI-30 A31, nothing new", [_fed(answers, each, peer) for each in again]
    patient = messages.announcement("anatomy")[1:-2]
    _fed(answers, patient, peer)()
    auditor = Auditor(node.trail, node.domain)
    submitted = [messages.registered("anatomy") for _ in range(count + ENTRIES)]
    for each in submitted[:ENTRIES]:
        _asked(ITI_42, node, auditor, each)()
    asked = messages.stored_query_of("anatomy")
    yield f"ITI-18, {ENTRIES} entries", [_asked(ITI_18, node, auditor, asked)] * count
    yield "ITI-42, one entry", [_asked(ITI_42, node, auditor, each) for each in submitted[ENTRIES:]]


def _control(message: bytes) -> bytes:
    return message.split(b"|")[9]


def _hl7_answers(node: Node) -> HL7Answers:
    def of_hl7(each: Transaction[Any, Any, Any, Any, Any]) -> bool:
        return any(isinstance(binding, HL7v2Binding) for binding in each.bindings)

    async def nowhere(*_arguments: object) -> bytes | None:
        raise NotImplementedError("the benchmark answers in its own thread")

    return HL7Answers(
        transactions=tuple(filter(of_hl7, TRANSACTIONS)),
        ports=node.ports,
        sources=node.sources,
        clock=utc_now,
        defer=nowhere,
        auditing=Auditor(node.trail, node.domain),
    )


def _fed(answers: HL7Answers, message: bytes, peer: Peer) -> Callable[[], object]:
    def feed() -> None:
        answer = answers._answer(message, peer)
        if not answer or b"|AA|" not in answer:
            raise RuntimeError(f"not accepted: {answer!r}")

    return feed


def _asked(
    transaction: Transaction[Any, Any, Any, Any, Any], node: Node, auditor: Auditor, body: bytes
) -> Callable[[], object]:
    def ask() -> None:
        exchange = Exchange(correlation_id="anatomy", received_at=utc_now(), peer="127.0.0.1")
        wire = SOAPRequest(body=xml.parse(body))
        reply = dispatch.answer(transaction, wire, node.ports, exchange, auditing=auditor)
        if b":Success" not in b"".join(reply.body)[:2000]:
            raise RuntimeError("not answered with success")

    return ask
