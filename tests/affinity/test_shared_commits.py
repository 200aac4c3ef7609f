"""Works that have something in common share a transaction where they wait, and each hears what became of it."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection

from affinity import shared_commits
from affinity.outages import InDoubt, Trouble, Unavailable
from affinity.shared_commits import GROUP, SharedCommits
from affinity.works import Work
from statements.together import with_others


class Part:
    """What one work has in common; ``is_apart``: nothing, after all."""

    def __init__(self, *, is_apart: bool = False) -> None:
        self.is_apart = is_apart
        self.is_prepared = False

    def prepare(self) -> None:
        self.is_prepared = True


@contextmanager
def together(_connection: Connection, some: Sequence[Part]) -> Iterator[list[Part]]:
    assert all(each.is_prepared for each in some)
    yield [each for each in some if not each.is_apart]


class Server:
    """Does works one at a time and notes which of them shared a transaction; refuses what it is told to."""

    def __init__(self) -> None:
        self.transactions: list[list[int]] = []
        self.refusing: Callable[[list[int]], Exception | None] = lambda works: None
        self.first, self.release = threading.Event(), threading.Event()
        self._turn = threading.Lock()

    def write(self, work: Work[Any]) -> tuple[Any, int]:
        with self._turn:
            done: list[int] = []
            result = work(done)  # type: ignore[arg-type]
            if refusal := self.refusing(done):
                raise refusal
            self.transactions.append(done)
            return result, 7

    def hold(self, _connection: object) -> None:
        self.first.set()
        assert self.release.wait(60)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setattr(shared_commits, "AT_ONCE", 1)
    return Server()


def waiting(server: Server, parts: Sequence[Part]) -> list[Future[Any]]:
    """Let works wait for one that is held, then let all go on; each returns its place."""
    commits = SharedCommits(server.write)

    def one(place: int, part: Part) -> Any:
        def work(done: Any) -> int:
            done.append(place)
            return place

        return with_others(together, part, lambda: commits.write(work))

    with ThreadPoolExecutor(len(parts) + 1) as pool:
        pool.submit(with_others, together, Part(), lambda: commits.write(server.hold))
        assert server.first.wait(60)
        futures = []
        for place, part in enumerate(parts):
            futures.append(pool.submit(one, place, part))
            while commits.waiting <= place:
                pass
        server.release.set()
    assert commits._under_way == commits.waiting == 0
    return futures


def test_who_waits_shares_a_transaction_and_hears_its_own_result(server: Server) -> None:
    futures = waiting(server, [Part() for _ in range(5)])
    assert [each.result() for each in futures] == [(place, 7) for place in range(5)]
    assert server.transactions == [[], [0, 1, 2, 3, 4]]


def test_no_more_than_a_group_shares_one(server: Server) -> None:
    futures = waiting(server, [Part() for _ in range(GROUP + 3)])
    assert [each.result()[0] for each in futures] == list(range(GROUP + 3))
    assert list(map(len, server.transactions)) == [0, GROUP, 3]


def test_one_that_waits_alone_has_its_own(server: Server) -> None:
    [future] = waiting(server, [Part(is_apart=True)])
    assert future.result() == (0, 7)
    assert server.transactions == [[], [0]]


def test_who_has_nothing_in_common_after_all_is_done_alone(server: Server) -> None:
    futures = waiting(server, [Part(is_apart=place in (0, 2)) for place in range(4)])
    assert [each.result()[0] for each in futures] == [0, 1, 2, 3]
    assert server.transactions[1] == [1, 3]
    assert sorted(server.transactions[2:]) == [[0], [2]]


def test_one_that_fails_fails_alone(server: Server) -> None:
    server.refusing = lambda works: ValueError("two") if 2 in works else None
    futures = waiting(server, [Part() for _ in range(4)])
    assert isinstance(futures[2].exception(), ValueError)
    assert [each.result()[0] for each in futures if each is not futures[2]] == [0, 1, 3]
    assert sorted(server.transactions[1:]) == [[0], [1], [3]]


@pytest.mark.parametrize("trouble", [Unavailable(Trouble.AWAY), InDoubt()])
def test_what_nobody_can_store_or_nobody_knows_is_told_to_all_and_not_tried_again(
    server: Server, trouble: Exception
) -> None:
    server.refusing = lambda works: trouble if works else None
    futures = waiting(server, [Part() for _ in range(3)])
    assert [each.exception() for each in futures] == [trouble] * 3
    assert server.transactions == [[]]


def test_some_are_under_way_at_a_time(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first ones wait for nobody."""
    monkeypatch.setattr(shared_commits, "AT_ONCE", 3)
    inside = threading.Barrier(3)
    commits = SharedCommits(lambda work: (work(None), None))  # type: ignore[arg-type]
    with ThreadPoolExecutor(3) as pool:
        futures = [
            pool.submit(with_others, together, Part(), lambda: commits.write(lambda _: inside.wait(60)))
            for _ in range(3)
        ]
    assert sorted(each.result()[0] for each in futures) == [0, 1, 2]
