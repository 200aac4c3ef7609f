"""The course of a suite: one step after the other, judged as the client sends; told to whoever watches."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum

from conformance.clients.messages_judged import findings
from conformance.clients.steps import ClientSuite, Judged, Situation, Step
from conformance.clients.world import World
from conformance.simulators.desk import Handshake, Seen, Watcher
from conformance.simulators.faults import Fault, FaultPlan
from conformance.simulators.reading import Read
from conformance.validators.context import Context


class Standing(StrEnum):
    """How a step stands."""

    WAITING = "waiting"
    MET = "met"
    BROKEN = "broken"
    NOT_CLAIMED = "not claimed"
    """Left out by whoever runs the suite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """One step, how it stands, why, the exchanges that it is about, and how long it was waited for."""

    step: Step
    standing: Standing = Standing.WAITING
    message: str = ""
    exchanges: tuple[int, ...] = ()
    seconds: float = 0.0


Listener = Callable[[], None]
"""Called after every change, in the thread of a connection."""


@dataclass(slots=True, kw_only=True)
class Course(Watcher):
    """What has happened, and what is waited for. ``plan`` are the faults of whoever runs the suite."""

    suite: ClientSuite
    world: World
    context: Context
    plan: FaultPlan = field(default_factory=FaultPlan)
    skipped: frozenset[str] = frozenset()
    changed: Listener = lambda: None
    judged: list[Judged] = field(default_factory=list)
    stands: list[Stand] = field(default_factory=list)
    _situation: Situation = field(init=False)
    _faults: FaultPlan = field(default_factory=FaultPlan)
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    _began: float = field(default_factory=time.monotonic)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self._situation = Situation(world=self.world)
        self.stands = [Stand(step=each, standing=self._first_standing(each)) for each in self.suite.steps]
        self._arm()

    @property
    def current(self) -> Stand | None:
        """The step that is waited for; None: none is left."""
        return next((each for each in self.stands if each.standing is Standing.WAITING), None)

    @property
    def step(self) -> str:  # type: ignore[override]
        """Its name; empty if none is left."""
        return current.step.name if (current := self.current) else ""

    def due(self, read: Read) -> Fault | None:
        """The fault that was asked for, else the one that the step needs."""
        with self._lock:
            asked, needed = self.plan.due(read.name), self._faults.due(read.name)
            return asked or needed

    def saw(self, seen: Seen) -> None:
        """Judge a request, and with it the step."""
        with self._lock:
            one = Judged(seen=seen, findings=findings(seen, self.context))
            self.judged.append(one)
            self._situation = replace(self._situation, judged=(*self._situation.judged, one))
            self._judge()
        self.changed()

    def refused(self, handshake: Handshake) -> None:
        """Judge the step by a handshake that failed."""
        with self._lock:
            self._situation = replace(self._situation, handshakes=(*self._situation.handshakes, handshake))
            self._judge()
        self.changed()

    def snapshot(self) -> tuple[Stand, ...]:
        """How every step stands at this moment."""
        with self._lock:
            return tuple(self.stands)

    def _judge(self) -> None:
        current = self.current
        verdict = current.step.judge(self._situation) if current is not None else None
        if current is None or verdict is None:
            return
        self.stands[self.stands.index(current)] = replace(
            current,
            standing=Standing.MET if verdict.met else Standing.BROKEN,
            message=verdict.message,
            exchanges=verdict.exchanges,
            seconds=time.monotonic() - self._began,
        )
        self._arm()

    def _arm(self) -> None:
        """Begin the next step: nothing has come yet, and its faults are due."""
        current = self.current
        self._situation = Situation(world=self.world)
        self._faults = FaultPlan(current.step.faults if current is not None else ())
        self._began = time.monotonic()

    def _first_standing(self, step: Step) -> Standing:
        return Standing.NOT_CLAIMED if step.name in self.skipped else Standing.WAITING


def unknown(suite: ClientSuite, names: Iterable[str]) -> tuple[str, ...]:
    """Those of ``names`` that are no steps of the suite."""
    known = {each.name for each in suite.steps}
    return tuple(each for each in names if each not in known)
