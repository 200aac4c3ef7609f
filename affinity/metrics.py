"""What Prometheus may scrape at /metrics: counts and times per transaction, no patient data in labels."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY = CollectorRegistry()
REQUESTS = Counter(
    "affinity_requests_total", "Requests by transaction and outcome", ["transaction", "outcome"], registry=REGISTRY
)
SECONDS = Histogram(
    "affinity_request_seconds",
    "Time from the decoded request to the answer's first byte",
    ["transaction"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
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
)
OLDEST_NOTIFICATION = Gauge(
    "affinity_notifications_oldest_seconds",
    "Age of the oldest update notification that waits to be sent, 0 if none does",
    ["subscriber"],
    registry=REGISTRY,
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
)
AUDIT_WAITING_SECONDS = Gauge(
    "affinity_audit_waiting_oldest_seconds",
    "Age of the oldest audit record that waits to be sent to a repository, 0 if none does",
    ["repository"],
    registry=REGISTRY,
)
HANDSHAKES_FAILED = Counter(
    "affinity_tls_handshakes_failed_total", "TLS handshakes that failed, by who ended them", ["side"], registry=REGISTRY
)
ALARMS_LEFT_OUT = Counter(
    "affinity_node_alarms_left_out_total",
    "Failed TLS handshakes that were logged and not recorded in the audit trail, because too many waited",
    registry=REGISTRY,
)
CERTIFICATE_END = Gauge(
    "affinity_certificate_end_seconds",
    "When a certificate or a revocation list that is in use ends, in Unix time",
    ["file", "subject"],
    registry=REGISTRY,
)


def exposition() -> bytes:
    """Every metric in Prometheus' text format."""
    return generate_latest(REGISTRY)
