"""The threads of a node share one processor, so that none waits for the interpreter on another one."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from affinity.lifecycle import REACTOR_THREADS
from affinity.processors import chosen
from affinity.settings import Settings
from tests.end_to_end.conftest import Start
from tests.forked import Forked

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2,
    reason="this system has one processor, or does not say where threads run",
)


def may_use(pid: int) -> Counter[int]:
    """How many threads may use how many processors."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return Counter(len(os.sched_getaffinity(int(each.name))) for each in threads)


def test_all_threads_but_those_of_documents_share_one(start: Start) -> None:
    found = may_use(start().process.pid)
    assert found[1] > 1
    assert found.total() - found[1] == REACTOR_THREADS


def test_a_setting_lets_them_take_any(start: Start) -> None:
    def anywhere(words: Sequence[str], environment: Mapping[str, str]) -> Forked:
        return Forked(words, {**environment, "AFFINITY__LIMITS__ONE_PROCESSOR": "false"})

    assert may_use(start(begin=anywhere).process.pid)[1] == 0


def test_workers_of_a_node_take_one_after_the_other(tmp_path: Path) -> None:
    numbers = [chosen(Settings(data=tmp_path), worker) for worker in (1, 2, 3)]
    assert [number - numbers[0] for number in numbers if number and numbers[0]] == [0, 1, 2]
