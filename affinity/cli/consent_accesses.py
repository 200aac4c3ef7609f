"""``affinity consent accesses``: the patient's view of who had to do with the record."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from affinity.cli.places import Place
from affinity.cli.verbs import Output, verb, wrong_use

if TYPE_CHECKING:
    from affinity.accesses import View

EXAMPLES = r"""[bold]Examples[/bold]
  affinity consent accesses 'DSP-1^^^&1.2.3&ISO' --lang fr
      who saw or changed the record, when, what, why, from which system; emergencies first

  affinity consent accesses 'DSP-1^^^&1.2.3&ISO' --since 2026-11-01 --csv accesses.csv --lang de
      the accesses of November as a table for a spreadsheet; --json for a program

Reading it is itself recorded in the audit trail."""


class Language(StrEnum):
    """A language of the country, or English."""

    EN = "en"
    FR = "fr"
    DE = "de"
    LB = "lb"


PatientId = Annotated[str, typer.Argument(metavar="PATIENT", help="The XDS patient id: id^^^&oid&ISO.")]
In = Annotated[Language, typer.Option("--lang", help="en, fr, de or lb.")]
Since = Annotated[str, typer.Option(help="Not before: 2026-11-26 or 2026-11-26T08:00, UTC.")]
Until = Annotated[str, typer.Option(help="Before: likewise.")]
Everything = Annotated[bool, typer.Option("--all", help="Also what systems tell each other: feeds, notifications.")]
CSVFile = Annotated[Path | None, typer.Option("--csv", help="Write a CSV file instead; it must not exist.")]


@verb
def accesses(
    patient: PatientId,
    place: Place,
    output: Output,
    lang: In = Language.EN,
    since: Since = "",
    until: Until = "",
    everything: Everything = False,
    csv: CSVFile = None,
) -> None:
    """List who had to do with a patient's record, as the patient may see it."""
    from affinity.access_words import plain
    from affinity.accesses import Wanted, view
    from affinity.cli.consent_places import opened
    from affinity.cli.show import print_json
    from affinity.console import operator
    from atna.events import audit_log_used

    wanted = Wanted(since=_moment(since), until=_moment(until), everything=everything)
    with opened(place) as records:
        whose = records.database.read(lambda c: records.patient(c, patient))
        what = f"accesses to the record of {patient}"
        records.trail.record(audit_log_used(records.trail.node, datetime.now(UTC), operator(), what))
        found = records.database.read(lambda c: view(c, whose, wanted))
    if csv is not None:
        _write(csv, found, lang)
    elif output.as_json:
        print_json(plain(found, lang))
    else:
        _show(found, lang)


def _show(found: "View", language: str) -> None:
    from affinity.access_words import INCOMPLETE, heading, row, sentence
    from affinity.cli.show import print_line, print_table

    for each in found.notices:
        print_line(sentence(each, language), "bold red")
    rows = [row(each, language) for each in found.accesses]
    print_table(heading(language), rows, ["red" if each.emergency else "" for each in found.accesses])
    if not found.complete:
        print_line(INCOMPLETE[language])


def _write(file: Path, found: "View", language: str) -> None:
    """Its owner alone reads it: it says who treats whom."""
    from affinity.access_words import as_csv
    from affinity.cli.show import print_line
    from affinity.cli.written import created

    with created(file) as text:
        text.write(as_csv(found.accesses, language))
    print_line(f"{len(found.accesses)} accesses are in {file}")


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise wrong_use(f"{text!r} is no time such as 2026-11-26 or 2026-11-26T08:00") from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)
