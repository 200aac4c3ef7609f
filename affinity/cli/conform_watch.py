"""The life of ``affinity conform serve``: listen, show what changes, end, leave the evidence."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import FrameType

from affinity.cli.conform_screens import Screen, screen
from affinity.cli.verbs import ExitCode, Stopped
from affinity.ports_file import publish
from conformance.clients.evidence import write_evidence
from conformance.clients.outcomes import is_done, run_of
from conformance.clients.seeding import NotSeeded
from conformance.clients.session import Session, Start, Wanted, listening, started
from conformance.results import Run
from conformance.simulators.node import NodeDidNotStart

TICK = 0.5
"""Seconds after which the screen is drawn anew, whatever happens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """How long to listen, and how to tell. ``seconds`` None: until it is stopped."""

    system: str
    until_done: bool
    seconds: float | None
    as_json: bool


def watch(wanted: Wanted, watching: Watching, start: Start = started) -> ExitCode:
    """Listen until the end, and say whether the client does what it must. OSError: a port is taken."""
    began, moment = datetime.now(UTC), time.monotonic()
    try:
        with _ended_by_signals(), listening(wanted, start) as session:
            publish(wanted.folder / "ports.json", dict(session.ports))
            shown = screen(session, as_json=watching.as_json)
            _follow(session, watching, shown)
            run = run_of(session.course, session.desk.transcript, watching.system, began, time.monotonic() - moment)
            file = wanted.folder / f"evidence-{began:%Y%m%d-%H%M%S}.zip"
            write_evidence(file, session, run)
    except (NodeDidNotStart, NotSeeded) as error:
        raise Stopped(ExitCode.UNREACHABLE, str(error)) from error
    except KeyboardInterrupt as stop:
        raise Stopped(ExitCode.REFUSED, "stopped before anything was judged, or before the evidence was kept") from stop
    finally:
        (wanted.folder / "ports.json").unlink(missing_ok=True)
    shown.end(run, file)
    return _exit_code(run)


def _exit_code(run: Run) -> ExitCode:
    return ExitCode.DONE if is_done(run) else ExitCode.REFUSED


def _follow(session: Session, watching: Watching, shown: Screen) -> None:
    """Draw after each change, until nothing is left to wait for or somebody ends it."""
    changed = threading.Event()
    session.course.changed = changed.set
    deadline = time.monotonic() + watching.seconds if watching.seconds else None
    with shown:
        try:
            while not _is_over(session, watching, deadline):
                changed.wait(TICK)
                changed.clear()
                shown.draw()
        except KeyboardInterrupt:
            pass  # an orderly end: the evidence is written all the same
        shown.draw()


def _is_over(session: Session, watching: Watching, deadline: float | None) -> bool:
    done = watching.until_done and session.course.current is None
    return done or (deadline is not None and time.monotonic() >= deadline)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM ends as Ctrl-C does; a shell's background jobs hear of no other."""
    before = {each: signal.signal(each, _interrupt) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt
