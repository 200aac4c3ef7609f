"""``affinity validate``: what is wrong with messages in files, whoever wrote them."""

import sys
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from affinity.cli.verbs import ExitCode, Output, verb, wrong_use

if TYPE_CHECKING:
    from conformance.reports import Examined
    from conformance.validating import Report
    from conformance.validators.context import Context

EXAMPLES = r"""[bold]Examples[/bold]
  affinity validate feed.hl7 submission.xml audit.xml
      find out what each file is, and print what breaks the standard, where, and by which section

  affinity validate --domain ./my-domain *.hl7
      also judge ids and codes by what that domain allows

  affinity validate --as ITI-57 update.xml
      a payload without a SOAP header, which several transactions have

  affinity validate --format junit messages/*.xml > report.xml
      for a build server; html gives a page to send to the vendor"""


class Format(StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"
    HTML = "html"


Files = Annotated[
    list[Path],
    typer.Argument(help="HL7 v2, SOAP, ebXML, HL7 v3, SAML, audit, syslog, CDA, HTTP logs; -: standard input."),
]
Domain = Annotated[
    str | None,
    typer.Option("--domain", help="Judge ids and codes by this domain: a shipped name or a directory."),
]
Assumed = Annotated[
    str | None, typer.Option("--as", help="The transaction of payloads without a header, such as ITI-57.")
]
Written = Annotated[Format, typer.Option("--format", help="How findings are written.")]
SecondOpinion = Annotated[
    bool, typer.Option("--hl7apy/--no-hl7apy", help="Ask hl7apy about the structure of HL7 v2 messages, too.")
]


@verb
def validate(
    files: Files,
    output: Output,
    domain: Domain = None,
    assumed: Assumed = None,
    written: Written = Format.TEXT,
    hl7apy: SecondOpinion = True,
) -> ExitCode:
    """Find out what is wrong with messages. Exit code 1: one breaks a SHALL, or is nothing that can be judged."""
    from conformance.reports import examine

    context = _context(domain, assumed, hl7apy=hl7apy)
    examined = [examine(str(file), _read(file), context) for file in files]
    _write(examined, Format.JSON if output.as_json else written)
    return ExitCode.DONE if all(each.is_clean for each in examined) else ExitCode.REFUSED


def _context(domain: str | None, assumed: str | None, *, hl7apy: bool) -> "Context":
    from affinity.catalogue import TRANSACTIONS
    from affinity.domain import load
    from conformance.validators.context import Context, no_second_opinion
    from mllp.validation import Validator

    known = [each.id for each in TRANSACTIONS]
    if assumed is not None and assumed not in known:
        raise wrong_use(f"--as {assumed}: there are {', '.join(known)}")
    return Context(
        domain=load(domain).affinity_domain if domain else None,
        transaction=assumed,
        second_opinion=Validator().check if hl7apy else no_second_opinion,
    )


def _read(file: Path) -> bytes:
    return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()


def _write(examined: "list[Examined]", written: Format) -> None:
    from affinity.cli.show import print_json
    from conformance.reports import as_html, as_json, as_junit

    if written is Format.JSON:
        print_json(as_json(examined))
    elif written is Format.JUNIT:
        sys.stdout.write(as_junit(examined).decode())
    elif written is Format.HTML:
        sys.stdout.write(as_html(examined))
    else:
        _print(examined)


def _print(examined: "Iterable[Examined]") -> None:
    from affinity.cli.show import print_line

    for each in examined:
        if each.report is None:
            print_line(f"{each.name}: {each.why}", "red")
            continue
        what = f"{each.report.kind}, {each.report.transaction}" if each.report.transaction else str(each.report.kind)
        print_line(f"{each.name}: {what}: {_counted(each.report)}", "green" if each.is_clean else "red")
        _print_findings(each)


def _counted(report: "Report") -> str:
    rest = len(report.findings) - report.errors
    parts = [_many(report.errors, "error")] if report.errors else []
    parts += [_many(rest, "remark")] if rest else []
    return ", ".join(parts) or "nothing was found"


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'s' if count > 1 else ''}"


def _print_findings(examined: "Examined") -> None:
    from rich.markup import escape

    from affinity.cli.show import console
    from conformance.reports import sentence, sources

    screen = console()
    for finding, place in examined.located():
        style = "red" if finding.is_error else "yellow"
        screen.print(f"  [{style}]{finding.level}[/{style}] {escape(finding.location)}: {escape(sentence(finding))}")
        if place is not None:
            before, marked, after = map(escape, (place.before, place.marked, place.after))
            screen.print(f"      {place.line}: [dim]{before}[/dim][bold]{marked}[/bold][dim]{after}[/dim]")
        if sources(finding):
            screen.print(f"      [dim]{escape(sources(finding))}[/dim]")
