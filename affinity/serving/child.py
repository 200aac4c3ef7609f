"""One worker, as its parent knows it: a process, and a line that says that it is ready."""

import os
import socket
import subprocess
import sys
from time import monotonic

from affinity.serving.handover import Handover

READY = b"ready\n"
READY_WITHIN = 120.0
"""Seconds after which a worker that is not ready never will be."""


class Child:
    """A worker process. The line ends when either of the two does."""

    def __init__(self, number: int, process: "subprocess.Popen[bytes]", line: socket.socket) -> None:
        self.number = number
        self.line = line
        self.is_ready = False
        self.since = monotonic()
        self.deadline: float | None = self.since + READY_WITHIN
        """When it will be killed, by the monotonic clock, unless it has become ready, or ended."""
        self._process = process

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def status(self) -> int | None:
        """How it ended: an exit code, or the negative number of a signal; None while it runs."""
        return self._process.poll()

    def note_ready(self) -> None:
        """It has said so: no deadline is left."""
        self.is_ready, self.deadline = True, None

    def end(self, seconds: float) -> None:
        """Ask it to drain, and allow it so long."""
        self._process.terminate()
        self.deadline = monotonic() + seconds

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()


def start(number: int, handover: Handover) -> Child:
    """Start a worker, which reads the settings and the program's text as they are now."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "affinity.serving.worker", str(theirs.fileno()), str(number)],
            pass_fds=(theirs.fileno(), *handover.descriptors),
            stdin=subprocess.DEVNULL,
            env=os.environ,
        )
    ours.sendall(handover.write())
    ours.setblocking(False)
    return Child(number, process, ours)
