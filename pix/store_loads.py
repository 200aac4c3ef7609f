"""How far a file is loaded, over ``pix.tables_loads``; written in the transaction of the lines that it counts."""

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, and_, bindparam, delete, insert, select

from pix.tables_loads import load
from statements.prepared import Prepared

THIS = and_(load.c.digest == bindparam("of"), load.c.source == bindparam("by"))
FOUND = Prepared(select(load).where(THIS))
INSERT = Prepared(insert(load), load.columns)
DELETE = Prepared(delete(load).where(THIS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One file: ``position`` is the byte, ``line`` the number of lines, up to which it is done."""

    digest: str
    source: str
    name: str
    size: int
    position: int = 0
    line: int = 0
    stored: int = 0
    rejected: int = 0
    rejects_size: int = 0
    started: str
    updated: str

    @property
    def is_complete(self) -> bool:
        """Claim that no line is left."""
        return self.position >= self.size


def progress(connection: Connection, digest: str, source: str) -> Progress | None:
    """How far the file is; None if nothing of it was ever loaded."""
    row = FOUND.first(connection, {"of": digest, "by": source})
    return None if row is None else Progress(**dict(zip(load.columns.keys(), row, strict=True)))


def keep(connection: Connection, done: Progress) -> None:
    """Write how far the file is now."""
    forget(connection, done.digest, done.source)
    INSERT.run(connection, asdict(done))


def forget(connection: Connection, digest: str, source: str) -> None:
    """Let the file be new."""
    DELETE.run(connection, {"of": digest, "by": source})
