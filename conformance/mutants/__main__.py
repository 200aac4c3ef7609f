"""``python -m conformance.mutants``: hunt every mutant on a node of its own, and print the score."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from conformance.mutants.everyone import mutants
from conformance.mutants.hunt import Hunted, hunt
from conformance.system import System, declared

PATIENCE = 60.0
"""Seconds that a node has to start."""
ANY_PORT = [word for name in ("http", "https", "mllp", "mllps") for word in (f"--{name}-port", "0")]


@contextmanager
def mutable_node(folder: Path) -> Iterator[tuple[System, Path]]:
    """A node of the connectathon domain in a process of its own, and its declaration."""
    data, declaration = folder / "data", folder / "sut.toml"
    command = [sys.executable, "-m", "conformance.mutants.node", "--data", str(data), "--domain", "connectathon"]
    with (folder / "log").open("wb") as log, subprocess.Popen([*command, *ANY_PORT], stderr=log) as process:
        try:
            _wait_for(data / "ports.json", process)
            init = [sys.executable, "-m", "affinity", "conform", "init", str(declaration), "--data", str(data)]
            subprocess.run(init, check=True, stdout=subprocess.DEVNULL)
            yield declared(declaration), data
        finally:
            process.terminate()


def main(wanted: list[str]) -> int:
    """Hunt those whose name begins with one of ``wanted``, or all; 1 if one was not caught."""
    chosen = [each for each in mutants() if not wanted or each.name.startswith(tuple(wanted))]
    with tempfile.TemporaryDirectory() as folder, mutable_node(Path(folder)) as (system, data):
        found = hunt(system, data, chosen, _tell)
    free = [each for each in found if not each.is_caught]
    print(f"{len(found) - len(free)} of {len(found)} mutants were caught")
    return 1 if free else 0


def _tell(hunted: Hunted) -> None:
    by = f"by {len(hunted.by)} of {hunted.tried} tests" if hunted.is_caught else f"FREE after {hunted.tried} tests"
    print(f"{hunted.mutant.name}: {by}", flush=True)


def _wait_for(file: Path, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + PATIENCE
    while not file.exists():
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError("the node did not start")
        time.sleep(0.1)


if __name__ == "__main__":
    os.environ.setdefault("AFFINITY__LOG__FORMAT", "json")
    sys.exit(main(sys.argv[1:]))
