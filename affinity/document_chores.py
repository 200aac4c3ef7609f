"""What a server does for its document store in the background: orphans once a day, scrubbing if it is asked for."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import structlog
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from affinity.auditing import this_node
from affinity.database import Database
from affinity.housekeeping import AFTER, Housekeeping, tell_nothing
from affinity.node import Node, utc_now
from affinity.orphans import Swept, remove_orphans
from affinity.scrubbing import STATE, Finding, Scrub
from affinity.settings import Settings
from atna.events import OBJECT_SECURITY_CHANGED, security_alert
from atna.model import EventOutcomeIndicator
from atna.trail import AuditTrail
from ihe.audit import report
from xds.documents import DocumentStore

SLICE = timedelta(seconds=10)
"""How often a server reads some documents again: in pieces, so that it can stop in between."""

log = structlog.get_logger()


def document_chores(
    settings: Settings,
    node: Node,
    reactor: Any,
    defer: Callable[..., "Deferred[Any]"],
    clock: Callable[[], datetime],
) -> tuple[Housekeeping, ...]:
    """The chores, not yet begun."""
    grace, began = timedelta(hours=settings.documents.orphan_hours), clock()

    def sweep_some() -> int:
        # What was stored before may be all that is left of a time that a restored database does not know of.
        return tell_orphans(remove_orphans(node.database, node.store, clock() - grace, began))

    sweep = Housekeeping(reactor, sweep_some, defer, tell_nothing, complain_of_store, after=AFTER)
    if settings.documents.scrub_rate is None:
        return (sweep,)
    scrub = scrub_of(settings, node.database, node.store, log_finding)
    piece = max(1, round(settings.documents.scrub_rate * SLICE.total_seconds()))

    def read_some() -> int:
        return scrub.step(piece).damaged

    return sweep, Housekeeping(reactor, read_some, defer, tell_nothing, complain_of_store, every=SLICE)


def scrub_of(
    settings: Settings, database: Database, store: DocumentStore, tell: Callable[[Finding], None] = lambda _: None
) -> Scrub:
    """The scrubbing of these documents; each finding goes to the audit trail, and to ``tell``."""
    trail = AuditTrail(database=database, node=this_node(settings.audit.source_id))

    def alarm(finding: Finding) -> None:
        tell(finding)
        objects = tuple(report(each) for each in finding.unique_ids)
        failure = EventOutcomeIndicator.SERIOUS_FAILURE
        at, node = utc_now(), trail.node
        trail.record(security_alert(node, at, OBJECT_SECURITY_CHANGED, finding.what, objects=objects, outcome=failure))

    return Scrub(
        database=database,
        store=store,
        state=settings.data / STATE,
        clock=utc_now,
        grace=timedelta(hours=settings.documents.orphan_hours),
        alarm=alarm,
    )


def log_finding(finding: Finding) -> None:
    """Say what is damaged."""
    log.error("stored document is damaged", sha256=finding.sha256, reason=finding.what)


def tell_orphans(swept: Swept) -> int:
    """Say how many went, and how many wait for somebody to decide; returns the former."""
    if swept.removed:
        log.info("orphans deleted", what=swept.removed)
    if swept.left:
        log.warning("orphans of before the start left", what=swept.left)
    return swept.removed


def complain_of_store(failure: Failure) -> None:
    """The next time is another chance."""
    log.error("document store not looked through", error=failure.getErrorMessage())
