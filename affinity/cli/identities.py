"""``affinity pix explain``, ``history``, ``person``, ``statistics``; and what stewards say without a task."""

from typing import Annotated

import typer

from affinity.cli.stewards import Desk, client
from affinity.cli.verbs import ExitCode, Output, verb
from affinity.cli.worklist import Reason

EXPLAIN_EXAMPLES = r"""[bold]Examples[/bold]
  affinity pix explain '1^^^CHL' '77^^^LAB'
      how each field agrees and what that weighs, what was taken off, what speaks against, and the outcome

Values of the patients are not shown; `affinity pix history ID` shows them."""
HISTORY_EXAMPLES = r"""[bold]Examples[/bold]
  affinity pix history '1^^^CHL'
      what happened to this record, the newest first: who, when, why

  affinity pix history '1^^^CHL' --before 4711 --limit 20 --json
      further back, with everything that each event holds"""
PERSON_EXAMPLES = r"""[bold]Examples[/bold]
  affinity pix person '1^^^CHL'
      who this is by all sources together, and from which record each attribute is"""
LINK_EXAMPLES = r"""[bold]Examples[/bold]
  affinity pix link '1^^^CHL' '77^^^LAB' --reason 'same passport'
      they are one person from now on, whatever the matcher thinks"""
NEVER_LINK_EXAMPLES = r"""[bold]Examples[/bold]
  affinity pix never-link '1^^^CHL' '77^^^LAB' --reason 'father and son'
      they are two people, also if a source links them later"""
WITHDRAW_EXAMPLES = r"""[bold]Examples[/bold]
  affinity pix withdraw '1^^^CHL' '77^^^LAB' --reason 'decided on wrong papers'
      what a steward decided of the two no longer holds: ids, sources and likeness count again"""
SPLIT_EXAMPLES = r"""[bold]Examples[/bold]
  affinity pix split '77^^^LAB' --reason 'the sample was somebody else'
      the record is none of those that it is linked with, and leaves them for good"""
UNMERGE_EXAMPLES = r"""[bold]Examples[/bold]
  affinity pix unmerge '2^^^CHL' --reason 'merged by mistake'
      the id that was merged away is in use again, with the documents and links that it had"""
STATISTICS_EXAMPLES = r"""[bold]Examples[/bold]
  affinity pix statistics
      each source: duplicates, overlays, what its records lack, what was refused in 30 days"""

Id = Annotated[str, typer.Argument(metavar="ID", help="id^^^NAMESPACE or id^^^&oid&ISO.")]
One = Annotated[str, typer.Argument(metavar="A", help="id^^^NAMESPACE or id^^^&oid&ISO.")]
Other = Annotated[str, typer.Argument(metavar="B", help="id^^^NAMESPACE or id^^^&oid&ISO.")]


@verb
def explain(one: One, other: Other, desk: Desk, output: Output) -> ExitCode:
    """Explain why two ids are one person, or two."""
    from affinity.cli.desk_tables import show_explanation

    return show_explanation(client(desk).get("explain", {"one": one, "other": other}), output)


@verb
def history(
    id: Id,
    desk: Desk,
    output: Output,
    before: Annotated[int | None, typer.Option(help="Before the event of this number.", min=1)] = None,
    limit: Annotated[int, typer.Option(help="At most so many events.", min=1, max=100)] = 50,
) -> ExitCode:
    """Tell what happened to a record, the newest first."""
    from affinity.cli.history_table import show_history

    asked: dict[str, str | int] = {"id": id, "limit": limit}
    return show_history(client(desk).get("records", asked | ({"before": before} if before else {})), output)


@verb
def person(id: Id, desk: Desk, output: Output) -> ExitCode:
    """Show the golden view of a person, and whose word each attribute is."""
    from affinity.cli.person_table import show_person

    return show_person(client(desk).get("person", {"id": id}), output)


@verb
def link(one: One, other: Other, desk: Desk, output: Output, reason: Reason) -> ExitCode:
    """Say that two ids are one person."""
    return _declare("link", (one, other), reason, desk, output)


@verb
def never_link(one: One, other: Other, desk: Desk, output: Output, reason: Reason) -> ExitCode:
    """Say that two ids are two people, whatever anybody says."""
    return _declare("never-link", (one, other), reason, desk, output)


@verb
def withdraw(one: One, other: Other, desk: Desk, output: Output, reason: Reason) -> ExitCode:
    """Take back what a steward decided of two ids."""
    return _declare("withdraw", (one, other), reason, desk, output)


@verb
def split(id: Id, desk: Desk, output: Output, reason: Reason) -> ExitCode:
    """Let a record leave all that it is linked with."""
    return _declare("split", (id,), reason, desk, output)


@verb
def unmerge(id: Id, desk: Desk, output: Output, reason: Reason) -> ExitCode:
    """Take back the merge of an id."""
    return _declare("unmerge", (id,), reason, desk, output)


@verb
def statistics(desk: Desk, output: Output) -> ExitCode:
    """Show the quality of what each source sends."""
    from affinity.cli.desk_tables import show_statistics

    return show_statistics(client(desk).get("statistics"), output)


def _declare(what: str, ids: tuple[str, ...], reason: str, desk: Desk, output: Output) -> ExitCode:
    from affinity.cli.show import print_json, print_line

    done = client(desk).post(what, {"ids": list(ids), "reason": reason})
    if output.as_json:
        print_json(done)
    else:
        print_line(f"Done: {what} {' '.join(ids)}", "green")
    return ExitCode.DONE
