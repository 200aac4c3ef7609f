"""Scouts the index for the process that reads a file, on its own connection to SQLite."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, make_url

from affinity.sqlite_connections import SQLiteConnections, sqlite_engine
from pix import store_newcomers
from pix.manager import PatientIndex
from pix.matching.configuration import Configuration
from pix.rendering import Rendering
from pix.scouting import Scout, Sighting


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookout:
    """Where the index is, and by which weights its records are compared."""

    url: str
    configuration: Configuration


def lookout_on(url: str, index: PatientIndex) -> Lookout | None:
    """Where to look for patients of a load; None where nobody can beforehand.

    PostgreSQL has other writers. Where each change is looked at alone, nothing that was seen before would be used.
    """
    if make_url(url).get_backend_name() != "sqlite" or not index.registers_together:
        return None
    return Lookout(url=url, configuration=index.matching)


def portable(lookout: Lookout) -> Lookout:
    """The same for another process, to which read-only mappings cannot be sent."""
    found = lookout.configuration
    return replace(
        lookout,
        configuration=replace(
            found,
            levels={field: dict(each) for field, each in found.levels.items()},
            frequencies={field: dict(each) for field, each in found.frequencies.items()},
            evidence=dict(found.evidence),
            rarities={field: dict(each) for field, each in found.rarities.items()},
        ),
    )


class Scouts:
    """Look at an index while another process writes to it: each look at one snapshot, no older than the one before."""

    def __init__(self, lookout: Lookout) -> None:
        self._configuration = lookout.configuration
        self._connections = SQLiteConnections(sqlite_engine(make_url(lookout.url)))

    def seen(self) -> int:
        """The number of the next event: what was before it, this and all later looks see."""
        return self._connections.read(store_newcomers.next_event)

    def look(self, some: Sequence[Rendering]) -> list[Sighting]:
        """Whom these may be."""

        def work(connection: Connection) -> list[Sighting]:
            return Scout(connection, self._configuration).look(some, store_newcomers.next_event(connection))

        return self._connections.read(work)
