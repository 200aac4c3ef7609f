"""Where the figures were taken: without this no figure means anything."""

import os
import platform
import sqlite3
import sys
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median

SYNCS = 50
LOOPS, ROUNDS = 5, 300_000


def describe(directory: Path) -> dict[str, str]:
    """Processor, memory, disk (the median of a 4 KiB write with fsync), versions, and how busy the machine is.

    The loop tells interpreters apart that say the same version: one built with profiles takes less.
    """
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "fsync of 4 KiB": f"{_fsync_seconds(directory) * 1e3:.2f} ms",
        "load average": f"{os.getloadavg()[0]:.2f}",
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_version()} ({Path(sys.executable).resolve()})",
        "a fixed loop of Python": f"{_loop_seconds() * 1e3:.0f} ms",
        "sqlite": sqlite3.sqlite_version,
        "twisted": version("twisted"),
        "lxml": version("lxml"),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def _fsync_seconds(directory: Path) -> float:
    times = []
    with (directory / "fsync").open("wb", buffering=0) as file:
        for _ in range(SYNCS):
            began = time.perf_counter()
            file.write(bytes(4096))
            os.fsync(file.fileno())
            times.append(time.perf_counter() - began)
    return median(times)


def _loop_seconds() -> float:
    """The least of several times for the same calls, additions and look-ups."""
    times = []
    for _ in range(LOOPS):
        began, known = time.perf_counter(), dict[int, str]()
        for number in range(ROUNDS):
            known[number % 100] = str(number)
        times.append(time.perf_counter() - began)
    return min(times)
