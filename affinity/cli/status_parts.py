"""How ``affinity status`` judges what a node says of itself, by the limits of ``docker/prometheus/alerts.yml``."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from affinity.cli.finding import Finding, failed, ok, skipped, warning
from affinity.cli.gauges import Gauges

OUTBOX_SECONDS = 900
SEAL_SECONDS = 300
MOST_WAITING_WRITES = 1000
SCARCE, LITTLE = 2**30, 0.1
"""Bytes, and the part of a disk, below which there is too little room."""
ENDS_SOON, ENDS_NOW = timedelta(days=30), timedelta(days=3)
LISTS = "revocation list"
"""Revocation lists live for days: what is soon for a certificate is always for them."""
BACKUP_HOURS = 26
UNITS = (("d", 86400), ("h", 3600), ("min", 60))


def parts(gauges: Gauges, now: datetime) -> Iterator[Finding]:
    """Everything worth a row."""
    yield _program(gauges, now)
    yield _database(gauges)
    yield _threads(gauges)
    yield _requests(gauges)
    yield from _notifications(gauges)
    yield from _repositories(gauges)
    yield _seals(gauges)
    yield from _certificates(gauges, now)
    yield _disk(gauges)
    yield _backup(gauges, now)
    yield _people(gauges)


def lasting(seconds: float) -> str:
    """A span of time in its two largest units: ``3 d 4 h``."""
    rest, said = max(int(seconds), 0), []
    for unit, size in UNITS:
        if rest >= size:
            said.append(f"{rest // size} {unit}")
            rest %= size
    return " ".join(said[:2]) or f"{rest} s"


def sized(size: float) -> str:
    """Bytes as people write them."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def _program(gauges: Gauges, now: datetime) -> Finding:
    build = gauges.first("affinity_build_info")
    if build is None:
        return failed("program", "it says nothing of itself: another product, or an older version", "")
    begun = gauges.first("process_start_time_seconds")
    up = f", up {lasting(now.timestamp() - begun.value)}" if begun else ""
    memory = gauges.total("process_resident_memory_bytes")
    used = f", {sized(memory)} of memory" if memory else ""
    return ok("program", f"affinity {build.labels['version']} on Python {build.labels['python']}{up}{used}")


def _database(gauges: Gauges) -> Finding:
    build = gauges.first("affinity_build_info")
    kind = build.labels["database"] if build else "database"
    if not gauges.oldest("affinity_database_up"):
        return failed("database", f"{kind} does not answer", "the server's log says more")
    wal = gauges.oldest("affinity_database_bytes", part="wal")
    size = sized(gauges.oldest("affinity_database_bytes", part="all")) + (f" and {sized(wal)} of WAL" if wal else "")
    connections = "affinity_database_connections"
    used, most = gauges.total(connections, state="used"), gauges.total(connections, state="most")
    detail = f"{kind}, {size}, {used:.0f} of {most:.0f} connections"
    if wal > SCARCE:
        return warning("database", detail, "end whatever reads one snapshot for so long")
    if most and used / most > 1 - LITTLE:
        return warning("database", detail, "look for locks, or for statements that take too long")
    return ok("database", detail)


def _threads(gauges: Gauges) -> Finding:
    busy, waiting = (gauges.total("affinity_threads", state=state) for state in ("busy", "waiting"))
    writes = gauges.total("affinity_writes_waiting")
    http, mllp = (gauges.total("affinity_under_way", wire=wire) for wire in ("http", "mllp"))
    most, queued = gauges.total("affinity_threads", state="most"), f"; {writes:.0f} writes wait" if writes else ""
    detail = f"{busy:.0f} of {most:.0f} threads busy, {waiting:.0f} requests wait for one"
    queued = f"; under way: {http:.0f} HTTP, {mllp:.0f} MLLP{queued}"
    if waiting or writes > MOST_WAITING_WRITES:
        return warning("queues", detail + queued, "is the database or the disk slow? else raise limits.threads")
    return ok("queues", detail + queued)


def _requests(gauges: Gauges) -> Finding:
    name = "affinity_requests_total"
    total, rejected, errors = (
        gauges.total(name),
        gauges.total(name, outcome="rejected"),
        gauges.total(name, outcome="error"),
    )
    detail = f"{total:.0f} since the start, {rejected:.0f} refused, {errors:.0f} failed"
    if errors:
        return warning("requests", detail, "the server's log has each failure with a trace: report it")
    return ok("requests", detail)


