"""``affinity audit verify``: the proof that the trail is what was sealed."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from affinity.cli.places import Place
from affinity.cli.verbs import ExitCode, Output, verb

if TYPE_CHECKING:
    from atna.roots import Root
    from atna.verifying import Report

EXAMPLES = r"""[bold]Examples[/bold]
  affinity audit verify --data /var/lib/affinity
      every record and every seal, against the node's own key

  affinity audit verify --root root-2026-11.json
      and against a root that was kept elsewhere: also a trail that was sealed anew, or cut off, is found out

  affinity audit verify --file trail.jsonl --root root-2026-11.json
      the same of an export, on a machine that has no node

Exit code 1: something was altered, removed, inserted or moved; each is named."""

Roots = Annotated[
    list[Path],
    typer.Option("--root", help="A root that was kept elsewhere; may be repeated.", exists=True, dir_okay=False),
]
File = Annotated[
    Path | None, typer.Option("--file", help="An export, instead of a data directory.", exists=True, dir_okay=False)
]


@verb
def verify(place: Place, output: Output, roots: Roots = [], file: File = None) -> ExitCode:  # noqa: B006
    """Prove that no audit record was altered, removed, inserted or moved since it was sealed; or say which was."""
    from affinity.audit_desk import kept_root

    kept = [kept_root(each) for each in roots]
    report = _of_file(file, kept) if file else _of_node(place, kept)
    _tell(report, output, kept)
    return ExitCode.DONE if report.is_intact else ExitCode.REFUSED


def _of_node(place: Place, roots: "Iterable[Root]") -> "Report":
    from affinity.audit_desk import audit_desk
    from atna.logs import DatabaseLog
    from atna.verifying import verify

    with audit_desk(place.settings()) as desk:
        desk.note("verify")
        own = desk.newest_root()
        anchors = (*roots, *((own,) if own else ()))
        return desk.database.read(lambda connection: verify(DatabaseLog(connection), desk.key, anchors))


def _of_file(file: Path, roots: "list[Root]") -> "Report":
    from atna.logs import FileLog, key_of
    from atna.verifying import verify

    with file.open(encoding="utf-8") as lines:
        key = roots[0].verifier if roots else key_of(lines.readline())
        lines.seek(0)
        return verify(FileLog(lines), key, roots)


def _tell(report: "Report", output: Output, roots: "list[Root]") -> None:
    from dataclasses import asdict

    from affinity.cli.show import print_json, print_line, print_table

    newest = report.newest.number if report.newest else None
    if output.as_json:
        counts = {
            "sealed": report.sealed,
            "unsealed": report.unsealed,
            "removed": report.removed,
            "batches": report.batches,
            "newest": newest,
        }
        print_json({**counts, "intact": report.is_intact, "findings": [asdict(each) for each in report.findings]})
        return
    if not report.is_intact:
        rows = [(each.kind, _where(each.record, each.batch), each.text) for each in report.findings]
        print_table(("finding", "where", "what"), rows, ["red"] * len(rows))
    verdict = "intact" if report.is_intact else f"{len(report.findings)} findings"
    removed = f", {report.removed} removed by policy" if report.removed else ""
    counted = f"{report.sealed} sealed records in {report.batches} batches, {report.unsealed} not sealed{removed}"
    print_line(f"{counted}: {verdict}")
    if report.is_intact and not roots:
        print_line("Give --root with a root kept elsewhere: who holds this machine could have sealed another history.")


def _where(record: int | None, batch: int | None) -> str:
    return f"record {record}" if record is not None else f"batch {batch}"
