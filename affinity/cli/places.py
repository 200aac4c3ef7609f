"""Where the data is that a verb works on without asking a server."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from affinity.cli.verbs import wrong_use

if TYPE_CHECKING:
    from affinity.database import Database
    from affinity.settings import Settings

PANEL = "Node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A node's data directory or database, and its domain: the one that it was last used with, unless one is given."""

    domain: Annotated[
        str | None,
        typer.Option(
            help="A shipped domain (demo, connectathon) or a directory; default: the one last used here.",
            rich_help_panel=PANEL,
        ),
    ] = None
    data: Annotated[
        Path | None, typer.Option(help="The node's data directory.", file_okay=False, rich_help_panel=PANEL)
    ] = None
    config: Annotated[
        Path | None, typer.Option(help="Settings file (TOML).", exists=True, dir_okay=False, rich_help_panel=PANEL)
    ] = None
    database_url: Annotated[
        str | None,
        typer.Option(help="For example postgresql+psycopg://user@host/name.", rich_help_panel=PANEL),
    ] = None

    def settings(self) -> "Settings":
        """The settings, these options above environment and file; a domain that none of them names is the last one."""
        from affinity.cli.targets import domain_of
        from affinity.settings import load

        given = {name: getattr(self, name) for name in ("domain", "data", "database_url")}
        chosen = load(self.config, {name: value for name, value in given.items() if value is not None})
        named = "domain" in chosen.model_fields_set
        return chosen if named else chosen.model_copy(update={"domain": domain_of(chosen)})


@contextmanager
def opened(settings: "Settings", table: str) -> "Iterator[Database]":
    """A node's database, which must have this table; one that is not there is not made."""
    from sqlalchemy import inspect

    from affinity.console import note_use
    from affinity.database import Database
    from affinity.terms import of_command

    file = settings.data / "affinity.db"
    if settings.database_url is None and not file.is_file():
        raise wrong_use(f"{file} is not there: --data, --config or --database-url says where the node keeps its data")
    database = Database(settings.database, of_command(settings))
    try:
        if not inspect(database.engine).has_table(table):
            raise wrong_use("the database is of an older version: start the server once")
        note_use(settings, database)
        yield database
    finally:
        database.close()
