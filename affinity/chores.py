"""What a node does at its start and once a day: forget, delete, retain, and compare its configuration."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from twisted.internet.defer import Deferred

from affinity.audit_retention import Retention, complain_of_retention, tell_removed
from affinity.configuration_audit import ConfigurationAudit, complain_of_changes, tell_changes
from affinity.document_chores import document_chores
from affinity.housekeeping import (
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
from atna.signing import sealing_key
from ihe.transactions import Actor


def housekeeping(
    settings: Settings,
    node: Node,
    configuration: ConfigurationAudit,
    reactor: Any,
    defer: Callable[..., "Deferred[Any]"],
) -> tuple[Housekeeping, ...]:
    """The chores of a node, not yet begun."""
    return (
        Housekeeping(reactor, lambda: forget_receipts(node.database, utc_now, settings.receipts.keep_days), defer),
        Housekeeping(reactor, lambda: _delete_records(node), defer, tell_records, complain_of_records),
        Housekeeping(reactor, lambda: _retain(settings, node), defer, tell_removed, complain_of_retention),
        Housekeeping(reactor, configuration.note_changes, defer, tell_changes, complain_of_changes),
        Housekeeping(
            reactor,
            lambda: forget_marks(node.database, utc_now),
            defer,
            tell_nothing,
            complain_of_marks,
            every=timedelta(hours=1),
        ),
        *document_chores(settings, node, reactor, defer),
    )


def _retain(settings: Settings, node: Node) -> int:
    retention = Retention(
        database=node.database,
        trail=node.trail,
        key=sealing_key(settings.data / KEY),
        clock=utc_now,
        keep_days=settings.audit.keep_days,
        repositories=tuple(each.name for each in node.repositories),
    )
    return retention.remove_due()


def _delete_records(node: Node) -> int:
    deletion = RecordDeletion(
        database=node.database,
        index=node.ports[Actor.PIX_MANAGER],
        repository=node.ports[Actor.DOCUMENT_REPOSITORY],
        trail=node.trail,
        clock=utc_now,
    )
    return deletion.delete_due()
