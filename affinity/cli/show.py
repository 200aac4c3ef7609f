"""Tables for people, JSON for programs, progress on standard error where somebody watches."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

WORTH_WATCHING = 4 * 2**20
"""Bytes from which a transfer shows its progress."""
UNFOLDED = 240
"""Columns of a table that goes into a pipe."""

Advance = Callable[[int], None]
"""Told how many bytes more went through."""


def console() -> Console:
    """Standard output; never wraps text that a program reads."""
    return Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else UNFOLDED)


def print_json(value: Any) -> None:
    """One JSON value, readable, in UTF-8."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")


def print_line(text: str, style: str = "") -> None:
    """One line; ``text`` is data and never markup."""
    console().print(f"[{style}]{escape(text)}[/{style}]" if style else escape(text))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], styles: Sequence[str] = ()) -> None:
    """A table whose cells are folded and never cut; ``styles`` are those of the rows."""
    table = Table(box=SIMPLE, pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for number, row in enumerate(rows):
        table.add_row(*map(escape, row), style=styles[number] if styles else "")
    console().print(table)


@contextmanager
def watched(what: str, size: int | None) -> Iterator[Advance]:
    """Show how a transfer of ``size`` bytes (None: unknown) goes on, if it is long and somebody watches."""
    if (size is not None and size < WORTH_WATCHING) or not sys.stderr.isatty():
        yield lambda count: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(escape(what), total=size)
        yield lambda count: progress.update(task, advance=count)


@contextmanager
def steps() -> Iterator[Callable[[str], None]]:
    """Say on standard error what is being done, step by step."""
    told = Console(stderr=True, highlight=False, soft_wrap=True)
    yield lambda text: told.print(escape(text))


@contextmanager
def tallied(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show how many things are done of how many, if somebody watches; told both each time."""
    if not sys.stderr.isatty():
        yield lambda reached, total: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(escape(what), total=None)
        yield lambda reached, total: progress.update(task, completed=reached, total=total)


@contextmanager
def counted(what: str, total: int | None) -> Iterator[Advance]:
    """Show how many of ``total`` things are done, if somebody watches; told how many there are so far."""
    if not sys.stderr.isatty():
        yield lambda reached: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(escape(what), total=total)
        yield lambda reached: progress.update(task, completed=reached)
