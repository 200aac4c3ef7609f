"""A run for people (a table, an offline page with plots) and for programs (JSON): all from one plain value."""

import json
from collections.abc import Mapping
from html import escape
from math import log10
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.day.arrivals import SHARES
from benchmarks.day.clients import Run
from benchmarks.day.latencies import PERCENTILES, HdrHistogram, milliseconds
from benchmarks.day.plots import Plot
from benchmarks.day.results import Results

ALL = "all"
CURVE = (*(float(each) for each in range(0, 90, 10)), 90, 92, 94, 95, 96, 97, 98, 99, 99.5, 99.8, 99.9, 99.95, 99.99)
STYLE = """
body{font:15px/1.45 system-ui,sans-serif;max-width:900px;margin:2em auto;padding:0 1em;color:#222}
table{border-collapse:collapse}td,th{padding:.2em .8em;text-align:right;border-bottom:1px solid #ddd}
td:first-child,th:first-child{text-align:left}svg{width:100%;font-size:12px}.grid{stroke:#e2e2e2}
"""


def plain(plan: Run, results: Results, about: Mapping[str, str], costs: Mapping[str, float]) -> dict[str, Any]:
    """Everything, as JSON has it. ``costs`` are seconds of CPU of what was measured, by name; latencies are in ms."""
    kinds = {**results.kinds, ALL: results.whole}
    errors = [{"kind": kind, "code": code, "count": n} for (kind, code), n in sorted(results.errors.items())]
    return {
        "about": dict(about),
        "run": {name: getattr(plan, name) for name in ("rate", "seconds", "seed", "clients", "connections")},
        "kinds": {kind: _kind(kind, each, results) for kind, each in kinds.items()},
        "seconds": {str(second): _percentiles(each) for second, each in results.seconds.items()},
        "errors": errors,
        "late": _percentiles(results.late),
        "client_cpu": [round(each, 3) for each in results.cpu],
        "cpu": {name: round(each, 3) for name, each in costs.items()},
    }


def _kind(kind: str, of: HdrHistogram, results: Results) -> dict[str, Any]:
    failed = sum(count for (named, _), count in results.errors.items() if kind in (named, ALL))
    return {
        "asked": of.get_total_count(),
        "errors": failed,
        **_percentiles(of),
        "curve": [[each, milliseconds(of, each)] for each in CURVE],
    }


def _percentiles(of: HdrHistogram) -> dict[str, float]:
    return {f"p{each:g}": milliseconds(of, each) for each in PERCENTILES} | {"max": milliseconds(of, 100)}


def show(console: Console, report: Mapping[str, Any]) -> None:
    """Print the table."""
    table = Table(title=_title(report), caption=_costs(report))
    names = [f"p{each:g}" for each in PERCENTILES] + ["max"]
    table.add_column("transaction")
    for heading in ("share", "asked", "errors", *(f"{name} ms" for name in names)):
        table.add_column(heading, justify="right")
    for kind, found in report["kinds"].items():
        share = f"{SHARES[kind]:g} %" if kind in SHARES else ""
        cells = [f"{found[name]:,.1f}" if found["asked"] else "" for name in names]
        table.add_row(kind, share, f"{found['asked']:,}", str(found["errors"]), *cells)
    console.print(table)
    for each in report["errors"]:
        console.print(f"{each['kind']}: {each['code']}, {each['count']} times")


def save_json(file: Path, report: Mapping[str, Any]) -> None:
    """Write the report for programs."""
    file.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")


def save_page(file: Path, report: Mapping[str, Any]) -> None:
    """Write the page: no script, no font, no image from anywhere else."""
    file.write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(_title(report))}</title>'
        f"<style>{STYLE}</style><h1>{escape(_title(report))}</h1>{_table(report)}"
        f"<h2>Latency by percentile</h2>{_by_percentile(report).svg()}"
        f"<h2>Latency of what was due in each second</h2>{_by_second(report).svg()}"
        f"<h2>Errors</h2>{_errors(report)}<p>{escape(_costs(report))}</p>"
        f"<p>{escape(', '.join(f'{name} {value}' for name, value in report['about'].items()))}</p></html>\n"
    )


def _title(report: Mapping[str, Any]) -> str:
    run = report["run"]
    return f"A national day: {run['rate']:g} requests/s for {run['seconds']:g} s, open loop, seed {run['seed']}"


def _costs(report: Mapping[str, Any]) -> str:
    asked = report["kinds"][ALL]["asked"] or 1
    servers = [f"{name} {1e3 * each / asked:.1f} ms CPU a request" for name, each in report["cpu"].items()]
    cores = ", ".join(f"{100 * each / report['run']['seconds']:.1f} %" for each in report["client_cpu"])
    late = report["late"]
    sent = f"sent late by p50 {late['p50']:.1f} ms, p99 {late['p99']:.1f} ms"
    return "; ".join((*servers, f"clients {cores} of a core each", sent))


def _table(report: Mapping[str, Any]) -> str:
    names = ("asked", "errors", *(f"p{each:g}" for each in PERCENTILES), "max")
    head = "".join(f"<th>{name}</th>" for name in ("", *names))
    rows = "".join(
        f"<tr><td>{escape(kind)}</td>{''.join(f'<td>{found[name]:,.10g}</td>' for name in names)}</tr>"
        for kind, found in report["kinds"].items()
    )
    return f"<table><tr>{head}</tr>{rows}</table><p>Milliseconds from the time when the request was due.</p>"


def _errors(report: Mapping[str, Any]) -> str:
    said = (f"<li>{escape(each['kind'])}: {escape(each['code'])}, {each['count']} times" for each in report["errors"])
    return f"<ul>{''.join(said)}</ul>" if report["errors"] else "<p>None.</p>"


def _by_percentile(report: Mapping[str, Any]) -> Plot:
    def x(percentile: float) -> float:
        return -log10(1 - percentile / 100)

    return Plot(
        title="Latency by percentile",
        x_label="percentile",
        ticks=[(x(each), f"{each:g}") for each in (0, 50, 90, 99, 99.9, 99.99)],
        lines={kind: [(x(p), ms) for p, ms in found["curve"]] for kind, found in report["kinds"].items()},
    )


def _by_second(report: Mapping[str, Any]) -> Plot:
    seconds = {int(second): found for second, found in report["seconds"].items()}
    last = max(seconds, default=1)
    step = max(last // 10, 1)
    return Plot(
        title="Latency by second",
        x_label="seconds from the start",
        ticks=[(each, str(each)) for each in range(0, last + 1, step)],
        lines={name: [(each, found[name]) for each, found in seconds.items()] for name in ("p50", "p99", "max")},
    )
