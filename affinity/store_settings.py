"""What PostgreSQL says of itself: the settings on which it depends whether a commit is kept, and its clock."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, column, func, select, table

ASKED = (
    "archive_mode",
    "data_checksums",
    "fsync",
    "full_page_writes",
    "max_connections",
    "server_encoding",
    "synchronous_commit",
    "wal_level",
)


def server_settings(connection: Connection) -> Mapping[str, str]:
    """The settings in force in this session, which may differ from the server's by role, database or URL."""
    settings = table("pg_settings", column("name"), column("setting"))
    asked = select(settings.c.name, settings.c.setting).where(settings.c.name.in_(ASKED)).order_by(settings.c.name)
    return {name: setting for name, setting in connection.execute(asked)}


def server_time(connection: Connection) -> datetime:
    """The clock of the database's machine."""
    now: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return now
