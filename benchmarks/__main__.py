"""``python -m benchmarks``: real nodes, measured over loopback, as a table; bounded in count and time."""

import sys
import tempfile
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks import (
    anatomy,
    assertions,
    calls,
    documents_growth,
    feeds,
    growth,
    machine,
    memory,
    populations,
    queries,
    reconnects,
    report,
    retrievals,
    rights,
    several,
    starts,
    submissions,
    trail,
)
from benchmarks.figures import FULL, QUICK, Effort, Figure, Say


class Benchmark(StrEnum):
    """What can be measured."""

    QUERIES = "queries"
    CALLS = "calls"
    ANATOMY = "anatomy"
    FEEDS = "feeds"
    SUBMISSIONS = "submissions"
    RETRIEVALS = "retrievals"
    LOADS = "loads"
    MEMORY = "memory"
    STARTS = "starts"
    XUA = "xua"
    RIGHTS = "rights"
    TRAIL = "trail"
    TLS = "tls"
    WORKERS = "workers"
    GROWTH = "growth"
    DOCUMENTS_GROWTH = "documents-growth"


WIDTH = 118
"""Columns where no terminal says how many there are."""
MEASURES: Mapping[Benchmark, Callable[[Path, Effort, Say], list[Figure]]] = {
    Benchmark.CALLS: calls.measure,
    Benchmark.QUERIES: queries.measure,
    Benchmark.FEEDS: feeds.measure,
    Benchmark.SUBMISSIONS: submissions.measure,
    Benchmark.RETRIEVALS: retrievals.measure,
    Benchmark.LOADS: populations.measure,
    Benchmark.MEMORY: memory.measure,
    Benchmark.STARTS: starts.measure,
    Benchmark.XUA: assertions.measure,
    Benchmark.RIGHTS: rights.measure,
    Benchmark.TRAIL: trail.measure,
    Benchmark.TLS: reconnects.measure,
    Benchmark.WORKERS: several.measure,
}
"""Those of a usual run; the growths, which take long, and ``anatomy`` are run when they are asked for."""


def main(
    quick: Annotated[bool, typer.Option("--quick", help="A fifth of the work, twice: a look, no result.")] = False,
    only: Annotated[list[Benchmark] | None, typer.Option(help="Measure this alone; may be repeated.")] = None,
    json: Annotated[Path | None, typer.Option(help="Also write every run to this file.")] = None,
    directory: Annotated[
        Path | None, typer.Option(help="Where the nodes keep their data: the disk that is measured.")
    ] = None,
    persons: Annotated[str, typer.Option(help="Growth: the sizes of the index, in people.")] = "10000,100000,1000000",
    sizes: Annotated[str, typer.Option(help="Growth of documents: how many.")] = "10k,100k",
    database: Annotated[
        growth.Engine, typer.Option(help="Growth, calls: where the index or registry is kept.")
    ] = growth.Engine.SQLITE,
) -> None:
    """Measure a node of this tree, on loopback alone; a few minutes, with --quick one."""
    people = [int(each) for each in persons.split(",")]
    measures: Mapping[Benchmark, Callable[[Path, Effort, Say], list[Figure]]] = {
        **MEASURES,
        Benchmark.ANATOMY: anatomy.measure,
        Benchmark.CALLS: partial(calls.measure, engine=database),
        Benchmark.GROWTH: partial(growth.measure, persons=people, engine=database),
        Benchmark.DOCUMENTS_GROWTH: partial(
            documents_growth.measure, sizes=documents_growth.parse_sizes(sizes), engine=database
        ),
    }
    console, progress = Console(width=None if sys.stdout.isatty() else WIDTH), Console(stderr=True)
    effort = QUICK if quick else FULL
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(dir=directory, prefix="affinity-bench-") as made, progress.status("") as status:
        place = Path(made)
        found = machine.describe(place)
        for each in only or MEASURES:
            figures += measures[each](place, effort, status.update)
    report.show(console, found, figures)
    if json is not None:
        report.save(json, found, figures)


if __name__ == "__main__":
    typer.run(main)
