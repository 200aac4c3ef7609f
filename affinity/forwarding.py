"""Couriers of the audit trail: each brings it to one Audit Record Repository (ITI TF-2: 3.20.4.1.1).

A courier is a thread of its own, so a repository that is slow, stalled or dead delays no other, and no request. How
far it came stands in the database; what is not settled (``atna.delivery``) is sent again after a loss or a restart.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

import structlog

from affinity.audit_load import Load, Outbox
from affinity.audit_watch import Alarm, Watch
from affinity.collectors import Collector, Interrupted, Lost, Refused
from affinity.group_writer import WriterStopped
from affinity.metrics import AUDIT_FORWARDED
from affinity.notifications import Patience, stop_all
from affinity.shifts import ELSEWHERE
from atna.delivery import Delivery
from atna.forwarding import Reach

log = structlog.get_logger()

BATCH = 200
"""Most records that are read at once."""
WRITTEN_EVERY = 1.0
"""Seconds between two notes of how far it came."""
AWAITED = 0.1
"""Seconds after which to look again for a record whose transaction has not ended."""
DOUBTED = 30.0
"""Seconds after which a node asks whether it still has its shift; without its connection it believes so for as long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How a wire is used: the replay window, and after how many seconds or octets the collector must confirm."""

    window: float = 0.0
    confirm_seconds: float = 0.0
    confirm_octets: int = 0


class AuditCourier:
    """Brings the trail to one repository, in order; of several nodes on one database one does."""

    def __init__(
        self,
        name: str,
        collector: Collector,
        outbox: Outbox,
        clock: Callable[[], datetime],
        pace: Pace,
        patience: Patience,
        alarm: Alarm,
    ) -> None:
        self.name = name
        self._collector = collector
        self._outbox = outbox
        self._clock = clock
        self._pace = pace
        self._patience = patience
        self._watch = Watch(name, outbox, clock, alarm)
        self._progress = outbox.progress()
        self._delivery = Delivery(self._progress.settled, pace.window)
        self._failures = self._octets = 0
        self._unconfirmed_since = 0.0
        self._resting_until = self._written_at = float("-inf")
        self._waits = False
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._thread = threading.Thread(target=self._serve, name=f"affinity-audit-{name}", daemon=True)

    def start(self) -> None:
        """Begin with what is not known to have arrived."""
        self._thread.start()

    def stop(self) -> None:
        """Begin nothing new."""
        self._stopping.set()
        self._collector.interrupt()
        self._woken.set()

    def join(self, seconds: float) -> None:
        """Wait until it has stopped, or so long."""
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def take_shift(self) -> float:
        """Bring the trail as long as it is this node's shift; return the seconds after which to ask again."""
        with self._outbox.shift() as shift:
            self._catch_up()
            if not shift.is_mine:
                return self._stand_aside()
            self._serve_a_while()
            while not self._stopping.is_set() and shift.lasts():
                self._serve_a_while()
        return 0.0

    def _catch_up(self) -> None:
        """Go on from where another node has come."""
        found = self._outbox.progress()
        if found.settled > self._delivery.settled:
            self._progress = found
            self._delivery = Delivery(found.settled, self._pace.window)

    def _stand_aside(self) -> float:
        """Another node brings it, and what is on its way from here as well."""
        self._delivery.lose()
        self._collector.hang_up()
        self._watch.look(self._delivery)
        return ELSEWHERE

    def _serve_a_while(self) -> None:
        end = monotonic() + DOUBTED
        while not self._stopping.is_set() and (rest := end - monotonic()) > 0:
            self._woken.clear()
            wait = self.run_once()
            if wait > 0 and not self._stopping.is_set():
                self._woken.wait(min(wait, rest))
        self._write_if_moved()

    def run_once(self) -> float:
        """Bring what may be brought now; return the seconds after which to look again."""
        self._watch.look(self._delivery)
        if (rest := self._resting_until - monotonic()) > 0:
            return rest
        try:
            busy = self._advance()
        except Lost as lost:
            self._lose(lost)
            return 0.0
        self._write_now_and_then()
        return 0.0 if busy else self._pause()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                wait = self.take_shift()
            except (Interrupted, WriterStopped):
                break
            except Exception:  # the thread's last edge: a database that is away comes back, a defect must be heard of
                log.exception("audit forwarding failed", repository=self.name)
                self._delivery.lose()
                self._collector.hang_up()
                wait = self._patience.poll
            if wait > 0 and not self._stopping.is_set():
                self._woken.wait(wait)
        self._collector.hang_up()

    def _advance(self) -> bool:
        """One batch, and whatever confirmation is due. Was there anything to send?"""
        load = self._outbox.load(self._delivery.sent, BATCH)
        self._waits = load.waits
        if load.parcels:
            self._send(load)
        elif load.through > self._delivery.sent:
            self._delivery.pass_over(load.through)
        if self._delivery.is_unconfirmed and self._confirmation_is_due():
            self._collector.confirm()
            self._octets = 0
            self._delivery.confirm(self._delivery.sent, monotonic())
        if self._delivery.sent > self._delivery.settled:
            self._delivery.settle(self._collector.alive_at())
        return bool(load.parcels)

    def _send(self, load: Load) -> None:
        if not self._delivery.is_unconfirmed:
            self._unconfirmed_since = monotonic()
        try:
            self._collector.send(load.parcels)
            through = load.through
        except Refused as refused:
            through = refused.number
            self._progress = self._progress.refused_one(through)
            log.error("audit record refused", repository=self.name, record=through, reason=str(refused))
        self._octets += sum(len(each.content) for each in load.parcels)
        AUDIT_FORWARDED.labels(self.name).inc(len(load.parcels))
        self._delivery.send(through)
        self._reached()

    def _confirmation_is_due(self) -> bool:
        waited = monotonic() - self._unconfirmed_since
        return waited >= self._pace.confirm_seconds or self._octets >= self._pace.confirm_octets

    def _pause(self) -> float:
        """With something in doubt, look again when it can be confirmed or settled."""
        if self._waits:
            return AWAITED
        if self._delivery.sent == self._delivery.settled:
            return self._patience.poll
        return min(self._patience.poll, max(self._pace.confirm_seconds, 0.05))

    def _reached(self) -> None:
        self._failures = 0
        if self._progress.reach is not Reach.REACHED:
            self._progress = self._progress.now(Reach.REACHED, self._clock(), None)
            log.info("audit repository reached", repository=self.name)
            self._write()

    def _lose(self, lost: Lost) -> None:
        self._collector.hang_up()
        again = self._delivery.part() if lost.orderly else self._delivery.lose()
        self._octets = 0
        self._failures += 1
        self._resting_until = monotonic() + self._patience.after(self._failures)
        if lost.orderly and not again:
            return  # a collector may close an idle connection; nothing is wrong before there is something to send
        log.warning("audit repository lost", repository=self.name, reason=str(lost), again=again)
        self._progress = self._progress.now(Reach.LOST, self._clock(), str(lost))
        self._write()

    def _write_now_and_then(self) -> None:
        if monotonic() - self._written_at >= WRITTEN_EVERY:
            self._write_if_moved()

    def _write_if_moved(self) -> None:
        if (self._progress.settled, self._progress.sent) != (self._delivery.settled, self._delivery.sent):
            self._write()

    def _write(self) -> None:
        self._written_at = monotonic()
        self._progress = self._progress.at(self._delivery.settled, self._delivery.sent)
        self._outbox.note(self._progress)


class AuditCouriers:
    """All of a node's."""

    def __init__(self, couriers: Iterable[AuditCourier]) -> None:
        self._couriers = tuple(couriers)

    def start(self) -> None:
        """Let them begin."""
        for each in self._couriers:
            each.start()

    def stop(self, seconds: float) -> None:
        """Let go; what is cut off is sent again after the next start."""
        stop_all(self._couriers, seconds)
