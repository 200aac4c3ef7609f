"""Reading documents again before somebody needs them: are the bytes there, are they right, does a row want them?

A round goes through the rows in the order of their SHA-256, then through what the store has. How far it is stands in
``scrub.json`` of the data directory, so that it goes on where it was stopped; the last finished round stays there.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from affinity.database import Database
from affinity.orphans import orphans
from affinity.withheld import given
from ihe.durable import write_whole
from xds import repository_store
from xds.documents import Content, DocumentStore
from xds.encryption import DamagedDocument, UnknownKey

STATE = "scrub.json"
MOST = 1_000
"""Most findings that are kept of a round; the rest are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Bytes that are not right, and the uniqueIds of the documents that consist of them."""

    sha256: str
    unique_ids: tuple[str, ...]
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """How far a round through the documents is: ``after`` is the name that it came to."""

    after: str = ""
    checked: int = 0
    size: int = 0
    damaged: int = 0
    findings: tuple[Finding, ...] = ()
    orphans: int = 0
    finished_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrub:
    """Goes through the documents of a repository, piece by piece. ``alarm`` is told of each finding, once a round."""

    database: Database
    store: DocumentStore
    state: Path
    clock: Callable[[], datetime]
    grace: timedelta
    alarm: Callable[[Finding], None]

    def current(self) -> Round:
        """The round that is going on; a new one if the last is finished."""
        known = last_round(self.state)
        return known if known and known.finished_at is None else Round()

    def step(self, count: int) -> Round:
        """Check the next ``count`` documents; after the last of them count orphans, and finish the round.

        Raises StoreUnavailable; what was checked before is kept.
        """
        done = self.current()
        contents = self.database.read(lambda connection: repository_store.contents(connection, done.after, count))
        for content in contents:
            done = self._checked(done, content)
            _keep(self.state, done)
        if len(contents) < count:
            found = sum(1 for _ in orphans(self.database, self.store, self.clock() - self.grace))
            done = replace(done, orphans=found, finished_at=self.clock().isoformat())
        _keep(self.state, done)
        return done

    def _checked(self, done: Round, content: Content) -> Round:
        found = self._finding(content)
        done = replace(done, after=content.name, checked=done.checked + 1, size=done.size + content.size)
        if found is None:
            return done
        self.alarm(found)
        return replace(done, damaged=done.damaged + 1, findings=(*done.findings, found)[:MOST])

    def _finding(self, content: Content) -> Finding | None:
        try:
            given(self.store, lambda: read_again(self.store, content))
        except (DamagedDocument, UnknownKey) as error:
            ids = self.database.read(lambda connection: repository_store.ids_of(connection, content))
            # A document that was removed meanwhile is none that is damaged.
            return Finding(sha256=content.sha256, unique_ids=tuple(ids), what=str(error)) if ids else None
        return None


def read_again(store: DocumentStore, content: Content) -> None:
    """Read the whole of a document. DamagedDocument unless it has the SHA-256 of its row."""
    hashed = hashlib.sha256()
    for piece in store.open(content):
        hashed.update(piece)
    if hashed.hexdigest() != content.sha256:
        raise DamagedDocument("the stored bytes do not have the SHA-256 under which they are stored")


def last_round(state: Path) -> Round | None:
    """The round that is going on, else the last one; None if there was none."""
    try:
        known = json.loads(state.read_text())
    except (FileNotFoundError, ValueError):
        return None
    findings = tuple(Finding(**{**each, "unique_ids": tuple(each["unique_ids"])}) for each in known["findings"])
    return Round(**{**known, "findings": findings})


def _keep(state: Path, done: Round) -> None:
    write_whole(state, json.dumps(asdict(done)).encode())
