"""On which terms PostgreSQL is used: how many connections, how long for what, and how often it is tried."""

from dataclasses import dataclass
from pathlib import Path

from affinity.settings import Settings

FLOORS = "read-floors"
"""File of the data directory, made anew at each start: positions in the log of another server mean nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Times in seconds. ``connections`` are the most at once, ``wait`` is how long one may be waited for.

    ``connect``: until a server that does not answer is given up. ``statement``: the longest statement, None for any;
    a server that has not ended it by itself ``silence`` later is given up as well.
    ``patience``: how long a request waits for a database that is away; without any, nothing is tried again for it.
    ``prepare_threshold``: how often a statement runs before it is prepared, None: never. ``replicas`` answer queries
    unless they are more than ``lag`` behind; ``floors`` is the file that says what each partner must see.
    """

    connections: int = 32
    wait: float = 30
    connect: int = 10
    statement: float | None = None
    silence: float = 5
    patience: float = 0
    prepare_threshold: int | None = 5
    replicas: tuple[str, ...] = ()
    lag: float = 10
    floors: Path | None = None


def of_node(settings: Settings) -> Terms:
    """Those of a server: it answers in time or says that it cannot."""
    said = settings.postgresql
    return Terms(
        connections=said.connections,
        wait=said.wait_seconds,
        connect=said.connect_seconds,
        statement=said.statement_seconds,
        patience=said.patience_seconds,
        prepare_threshold=said.prepare_threshold,
        replicas=said.replicas,
        lag=said.replica_lag_seconds,
        floors=settings.data / FLOORS,
    )


def of_command(settings: Settings) -> Terms:
    """Those of a command, which somebody waits for: long statements, no replica, one attempt."""
    return Terms(connect=settings.postgresql.connect_seconds, prepare_threshold=settings.postgresql.prepare_threshold)
