"""The audit trail for people: opened beside a running node; whoever reads it is recorded in it (3.20.4.1.1.1)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from affinity.console import operator
from affinity.database import Database
from affinity.domain import load
from affinity.node import open_trail, utc_now
from affinity.offline import unnoted
from affinity.seal_files import KEY, ROOT
from affinity.settings import Settings
from atna.events import audit_log_used
from atna.roots import NotARoot, Root, read_root
from atna.signing import Verifier, kept_key
from atna.trail import AuditTrail


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditDesk:
    """The trail of a node's data directory."""

    database: Database
    trail: AuditTrail
    data: Path

    def note(self, what: str) -> None:
        """Record that somebody at this console reads the trail, and why; before they see any of it."""
        self.trail.record(audit_log_used(self.trail.node, utc_now(), operator(), what))

    @property
    def key(self) -> Verifier:
        """The public key of the node. Raises UnusableKey: who only reads makes none."""
        return kept_key(self.data / KEY).verifier

    def newest_root(self) -> Root | None:
        """The root that the node itself keeps beside its data, if it has sealed anything."""
        file = self.data / ROOT
        return read_root(file.read_text()) if file.exists() else None


@contextmanager
def audit_desk(settings: Settings) -> Iterator[AuditDesk]:
    """Servers may run meanwhile."""
    with unnoted(settings) as database:
        trail = open_trail(settings, load(settings.domain), database)
        yield AuditDesk(database=database, trail=trail, data=settings.data)


def kept_root(file: Path) -> Root:
    """A root from a file that was kept elsewhere. Raises NotARoot."""
    try:
        return read_root(file.read_text())
    except (NotARoot, UnicodeDecodeError) as error:
        raise NotARoot(f"{file}: {error}") from error
