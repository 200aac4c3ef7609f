"""One node behind every simulator of these tests, and simulators that listen on any ports before it."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from affinity.domain import load
from conformance.clients.seeding import seed
from conformance.clients.session import Behind, Session, Wanted, listening
from conformance.clients.suites import client_suite
from conformance.simulators.faults import Fault
from conformance.simulators.node import BackingNode, NodeSettings
from xua.authentication import XUAMode

LATE = 60.0
"""Seconds for which a late answer keeps away: the clients of these tests give up long before."""
Listen = Callable[..., Session]


@pytest.fixture(scope="session")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    """A node that takes assertions and does not demand them, and what it knows."""
    folder = tmp_path_factory.mktemp("behind")
    settings = NodeSettings(domain="connectathon", data=folder / "node", log=folder / "node.log", xua=XUAMode.OPTIONAL)
    with BackingNode(settings) as node:
        yield node, seed(node, load("connectathon").affinity_domain, XUAMode.OPTIONAL, documents=True)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates are made once."""
    return tmp_path_factory.mktemp("simulators")


@pytest.fixture
def listen(behind: Behind, folder: Path) -> Iterator[Listen]:
    """Make suites listen until the test ends."""
    with ExitStack() as open_sessions:

        def begin(suite: str, *faults: Fault, steps: tuple[str, ...] = (), skipped: Iterable[str] = ()) -> Session:
            chosen = client_suite(suite, LATE)
            if steps:
                chosen = replace(chosen, steps=tuple(each for each in chosen.steps if each.name in steps))
            wanted = Wanted(suite=chosen, folder=folder, faults=faults, skipped=frozenset(skipped))
            return open_sessions.enter_context(listening(wanted, lambda *_: nullcontext(behind)))

        yield begin
