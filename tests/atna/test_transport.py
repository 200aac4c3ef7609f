"""Our Audit Record Repository on real sockets: nothing is lost or dropped, and who sends too fast is slowed down."""

import shutil
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from twisted.internet.defer import Deferred
from twisted.internet.selectreactor import SelectReactor
from twisted.internet.task import Clock
from twisted.internet.threads import blockingCallFromThread, deferToThreadPool
from twisted.python.threadpool import ThreadPool

from affinity.audit_outbox import TrailOutbox, as_syslog
from affinity.audit_watch import Alarm
from affinity.collector_tls import TLSCollector
from affinity.collector_udp import UDPCollector
from affinity.collectors import Lost, Parcel
from affinity.database import Database
from affinity.forwarding import AuditCourier, Pace
from affinity.node import utc_now
from affinity.notifications import Patience
from affinity.pki import DevelopmentPKI, development_pki
from affinity.schema import METADATA
from atna import dicom
from atna.entries import entry
from atna.framing import frame
from atna.intake import Intake, IntakeLimits
from atna.reception import Arrival, Transport, receive
from atna.store import append, records
from atna.store_exchange import progress
from atna.store_exchange import receive as store
from atna.tables_exchange import audit_received
from atna.transport import SyslogDatagrams, SyslogFactory, SyslogLimits
from mllp.client import client_context
from tests.atna.rsyslog import eventually
from tests.atna.test_atna_dicom import GOOD
from tests.atna.test_forwarding_rsyslog import named
from tests.atna.test_reception import HEADER, NODE
from tls.files import TLS
from tls.server import Certificates, secured


class Repository:
    """A repository whose reactor runs in a thread of its own, and whose database can be taken away for a while."""

    def __init__(self, database: Database, pki: DevelopmentPKI, limits: SyslogLimits, held: int) -> None:
        self.reactor: Any = SelectReactor()
        self.database = database
        self.groups: list[int] = []
        self.is_away = threading.Event()
        self._pool = ThreadPool(1, 1)
        self._pool.start()
        self._thread = threading.Thread(target=self.reactor.run, kwargs={"installSignalHandlers": False}, daemon=True)
        self._thread.start()
        self.intake = Intake(self._later, self.reactor, IntakeLimits(held=held, group=50, retry_seconds=0.05))
        self._factory = SyslogFactory(self.intake, utc_now, limits)
        tls = TLS(certificate=pki.server.certificate, key=pki.server.key, authorities=pki.authority.certificate)
        self.port = self._call(
            self.reactor.listenTCP, 0, secured(self._factory, Certificates(tls), self.reactor), 50, "127.0.0.1"
        )
        datagrams = SyslogDatagrams(self.intake, utc_now)
        self.udp = self._call(self.reactor.listenUDP, 0, datagrams, "127.0.0.1")

    def received(self) -> list[Any]:
        return list(
            self.database.read(
                lambda connection: connection.execute(select(audit_received).order_by(audit_received.c.sequence))
            ).all()
        )

    def count(self) -> int:
        counted = select(func.count()).select_from(audit_received)
        found: int = self.database.read(lambda connection: connection.execute(counted).scalar_one())
        return found

    def users(self) -> list[str]:
        found = self.database.read(lambda connection: list(records(connection, 1, 10**9)))
        return [each.message.participants[0].user_id for each in found]

    def close(self) -> None:
        self._call(self.reactor.stop)
        self._thread.join(10)
        self._pool.stop()

    def _call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return blockingCallFromThread(self.reactor, function, *arguments)

    def _later(self, group: Sequence[Arrival]) -> "Deferred[Any]":
        deferred: Deferred[Any] = deferToThreadPool(self.reactor, self._pool, self._store, group)
        return deferred

    def _store(self, group: Sequence[Arrival]) -> None:
        if self.is_away.is_set():
            raise OSError("the database is away")
        self.groups.append(len(group))
        made = [receive(each, NODE) for each in group]
        self.database.write(lambda connection: store(connection, made))


