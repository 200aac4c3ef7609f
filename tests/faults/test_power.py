"""Power cuts: what a disk had not been told to keep is gone, and nothing that was acknowledged is among it.

The disk forgets everything that was not synced, file by file and directory by directory (``power.c``). Real ones forget
less, kernels sync some of it unasked: what passes here does not lean on them.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.conftest import ROOT, RunningNode, executed, start_node
from tests.faults.attack import Attack
from tests.faults.compiling import compiled
from tests.faults.consent_scene import make_scene
from tests.faults.power import Disk

ROUNDS = (int(os.environ.get("AFFINITY_FAULT_ROUNDS", "6")) + 2) // 3


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    """An empty disk; a node that is started has it under it."""
    made = Disk(tmp_path / "disk", tmp_path / "kept")
    made.root.mkdir()
    made.note()
    monkeypatch.setenv("LD_PRELOAD", str(compiled("power", tmp_path)))
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    return made


def test_what_was_acknowledged_outlasts_power_cuts(disk: Disk, tmp_path: Path) -> None:
    scene, data = make_scene(tmp_path), disk.root / "data"
    url = f"sqlite:///{data / 'affinity.db'}"

    def start() -> RunningNode:
        return start_node(data, *scene.options, begin=executed)

    def start_after_cut() -> RunningNode:
        disk.cut()
        return start()

    attack = Attack(start(), ROUNDS, scene, scene.desk(data, url, executed))
    attack.run(start_after_cut)
    attack.check(url, tmp_path)


def test_a_disk_keeps_what_was_synced_alone(disk: Disk) -> None:
    program = """
import os, pathlib, sys
root = pathlib.Path(sys.argv[1])
def sync(path):
    os.fsync(os.open(path, os.O_RDONLY))
for name in ("whole", "forgotten"):
    (root / name).write_bytes(b"first")
    sync(root / name)
(root / "empty").write_bytes(b"never synced")
(root / "never").mkdir()
(root / "never" / "known").touch()
sync(root)
(root / "whole").write_bytes(b"second")
(root / "forgotten").unlink()
(root / "late").write_bytes(b"no entry")
sync(root / "late")
"""
    run(program, disk)

    for _ in range(2):  # what outlasted a cut outlasts the next
        disk.cut()
        found = {each.name: each.read_bytes() for each in disk.root.iterdir() if each.is_file()}
        assert found == {"whole": b"first", "forgotten": b"first", "empty": b""}
        assert list((disk.root / "never").iterdir()) == []


def test_what_is_made_durably_outlasts_a_cut(disk: Disk) -> None:
    program = """
import pathlib, sys
from ihe.durable import create_whole, make_directory, write_whole
place = pathlib.Path(sys.argv[1]) / "made" / "deep"
make_directory(place)
write_whole(place / "note", b"old")
write_whole(place / "note", b"new")
create_whole(place / "key", b"first", mode=0o400)
try:
    create_whole(place / "key", b"second")
except FileExistsError:
    create_whole(place / "refused", b"")
"""
    run(program, disk)
    disk.cut()
    found = {each.name: each.read_bytes() for each in (disk.root / "made" / "deep").iterdir()}
    assert found == {"note": b"new", "key": b"first", "refused": b""}
    assert (disk.root / "made" / "deep" / "key").stat().st_mode & 0o777 == 0o400


def run(program: str, disk: Disk) -> None:
    subprocess.run([sys.executable, "-c", program, disk.root], check=True, cwd=ROOT)
