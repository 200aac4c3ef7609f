"""A suite that listens: certificates, doors, the node behind them, what it knows, and the course of the steps."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from affinity.domain import load
from conformance.clients.course import Course
from conformance.clients.seeding import seed
from conformance.clients.steps import ClientSuite
from conformance.clients.world import World
from conformance.simulators.certificates import Certificates, development_certificates
from conformance.simulators.desk import Desk, Watcher
from conformance.simulators.faults import Fault, FaultPlan
from conformance.simulators.node import BackingNode, NodeSettings
from conformance.simulators.simulator import SECURED, DoorName, Listening, Simulator
from conformance.validators.context import Context, SecondOpinion, no_second_opinion
from tls.files import TLS
from xua.authentication import XUAMode

WEB = frozenset({DoorName.HTTP, DoorName.HTTPS, DoorName.EXPIRED, DoorName.STRANGER})

Behind = tuple[BackingNode, World]
"""The node behind a simulator, and what it knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How a suite shall listen. ``folder`` keeps the certificates from run to run.

    ``names`` are those under which clients know the host; the first is printed.
    ``xua`` None: as the suite needs it. ``given`` are certificates to show instead of those that are made.
    """

    suite: ClientSuite
    folder: Path
    domain: str = "connectathon"
    host: str = "127.0.0.1"
    names: tuple[str, ...] = ()
    ports: tuple[tuple[DoorName, int], ...] = ()
    demands_certificates: bool = True
    xua: XUAMode | None = None
    trust: tuple[str, ...] = ()
    given: TLS | None = None
    faults: tuple[Fault, ...] = ()
    skipped: frozenset[str] = frozenset()
    second_opinion: SecondOpinion = no_second_opinion


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A suite that listens. ``addresses`` is where, by the names of the doors."""

    wanted: Wanted
    course: Course
    desk: Desk
    ports: Mapping[str, int]
    addresses: Mapping[str, str]
    certificates: Certificates

    def ask(self, step: str) -> str:
        """What a step asks a person to do."""
        found = next(each for each in self.course.suite.steps if each.name == step)
        return found.ask.format(**self.course.world.words, **self.addresses)


@contextmanager
def started(settings: NodeSettings, wanted: Wanted) -> Iterator[Behind]:
    """A node of its own that knows what the suite needs. NodeDidNotStart, NotSeeded."""
    domain = load(wanted.domain).affinity_domain
    with BackingNode(settings) as node:
        yield node, seed(node, domain, settings.xua, documents=wanted.suite.needs_documents)


Start = Callable[[NodeSettings, Wanted], AbstractContextManager[Behind]]


@contextmanager
def listening(wanted: Wanted, start: Start = started) -> Iterator[Session]:
    """Listen until the block ends; what the node behind has, ends with it.

    OSError names a port that is taken; NodeDidNotStart, NotSeeded, DomainError.
    """
    wanted.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    certificates = development_certificates(wanted.folder / "pki", (*wanted.names, wanted.host), wanted.given)
    desk = Desk(Watcher())
    with ExitStack() as open_things:
        simulator = open_things.enter_context(Simulator(_doors(wanted), desk, certificates))
        addresses = _addresses(wanted, simulator.ports)
        scratch = Path(open_things.enter_context(TemporaryDirectory(prefix="affinity-conform-")))
        node, world = open_things.enter_context(start(_node(wanted, scratch, addresses), wanted))
        desk.watcher = course = _course(wanted, world)
        simulator.open(node)
        yield Session(
            wanted=wanted,
            course=course,
            desk=desk,
            ports=simulator.ports,
            addresses=addresses,
            certificates=certificates,
        )


def _doors(wanted: Wanted) -> Listening:
    return Listening(
        doors=frozenset(wanted.suite.doors),
        host=wanted.host,
        ports=wanted.ports,
        demands=wanted.demands_certificates,
    )


def _course(wanted: Wanted, world: World) -> Course:
    return Course(
        suite=wanted.suite,
        world=world,
        context=Context(domain=world.domain, second_opinion=wanted.second_opinion),
        plan=FaultPlan(wanted.faults),
        skipped=wanted.skipped,
    )


def _node(wanted: Wanted, scratch: Path, addresses: Mapping[str, str]) -> NodeSettings:
    web = next((addresses[each] for each in ("https", "http") if each in addresses), "")
    return NodeSettings(
        domain=wanted.domain,
        data=scratch / "node",
        log=wanted.folder / "node.log",
        xua=wanted.xua or wanted.suite.xua,
        trust=wanted.trust,
        public_url=web,
    )


def _addresses(wanted: Wanted, ports: Mapping[str, int]) -> dict[str, str]:
    """URLs of doors of HTTP, ``host:port`` of the others."""
    host = next(iter(wanted.names), "127.0.0.1" if wanted.host in ("0.0.0.0", "::") else wanted.host)
    spelled = f"[{host}]" if ":" in host else host
    return {
        name: f"http{'s' if DoorName(name) in SECURED else ''}://{spelled}:{port}"
        if DoorName(name) in WEB
        else f"{spelled}:{port}"
        for name, port in ports.items()
    }