@pytest.fixture
def database(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """SQLite alone: what PostgreSQL does differently is in test_store_exchange."""
    shutil.copy(sqlite_template, tmp_path / "affinity.db")
    opened = Database(f"sqlite:///{tmp_path / 'affinity.db'}")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> DevelopmentPKI:
    return development_pki(tmp_path_factory.mktemp("pki"))


Open = Callable[..., Repository]


@pytest.fixture
def repository(database: Database, pki: DevelopmentPKI) -> Iterator[Open]:
    opened: list[Repository] = []

    def begin(limits: SyslogLimits | None = None, held: int = 2**25) -> Repository:
        opened.append(Repository(database, pki, limits or SyslogLimits(), held))
        return opened[-1]

    yield begin
    for each in opened:
        each.close()


@pytest.fixture
def calling(pki: DevelopmentPKI) -> ssl.SSLContext:
    tls = TLS(certificate=pki.client.certificate, key=pki.client.key, authorities=pki.authority.certificate)
    return client_context(tls)


def connect(repository: Repository, context: ssl.SSLContext) -> ssl.SSLSocket:
    plain = socket.create_connection(("127.0.0.1", repository.port.getHost().port), 10)
    return context.wrap_socket(plain, server_hostname="localhost")


def message(user: str) -> bytes:
    return HEADER + dicom.write(named(user))


def test_what_comes_over_tls_is_stored_in_order_with_the_name_of_its_sender(
    repository: Open, calling: ssl.SSLContext
) -> None:
    opened = repository()
    users = [f"user{number}" for number in range(120)]
    with connect(opened, calling) as connection:
        connection.sendall(b"".join(frame(message(each)) for each in users))
        eventually(lambda: opened.count() == 120, "not all is stored")
    assert opened.users() == users
    first = opened.received()[0]
    assert (first.peer, first.transport, first.complaint) == (
        "CN=Affinity development client,O=Affinity development",
        "tls",
        None,
    )
    assert bytes(first.header) == HEADER
    assert max(opened.groups) <= 50


def test_what_comes_over_udp_is_stored_also_if_it_is_cut(repository: Open) -> None:
    opened = repository()
    part = message("cut")[:1024]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for each in (message("whole"), part, b""):
            sender.sendto(each, ("127.0.0.1", opened.udp.getHost().port))
    eventually(lambda: opened.count() == 2, "not all is stored")
    whole, cut = opened.received()
    assert (whole.peer, whole.transport, whole.complaint) == ("127.0.0.1", "udp", None)
    assert "not well-formed" in cut.complaint
    kept = opened.database.read(lambda connection: list(records(connection, cut.sequence, cut.sequence)))
    assert kept[0].message.objects[0].details[0].value == part


def test_bad_frames_are_kept_and_end_the_connection(repository: Open, calling: ssl.SSLContext) -> None:
    opened = repository(SyslogLimits(message=4000))
    with connect(opened, calling) as connection:
        connection.sendall(frame(HEADER + b"x" * 9000) + frame(HEADER + GOOD) + HEADER + GOOD + b"\n")
        eventually(lambda: opened.count() == 3, "not all is stored")
        assert connection.recv(1) == b""
    complaints = [each.complaint or "" for each in opened.received()]
    assert complaints[0].startswith("longer than allowed: 9055 octets, cut; ")
    assert complaints[1] == ""
    assert complaints[2].startswith("not framed by octet counting (RFC 5425: 4.3)")
    with connect(opened, calling) as connection:
        connection.sendall(b"500 " + HEADER)
    eventually(lambda: opened.count() == 4, "the rest is not stored")
    assert (opened.received()[3].complaint or "").startswith("cut off: the connection ended")


def test_while_the_database_is_away_senders_wait_and_nothing_is_lost(repository: Open, calling: ssl.SSLContext) -> None:
    opened = repository(held=50_000)
    opened.is_away.set()
    users = [f"user{number}" for number in range(3000)]
    with connect(opened, calling) as connection:
        connection.settimeout(None)
        sending = threading.Thread(
            target=lambda: connection.sendall(b"".join(frame(message(each)) for each in users)), daemon=True
        )
        sending.start()
        eventually(lambda: opened.intake.full, "nobody is slowed down")
        sending.join(0.5)
        assert sending.is_alive()
        opened.is_away.clear()
        eventually(lambda: opened.count() == len(users), "not all is stored", 60)
        sending.join(10)
    assert opened.users() == users


def test_a_client_without_a_certificate_is_not_heard(repository: Open, pki: DevelopmentPKI) -> None:
    opened = repository()
    stranger = ssl.create_default_context(cafile=str(pki.authority.certificate))
    with pytest.raises(OSError), connect(opened, stranger) as connection:
        connection.sendall(frame(message("nobody")))
        connection.recv(1)
        raise OSError("closed")
    assert opened.received() == []


def test_the_trail_of_one_node_reaches_the_repository_of_another(
    repository: Open, pki: DevelopmentPKI, calling: ssl.SSLContext, tmp_path_factory: pytest.TempPathFactory
) -> None:
    opened = repository()
    node = Database(f"sqlite:///{tmp_path_factory.mktemp('node') / 'affinity.db'}")
    for metadata in METADATA:
        metadata.create_all(node.engine)
    users = [f"user{number}" for number in range(150)]
    node.write(lambda connection: append(connection, [entry(named(each)) for each in users]))
    collector = TLSCollector("localhost", opened.port.getHost().port, lambda: calling)
    pace = Pace(window=0.3, confirm_seconds=0.2, confirm_octets=50_000)
    outbox = TrailOutbox(node, "arr", as_syslog("node.example"))
    courier = AuditCourier("arr", collector, outbox, utc_now, pace, Patience(first=0.05, poll=0.05), Alarm())
    courier.start()
    eventually(lambda: node.read(lambda connection: progress(connection, "arr")).settled == 150, "it is not settled")
    courier.stop()
    courier.join(10)
    node.close()
    assert opened.users() == users


def test_a_repository_over_udp_that_is_not_there_is_noticed(repository: Open) -> None:
    opened = repository()
    port = opened.udp.getHost().port
    opened._call(opened.udp.stopListening)
    collector = UDPCollector("127.0.0.1", port)
    with pytest.raises(Lost, match="nothing listens there"):
        collector.send([Parcel(number=1, content=b"<85>1 - - - - - - x")])


class Source:
    """Something that brings messages."""

    def __init__(self) -> None:
        self.paused = 0

    def pause(self) -> None:
        """Count."""
        self.paused += 1

    def resume(self) -> None:
        """Count."""
        self.paused -= 1


def test_an_intake_is_bounded_and_tries_again() -> None:
    clock, stored, source = Clock(), [], Source()
    deferreds: list[Deferred[Any]] = []

    def keep(group: Sequence[Arrival]) -> "Deferred[Any]":
        stored.append([each.data for each in group])
        deferreds.append(Deferred())
        return deferreds[-1]

    intake = Intake(keep, clock, IntakeLimits(held=3, group=2, retry_seconds=1))
    intake.attach(source)
    empty: list[str] = []
    intake.take([_arrived(b"a")])
    intake.when_empty(lambda: empty.append("now"))
    intake.take([_arrived(b"b"), _arrived(b"c"), _arrived(b"d")])
    assert (source.paused, stored) == (1, [[b"a"]])
    deferreds[0].errback(OSError("away"))
    clock.advance(1)
    assert stored == [[b"a"], [b"a"]]
    deferreds[1].callback(None)
    assert (source.paused, stored[2]) == (1, [b"b", b"c"])
    deferreds[2].callback(None)
    assert (source.paused, stored[3], empty) == (0, [b"d"], [])
    deferreds[3].callback(None)
    assert empty == ["now"]
    late = Source()
    intake.take([_arrived(b"long")])
    intake.attach(late)
    assert late.paused == 1


def _arrived(data: bytes) -> Arrival:
    return Arrival(data=data, at=utc_now(), peer="p", address="p", transport=Transport.TLS)
