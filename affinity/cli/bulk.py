"""``affinity pix load`` and ``affinity pix export``: files of patients, on the data directory of a node at rest."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from affinity.bulk.formats import Format, format_of
from affinity.cli.places import Place
from affinity.cli.population import FileFormat
from affinity.cli.verbs import ExitCode, Output, Stopped, verb, wrong_use

if TYPE_CHECKING:
    from affinity.bulk.loading import Advance, Outcome
    from affinity.bulk.reading import Source
    from affinity.database import Database
    from affinity.domain_model import LoadedDomain
    from affinity.settings import Settings
    from pix.manager import PatientIndex

LOAD_EXAMPLES = r"""[bold]Examples[/bold]
  affinity pix load patients.csv --source 'HIS|HOP-PETRUSSE'
      into the index in var/demo, whose server is not running; what is refused goes to patients.csv.rejects

  affinity pix load patients.ndjson --dry-run
      FHIR Patient resources: would they be taken?

  affinity pix load part1.csv part2.csv --data /var/lib/affinity --domain my-domain/
      after a crash the same command goes on where it was

Exit code 1 says that lines were rejected."""
EXPORT_EXAMPLES = r"""[bold]Examples[/bold]
  affinity pix export patients.csv
      one line for each source record of the index in var/demo; the server may be running

  affinity pix export patients.ndjson --data /var/lib/affinity --domain my-domain/
      as FHIR Patient resources

  affinity pix export persons.csv --golden
      one line for each person, as PDQ shows it"""
CACHE = 512 * 2**20
"""Bytes of the database that a load may hold in memory."""
Files = Annotated[list[Path], typer.Argument(metavar="FILE...", exists=True, dir_okay=False, readable=True)]
File = Annotated[Path, typer.Argument(metavar="FILE", dir_okay=False, writable=True)]
SourceName = Annotated[
    str, typer.Option("--source", metavar="APPLICATION|FACILITY", help="The source of lines that name none.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Read and check every line, store nothing.")]
Golden = Annotated[
    bool, typer.Option("--golden", help="One line for each person: the golden view, with all ids of all its sources.")
]
Again = Annotated[bool, typer.Option("--again", help="Load a file once more that is in already.")]


@verb
def load(
    files: Files,
    place: Place,
    output: Output,
    source: SourceName = "",
    format: FileFormat = None,
    dry_run: DryRun = False,
    again: Again = False,
) -> ExitCode:
    """Load files of patients, CSV or FHIR NDJSON, into the index of a node that is not running."""
    from affinity.bulk import loading
    from affinity.bulk.lookout import lookout_on
    from affinity.domain import load as load_domain
    from affinity.garbage import rare_collections

    settings, sources = place.settings(), _sources(files, format, source)
    loaded = load_domain(settings.domain)
    if dry_run:
        return _work(sources, lambda each, advance: loading.check(each, loaded.affinity_domain, advance), output)
    with _index(settings, loaded) as index, rare_collections():
        if again:
            for each in sources:
                loading.forget(each, index)
        lookout = lookout_on(settings.database, index)
        return _work(sources, lambda each, advance: loading.load(each, index, advance, lookout), output)


@verb
def export(file: File, place: Place, output: Output, format: FileFormat = None, golden: Golden = False) -> ExitCode:
    """Write every source record of the index, or every person, to a file, as CSV or FHIR NDJSON."""
    from affinity.bulk.exporting import export as write
    from affinity.bulk.exporting import export_golden
    from affinity.cli.show import counted, print_json, print_line
    from affinity.cli.written import written
    from affinity.console import note_export
    from affinity.database import Database
    from affinity.domain import load as load_domain
    from affinity.terms import of_command

    settings, (chosen,) = place.settings(), _formats([file], format)
    loaded, what = load_domain(settings.domain), "persons" if golden else "records"
    database = Database(_existing(settings), of_command(settings))
    try:
        note_export(settings, database, file)
        with written(file) as opened, counted(what, None) as reach:
            count = (
                export_golden(_reader(database, loaded), chosen, opened, reach)
                if golden
                else write(database, loaded.affinity_domain, chosen, opened, reach)
            )
    finally:
        database.close()
    if output.as_json:
        print_json({"file": file, what: count})
    else:
        print_line(f"{count} {what} in {file}")
    return ExitCode.DONE


def _reader(database: "Database", loaded: "LoadedDomain") -> "PatientIndex":
    """The index to read from, beside a node that may be running."""
    from affinity.node import utc_now
    from pix.manager import PatientIndex

    return PatientIndex(
        domain=loaded.affinity_domain, database=database, clock=utc_now, survivorship=loaded.survivorship
    )


@contextmanager
def _index(settings: "Settings", loaded: "LoadedDomain") -> "Iterator[PatientIndex]":
    """The index of the data directory, which is locked."""
    from affinity.console import note_use
    from affinity.data_directory import UnusableData
    from affinity.node import open_node
    from ihe.transactions import Actor

    try:
        node = open_node(settings, loaded)
    except UnusableData as error:
        raise wrong_use(str(error)) from error
    try:
        note_use(settings, node.database)
        node.database.enlarge_cache(CACHE)
        yield node.ports[Actor.PIX_MANAGER]
    finally:
        node.close()


def _sources(files: list[Path], format: Format | None, source: str) -> "list[Source]":
    from affinity.bulk.reading import Source

    if source and not all(source.partition("|")):
        raise wrong_use(f"--source wants APPLICATION|FACILITY, not {source!r}")
    return [
        Source(file=file, format=chosen, source=source)
        for file, chosen in zip(files, _formats(files, format), strict=True)
    ]


def _formats(files: list[Path], format: Format | None) -> list[Format]:
    try:
        return [format or format_of(each) for each in files]
    except ValueError as error:
        raise wrong_use(str(error)) from error


def _work(sources: "list[Source]", work: "Callable[[Source, Advance], Outcome]", output: Output) -> ExitCode:
    """Do it with each file, and show what came of it."""
    from affinity.bulk.line import Unreadable
    from affinity.cli.show import watched

    outcomes = {}
    for each in sources:
        try:
            with watched(each.file.name, each.file.stat().st_size) as advance:
                outcomes[each.file] = work(each, advance)
        except Unreadable as error:
            raise Stopped(ExitCode.WRONG_USE, f"{each.file}: {error}") from error
    _show(outcomes, output)
    return ExitCode.REFUSED if any(each.rejected for each in outcomes.values()) else ExitCode.DONE


def _show(outcomes: "dict[Path, Outcome]", output: Output) -> None:
    from affinity.cli.show import print_json, print_table

    if output.as_json:
        print_json([{"file": file, **asdict(outcome)} for file, outcome in outcomes.items()])
    else:
        rows = [
            (str(file), str(each.lines), str(each.already), str(each.stored), str(each.rejected))
            for file, each in outcomes.items()
        ]
        print_table(("file", "lines", "loaded before", "stored", "rejected"), rows)


def _existing(settings: "Settings") -> str:
    """The database, which has to be there and up to date."""
    from sqlalchemy import create_engine

    from affinity.migrations import is_up_to_date

    file = settings.data / "affinity.db"
    if settings.database_url is None and not file.exists():
        raise wrong_use(f"{file} is not there: choose --data or --database-url")
    engine = create_engine(settings.database)
    try:
        if not is_up_to_date(engine):
            raise wrong_use("the database is of another version; a start of this one's server migrates it")
    finally:
        engine.dispose()
    return settings.database
