"""``affinity audit forwarding``: how far the audit trail came to each Audit Record Repository."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from affinity.cli.notifications import PANEL
from affinity.cli.places import Place, opened
from affinity.cli.verbs import ExitCode, Output, verb, wrong_use

if TYPE_CHECKING:
    from affinity.database import Database
    from atna.forwarding import Backlog, Progress

EXAMPLES = r"""[bold]Examples[/bold]
  affinity audit forwarding
      of each repository: reached or lost, how many records wait, and how old the oldest of them is

  affinity audit forwarding --config affinity.toml --json
      the same for a monitor; exit code 1 while a repository is lost

  affinity audit forwarding --forget old-collector
      forget how far it was; if it is still in repositories.toml, the next start sends it the whole trail

A record is in doubt until its repository has had the time to store it: it is sent again if the repository is lost."""
TABLE = "audit_forwarding"
Forget = Annotated[
    str | None, typer.Option(metavar="NAME", help="Forget a repository; stop the server first.", rich_help_panel=PANEL)
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One repository. ``wire`` is None if repositories.toml no longer names it."""

    name: str
    wire: str | None
    progress: "Progress"
    backlog: "Backlog"

    @property
    def age(self) -> int:
        """Seconds since the oldest waiting record was made."""
        oldest = self.backlog.oldest
        return max(round((datetime.now(UTC) - oldest).total_seconds()), 0) if oldest else 0


@verb
def forwarding(place: Place, output: Output, forget: Forget = None) -> ExitCode:
    """Show how far the audit trail came to each audit record repository."""
    from affinity.domain import load
    from atna import store_exchange

    settings = place.settings()
    wires = {each.name: each.wire for each in load(settings.domain).repositories}
    with opened(settings, TABLE) as database:
        if forget is not None:
            known = database.write(lambda connection: store_exchange.forget(connection, forget))
            if not known:
                raise wrong_use(f"nothing was ever sent to a repository {forget}")
        rows = _rows(database, wires)
    _show(rows, output)
    return ExitCode.REFUSED if any(each.wire and each.progress.reach == "lost" for each in rows) else ExitCode.DONE


def _rows(database: "Database", wires: dict[str, str]) -> list[Row]:
    from atna.forwarding import Backlog, Progress
    from atna.store_exchange import all_progress, backlog

    known = database.read(all_progress)
    rows = []
    for name in sorted({*wires, *known}):
        progress = known.get(name, Progress())
        waits = (
            database.read(lambda connection, after=progress.sent: backlog(connection, after))  # type: ignore[misc]
            if name in wires
            else Backlog()
        )
        rows.append(Row(name=name, wire=wires.get(name), progress=progress, backlog=waits))
    return rows


def _show(rows: list[Row], output: Output) -> None:
    from affinity.cli.show import print_json, print_line, print_table

    if output.as_json:
        print_json([_plain(each) for each in rows])
        return
    if not rows:
        print_line("The domain has no repositories.toml, or it names no repository: the trail stays on this node.")
        return
    columns = ("repository", "wire", "state", "since", "waiting", "oldest", "in doubt", "refused", "reason")
    styles = ["red" if each.progress.reach == "lost" else "" for each in rows]
    print_table(columns, [_cells(each) for each in rows], styles)


def _cells(row: Row) -> list[str]:
    progress = row.progress
    since = f"{progress.since:%Y-%m-%d %H:%M:%S}Z" if progress.since else ""
    oldest = f"{row.age} s" if row.backlog.oldest else ""
    doubt = str(progress.sent - progress.settled)
    wire = row.wire or "no longer in repositories.toml"
    waiting = str(row.backlog.records) if row.wire else ""
    return [
        row.name,
        wire,
        progress.reach.value,
        since,
        waiting,
        oldest,
        doubt,
        str(progress.refused),
        progress.reason or "",
    ]


def _plain(row: Row) -> dict[str, Any]:
    progress = row.progress
    return {
        "repository": row.name,
        "wire": row.wire,
        "state": progress.reach.value,
        "since": progress.since and progress.since.isoformat(),
        "waiting": row.backlog.records,
        "oldest_seconds": row.age,
        "sent": progress.sent,
        "settled": progress.settled,
        "refused": progress.refused,
        "refused_last": progress.refused_last,
        "reason": progress.reason,
    }
