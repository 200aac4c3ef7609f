"""The page about a whole country: its words are in ``page.txt``, its tables are computed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from benchmarks.day.arrivals import SHARES
from benchmarks.scale.inputs import (
    ASSUMED,
    COPIES,
    DAY_CPU,
    DOCUMENT_ROWS,
    LARGEST,
    LARGEST_TAIL,
    MEASURED,
    OBJECT_PRICE,
    PARTS,
    PATIENTS,
    SMALLER_ROWS,
    SMALLEST,
    SMALLEST_TAIL,
    Measured,
)
from benchmarks.scale.model import TERA, Deployment

WORDS = Path(__file__).with_name("page.txt")
DEPLOYMENTS = tuple(Deployment(documents=each) for each in (1e9, 2e9, 3e9))
Row = Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What the model's way of reckoning gives for something that was measured."""

    what: str
    unit: str
    predicted: float
    measured: Measured


def checks() -> tuple[Check, ...]:
    """A request of the day from its parts, and a large registry from a smaller one."""
    mix = sum(SHARES[kind] / 100 * PARTS[kind].value for kind in SHARES)
    return (
        Check(
            what="a request of the day: the CPU of each transaction alone, by its share",
            unit="ms",
            predicted=mix,
            measured=DAY_CPU,
        ),
        Check(
            what="a document in a registry ten times as large: its bytes in the smaller one",
            unit="bytes",
            predicted=SMALLER_ROWS.value,
            measured=DOCUMENT_ROWS,
        ),
        Check(
            what="FindDocuments in a registry a thousand times as large (SQLite): what it costs in the smaller one",
            unit="ms",
            predicted=SMALLEST.value,
            measured=LARGEST,
        ),
    )


def page() -> str:
    """docs/scale.md."""
    parts = {"results": _results(), "measured": _measured(), "assumed": _assumed(), "checks": _checks()}
    tables = {name: _table(rows) for name, rows in parts.items()}
    figures = {"largest": LARGEST, "smallest": SMALLEST, "largest_tail": LARGEST_TAIL, "smallest_tail": SMALLEST_TAIL}
    told = {name: f"{figure.value:g}" for name, figure in figures.items()}
    return Template(WORDS.read_text()).substitute(tables | told)


def _table(rows: Iterator[Row]) -> str:
    heading, *others = rows
    rule = ["---", *("--:" for _ in heading[1:])]
    return "\n".join(f"| {' | '.join(each)} |" for each in (heading, rule, *others))


def _results() -> Iterator[Row]:
    yield "", *(f"{each.documents / 1e9:.0f} G documents" for each in DEPLOYMENTS)
    yield "requests a day", *(f"{each.requests_a_day / 1e6:.1f} million" for each in DEPLOYMENTS)
    yield "requests/s at the peak", *(f"{each.peak:,.0f}" for each in DEPLOYMENTS)
    yield "cores of nodes", *(f"{each.node_cores:,.0f}" for each in DEPLOYMENTS)
    yield "cores of database primaries", *(f"{each.database_cores:,.0f}" for each in DEPLOYMENTS)
    yield "registry", *(_tera(each.registry) for each in DEPLOYMENTS)
    yield "patient index", *(_tera(each.index) for each in DEPLOYMENTS)
    yield "audit trail", *(_tera(each.audit) for each in DEPLOYMENTS)
    yield "documents, raw bytes", *(_tera(each.objects) for each in DEPLOYMENTS)
    yield "application servers", *(f"{each.nodes}" for each in DEPLOYMENTS)
    yield "database servers", *(f"{each.shards} × {COPIES.value:g}" for each in DEPLOYMENTS)
    yield "cost, € a month", *(f"{each.cost:,.0f}" for each in DEPLOYMENTS)
    yield "of which object storage", *(f"{each.objects / TERA * OBJECT_PRICE.value:,.0f}" for each in DEPLOYMENTS)
    yield "cost, € a patient and year", *(f"{12 * each.cost / PATIENTS.value:.3f}" for each in DEPLOYMENTS)


def _measured() -> Iterator[Row]:
    yield "what", "value", "from"
    for each in MEASURED:
        yield each.what, f"{_value(each.value)} {each.unit}".rstrip(), f"[{each.page}]({_link(each.page)})"


def _assumed() -> Iterator[Row]:
    yield "what", "value", "because"
    for each in ASSUMED:
        yield each.what, f"{_value(each.value)} {each.unit}".rstrip(), each.because


def _checks() -> Iterator[Row]:
    yield "", "predicted", "measured", "predicted ÷ measured"
    for each in checks():
        told = (f"{_value(value)} {each.unit}" for value in (each.predicted, each.measured.value))
        yield each.what, *told, f"{each.predicted / each.measured.value:.2f}"


def _tera(value: float) -> str:
    return f"{value / TERA:,.1f} TB"


def _value(value: float) -> str:
    if value >= 1e6:
        return f"{value / 1e6:,.4g} million"
    return f"{value:,.4g}" if value < 1000 else f"{value:,.0f}"


def _link(page: str) -> str:
    return page.removeprefix("docs/") if page.startswith("docs/") else f"../{page}"
