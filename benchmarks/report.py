"""The table for people, the JSON for programs that compare."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.figures import Figure


def show(console: Console, machine: Mapping[str, str], figures: Iterable[Figure]) -> None:
    """Print machine and figures: the median, all between the lowest and the highest run, the aim."""
    table = Table(title="Affinity benchmarks", caption=", ".join(f"{name} {value}" for name, value in machine.items()))
    for heading in ("benchmark", "what"):
        table.add_column(heading)
    for heading in ("median", "runs", "aim"):
        table.add_column(heading, justify="right", no_wrap=True)
    before = ""
    for figure in figures:
        if before and figure.benchmark != before:
            table.add_section()
        table.add_row(figure.benchmark if figure.benchmark != before else "", *_cells(figure))
        before = figure.benchmark
    console.print(table)


def save(file: Path, machine: Mapping[str, str], figures: Iterable[Figure]) -> None:
    """Write machine and figures, every run included."""
    content = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": dict(machine),
        "figures": [_plain(figure) for figure in figures],
    }
    file.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def _cells(figure: Figure) -> tuple[str, str, str, str]:
    spread = f"{_number(min(figure.runs))} to {_number(max(figure.runs))}" if len(figure.runs) > 1 else ""
    return figure.name, f"{_number(figure.value)} {figure.unit}", spread, _aim(figure)


def _aim(figure: Figure) -> str:
    if figure.aim is None:
        return ""
    colour = "green" if figure.aim.is_met_by(figure.value) else "red"
    verdict = "met" if figure.aim.is_met_by(figure.value) else "missed"
    return f"[{colour}]{figure.aim.better.value} {_number(figure.aim.value)} {verdict}[/]"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _plain(figure: Figure) -> dict[str, object]:
    aim = figure.aim
    return {
        "benchmark": figure.benchmark,
        "name": figure.name,
        "unit": figure.unit,
        "median": figure.value,
        "runs": list(figure.runs),
        "aim": None if aim is None else {"better": aim.better.name.lower(), "value": aim.value},
        "met": None if aim is None else aim.is_met_by(figure.value),
    }
