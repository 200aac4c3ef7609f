"""What Prometheus may scrape at /metrics: counts and times per transaction, no patient data in labels."""

import os
from collections.abc import Iterable
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from ihe.errors import Rejected
from xua.errors import Subcode

REGISTRY = CollectorRegistry()
PROCESS = ProcessCollector(registry=REGISTRY)
"""Memory, processor time, open files and the start of this process, where the system has them in ``/proc``."""
REQUESTS = Counter(
    "affinity_requests_total", "Requests by transaction and outcome", ["transaction", "outcome"], registry=REGISTRY
)
OUTCOMES = ("success", "rejected", "error", "unavailable")
SECONDS = Histogram(
    "affinity_request_seconds",
    "Time from the decoded request to the answer's first byte",
    ["transaction"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
REFUSED = Counter(
    "affinity_refused_total",
    "Errors in the answers to requests that were refused; one answer may hold several",
    ["transaction", "code"],
    registry=REGISTRY,
)
NO_TRANSACTION = "none"
"""The transaction of a message that is none here."""
ACCESS_DENIED = Counter(
    "affinity_access_denied_total",
    "Requests of people who were not believed or may not: by what they showed, an assertion or a token, and why not",
    ["shown", "reason"],
    registry=REGISTRY,
)
EMERGENCIES = Counter(
    "affinity_emergency_accesses_total", "Records that somebody opened in an emergency", registry=REGISTRY
)
DOUBTFUL = Counter(
    "affinity_hl7_doubtful_total",
    "HL7 v2 messages of a listed source that hl7apy found something wrong with and that were answered all the same",
    ["source"],
    registry=REGISTRY,
)
NOTIFICATIONS = Gauge(
    "affinity_notifications",
    "Update notifications that wait to be sent, and dead letters",
    ["subscriber", "state"],
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
OLDEST_NOTIFICATION = Gauge(
    "affinity_notifications_oldest_seconds",
    "Age of the oldest update notification that waits to be sent, 0 if none does",
    ["subscriber"],
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
NOT_ADMITTED = Counter(
    "affinity_not_admitted_total", "Messages that were not let in", ["partner", "reason"], registry=REGISTRY
)
FORGIVEN = Counter(
    "affinity_forgiven_total",
    "Deviations from the standard that were taken, because the partner's agreement says so",
    ["partner", "deviation"],
    registry=REGISTRY,
)
AUDIT_FORWARDED = Counter(
    "affinity_audit_forwarded_total",
    "Audit records sent to an audit record repository, those sent again included",
    ["repository"],
    registry=REGISTRY,
)
AUDIT_WAITING = Gauge(
    "affinity_audit_waiting",
    "Audit records that wait to be sent to a repository, and those of which it is in doubt whether it stored them",
    ["repository", "state"],
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
AUDIT_WAITING_SECONDS = Gauge(
    "affinity_audit_waiting_oldest_seconds",
    "Age of the oldest audit record that waits to be sent to a repository, 0 if none does",
    ["repository"],
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
HANDSHAKES_FAILED = Counter(
    "affinity_tls_handshakes_failed_total", "TLS handshakes that failed, by who ended them", ["side"], registry=REGISTRY
)
ALARMS_LEFT_OUT = Counter(
    "affinity_node_alarms_left_out_total",
    "Failed TLS handshakes that were logged and not recorded in the audit trail, because too many waited",
    registry=REGISTRY,
)


def begin_at_zero(transactions: Iterable[str]) -> None:
    """Show counters that an alarm watches before they count: from nothing to 1, Prometheus sees no increase."""
    for transaction in transactions:
        for outcome in OUTCOMES:
            REQUESTS.labels(transaction, outcome)
    for subcode in Subcode:
        ACCESS_DENIED.labels("assertion", subcode.name.lower())


def count(transaction: str, outcome: str, seconds: float) -> None:
    """Count a request that is answered, and how long it took."""
    requests, times = _of(transaction, outcome)
    requests.inc()
    times.observe(seconds)


@lru_cache(maxsize=512)
def _of(transaction: str, outcome: str) -> tuple[Counter, Histogram]:
    """They are few, and to find one by its labels takes longer than to count."""
    return REQUESTS.labels(transaction, outcome), SECONDS.labels(transaction)


def count_refusal(transaction: str, rejected: Rejected) -> None:
    """Count each code of an answer once."""
    for code in rejected.codes:
        REFUSED.labels(transaction, str(code.value)).inc()


def exposition(more: Iterable[CollectorRegistry] = ()) -> bytes:
    """Every metric in Prometheus' text format; ``more`` are registries of what is read at this moment."""
    return b"".join(map(generate_latest, (_counted(), *more)))


def _counted() -> CollectorRegistry:
    """What this process has counted; where several serve, all of them together, and those that have ended."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    counted = CollectorRegistry()
    MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
    return counted
