"""kill -9 in the middle of feeds and submissions: nothing acknowledged is lost, nothing half is visible."""

import os
import subprocess
from functools import partial
from pathlib import Path

import pytest

from tests.end_to_end.conftest import executed, start_node
from tests.faults.attack import Attack
from tests.faults.consent_scene import make_scene

ROUNDS = int(os.environ.get("AFFINITY_FAULT_ROUNDS", "6"))
WORKERS = ("serve", "--workers", "2", "--http-port", "0", "--mllp-port", "0")


class Together(subprocess.Popen[str]):
    """A parent and its workers: what is signalled to it is signalled to all of them."""

    def send_signal(self, number: int) -> None:
        os.killpg(self.pid, number)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of the database that the node has."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'data' / 'affinity.db'}"
    return str(request.getfixturevalue("empty_postgresql"))


def test_nothing_acknowledged_is_lost_and_nothing_half_is_visible(url: str, tmp_path: Path) -> None:
    rounds = ROUNDS if url.startswith("sqlite") else (ROUNDS + 1) // 2  # PostgreSQL takes twice as long
    scene, data = make_scene(tmp_path), tmp_path / "data"
    start = partial(start_node, data, *scene.options, "--database-url", url)
    attack = Attack(start(), rounds, scene, scene.desk(data, url))
    attack.run(start)
    attack.check(url, tmp_path)


def test_nothing_is_lost_when_a_parent_and_its_workers_end_together(tmp_path: Path) -> None:
    scene, data = make_scene(tmp_path), tmp_path / "data"
    url = f"sqlite:///{data / 'affinity.db'}"
    begin = partial(start_node, data, *scene.options, begin=partial(executed, kind=Together), verb=WORKERS)
    attack = Attack(begin(), (ROUNDS + 5) // 6, scene, scene.desk(data, url))
    attack.run(begin)
    attack.check(url, tmp_path)
