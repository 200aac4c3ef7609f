"""``affinity db backup``: what belongs together, in one directory."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from affinity.cli.places import Place
from affinity.cli.verbs import Output, Stopped, verb

if TYPE_CHECKING:
    from affinity.backup import Backup

EXAMPLES = r"""[bold]Examples[/bold]
  affinity db backup /backup/affinity --data /var/lib/affinity --keys /safe/affinity
      everything of a node on SQLite; the keys go elsewhere, for whoever has both can read the documents

  affinity db backup /backup/affinity --config affinity.toml
      again: only documents that are new are copied. On PostgreSQL the documents alone: see docs/backup.md

  affinity db backup /backup/affinity --config affinity.toml --prune
      and forget documents that were removed; not where an older state of PostgreSQL shall still be restored

The server may run. Exit code 1: a document that is registered is not whole in the store; each is named."""
Target = Annotated[Path, typer.Argument(help="Directory of the backup; made, or renewed.", file_okay=False)]
Keys = Annotated[Path | None, typer.Option("--keys", help="Directory to which the keys are copied.", file_okay=False)]
Prune = Annotated[bool, typer.Option("--prune", help="Remove documents from the backup that were removed here.")]


@verb
def backup(place: Place, output: Output, target: Target, keys: Keys = None, prune: Prune = False) -> None:
    """Copy database and documents so that they belong together, and prove that nothing is missing."""
    from affinity.backup import BackupFailed, back_up, copy_keys
    from affinity.cli.verbs import ExitCode
    from affinity.console import note_export
    from affinity.node import utc_now
    from affinity.offline import unnoted

    settings = place.settings()
    try:
        with unnoted(settings) as database:
            note_export(settings, database, target)
            if keys:  # before a document is copied that needs them, and after: one may have come meanwhile
                copy_keys(settings, keys)
            made = back_up(settings, database, target, utc_now(), prune=prune)
        names = copy_keys(settings, keys) if keys else ()
    except BackupFailed as error:
        raise Stopped(ExitCode.REFUSED, str(error)) from error
    _tell(made, names, output)


def _tell(made: "Backup", keys: tuple[str, ...], output: Output) -> None:
    from dataclasses import asdict

    from affinity.cli.show import print_json, print_line

    if output.as_json:
        print_json({**asdict(made), "keys": keys})
        return
    what = "Database and documents" if made.database else "Documents"
    print_line(f"{what} are in {made.directory}: {made.documents} documents, {made.copied.files} copied now.", "green")
    if made.pruned:
        print_line(f"{made.pruned} documents that were removed here are no longer in the backup.")
    if made.database is None:
        print_line("The database is PostgreSQL's to back up: a base backup before this, and its WAL (docs/backup.md).")
    if not keys:
        print_line("The keys are not in it (--keys): without them the documents cannot be read.", "yellow")
