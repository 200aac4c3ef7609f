"""``affinity audit export-root`` and ``export``: what to keep elsewhere."""

from pathlib import Path
from typing import Annotated

import typer

from affinity.cli.places import Place
from affinity.cli.verbs import ExitCode, Output, Stopped, verb

ROOT_EXAMPLES = r"""[bold]Examples[/bold]
  affinity audit export-root > root-2026-11.json
      the newest signed root: keep it where the administrators of this machine cannot write"""
EXAMPLES = r"""[bold]Examples[/bold]
  affinity audit export trail.jsonl
      every record and every seal; affinity audit verify --file trail.jsonl --root ROOT proves it anywhere

The file holds data of patients and of users: keep it as you keep the database."""

Target = Annotated[Path, typer.Argument(help="The file to write; it must not exist.", dir_okay=False)]


@verb
def export_root(place: Place, output: Output) -> None:
    """Print the newest signed root of the trail, to be kept elsewhere."""
    import sys

    from affinity.audit_desk import audit_desk
    from atna import store_batches
    from atna.roots import write_root

    with audit_desk(place.settings()) as desk:
        newest = desk.database.read(store_batches.newest)
        if newest is None:
            raise Stopped(ExitCode.REFUSED, "nothing is sealed yet: a node seals some seconds after it starts")
        sys.stdout.write(write_root(newest, desk.key))


@verb
def export(place: Place, output: Output, file: Target) -> None:
    """Write the whole trail to a file that can be verified anywhere."""
    from affinity.audit_desk import audit_desk
    from affinity.cli.show import print_json, print_line
    from affinity.cli.written import created
    from atna.logs import write_export

    with audit_desk(place.settings()) as desk:
        desk.note(f"export to {file}")
        with created(file) as opened:
            count = desk.database.read(lambda connection: write_export(opened, connection, desk.key))
    if output.as_json:
        print_json({"file": str(file), "records": count})
    else:
        print_line(f"{count} records are in {file}.")