def _notifications(gauges: Gauges) -> Iterator[Finding]:
    for name in gauges.values_of("affinity_notifications", "subscriber"):
        pending, dead = (
            gauges.total("affinity_notifications", subscriber=name, state=state) for state in ("pending", "dead")
        )
        age = gauges.oldest("affinity_notifications_oldest_seconds", subscriber=name)
        detail = f"{pending:.0f} wait, the oldest for {lasting(age)}, {dead:.0f} dead"
        if dead or age > OUTBOX_SECONDS:
            yield warning(f"subscriber {name}", detail, "affinity pix notifications says what it objects to")
        else:
            yield ok(f"subscriber {name}", detail)


def _repositories(gauges: Gauges) -> Iterator[Finding]:
    for name in gauges.values_of("affinity_audit_waiting", "repository"):
        waiting, doubt = (
            gauges.total("affinity_audit_waiting", repository=name, state=state) for state in ("waiting", "in doubt")
        )
        age = gauges.oldest("affinity_audit_waiting_oldest_seconds", repository=name)
        detail = f"{waiting:.0f} audit records wait, the oldest for {lasting(age)}, {doubt:.0f} in doubt"
        if age > OUTBOX_SECONDS:
            yield warning(f"repository {name}", detail, "affinity audit forwarding says what it objects to")
        else:
            yield ok(f"repository {name}", detail)


def _seals(gauges: Gauges) -> Finding:
    waiting, age = gauges.oldest("affinity_audit_unsealed"), gauges.oldest("affinity_audit_unsealed_oldest_seconds")
    detail = f"{waiting:.0f} audit records are not sealed, the oldest for {lasting(age)}"
    if age > SEAL_SECONDS:
        return failed("audit seals", detail, "'audit trail not sealed' in the log says why")
    return ok("audit seals", detail)


def _certificates(gauges: Gauges, now: datetime) -> Iterator[Finding]:
    for subject in gauges.values_of("affinity_certificate_end_seconds", "subject"):
        sample = gauges.first("affinity_certificate_end_seconds", subject=subject)
        if sample is not None:
            end = datetime.fromtimestamp(sample.value, UTC)
            yield _certificate(f"{sample.labels.get('file', '')}: {subject}", end, now)


def _certificate(called: str, end: datetime, now: datetime) -> Finding:
    detail, left = f"{called}, until {end:%Y-%m-%d}", end - now
    if left <= timedelta(0):
        return failed("certificate", f"{detail}: it has ended", "put a new one into the file; it is read by itself")
    soon = timedelta(days=1) if LISTS in called else ENDS_SOON
    if left < soon:
        check = failed if LISTS not in called and left < ENDS_NOW else warning
        return check(
            "certificate", f"{detail}: {lasting(left.total_seconds())} left", "renew it; the file is read by itself"
        )
    return ok("certificate", detail)


def _disk(gauges: Gauges) -> Finding:
    free, used = (gauges.oldest("affinity_disk_bytes", state=state) for state in ("free", "used"))
    if not free and not used:
        return skipped("disk", "the node does not say")
    detail = f"{sized(free)} of {sized(free + used)} are free"
    if free < SCARCE:
        return failed("disk", detail, "make room at once: documents will be refused")
    if free < LITTLE * (free + used):
        return warning("disk", detail, "make room before documents are refused")
    return ok("disk", detail)


def _backup(gauges: Gauges, now: datetime) -> Finding:
    noted = gauges.first("affinity_backup_time_seconds")
    if noted is None:
        return skipped("backup", "none was made with affinity db backup")
    age = now.timestamp() - noted.value
    detail = f"the last one was complete {lasting(age)} ago"
    if age > BACKUP_HOURS * 3600:
        return warning("backup", detail, "look at the job that runs affinity db backup")
    return ok("backup", detail)


def _people(gauges: Gauges) -> Finding:
    tasks, denied = gauges.total("affinity_stewardship_tasks"), gauges.total("affinity_access_denied_total")
    emergencies = gauges.total("affinity_emergency_accesses_total")
    since = f"since the start {denied:.0f} were not believed, {emergencies:.0f} emergencies"
    return ok("people", f"{tasks:.0f} tasks wait for stewards; {since}")
