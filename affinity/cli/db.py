"""``affinity db``: the database of a node at rest, and its backup."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from affinity.cli import backing_up, db_init
from affinity.cli.db_documents import (
    NEW_KEY_EXAMPLES,
    REWRAP_EXAMPLES,
    SCRUB_EXAMPLES,
    SWEEP_EXAMPLES,
    new_key,
    rewrap,
    scrub,
    sweep,
)
from affinity.cli.db_move import MOVE_EXAMPLES, move
from affinity.cli.places import Place
from affinity.cli.verbs import ExitCode, Output, Stopped, verb

if TYPE_CHECKING:
    from affinity.database import Database
    from pix.replay import Progress, Rebuilt

REBUILD_EXAMPLES = r"""[bold]Examples[/bold]
  affinity db rebuild --check --data /var/lib/affinity
      are the tables of the patient index what its log of events says? nothing is changed

  affinity db rebuild --data /var/lib/affinity
      make them what the log says

The server must not run. Exit code 1: with --check that a table differs, else that the log cannot be replayed; then
nothing was changed."""
UPGRADE_EXAMPLES = r"""[bold]Examples[/bold]
  affinity db upgrade --config affinity.toml
      bring the tables to this version without starting the server; make a backup first"""
Check = Annotated[bool, typer.Option("--check", help="Compare only; everything stays as it is.")]

app = typer.Typer(help="The database and the documents of a node.", no_args_is_help=True, rich_markup_mode="rich")


@verb
def rebuild(place: Place, output: Output, check: Check = False) -> ExitCode:
    """Make the tables of the patient index anew from the log of what happened, in one transaction."""
    from affinity import rebuilding
    from affinity.cli.show import print_json
    from affinity.offline import at_rest

    with at_rest(place.settings()) as database:
        rebuilt = _replayed(database, rebuilding.check if check else rebuilding.rebuild)
    if output.as_json:
        print_json({"events": rebuilt.events, "differing": list(rebuilt.differing), "changed": not check})
    else:
        _tell(rebuilt, "differs from the log" if check else "differed from the log, and was mended")
    return ExitCode.REFUSED if check and rebuilt.differing else ExitCode.DONE


@verb
def upgrade(place: Place, output: Output) -> None:
    """Bring the tables to this version, as a start of the server would."""
    from affinity.cli.show import print_json, print_line
    from affinity.migrations import HEAD
    from affinity.offline import at_rest

    with at_rest(place.settings()):
        if output.as_json:
            print_json({"revision": HEAD})
        else:
            print_line(f"The tables are at revision {HEAD}.")


def _replayed(database: "Database", work: "Callable[[Database, Progress], Rebuilt]") -> "Rebuilt":
    from affinity.cli.show import counted
    from affinity.rebuilding import length
    from pix.event_log import UnreadableLog

    try:
        with counted("events", length(database)) as reach:
            return work(database, reach)
    except UnreadableLog as error:
        raise Stopped(ExitCode.REFUSED, f"{error}; nothing was changed") from error


def _tell(rebuilt: "Rebuilt", verdict: str) -> None:
    from affinity.cli.show import print_line

    print_line(f"{rebuilt.events} events replayed.")
    for table in rebuilt.differing:
        print_line(f"{table} {verdict}.")
    if not rebuilt.differing:
        print_line("Every table is what the log says.")


app.command("init", epilog=db_init.EXAMPLES)(db_init.init)
app.command("backup", epilog=backing_up.EXAMPLES)(backing_up.backup)
app.command("rebuild", epilog=REBUILD_EXAMPLES)(rebuild)
app.command("upgrade", epilog=UPGRADE_EXAMPLES)(upgrade)
app.command("scrub", epilog=SCRUB_EXAMPLES)(scrub)
app.command("sweep", epilog=SWEEP_EXAMPLES)(sweep)
app.command("new-key", epilog=NEW_KEY_EXAMPLES)(new_key)
app.command("move", epilog=MOVE_EXAMPLES)(move)
app.command("rewrap", epilog=REWRAP_EXAMPLES)(rewrap)
