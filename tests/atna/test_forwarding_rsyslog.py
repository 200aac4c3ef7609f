"""Nothing is lost on the way to a real collector: killed, stalled, slow, over TLS and UDP (ITI TF-2: 3.20.4.1.1)."""

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from affinity.audit_outbox import TrailOutbox, as_syslog
from affinity.audit_watch import Alarm
from affinity.collector_tls import TLSCollector
from affinity.collector_udp import UDPCollector
from affinity.collectors import Collector
from affinity.database import Database
from affinity.forwarding import AuditCourier, Pace
from affinity.node import utc_now
from affinity.notifications import Patience
from affinity.pki import DevelopmentPKI, development_pki
from atna import dicom
from atna.entries import entry
from atna.model import AuditMessage
from atna.store import append
from atna.store_exchange import progress
from mllp.client import client_context
from tests.atna.rsyslog import Rsyslog, eventually
from tests.atna.test_atna_dicom import GOOD
from tls.files import TLS

PATIENCE = Patience(first=0.05, longest=0.3, poll=0.05)
TLS_PACE = Pace(window=1.0, confirm_seconds=0.5, confirm_octets=300_000)
UDP_PACE = Pace(window=1.0)
DRIVERS = ("gtls", "ossl", "udp")


def named(user: str) -> AuditMessage:
    message = dicom.read(GOOD)
    about = replace(message.participants[0], user_id=user, user_name="Zoë " + "x" * 1500)
    return replace(message, participants=(about,), event=replace(message.event, time=datetime.now(UTC)))


