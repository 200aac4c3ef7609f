"""``affinity conform``: what the standard demands of a system, and whether it does it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from affinity.cli import capturing, conform_diff, conform_init, conform_run, conform_serve, replaying
from affinity.cli.verbs import ExitCode, Output, verb, wrong_use

if TYPE_CHECKING:
    from conformance.catalogue import Assertion

EXAMPLES = r"""[bold]Examples[/bold]
  affinity conform assertions --count
      how many there are for each transaction and chapter, by level

  affinity conform assertions --transaction ITI-18 --level SHALL
      what a query must do, each with its section

  affinity conform assertions --transaction ITI-42 --actor 'Document Registry' --section 3.42.4.1.3.5
      what a registry does with relationships: the section and what is below it

  affinity conform assertions --transaction TF3-4.2 --json
      a chapter, for a program: wording, citation, how it can be tested, which rule of this server checks it"""

Transaction = Annotated[
    list[str] | None,
    typer.Option(help="A transaction (ITI-18) or chapter (TF3-4.2, TF2-V); repeatable; default: all."),
]
LevelName = Annotated[
    list[str] | None, typer.Option("--level", help="SHALL, SHALL NOT, SHOULD, SHOULD NOT, MAY; repeatable.")
]
ActorName = Annotated[str | None, typer.Option("--actor", help="Who must obey, as the standard spells it.")]
Section = Annotated[str | None, typer.Option(help="A section with all below it, such as 3.18.4.1.2.3.7.")]
Count = Annotated[bool, typer.Option("--count", help="Count them, instead of listing them.")]

app = typer.Typer(
    help="What the standard demands of a system, and what systems say to each other.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)


@verb
def assertions(
    output: Output,
    transaction: Transaction = None,
    level: LevelName = None,
    actor: ActorName = None,
    section: Section = None,
    count: Count = False,
) -> ExitCode:
    """List the assertions of the catalogue: one testable claim each, in our own words, with its section."""
    from conformance.catalogue import catalogue

    every = catalogue()
    groups = _known("--transaction", transaction, (name for each in every for name in _names(each)))
    levels = _known("--level", level, (each.level for each in every))
    actors = _known("--actor", [actor] if actor else None, (each.actor for each in every))
    chosen = [
        each
        for each in every
        if groups & _names(each) and each.level in levels and each.actor in actors and _below(each, section)
    ]
    (_count if count else _list)(chosen, output)
    return ExitCode.DONE


app.command("assertions", epilog=EXAMPLES)(assertions)
app.command("init", epilog=conform_init.EXAMPLES)(conform_init.init)
app.command("diff", epilog=conform_diff.EXAMPLES)(conform_diff.diff)
app.command("run", epilog=conform_run.EXAMPLES)(conform_run.run)
app.command("capture", epilog=capturing.CAPTURE_EXAMPLES)(capturing.capture)
app.command("redact", epilog=capturing.REDACT_EXAMPLES)(capturing.redact)
app.command("replay", epilog=replaying.EXAMPLES)(replaying.replay)
app.command("serve", epilog=conform_serve.EXAMPLES)(conform_serve.serve)


def _known(option: str, asked: Sequence[str] | None, there: Iterable[str]) -> frozenset[str]:
    """The values asked for in the catalogue's spelling; all of them where none is asked for."""
    by_folded = {each.casefold(): each for each in there}
    for each in asked or ():
        if each.casefold() not in by_folded:
            raise wrong_use(f"{option}: no assertion has {each!r}; there are {', '.join(by_folded.values())}")
    return frozenset(by_folded[each.casefold()] for each in asked or by_folded)


def _names(assertion: "Assertion") -> frozenset[str]:
    """``ITI-18`` means what supplements add to it, too."""
    return frozenset({assertion.group, assertion.transaction or assertion.group})


def _below(assertion: "Assertion", section: str | None) -> bool:
    number = assertion.citation.section.removeprefix("Table ")
    return section is None or number == section or number.startswith((f"{section}.", f"{section}-"))


def _list(chosen: Sequence["Assertion"], output: Output) -> None:
    from affinity.cli.show import print_json, print_table

    if output.as_json:
        print_json([_as_json(each) for each in chosen])
        return
    rows = [(each.id, each.level, each.actor, each.citation.section, _told(each)) for each in chosen]
    print_table(("id", "level", "actor", "section", "assertion"), rows)


def _told(each: "Assertion") -> str:
    """The claim, and below it whom it does not bind, what the text leaves open, why no test shows it."""
    below = (("Option", each.option), ("Ambiguous", each.ambiguous), ("For review", each.why))
    return "\n".join([each.text, *(f"  {title}: {text}" for title, text in below if text)])


def _as_json(each: "Assertion") -> dict[str, Any]:
    return {
        "id": each.id,
        "transaction": each.transaction,
        "level": each.level,
        "actor": each.actor,
        "option": each.option,
        "document": each.citation.document,
        "section": each.citation.section,
        "revision": each.revision,
        "text": each.text,
        "ambiguous": each.ambiguous,
        "test": each.test,
        "why": each.why,
        "rule": each.rule,
    }


def _count(chosen: Sequence["Assertion"], output: Output) -> None:
    from affinity.cli.show import print_json, print_table
    from conformance.catalogue import Level

    groups = list(dict.fromkeys(each.group for each in chosen))
    counted = Counter((each.group, each.level) for each in chosen)
    by_group = {group: {level.value: counted[group, level] for level in Level} for group in groups}
    if output.as_json:
        print_json(by_group)
        return
    rows = [(group, *map(str, levels.values()), str(sum(levels.values()))) for group, levels in by_group.items()]
    rows.append(("all", *(str(sum(each.level is level for each in chosen)) for level in Level), str(len(chosen))))
    print_table(("", *Level, "all"), rows)
