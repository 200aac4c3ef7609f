"""What ``affinity conform serve`` shows: a live table to a person, lines into a pipe, JSON to a program."""

import json
import sys
from pathlib import Path
from typing import Any, Self

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from affinity.cli.show import console, print_line
from conformance.clients.course import Stand, Standing
from conformance.clients.evidence import findings_of
from conformance.clients.session import Session
from conformance.clients.steps import Judged
from conformance.evidence.record import recorded
from conformance.results import Run

STYLES = {Standing.WAITING: "dim", Standing.MET: "green", Standing.BROKEN: "red", Standing.NOT_CLAIMED: "dim"}
LATEST = 6
"""How many of the last exchanges stand below the table."""


class Screen:
    """Draws lines; the others do it their way. Used in a ``with`` statement, ``end`` after it."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._told: dict[str, Standing] = {}
        self._exchanges = 0

    def __enter__(self) -> Self:
        self.begin()
        return self

    def __exit__(self, *raised: object) -> None:
        """Nothing is held."""

    def begin(self) -> None:
        """Say where to point the client, and what to do first."""
        for line in addresses(self._session):
            print_line(line)
        self._ask()

    def draw(self) -> None:
        """Say what is new."""
        for each in self._new_exchanges():
            print_line(*_line(each))
        for stand in self._new_stands():
            print_line(f"{stand.standing.value.upper()} {stand.step.name}", STYLES[stand.standing])
            for line in stand.message.splitlines():
                print_line(f"    {line}", "red")
            self._ask()

    def end(self, run: Run, evidence: Path) -> None:
        """Say what came of it."""
        counted = ", ".join(f"{count} {outcome}" for outcome, count in run.counts.most_common())
        print_line(f"{run.system}: {counted}; the evidence is {evidence}")

    def _ask(self) -> None:
        current = self._session.course.current
        if current is not None:
            print_line(f"{current.step.name}: {self._session.ask(current.step.name)}", "bold")

    def _new_exchanges(self) -> list[Judged]:
        judged = list(self._session.course.judged)
        new, self._exchanges = judged[self._exchanges :], len(judged)
        return new

    def _new_stands(self) -> list[Stand]:
        stands = [each for each in self._session.course.snapshot() if each.standing is not Standing.WAITING]
        new = [each for each in stands if self._told.get(each.step.name) is not each.standing]
        self._told |= {each.step.name: each.standing for each in new}
        return new


class LiveScreen(Screen):
    """A table that is drawn anew in its place."""

    def __init__(self, session: Session, shown: Console) -> None:
        super().__init__(session)
        self._live = Live(console=shown, refresh_per_second=4, get_renderable=self._table)

    def __exit__(self, *raised: object) -> None:
        self._live.stop()

    def begin(self) -> None:
        """Say where to point the client, then keep the table on the screen."""
        for line in addresses(self._session):
            print_line(line)
        self._live.start()

    def draw(self) -> None:
        """The table anew."""
        self._live.refresh()

    def _table(self) -> Group:
        table = Table(expand=True)
        for title in ("step", "", "what to do, and what came of it"):
            table.add_column(title, overflow="fold")
        current = self._session.course.current
        for stand in self._session.course.snapshot():
            table.add_row(*_row(stand, self._session, is_current=current is not None and stand.step is current.step))
        latest = self._session.course.judged[-LATEST:]
        return Group(table, *(Text(*_line(each)) for each in latest))


class JSONScreen(Screen):
    """One object a line."""

    def begin(self) -> None:
        """The first line: where to point the client."""
        session = self._session
        client = session.certificates.client
        _emit(
            "listening",
            suite=session.course.suite.name,
            ports=dict(session.ports),
            addresses=dict(session.addresses),
            paths=list(session.course.suite.paths),
            words=dict(session.course.world.words),
            authorities=str(client.authorities),
            client_certificate=str(client.certificate),
            client_key=str(client.key),
        )
        self._ask()

    def draw(self) -> None:
        """A line for each exchange, and for each step that has ended."""
        for each in self._new_exchanges():
            fault = each.seen.fault
            _emit(
                "exchange",
                number=each.number,
                transaction=each.name or None,
                step=each.seen.exchange.step,
                fault=str(fault) if fault else None,
                failure=each.seen.exchange.failure or None,
                findings=findings_of(each),
            )
        for stand in self._new_stands():
            _emit(
                "step",
                name=stand.step.name,
                standing=stand.standing,
                message=stand.message or None,
                exchanges=list(stand.exchanges),
                covers=list(stand.step.covers),
            )
            self._ask()

    def end(self, run: Run, evidence: Path) -> None:
        """The last line: the run as it stands in the evidence."""
        _emit("end", evidence=str(evidence), **recorded(run).model_dump(mode="json"))

    def _ask(self) -> None:
        current = self._session.course.current
        if current is not None:
            _emit("waiting", name=current.step.name, ask=self._session.ask(current.step.name))


def screen(session: Session, *, as_json: bool) -> Screen:
    """The one that fits who reads."""
    if as_json:
        return JSONScreen(session)
    return LiveScreen(session, console()) if sys.stdout.isatty() else Screen(session)


def addresses(session: Session) -> list[str]:
    """Where to point the client, and what it needs to be let in."""
    suite, client = session.course.suite, session.certificates.client
    where = [
        f"  {name:15} {address}{' or '.join(suite.paths) if '://' in address else ''}"
        for name, address in session.addresses.items()
    ]
    own = f"{client.certificate} with {client.key}, or a certificate of the same authority"
    return [
        f"Suite {suite.name}: point the client at",
        *where,
        f"  trust          {client.authorities}",
        f"  show           {f'a certificate that {client.authorities} issued' if session.wanted.given else own}",
        f"  patient        {session.course.world.patient}",
    ]


def _row(stand: Stand, session: Session, *, is_current: bool) -> tuple[str, str, str]:
    style = "bold yellow" if is_current else STYLES[stand.standing]
    told = session.ask(stand.step.name) if is_current or not stand.message else stand.message
    name, standing = escape(stand.step.name), stand.standing.value
    return f"[{style}]{name}[/{style}]", f"[{style}]{standing}[/{style}]", f"[{style}]{escape(told)}[/{style}]"


def _line(each: Judged) -> tuple[str, str]:
    fault = f", fault: {each.seen.fault}" if each.seen.fault else ""
    wrong = f", {len(each.errors)} findings" if each.errors else ""
    failure = f", {each.seen.exchange.failure}" if each.seen.exchange.failure and not fault else ""
    text = f"  {each.number:4} {each.name or 'unknown request'} at {each.seen.door}{fault}{failure}{wrong}"
    return text, "red" if each.errors else ""


def _emit(event: str, **values: Any) -> None:
    sys.stdout.write(json.dumps({"event": event, **values}, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()
