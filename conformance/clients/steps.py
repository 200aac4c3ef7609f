"""A step of a client's suite: what a person makes the client do, what is planned for it, and who judges what came."""

from collections.abc import Callable
from dataclasses import dataclass, field

from conformance.clients.world import World
from conformance.findings import Finding
from conformance.simulators.desk import Handshake, Seen
from conformance.simulators.faults import Fault
from conformance.simulators.simulator import DoorName
from ihe.transactions import Actor
from xua.authentication import XUAMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A request with what the validators say of it."""

    seen: Seen
    findings: tuple[Finding, ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What breaks a SHALL."""
        return tuple(each for each in self.findings if each.is_error)

    @property
    def number(self) -> int:
        """Its number in the transcript."""
        return self.seen.exchange.number

    @property
    def name(self) -> str:
        """The transaction, or an empty text."""
        return self.seen.read.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What has happened since a step began."""

    world: World
    judged: tuple[Judged, ...] = ()
    handshakes: tuple[Handshake, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A step is met, or broken: ``message`` says by what. ``exchanges`` are the numbers that it is about."""

    met: bool
    message: str = ""
    exchanges: tuple[int, ...] = ()


Judge = Callable[[Situation], Verdict | None]
"""None: the step still waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step. ``ask`` is for people, with the names of ``World.words`` in braces.

    ``covers`` are the assertions that hold if the step is met. ``faults`` are planned while it waits.
    """

    name: str
    ask: str
    judge: Judge
    covers: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    door: DoorName | None = None
    """The one door that the step is about, where it is not the usual one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSuite:
    """The steps for one actor under test, in their order; ``doors`` are where it may come, the usual one first."""

    actor: Actor | str
    name: str
    doors: tuple[DoorName, ...]
    paths: tuple[str, ...] = ()
    """What is to be typed behind the address of a door of HTTP."""
    steps: tuple[Step, ...] = field(default=())
    xua: XUAMode = XUAMode.OFF
    needs_documents: bool = False
