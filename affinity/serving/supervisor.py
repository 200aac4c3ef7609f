"""The parent of the workers: starts them, replaces who died, rolls on SIGHUP, drains all on SIGTERM.

It serves nothing and reads no settings, so that it has no reason to die. The sockets stay bound in it: while one worker
ends and another begins, connections wait, and none is refused.
"""

import os
import selectors
import signal
import socket
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic

import structlog

from affinity.ports_file import PORTS, publish
from affinity.serving import metrics_files
from affinity.serving.child import READY, Child
from affinity.serving.handover import Handover
from affinity.serving.slot import Slot

log = structlog.get_logger()

CANNOT_START = 2
"""The exit code of a server that cannot start: it is a matter of settings."""
GRACE = 10.0
"""Seconds that a worker may take to end beyond those it waits for requests."""
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


class Supervisor:
    """Keeps a worker in every slot. One thread; ``start`` begins a process for the slot of a number."""

    def __init__(self, handover: Handover, start: Callable[[int], Child]) -> None:
        self._handover = handover
        self._start = start
        self._slots = tuple(Slot(number) for number in range(1, handover.workers + 1))
        self._leaving: list[Child] = []
        self._roll: deque[Slot] = deque()
        self._selector = selectors.DefaultSelector()
        self._code = 0
        self._is_up = self._is_stopping = self._is_rolling = False

    def run(self) -> int:
        """Supervise until told to stop; returns the exit code."""
        signals = self._hear_signals()
        for slot in self._slots:
            slot.holder = self._begin(slot)
        while self._children() or self._awaits_successors():
            for key, _ in self._selector.select(self._patience()):
                if key.fileobj is signals:
                    self._obey(signals.recv(64))
                else:
                    self._listen(key.data)
            self._look_after()
        log.info("stopped")
        return self._code

    def _hear_signals(self) -> socket.socket:
        heard, woken = socket.socketpair()
        woken.setblocking(False)
        signal.set_wakeup_fd(woken.detach())
        for each in SIGNALS:
            signal.signal(each, lambda *_: None)
        self._selector.register(heard, selectors.EVENT_READ)
        return heard

    def _obey(self, numbers: bytes) -> None:
        if _ends(numbers):
            self._stop()
        elif signal.SIGHUP in numbers and not self._is_stopping:
            log.info("rolling restart")
            self._roll, self._is_rolling = deque(self._slots), True

    def _stop(self) -> None:
        """Bind nothing any more, let every worker drain. A second signal is no more than the first."""
        if self._is_stopping:
            return
        self._is_stopping = True
        (Path(self._handover.data) / PORTS).unlink(missing_ok=True)
        for each in self._handover.sockets.values():
            os.close(each)
        self._roll.clear()
        self._is_rolling = False
        for child in self._children():
            child.end(self._handover.drain_seconds + GRACE)

    def _begin(self, slot: Slot) -> Child:
        child = self._start(slot.number)
        self._selector.register(child.line, selectors.EVENT_READ, child)
        slot.due = None
        log.info("worker started", process=child.pid, worker=slot.number)
        return child

    def _children(self) -> tuple[Child, ...]:
        serving = (child for slot in self._slots for child in (slot.holder, slot.successor) if child is not None)
        return (*serving, *self._leaving)

    def _awaits_successors(self) -> bool:
        """Claim that who died will be replaced, also where nobody is left meanwhile."""
        return not self._is_stopping and any(slot.due is not None for slot in self._slots)

    def _patience(self) -> float | None:
        """Seconds until something is due; None: until somebody says something."""
        due = [child.deadline for child in self._children() if child.deadline is not None]
        due += [slot.due for slot in self._slots if slot.due is not None and not self._is_stopping]
        return max(min(due) - monotonic(), 0.0) if due else None

    def _listen(self, child: Child) -> None:
        try:
            said = child.line.recv(64)
        except ConnectionResetError:  # it was killed before it had read what it was told
            said = b""
        if not said:
            self._forget(child)
        elif READY in said:
            child.note_ready()
            self._let_serve(child)

    def _forget(self, child: Child) -> None:
        with suppress(KeyError, ValueError):  # its line has ended before
            self._selector.unregister(child.line)
        child.line.close()

    def _let_serve(self, child: Child) -> None:
        """A worker is ready. If it was to take a place, who held it may end; once all are, the node is up."""
        slot = self._slots[child.number - 1]
        if child is slot.successor and (before := slot.succeed()) is not None:
            self._leaving.append(before)
            before.end(self._handover.drain_seconds + GRACE)
        if not self._is_up and all(each.holder is not None and each.holder.is_ready for each in self._slots):
            self._is_up = True
            ports = self._handover.ports()
            publish(Path(self._handover.data) / PORTS, ports)
            log.info("listening", host=self._handover.host, **ports)

    def _look_after(self) -> None:
        """Whatever time and deaths demand."""
        for child in self._children():
            if (status := child.status) is not None:
                self._forget(child)
                metrics_files.forget(Path(self._handover.data), child.pid)
                self._bury(child, _spelled(status))
            elif child.deadline is not None and monotonic() >= child.deadline:
                log.error("worker killed", worker=child.number, process=child.pid, ready=child.is_ready)
                child.kill()
        for slot in () if self._is_stopping else self._slots:
            if slot.due is not None and monotonic() >= slot.due:
                slot.holder = self._begin(slot)
        self._advance()

    def _bury(self, child: Child, how: str) -> None:
        slot = self._slots[child.number - 1]
        if child in self._leaving:
            self._leaving.remove(child)
            log.info("worker ended", worker=child.number, process=child.pid)
        elif child is slot.successor:
            slot.lose_successor()
            self._is_rolling = False
            self._roll.clear()
            log.error("rolling restart given up", worker=child.number, reason=how)
        elif self._is_stopping:
            slot.holder = None
        elif self._is_up:
            wait = slot.lose_holder()
            log.error("worker died", worker=child.number, process=child.pid, reason=how, wait=wait)
        else:
            slot.holder, self._code = None, CANNOT_START
            log.error("worker did not start", worker=child.number, reason=how)
            self._stop()

    def _advance(self) -> None:
        """Of a rolling restart: the next worker, once the one before has taken its place and the old one has ended."""
        if not self._is_rolling or self._leaving or any(slot.successor for slot in self._slots):
            return
        if self._roll:
            slot = self._roll.popleft()
            slot.successor = self._begin(slot)
        else:
            self._is_rolling = False
            log.info("rolling restart complete")


def _ends(signals: bytes) -> bool:
    """Claim that one of these means the end; a terminal that is closed sends SIGHUP, and who watched there is gone."""
    watched = sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()
    return any(each in signals for each in (signal.SIGTERM, signal.SIGINT)) or (watched and signal.SIGHUP in signals)


def _spelled(status: int) -> str:
    return f"exit code {status}" if status >= 0 else f"signal {-status}"
