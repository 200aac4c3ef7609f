"""``affinity pix tasks``, ``task``, ``take``, ``release``, ``decide``: the work of those who look after identities."""

from dataclasses import dataclass
from typing import Annotated

import typer

from affinity.cli.stewards import Desk, client
from affinity.cli.verbs import ExitCode, Output, verb, wrong_use

TASKS_EXAMPLES = r"""[bold]Examples[/bold]
  affinity pix tasks
      what waits for a decision, the oldest first

  affinity pix tasks --kind overlay --source 'HIS|CHL' --json
      one kind, of one source, for a program

  affinity pix tasks --unowned --limit 20
      what nobody has taken yet

--after N continues after task N. Exit code 0 also if nothing waits."""
TASK_EXAMPLES = r"""[bold]Examples[/bold]
  affinity pix task 4711
      both records side by side, what differs in red, and how the matcher sees them"""
TAKE_EXAMPLES = r"""[bold]Examples[/bold]
  affinity pix take 4711
      the task is yours; others see that"""
RELEASE_EXAMPLES = r"""[bold]Examples[/bold]
  affinity pix release 4711
      nobody owns the task any more"""
DECIDE_EXAMPLES = r"""[bold]Examples[/bold]
  affinity pix decide 4711 link --reason 'same passport, seen at the desk'
      they are one person

  affinity pix decide 4711 merge --surviving '1^^^CHL' --reason 'registered twice'
      two ids of one authority: the other one is merged into it

  affinity pix decide 4711 never-link --reason 'twins'
      they are two people, whatever a source says later

  affinity pix decide 4711 ignore --reason 'asked the hospital'
      the question rests until one of the records changes

Exit code 1 says that the choice is not possible, or that somebody changed the task meanwhile; read it again then.
--version N decides only if the task still is what you saw."""

Surviving = Annotated[str | None, typer.Option(help="With merge: the id that stays; default: the older one.")]
Number = Annotated[int, typer.Argument(metavar="N", help="The number of the task.", min=1)]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept with the decision.")]
Version = Annotated[int | None, typer.Option("--version", help="The version that you saw; default: today's.", min=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which tasks."""

    kind: Annotated[
        str | None,
        typer.Option(help="potential-duplicate, low-margin, veto, overlay, collision, dispute or crowd."),
    ] = None
    authority: Annotated[str | None, typer.Option(help="Of ids of this authority: namespace or OID.")] = None
    source: Annotated[str | None, typer.Option(help="Of records that APPLICATION|FACILITY feeds.")] = None
    owner: Annotated[str | None, typer.Option(help="Of this steward.")] = None
    unowned: Annotated[bool, typer.Option("--unowned", help="Those that nobody has taken.")] = False
    id: Annotated[str | None, typer.Option("--id", help="About this patient id.")] = None
    after: Annotated[int | None, typer.Option(help="After the task of this number.", min=0)] = None
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=100)] = 50

    def parameters(self) -> dict[str, str | int]:
        """As the interface takes them."""
        if self.unowned and self.owner:
            raise wrong_use("--owner and --unowned contradict each other")
        names = ("kind", "authority", "source", "owner", "id", "after", "limit")
        given = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        return given | ({"owner": ""} if self.unowned else {})


@verb
def tasks(filters: Filters, desk: Desk, output: Output) -> ExitCode:
    """List what waits for a person to decide, the oldest first."""
    from affinity.cli.desk_tables import show_tasks

    return show_tasks(client(desk).get("tasks", filters.parameters()), output)


@verb
def task(number: Number, desk: Desk, output: Output) -> ExitCode:
    """Show one task: both records side by side, their persons, and the matcher's explanation."""
    from affinity.cli.desk_tables import show_task

    return show_task(client(desk).get(f"tasks/{number}"), output)


@verb
def take(number: Number, desk: Desk, output: Output, version: Version = None) -> ExitCode:
    """Make a task yours, so that others see that you are at work."""
    return _assign(number, desk, output, version, {})


@verb
def release(number: Number, desk: Desk, output: Output, version: Version = None) -> ExitCode:
    """Give a task back: nobody owns it."""
    return _assign(number, desk, output, version, {"owner": None})


@verb
def decide(
    number: Number,
    choice: Annotated[str, typer.Argument(metavar="CHOICE", help="link, never-link, merge, split or ignore.")],
    desk: Desk,
    output: Output,
    reason: Reason,
    surviving: Surviving = None,
    leaving: Annotated[str | None, typer.Option(help="With split: the id that leaves the others.")] = None,
    version: Version = None,
) -> ExitCode:
    """Decide a task; what follows from it is done at once."""
    from affinity.cli.desk_tables import show_state

    speaking = client(desk)
    given = {"surviving": surviving, "leaving": leaving}
    decision = {
        "choice": choice,
        "reason": reason,
        "version": version or speaking.get(f"tasks/{number}")["version"],
        **{name: value for name, value in given.items() if value is not None},
    }
    return show_state(speaking.post(f"tasks/{number}/decision", decision), output)


def _assign(number: int, desk: Desk, output: Output, version: int | None, owner: dict[str, None]) -> ExitCode:
    from affinity.cli.desk_tables import show_state

    speaking = client(desk)
    seen = version or speaking.get(f"tasks/{number}")["version"]
    return show_state(speaking.post(f"tasks/{number}/assign", {"version": seen, **owner}), output)
