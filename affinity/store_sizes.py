"""How large a database is, as each engine knows it."""

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import Connection, text


def sizes(connection: Connection) -> Mapping[tuple[str, ...], float]:
    """Bytes by part: ``all``, and on SQLite ``wal``, the file of what was committed and not yet moved."""
    if connection.dialect.name != "sqlite":
        return {("all",): connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()}
    pages = connection.execute(text("PRAGMA page_count")).scalar_one()
    page = connection.execute(text("PRAGMA page_size")).scalar_one()
    return {("all",): pages * page, ("wal",): _wal(connection)}


def _wal(connection: Connection) -> int:
    wal = Path(f"{connection.engine.url.database}-wal")
    try:
        return wal.stat().st_size
    except FileNotFoundError:
        return 0
