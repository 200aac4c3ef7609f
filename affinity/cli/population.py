"""``affinity demo population``: invented people, the records of careless sources, and the truth."""

from pathlib import Path
from typing import Annotated

import typer

from affinity.bulk.formats import Format, format_of
from affinity.cli.options import DomainName
from affinity.cli.verbs import ExitCode, Output, verb, wrong_use

EXAMPLES = r"""[bold]Examples[/bold]
  affinity demo population 10000
      population.csv, about 17,000 records of 10,000 people, and population.truth.csv: who each record is

  affinity demo population 1000000 --seed 7 --out big.ndjson
      as FHIR Patient resources; the same seed gives the same people everywhere

  affinity pix load population.csv
      what to do with it"""
Persons = Annotated[int, typer.Argument(metavar="N", help="How many people.", min=1, max=20_000_000)]
Seed = Annotated[int, typer.Option(help="Another seed, other people.")]
Out = Annotated[Path, typer.Option(help="Where to write; the truth goes beside it.", dir_okay=False)]
FileFormat = Annotated[
    Format | None, typer.Option("--format", help="How the file holds patients; else its ending says it.")
]


@verb
def population(
    persons: Persons,
    output: Output,
    seed: Seed = 1,
    out: Out = Path("population.csv"),
    format: FileFormat = None,
    domain: DomainName = None,
) -> ExitCode:
    """Write the records of N invented people of Luxembourg, and beside them who each record really is."""
    from affinity.cli.show import counted, print_json, print_line
    from affinity.domain import load
    from affinity.garbage import rare_collections
    from affinity.population.sources import sources_of
    from affinity.population.writing import truth_of, write

    try:
        sources = sources_of(load(domain or "demo"))
        chosen = format or format_of(out)
    except ValueError as error:
        raise wrong_use(str(error)) from error
    with rare_collections(), counted("inventing people", persons) as reach:
        count = write(out, chosen, persons, seed, sources, reach)
    if output.as_json:
        print_json({"file": out, "truth": truth_of(out), "persons": persons, "records": count, "seed": seed})
    else:
        print_line(f"{count} records of {persons} people in {out}; who they are: {truth_of(out)}")
    return ExitCode.DONE
