"""The chores of a node whose wall clock is ahead for a while: nothing is old because a clock says so."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select
from twisted.internet.defer import maybeDeferred
from twisted.internet.task import Clock

from affinity.chores import housekeeping
from affinity.configuration_audit import ConfigurationAudit
from affinity.domain import load
from affinity.housekeeping import AFTER, EVERY
from affinity.node import Node, open_node, utc_now
from affinity.settings import Settings
from pix.tables import receipt

YEAR, SECOND = timedelta(days=365), timedelta(seconds=1)


@dataclass
class Stage:
    """A node, its chores, and both its clocks; a receipt of its beginning, and bytes that no row refers to."""

    node: Node
    reactor: Clock
    ahead: timedelta = timedelta()

    def pass_by(self, time: timedelta) -> None:
        self.reactor.advance(time.total_seconds())

    def left(self) -> tuple[int, int]:
        """How many receipts and documents there are."""
        receipts = self.node.database.read(lambda each: each.scalar(select(func.count()).select_from(receipt)))
        return receipts or 0, len(list(self.node.store.stored()))


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[[timedelta], Stage]]:
    """Begins the chores of a node whose clock is ahead by so much at its start."""
    settings = Settings(domain="demo", data=tmp_path / "data")
    node = open_node(settings, load("demo"))
    row = {"source": "LAB", "message_id": "1", "digest": "", "answer": b"", "at": datetime.now(UTC).isoformat()}
    node.database.write(lambda each: each.execute(insert(receipt).values(row)))

    def begun(ahead: timedelta) -> Stage:
        stage, began = Stage(node, Clock(), ahead), datetime.now(UTC) - SECOND  # the clock of files is coarse
        wall = lambda: began + stage.ahead + timedelta(seconds=stage.reactor.seconds())  # noqa: E731
        configuration = ConfigurationAudit(settings, node.trail, utc_now)
        chores = housekeeping(settings, node, configuration, stage.reactor, maybeDeferred, wall)
        _leave_bytes(node)
        for each in chores:
            each.start()
        return stage

    yield begun
    node.close()


def _leave_bytes(node: Node) -> None:
    sink = node.store.create()
    sink.write(b"of a submission whose rows are not committed yet")
    part = sink.finish("part", "text/plain")
    with node.store.adopting([part], lambda _: True):
        pass
    sink.discard()


def test_a_clock_that_is_ahead_for_a_while_destroys_nothing(begin: Callable[[timedelta], Stage]) -> None:
    stage = begin(timedelta())
    stage.ahead = YEAR
    stage.pass_by(EVERY / 2)
    assert stage.left() == (1, 1)


def test_a_clock_that_is_ahead_at_the_start_and_set_right_destroys_nothing(
    begin: Callable[[timedelta], Stage],
) -> None:
    stage = begin(YEAR)
    stage.pass_by(AFTER / 2)
    stage.ahead = timedelta()
    stage.pass_by(EVERY / 2)
    assert stage.left() == (1, 1)


def test_what_is_old_goes_by_and_by(begin: Callable[[timedelta], Stage]) -> None:
    stage = begin(timedelta())
    for _ in range(YEAR // EVERY):
        stage.pass_by(EVERY)
    assert stage.left() == (0, 0)
