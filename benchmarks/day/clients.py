"""Several client processes that begin together, so that none of them is what is measured."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from benchmarks.day.open_loop import Door, play
from benchmarks.day.results import Recorder, Results, together
from benchmarks.day.traffic import Cast, schedule
from soap.client import client_tls

PREPARED_WITHIN = 300.0
"""Seconds in which every client has made its requests."""
MOST_SECONDS, MOST_REQUESTS = 300.0, 100_000
"""Bounds of a run; assertions are valid for ten minutes, and requests are held in memory."""


class NotAllowed(ValueError):
    """A load that this generator does not make."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where requests go: literal loopback addresses and ports by door, ``http`` and ``mllp``; TLS with a ``pki``."""

    doors: Mapping[str, tuple[str, int]]
    pki: Path | None = None

    def __post_init__(self) -> None:
        for host, port in self.doors.values():
            refuse_other_than_loopback(host, port)

    def open(self, connections: int) -> dict[str, Door]:
        """The doors, each used with so many connections."""
        pki = self.pki
        tls = client_tls(pki / "ca.crt.pem", pki / "client.crt.pem", pki / "client.key.pem") if pki else None
        return {
            name: Door(host=host, port=port, connections=connections, tls=tls)
            for name, (host, port) in self.doors.items()
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """``rate`` requests a second for ``seconds``, by ``clients`` processes with ``connections`` to each door."""

    rate: float
    seconds: float
    seed: int
    clients: int = 2
    connections: int = 8
    grace: float = 30.0

    def __post_init__(self) -> None:
        if not 0 < self.seconds <= MOST_SECONDS:
            raise NotAllowed(f"a run lasts at most {MOST_SECONDS:.0f} s, not {self.seconds}")
        if not 0 < self.rate * self.seconds <= MOST_REQUESTS:
            raise NotAllowed(f"a run has at most {MOST_REQUESTS} requests: lower the rate or the seconds")
        if not (0 < self.clients <= 16 and 0 < self.connections <= 64):
            raise NotAllowed("a run has 1 to 16 clients with 1 to 64 connections to each port")


def refuse_other_than_loopback(host: str, port: int) -> None:
    """NotAllowed unless the host is a loopback address, written as such: no name is looked up."""
    try:
        allowed = ip_address(host).is_loopback
    except ValueError:
        allowed = False
    if not allowed:
        raise NotAllowed(f"{host}:{port} is no loopback address; load goes to this machine alone, e.g. 127.0.0.1")


def run(target: Target, cast: Cast, plan: Run) -> Results:
    """Play the run; what all clients found. RuntimeError if one of them failed."""
    context = get_context("spawn")
    barrier = context.Barrier(plan.clients)
    clients = []
    for number in range(plan.clients):
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_client, args=(target, cast, plan, number, barrier, theirs), daemon=True)
        process.start()
        theirs.close()
        clients.append((process, ours))
    try:
        return together([_told(each) for _, each in clients])
    finally:
        for process, _ in clients:
            process.terminate()
            process.join()


def _told(client: Connection) -> Any:
    try:
        return client.recv()
    except EOFError:
        raise RuntimeError("a client of the load ended early; its words are above") from None


def _client(target: Target, cast: Cast, plan: Run, number: int, barrier: Barrier, answer: Connection) -> None:
    """What one process does: make its requests, wait for the others, play, tell."""
    seed = plan.seed * 1000 + number
    due = tuple(schedule(cast, plan.rate / plan.clients, plan.seconds, seed))
    recorder, doors = Recorder(), target.open(plan.connections)
    barrier.wait(PREPARED_WITHIN)
    before = time.process_time()
    play(due, doors, plan.grace, recorder)
    answer.send(recorder.packed(time.process_time() - before))