class Trail:
    """Records that are committed while a courier carries them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.users: list[str] = []

    def grow(self, count: int) -> None:
        """Commit so many, in transactions of a few."""
        for start in range(0, count, 20):
            names = [f"user{len(self.users) + each}" for each in range(min(20, count - start))]
            entries = [entry(named(each)) for each in names]
            self.database.write(lambda connection, made=entries: append(connection, made))
            self.users += names


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


@pytest.fixture
def trail(database: Database) -> Trail:
    return Trail(database)


Collecting = Callable[..., Rsyslog]


@pytest.fixture
def collecting(tmp_path: Path, pki: DevelopmentPKI) -> Iterator[Collecting]:
    opened: list[Rsyslog] = []

    def begin(driver: str, delay: int = 0) -> Rsyslog:
        opened.append(Rsyslog(tmp_path / f"rsyslog{len(opened)}", driver, pki, delay))
        return opened[-1].start()

    yield begin
    for each in opened:
        each.close()


Carry = Callable[..., AuditCourier]


@pytest.fixture
def carry(trail: Trail, pki: DevelopmentPKI) -> Iterator[Carry]:
    started: list[AuditCourier] = []

    def begin(driver: str, port: int) -> AuditCourier:
        outbox = TrailOutbox(trail.database, "arr", as_syslog("node.example"))
        pace = UDP_PACE if driver == "udp" else TLS_PACE
        courier = AuditCourier("arr", _collector(driver, port, pki), outbox, utc_now, pace, PATIENCE, Alarm())
        started.append(courier)
        courier.start()
        return courier

    yield begin
    for each in started:
        each.stop()
        each.join(10)


def _collector(driver: str, port: int, pki: DevelopmentPKI) -> Collector:
    if driver == "udp":
        return UDPCollector("127.0.0.1", port)
    tls = TLS(certificate=pki.client.certificate, key=pki.client.key, authorities=pki.authority.certificate)
    return TLSCollector("localhost", port, lambda: client_context(tls))


def complete(trail: Trail, rsyslog: Rsyslog) -> Callable[[], bool]:
    return lambda: set(trail.users) <= set(rsyslog.counted())


def delivered(trail: Trail, rsyslog: Rsyslog, driver: str) -> Callable[[], bool]:
    """Over UDP the last records stay in doubt until a later one went out without a complaint."""
    return complete(trail, rsyslog) if driver == "udp" else settled(trail)


def settled(trail: Trail) -> Callable[[], bool]:
    return lambda: trail.database.read(lambda connection: progress(connection, "arr")).settled == len(trail.users)


@pytest.mark.parametrize("driver", DRIVERS)
def test_every_record_arrives_once_and_in_order(
    trail: Trail, collecting: Collecting, carry: Carry, driver: str
) -> None:
    trail.grow(100)
    rsyslog = collecting(driver)
    carry(driver, rsyslog.port)
    trail.grow(100)
    eventually(delivered(trail, rsyslog, driver), "not all is delivered")
    assert list(rsyslog.counted().items()) == [(each, 1) for each in trail.users]
    assert rsyslog.lines()[0].startswith("<85>1 2")
    assert " node.example affinity - IHE+RFC-3881 - <AuditMessage>" in rsyslog.lines()[0]
    assert "Zoë" in rsyslog.lines()[0]


@pytest.mark.parametrize("driver", [each for each in DRIVERS if each != "udp"])  # a datagram not yet read dies with it
def test_a_killed_collector_loses_nothing(trail: Trail, collecting: Collecting, carry: Carry, driver: str) -> None:
    rsyslog = collecting(driver)
    carry(driver, rsyslog.port)
    feeding = threading.Thread(target=trail.grow, args=(600,))
    feeding.start()
    for share in (20, 200):
        eventually(lambda least=share: len(rsyslog.lines()) >= least, "it stores nothing")
        rsyslog.kill()
        rsyslog.start()
    feeding.join()
    eventually(delivered(trail, rsyslog, driver), "not all is delivered")
    assert complete(trail, rsyslog)()


@pytest.mark.parametrize("driver", ["gtls", "ossl"])
def test_a_collector_that_stalls_and_is_killed_then_loses_nothing(
    trail: Trail, collecting: Collecting, carry: Carry, driver: str
) -> None:
    rsyslog = collecting(driver)
    carry(driver, rsyslog.port)
    trail.grow(40)
    eventually(settled(trail), "the first ones are not settled")
    rsyslog.freeze()
    trail.grow(100)
    still = trail.database.read(lambda connection: progress(connection, "arr"))
    threading.Event().wait(2 * TLS_PACE.window)
    assert trail.database.read(lambda connection: progress(connection, "arr")).settled == still.settled
    rsyslog.kill()
    rsyslog.start()
    eventually(settled(trail), "not all is settled")
    assert complete(trail, rsyslog)()


@pytest.mark.parametrize("driver", ["gtls", "udp"])
def test_a_collector_that_stalls_and_goes_on_loses_nothing(
    trail: Trail, collecting: Collecting, carry: Carry, driver: str
) -> None:
    rsyslog = collecting(driver)
    carry(driver, rsyslog.port)
    rsyslog.freeze()
    trail.grow(100)
    rsyslog.thaw()
    eventually(delivered(trail, rsyslog, driver), "not all is delivered")
    assert complete(trail, rsyslog)()


def test_a_slow_collector_is_waited_for(trail: Trail, collecting: Collecting, carry: Carry) -> None:
    rsyslog = collecting("gtls", delay=5000)
    carry("gtls", rsyslog.port)
    trail.grow(800)
    eventually(complete(trail, rsyslog), "not all is stored", 60)
    eventually(settled(trail), "not all is settled")
    assert max(rsyslog.counted().values()) == 1


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_collector_that_comes_later_gets_everything(
    trail: Trail, collecting: Collecting, carry: Carry, driver: str
) -> None:
    rsyslog = collecting(driver)
    rsyslog.kill()
    trail.grow(40)
    courier = carry(driver, rsyslog.port)
    eventually(
        lambda: trail.database.read(lambda connection: progress(connection, "arr")).reach == "lost",
        "the loss is not noticed",
    )
    courier.stop()
    courier.join(10)
    rsyslog.start()
    carry(driver, rsyslog.port)
    eventually(delivered(trail, rsyslog, driver), "not all is delivered")
    assert complete(trail, rsyslog)()
