"""Processes under measurement: what they cost in CPU time and memory, as the Linux kernel counts it."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).parents[1]
CLOCK_OF_A_PROCESS = 2
"""CPUCLOCK_SCHED, the low bits of a clock id that names the CPU time of another process (clock_getcpuclockid(3))."""


def cpu_seconds(pid: int) -> float:
    """The CPU time of all threads of a process so far, to the nanosecond."""
    return time.clock_gettime((~pid << 3) | CLOCK_OF_A_PROCESS)


def family_cpu_seconds(pid: int) -> float:
    """The CPU time of a process and its children so far: those that live, and those that it waited for."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    ended = sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[13:15]))
    return cpu_seconds(pid) + sum(map(cpu_seconds, map(int, children))) + ended / os.sysconf("SC_CLK_TCK")


def peak_rss(pid: int) -> int:
    """The most memory that a process ever held, in bytes (VmHWM)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "VmHWM":
            return int(value.split()[0]) * 1024
    raise ProcessLookupError(f"process {pid} has no VmHWM")


class ChildServer:
    """``python -m MODULE ARGUMENTS``, which prints the port that it listens on; ended with the ``with`` statement."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._process = start(module, arguments, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        if not said.strip().isdecimal():
            raise RuntimeError(f"{module} did not start")
        self.port = int(said)
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, where: TracebackType | None
    ) -> None:
        end(self._process)


def start(
    module: str,
    arguments: Sequence[str],
    *,
    stdout: int = subprocess.DEVNULL,
    stderr: int | None = None,
    root: Path = ROOT,
) -> "subprocess.Popen[str]":
    """Run a module of a tree, this one unless told otherwise, with this interpreter."""
    command = [sys.executable, "-m", module, *arguments]
    around = {**os.environ, "PYTHONPATH": str(root)}
    return subprocess.Popen(command, cwd=root, env=around, stdout=stdout, stderr=stderr, text=True)


def end(process: "subprocess.Popen[str]") -> None:
    """Ask a process to stop; insist after a while."""
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(30)
