"""``affinity db move``: a node goes to PostgreSQL, to a bucket, or both."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from affinity.cli.places import Place
from affinity.cli.verbs import ExitCode, Output, Stopped, verb, wrong_use

if TYPE_CHECKING:
    from affinity.moving.move import Moved
    from affinity.settings import Settings

MOVE_EXAMPLES = r"""[bold]Examples[/bold]
  affinity db move --config affinity.toml --to postgresql.toml
      copy the node of the first file to the database and the store of the second, beside its running server

  affinity db move --config affinity.toml --to bucket.toml
      the same with the same database_url in both: the documents alone; once beside the server, once after it stopped

  affinity db move --config affinity.toml --release
      let the source serve again, for example because the target did not start

Killed, the same command goes on. Exit code 1: rows differ, or documents of the source are damaged."""

To = Annotated[
    Path | None, typer.Option("--to", help="Settings file of the target (TOML).", exists=True, dir_okay=False)
]
Release = Annotated[bool, typer.Option("--release", help="Undo the end of changes on the source.")]


@verb
def move(place: Place, output: Output, to: To = None, release: Release = False) -> ExitCode:
    """Move a node to another database or document store, while it serves but for some seconds."""
    from affinity.moving.move import release as let_go

    old = place.settings()
    if release:
        let_go(old)
        return ExitCode.DONE
    if to is None:
        raise wrong_use("--to names the settings file of the target")
    moved = _moved(old, _target(to))
    _tell(moved, output)
    return ExitCode.REFUSED if moved.lost else ExitCode.DONE


def _target(file: Path) -> "Settings":
    from affinity.settings import load

    return load(file, {})


def _moved(old: "Settings", new: "Settings") -> "Moved":
    from affinity.cli.show import steps
    from affinity.moving import move as moving
    from affinity.moving.rows import Differs
    from affinity.moving.target import NotEmpty
    from xds.documents import StoreUnavailable

    moving.note(old)
    try:
        with steps() as step:
            ready = "The target may be started now; every row is compared meanwhile."
            return moving.move(old, new, moving.Telling(step=step, ready=lambda: step(ready)))
    except NotEmpty as error:
        raise wrong_use(str(error)) from error
    except Differs as error:
        raise Stopped(ExitCode.REFUSED, f"{error}: do not start the target; --release lets the source go on") from error
    except StoreUnavailable as error:
        raise Stopped(ExitCode.UNREACHABLE, f"a document store does not answer: {error}; run this again") from error


def _tell(moved: "Moved", output: Output) -> None:
    from dataclasses import asdict

    from affinity.cli.show import print_json, print_line

    if output.as_json:
        print_json(asdict(moved))
        return
    for each in moved.lost:
        print_line(f"{each} is damaged on the source and was not copied", "red")
    rows = f"{sum(moved.rows.values())} rows in {len(moved.rows)} tables, " if moved.rows else ""
    print_line(f"{rows}{moved.documents} documents copied and verified.")
    if not moved.complete:
        print_line("A server still runs on the source: stop it, and run this again for what it has taken since.")
