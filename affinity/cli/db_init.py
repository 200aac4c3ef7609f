"""``affinity db init``: the tables of a new database, and over the machines of a Citus cluster if asked."""

from typing import Annotated

import typer

from affinity.cli.places import Place
from affinity.cli.verbs import Output, verb, wrong_use

EXAMPLES = r"""[bold]Examples[/bold]
  affinity db init --database-url postgresql+psycopg://affinity@db.example.org/affinity
      make the tables, as the first start of a server would

  affinity db init --citus --dry-run
      which statements would distribute the registry over a Citus cluster? nothing is changed, no server is asked

  affinity db init --citus --config affinity.toml
      make the tables and distribute them: on the coordinator, and before there is much in them

Exit code 2: the database is no PostgreSQL, or the server has no Citus; then nothing was changed."""
Citus = Annotated[bool, typer.Option("--citus", help="Distribute the registry over a Citus cluster.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the statements of --citus; change nothing.")]


@verb
def init(place: Place, output: Output, citus: Citus = False, dry_run: DryRun = False) -> None:
    """Make the tables of a new database."""
    from affinity.citus import steps
    from affinity.cli.show import print_json, print_line

    if dry_run and not citus:
        raise wrong_use("--dry-run shows the plan of --citus: give both")
    if dry_run:
        if output.as_json:
            print_json({"statements": list(steps())})
        for each in () if output.as_json else steps():
            print_line(f"{each};")
        return
    revision, distributed = _make(place, citus=citus)
    if output.as_json:
        print_json({"revision": revision, "distributed": list(distributed)})
        return
    print_line(f"The tables are at revision {revision}.")
    if citus:
        print_line(f"Distributed: {', '.join(distributed)}." if distributed else "All of them are distributed already.")


def _make(place: Place, *, citus: bool) -> tuple[str, tuple[str, ...]]:
    from sqlalchemy.engine import make_url

    from affinity.citus import distribute, is_available
    from affinity.database import Database
    from affinity.migrations import HEAD, upgrade
    from affinity.terms import of_command

    settings = place.settings()
    if make_url(settings.database).get_backend_name() == "sqlite":
        raise wrong_use(
            "SQLite's tables are made by the first start of the server: give --database-url of a PostgreSQL"
        )
    database = Database(settings.database, of_command(settings))
    try:
        if citus and not database.read(is_available):
            raise wrong_use("the server has no extension citus: install it on every machine, docs/scale-out.md")
        upgrade(database.engine)
        return HEAD, database.write(distribute) if citus else ()
    finally:
        database.close()
