"""``python -m benchmarks.day``: a national day against a node, on loopback alone; bounded, and it stops by itself.

python -m benchmarks.day --rate 20 --seconds 30
python -m benchmarks.day --rate 20 --seconds 30 --database postgresql --secure --json day.json --html day.html
python -m benchmarks.day --rate 20 --seconds 30 --http 127.0.0.1:8080 --mllp 127.0.0.1:2575
"""

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks import machine, postgresql
from benchmarks.assertions import user_header
from benchmarks.day import report
from benchmarks.day.clients import NotAllowed, Run, Target, run
from benchmarks.day.filling import admit
from benchmarks.day.traffic import Cast
from benchmarks.growth import Engine
from benchmarks.node import Node
from benchmarks.process import cpu_seconds, family_cpu_seconds

WIDTH = 118


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A node, how to reach it, and the seconds of CPU that it and its database have used so far."""

    target: Target
    header: bytes
    cpu: Callable[[], dict[str, float]]


def main(
    rate: Annotated[float, typer.Option(help="Requests a second, all kinds together.")] = 20,
    seconds: Annotated[float, typer.Option(help="How long requests are due.")] = 30,
    seed: Annotated[int, typer.Option(help="The same seed asks the same at the same moments.")] = 1,
    clients: Annotated[int, typer.Option(help="Client processes.")] = 2,
    connections: Annotated[int, typer.Option(help="Connections of each client to each port.")] = 8,
    patients: Annotated[int, typer.Option(help="Patients who have documents before it begins.")] = 30,
    database: Annotated[Engine, typer.Option(help="Of the node that is started.")] = Engine.SQLITE,
    secure: Annotated[bool, typer.Option("--secure", help="Mutual TLS on every port, an assertion on SOAP.")] = False,
    http: Annotated[str | None, typer.Option(help="A running node of the connectathon domain: ADDRESS:PORT.")] = None,
    mllp: Annotated[str | None, typer.Option(help="Its MLLP port: ADDRESS:PORT.")] = None,
    pki: Annotated[Path | None, typer.Option(help="With --secure: the pki directory of that development node.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write the report for programs.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write the page with plots.")] = None,
) -> None:
    """Play a national day. Latencies count from the time a request was due (no coordinated omission)."""
    try:
        plan = Run(rate=rate, seconds=seconds, seed=seed, clients=clients, connections=connections)
        with tempfile.TemporaryDirectory(prefix="affinity-day-") as made:
            place = Path(made)
            about = machine.describe(place) | {"node": "given" if http else f"{database}, secure {secure}"}
            given = _given(http, mllp, pki if secure else None)
            with _started(place, database, secure) if given is None else _running(given) as measured:
                found = _measure(measured, plan, patients, about)
    except NotAllowed as refused:
        raise typer.BadParameter(str(refused)) from None
    report.show(Console(width=None if sys.stdout.isatty() else WIDTH), found)
    if json is not None:
        report.save_json(json, found)
    if html is not None:
        report.save_page(html, found)


def _measure(measured: Measured, plan: Run, patients: int, about: dict[str, str]) -> dict[str, object]:
    cast = Cast(documents=admit(measured.target, measured.header, patients, plan.seed), header=measured.header)
    before = measured.cpu()
    results = run(measured.target, cast, plan)
    costs = {name: after - before[name] for name, after in measured.cpu().items()}
    return report.plain(plan, results, about, costs)


def _given(http: str | None, mllp: str | None, pki: Path | None) -> Target | None:
    if http is None and mllp is None:
        return None
    if http is None or mllp is None:
        raise NotAllowed("--http and --mllp belong together: a day asks both")
    return Target(doors={"http": _address(http), "mllp": _address(mllp)}, pki=pki)


def _address(written: str) -> tuple[str, int]:
    host, _, port = written.rpartition(":")
    if not port.isdecimal():
        raise NotAllowed(f"{written!r} is no ADDRESS:PORT, for example 127.0.0.1:8080")
    return host.strip("[]"), int(port)


@contextmanager
def _running(target: Target) -> Iterator[Measured]:
    yield Measured(target=target, header=user_header(target.pki) if target.pki else b"", cpu=dict)


@contextmanager
def _started(place: Path, database: Engine, secure: bool) -> Iterator[Measured]:
    with ExitStack() as stack:
        server = None
        if database is Engine.POSTGRESQL:
            server = stack.enter_context(postgresql.Server(place / "postgresql"))
        url = server.empty("day") if server else None
        node = stack.enter_context(Node(place / "node", database_url=url, xua="required" if secure else "off"))
        doors = {name: ("127.0.0.1", node.ports[name + ("s" if secure else "")]) for name in ("http", "mllp")}
        target = Target(doors=doors, pki=node.data / "pki" if secure else None)

        def cpu() -> dict[str, float]:
            found = {"node": cpu_seconds(node.pid)}
            return found | {"PostgreSQL": family_cpu_seconds(server.pid)} if server else found

        yield Measured(target=target, header=user_header(target.pki) if target.pki else b"", cpu=cpu)


if __name__ == "__main__":
    typer.run(main)
