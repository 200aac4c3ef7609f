"""What a node does once a day: forget, delete, retain, and compare its configuration."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred

from affinity.audit_retention import Retention, complain_of_retention, tell_removed
from affinity.configuration_audit import ConfigurationAudit, complain_of_changes, tell_changes
from affinity.document_chores import document_chores
from affinity.housekeeping import (
    AFTER,
    Housekeeping,
    complain_of_marks,
    complain_of_records,
    forget_marks,
    forget_receipts,
    tell_nothing,
    tell_records,
)
from affinity.node import Node, utc_now
from affinity.record_deletion import RecordDeletion
from affinity.seal_files import KEY
from affinity.settings import Settings
from affinity.unhurried import Unhurried
from atna.signing import sealing_key
from ihe.transactions import Actor


def housekeeping(
    settings: Settings,
    node: Node,
    configuration: ConfigurationAudit,
    reactor: Any,
    defer: Callable[..., "Deferred[Any]"],
    wall: Callable[[], datetime] = utc_now,
) -> tuple[Housekeeping, ...]:
    """The chores of a node, not yet begun. What destroys goes by a clock that does not run ahead."""
    clock = Unhurried(wall, reactor.seconds)
    destroying = partial(Housekeeping, reactor, defer=defer, after=AFTER)
    return (
        destroying(lambda: forget_receipts(node.database, clock, settings.receipts.keep_days)),
        destroying(lambda: _delete_records(node, clock), tell=tell_records, complain=complain_of_records),
        destroying(lambda: _retain(settings, node, clock), tell=tell_removed, complain=complain_of_retention),
        destroying(
            lambda: forget_marks(node.database, clock),
            tell=tell_nothing,
            complain=complain_of_marks,
            every=timedelta(hours=1),
        ),
        Housekeeping(reactor, configuration.note_changes, defer, tell_changes, complain_of_changes),
        *document_chores(settings, node, reactor, defer, clock),
    )


def _retain(settings: Settings, node: Node, clock: Callable[[], datetime]) -> int:
    retention = Retention(
        database=node.database,
        trail=node.trail,
        key=sealing_key(settings.data / KEY),
        clock=clock,
        keep_days=settings.audit.keep_days,
        repositories=tuple(each.name for each in node.repositories),
    )
    return retention.remove_due()


def _delete_records(node: Node, clock: Callable[[], datetime]) -> int:
    deletion = RecordDeletion(
        database=node.database,
        index=node.ports[Actor.PIX_MANAGER],
        repository=node.ports[Actor.DOCUMENT_REPOSITORY],
        trail=node.trail,
        clock=clock,
    )
    return deletion.delete_due()
