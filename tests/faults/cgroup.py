"""A cgroup in which processes have so many bytes of memory, page cache included; mostly root alone may make one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

MOUNT = Path("/sys/fs/cgroup")
ENTER = 'echo $$ > "$0" && exec "$@"'


@dataclass(frozen=True)
class Cgroup:
    """``first`` tells the two kernel interfaces apart: version 1 of cgroups, where "memory" has a tree of its own."""

    directory: Path
    first: bool

    @property
    def under(self) -> tuple[str, ...]:
        """The command that enters the group and becomes what follows."""
        return "/bin/sh", "-c", ENTER, str(self.directory / "cgroup.procs")

    def cap(self, size: int) -> None:
        """Give it so many bytes."""
        (self.directory / ("memory.limit_in_bytes" if self.first else "memory.max")).write_text(str(size))

    @property
    def killed(self) -> int:
        """How many processes the kernel killed for want of memory."""
        told = (self.directory / ("memory.oom_control" if self.first else "memory.events")).read_text()
        return int(dict(line.split() for line in told.splitlines())["oom_kill"])

    @property
    def highest(self) -> int:
        """The most bytes that it had, page cache included."""
        return int((self.directory / ("memory.max_usage_in_bytes" if self.first else "memory.peak")).read_text())


@contextmanager
def capped(name: str, size: int) -> Iterator[Cgroup]:
    """A cgroup beside or below our own; skipped where none can be made."""
    try:
        made = _place(name)
        made.directory.mkdir()
    except OSError as error:
        pytest.skip(f"a limit on memory needs the right to make a cgroup with the controller of memory: {error}")
    try:
        made.cap(size)
        yield made
    finally:
        made.directory.rmdir()


def _place(name: str) -> Cgroup:
    """Of version 1 below our own; of version 2, where a group with processes has none below it, beside our own."""
    ours = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    for _, controllers, path in ours:
        if "memory" in controllers.split(","):
            return Cgroup(MOUNT / "memory" / path.strip("/") / name, first=True)
    (path,) = [path for _, controllers, path in ours if not controllers] or ["/"]
    around = (MOUNT / path.strip("/")).parent if path != "/" else MOUNT
    if "memory" not in (around / "cgroup.subtree_control").read_text().split():
        raise OSError(f"{around} gives its children no controller of memory")
    return Cgroup(around / name, first=False)
