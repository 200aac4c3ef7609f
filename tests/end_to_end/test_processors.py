"""The threads of a node share one processor, so that none waits for the interpreter on another one."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from affinity.lifecycle import REACTOR_THREADS
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
