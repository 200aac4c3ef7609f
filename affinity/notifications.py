"""Couriers: each tells one PIX Consumer what the index left for it in the database (ITI TF-2: 3.10, 3.46).

A courier is a thread of its own, so one that waits for a slow or dead consumer delays no other. What it knows stands
in the database: after a crash it goes on where it was, and sends again, under the same message id, what it cannot know
to have been taken.
"""

import random
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Protocol

import structlog
from sqlalchemy import Connection

from affinity.consumers import Consumer, Outcome, Verdict
from affinity.database import Database
from affinity.group_writer import WriterStopped
from affinity.metrics import NOTIFICATIONS, OLDEST_NOTIFICATION
from affinity.outages import InDoubt
from affinity.shifts import ELSEWHERE
from pix import store_notifications as store
from pix.notifications import in_turn
from pix.update_notifications import Attempt, Notification, State

log = structlog.get_logger()

WINDOW = 500
"""Most that are looked at to find some that may be sent now."""
BATCH = 20
"""Most that are sent before it is written down: as many may be sent twice after a crash."""
SILENT = frozenset({Outcome.UNREACHABLE, Outcome.UNANSWERED})
KEPT_FOR = timedelta(days=7)
"""How long one can look up what was sent."""
MEASURED_EVERY = 15.0
CLEARED_EVERY = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds before the second attempt, each wait twice the one before, up to ``longest``, less a random part.

    After ``attempts`` rejections a notification is dead. ``poll``: how often to look unasked.
    """

    first: float = 1.0
    longest: float = 300.0
    attempts: int = 10
    poll: float = 30.0

    def after(self, failures: int) -> float:
        """How long to wait after so many failures in a row."""
        wait = min(self.longest, self.first * 2.0 ** min(failures - 1, 30))
        return wait * random.uniform(0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Told:
    """One notification that was sent, what became of it, and what follows."""

    notification: Notification
    verdict: Verdict
    attempt: Attempt


Audit = Callable[[Connection, list[Told]], None]
"""Records what was told, in the transaction that notes it."""


def audit_nothing(_connection: Connection, _told: list[Told]) -> None:
    """Nobody asks."""


class Courier:
    """Tells one subscriber, each patient's lists in order."""

    def __init__(
        self,
        subscriber: str,
        consumer: Consumer,
        database: Database,
        clock: Callable[[], datetime],
        patience: Patience,
        audit: Audit = audit_nothing,
    ) -> None:
        self.subscriber = subscriber
        self._audit = audit
        self._consumer = consumer
        self._database = database
        self._clock = clock
        self._patience = patience
        self._failures = 0
        self._unwritten: list[Told] = []
        self._resting_until = self._measured_at = self._cleared_at = float("-inf")
        self._stopping = False
        self._woken = threading.Event()
        self._thread = threading.Thread(target=self._serve, name=f"affinity-courier-{subscriber}", daemon=True)

    def start(self) -> None:
        """Begin with what was left from before."""
        self._thread.start()

    def wake(self) -> None:
        """Something was committed."""
        self._woken.set()

    def stop(self) -> None:
        """Begin nothing new."""
        self._stopping = True
        self._woken.set()

    def join(self, seconds: float) -> None:
        """Wait until the attempt that is under way is over, or so long."""
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def run_once(self) -> float:
        """Send what may be sent now; return the seconds after which to look again."""
        if (rest := self._resting_until - monotonic()) > 0:
            return rest
        with self._database.shift(f"courier {self.subscriber}") as shift:
            return self._tell_some(shift.lasts) if shift.is_mine else ELSEWHERE

    def _tell_some(self, lasts: Callable[[], bool]) -> float:
        self._write_down()
        self._look_after()
        waiting = self._database.read(lambda connection: store.pending(connection, self.subscriber, WINDOW))
        longest = timedelta(seconds=self._patience.longest)
        turn = list(in_turn(waiting, self._clock(), longest))[:BATCH]
        if turn:
            self._unwritten = self._send(turn, lasts)
            self._write_down()
            return 0.0
        self._consumer.hang_up()
        return self._until_due(waiting)

    def measure(self) -> None:
        """Tell the metrics how much waits."""
        found = self._database.read(lambda connection: store.backlog(connection, self.subscriber))
        NOTIFICATIONS.labels(self.subscriber, "pending").set(found.pending)
        NOTIFICATIONS.labels(self.subscriber, "dead").set(found.dead)
        age = (self._clock() - found.oldest).total_seconds() if found.oldest else 0.0
        OLDEST_NOTIFICATION.labels(self.subscriber).set(max(age, 0.0))

    def _serve(self) -> None:
        while not self._stopping:
            self._woken.clear()
            try:
                wait = self.run_once()
            except WriterStopped:
                break
            except Exception:  # the thread's last edge: a database that is away comes back, a defect must be heard of
                log.exception("notifications failed", peer=self.subscriber)
                wait = self._patience.poll
            if wait > 0 and not self._stopping:
                self._woken.wait(wait)
        self._consumer.hang_up()

    def _write_down(self) -> None:
        """Note what was told; while that fails, nothing is told, so that nobody hears it again and again."""
        told = self._unwritten
        if not told:
            return
        try:
            self._database.write(lambda connection: self._note(connection, told))
        except InDoubt:
            self._unwritten = []  # the table will say which of it still waits
            raise
        self._unwritten = []

    def _note(self, connection: Connection, told: list[Told]) -> None:
        store.note_attempts(connection, [each.attempt for each in told])
        self._audit(connection, told)

    def _send(self, turn: Iterable[Notification], lasts: Callable[[], bool]) -> list[Told]:
        """One after the other, until the consumer cannot be reached, or another node may tell what comes next."""
        told: list[Told] = []
        for each in turn:
            if self._stopping or not lasts():
                break
            verdict = self._consumer.tell(each)
            told.append(Told(each, verdict, self._attempt(each, verdict)))
            if verdict.outcome in SILENT:
                self._rest(verdict)
                break
            self._failures = 0
        return told

    def _rest(self, verdict: Verdict) -> None:
        """Leave a consumer alone that does not answer; others of its notifications would not reach it either."""
        self._failures += 1
        self._resting_until = monotonic() + self._patience.after(self._failures)
        log.warning("subscriber unreachable", peer=self.subscriber, reason=verdict.reason)

    def _attempt(self, told: Notification, verdict: Verdict) -> Attempt:
        if verdict.outcome is Outcome.UNREACHABLE:
            return Attempt(
                number=told.number, state=State.PENDING, attempts=told.attempts, due=told.due, error=verdict.reason
            )
        attempts = told.attempts + 1
        state = State.SENT if verdict.outcome is Outcome.ACCEPTED else State.PENDING
        exhausted = verdict.outcome is Outcome.REJECTED and attempts >= self._patience.attempts
        if exhausted or verdict.outcome is Outcome.REFUSED:
            state = State.DEAD
            log.error("notification is dead", peer=self.subscriber, code=verdict.code)
        wait = self._patience.after(attempts) if state is State.PENDING else 0.0
        due = self._clock() + timedelta(seconds=wait)
        return Attempt(number=told.number, state=state, attempts=attempts, due=due, error=verdict.reason)

    def _until_due(self, waiting: Iterable[Notification]) -> float:
        now = self._clock()
        due = [(each.due - now).total_seconds() for each in waiting if each.due > now]
        return min([self._patience.poll, *due])

    def _look_after(self) -> None:
        """Measure and clear up now and then."""
        now = monotonic()
        if now - self._measured_at >= MEASURED_EVERY:
            self._measured_at = now
            self.measure()
        if now - self._cleared_at >= CLEARED_EVERY:
            self._cleared_at = now
            horizon = self._clock() - KEPT_FOR
            self._database.write(lambda connection: store.drop_sent(connection, self.subscriber, horizon))


class Couriers:
    """All of a node's; they can be woken before they are there."""

    def __init__(self) -> None:
        self._couriers: tuple[Courier, ...] = ()

    def start(self, couriers: Iterable[Courier]) -> None:
        """Let them begin."""
        self._couriers = tuple(couriers)
        for each in self._couriers:
            each.start()

    def wake(self) -> None:
        """Something was committed."""
        for each in self._couriers:
            each.wake()

    def stop(self, seconds: float) -> None:
        """Let attempts end that are under way, for so long altogether; what is cut off is sent again."""
        stop_all(self._couriers, seconds)


class Stoppable(Protocol):
    """A thread that ends when it is told to."""

    def stop(self) -> None:
        """Begin nothing new."""

    def join(self, seconds: float) -> None:
        """Wait until it is over, or so long."""


def stop_all(threads: Sequence[Stoppable], seconds: float) -> None:
    """Tell all of them, then wait for so long altogether."""
    until = monotonic() + seconds
    for each in threads:
        each.stop()
    for each in threads:
        each.join(max(until - monotonic(), 0.0))
