"""Several workers under a parent: nothing is refused or lost through a rolling restart and a kill, nothing is twice."""

import os
import shutil
import signal
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from affinity.client import hl7, xds
from affinity.client.hl7 import Announced, Route
from affinity.database import Database
from affinity.domain import SHIPPED
from affinity.seal_files import KEY
from atna.logs import DatabaseLog
from atna.signing import sealing_key
from atna.verifying import verify
from hl7v2.er7 import parse, serialize
from ihe.datatypes import CX, HD
from ihe.exchange import OutgoingPart
from ihe.identifiers import UniqueId, new_oid
from ihe.transactions import SOAPBinding
from mllp.framing import Framer, Received, frame
from pix.tables import event, record
from soap.client import NoAnswer, SOAPClient
from tests.affinity.fake_consumers import MLLPInbox
from tests.faults.sending import CODING
from tests.serving.conftest import PATIENCE, Serve, Supervised
from xds.iti41 import ITI_41
from xds.tables import document_entry as entry

RED = HD("IHERED", "1.3.6.1.4.1.21367.13.20.1000", "ISO")
KILLS = int(os.environ.get("AFFINITY_FAULT_ROUNDS", "1"))
"""By hand more; the parent waits longer and longer before it replaces who dies again and again."""
PAUSE = 0.02
FEEDERS, SUBMITTERS = 3, 2


@dataclass
class Ledger:
    """What was acknowledged, and how often something had to be sent again because its connection had ended."""

    patients: list[str] = field(default_factory=list)
    documents: list[str] = field(default_factory=list)
    resent: list[str] = field(default_factory=list)
    more: threading.Condition = field(default_factory=threading.Condition)

    def note(self, where: list[str], what: str) -> None:
        with self.more:
            where.append(what)
            self.more.notify_all()

    def await_more(self, patients: int, documents: int) -> None:
        """Until so many more of each have been acknowledged."""
        fed, submitted = len(self.patients) + patients, len(self.documents) + documents
        with self.more:
            assert self.more.wait_for(lambda: len(self.patients) >= fed and len(self.documents) >= submitted, PATIENCE)


class Feeder:
    """An interface engine: one connection that stays, and each message sent until it is acknowledged.

    A port that is closed raises ConnectionRefusedError, which ends the test.
    """

    def __init__(self, port: int, ledger: Ledger) -> None:
        self._port = port
        self._ledger = ledger
        self._connection: socket.socket | None = None

    def feed(self, patient: str) -> None:
        announced = Announced(
            identifiers=(CX(patient, RED),), family=f"Sturdy{patient}", given="Ada", birth_date="19700101", sex="F"
        )
        message = serialize(hl7.announce(Route(), announced))
        while (answer := self._ask(message)) is None:
            self._ledger.note(self._ledger.resent, patient)
        assert parse(answer)["MSA"].text(1) == "AA", answer
        self._ledger.note(self._ledger.patients, patient)

    def _ask(self, message: bytes) -> bytes | None:
        """The answer; None if the connection ended before it came."""
        if self._connection is None:
            self._connection = socket.create_connection(("127.0.0.1", self._port), 30)
        framer = Framer(65536)
        try:
            self._connection.sendall(frame(message))
            while data := self._connection.recv(65536):
                for each in framer.feed(data):
                    if isinstance(each, Received):
                        return each.message
        except (ConnectionResetError, BrokenPipeError):
            pass
        self._connection.close()
        self._connection = None
        return None


def submit(port: int, owner: CX, ledger: Ledger) -> None:
    unique_id = UniqueId(new_oid())
    described = xds.Described(
        title="Report",
        mime_type="text/plain",
        coding=CODING,
        language_code="en-us",
        creation_time="20260101",
        unique_id=unique_id,
    )
    source = xds.Source(source_id="1.2.3.4", author_person="^Doe", author_institution="Ward")
    content = unique_id.encode() * 100
    part = OutgoingPart(content_id="d@x", media_type="text/plain", size=len(content), chunks=lambda: iter((content,)))
    binding = ITI_41.bindings[0]
    assert isinstance(binding, SOAPBinding)
    client = SOAPClient(url=f"http://127.0.0.1:{port}/xds/repository")
    while True:
        submission = xds.submission(CX(owner.id, HD("", RED.universal_id, "ISO")), source, owner, [described])
        try:
            answer = client.call(binding, [xds.provide_and_register(submission, ["d@x"])], parts=(part,))
            break
        except (OSError, NoAnswer) as error:
            assert not isinstance(error.__cause__ or error, ConnectionRefusedError)
            ledger.note(ledger.resent, unique_id)
    assert answer.body.get("status", "").endswith(":Success"), [dict(each.attrib) for each in answer.body.iter()]
    ledger.note(ledger.documents, unique_id)


@contextmanager
def traffic(node: Supervised, owner: CX) -> Iterator[Ledger]:
    """Feeds and submissions without end; whatever goes wrong in one of them is raised at the end."""
    ledger, numbers, over = Ledger(), count(1), threading.Event()

    def repeat(step: Callable[[], None]) -> None:
        while not over.wait(PAUSE):
            step()

    def feeding(feeder: Feeder) -> Callable[[], None]:
        return lambda: feeder.feed(f"W-{next(numbers)}")

    with ThreadPoolExecutor(FEEDERS + SUBMITTERS) as pool:
        steps = [feeding(Feeder(node.ports["mllp"], ledger)) for _ in range(FEEDERS)]
        steps += [lambda: submit(node.ports["http"], owner, ledger)] * SUBMITTERS
        running: list[Future[None]] = [pool.submit(repeat, each) for each in steps]
        try:
            yield ledger
        finally:
            over.set()
            for each in running:  # what went wrong in a sender says more than what is missed for it
                each.result()


@pytest.fixture
def inbox() -> Iterator[MLLPInbox]:
    """A PIX Consumer that is told of every patient."""
    opened = MLLPInbox()
    yield opened
    opened.close()


@pytest.fixture
def domain(tmp_path: Path, inbox: MLLPInbox) -> Path:
    copied = tmp_path / "domain"
    shutil.copytree(SHIPPED / "connectathon", copied)
    (copied / "subscribers.toml").write_text(
        f'[[subscriber]]\nname = "card"\nwire = "mllp://127.0.0.1:{inbox.port}"\napplication = "C"\nfacility = "H"\n'
    )
    return copied


def kill_who_is_on_duty(node: Supervised, time: int = 1) -> None:
    """For the first, second, ... time."""
    number = node.await_event("on duty", time)[-1]["worker"]
    (*_, pid) = (each["process"] for each in node.await_event("worker started") if each["worker"] == number)
    os.kill(pid, signal.SIGKILL)
    node.await_event("worker died", time)


def check_told(inbox: MLLPInbox, ledger: Ledger) -> None:
    """Everybody, whichever worker took the feed, and whoever was on duty."""
    for patient in ledger.patients:
        while patient not in inbox.ids():
            inbox.wait(len(inbox.received) + 1)


@pytest.mark.timeout(600)
def test_nothing_is_refused_lost_or_doubled_through_a_rolling_restart_and_a_kill(
    empty_postgresql: str, serve: Serve, domain: Path, inbox: MLLPInbox
) -> None:
    node = serve("--workers", "2", "--domain", str(domain), "--database-url", empty_postgresql)
    node.await_event("listening")
    owner = CX("W-OWNER", RED)
    Feeder(node.ports["mllp"], Ledger()).feed(owner.id)
    with traffic(node, owner) as ledger:
        ledger.await_more(10, 5)
        node.signal(signal.SIGHUP)
        node.await_event("rolling restart complete")
        ledger.await_more(10, 5)
        kill_who_is_on_duty(node)
        node.await_event("worker started", 5)
        ledger.await_more(20, 10)
    check_told(inbox, ledger)
    assert node.stop() == 0
    assert ledger.resent, "no connection ended: nothing was tried"
    check(empty_postgresql, node.data, ledger)


@pytest.mark.timeout(600)
def test_workers_write_to_one_sqlite_file_and_end_with_their_parent(
    serve: Serve, domain: Path, inbox: MLLPInbox
) -> None:
    node = serve("--workers", "2", "--domain", str(domain))
    node.await_event("listening")
    owner = CX("W-OWNER", RED)
    Feeder(node.ports["mllp"], Ledger()).feed(owner.id)
    with traffic(node, owner) as ledger:
        for time in range(1, KILLS + 1):
            ledger.await_more(10, 5)
            kill_who_is_on_duty(node, time)
        ledger.await_more(20, 10)
    check_told(inbox, ledger)
    node.await_event("worker started", 2 + KILLS)
    node.process.kill()
    node.await_event("stopped", 2)
    check(f"sqlite:///{node.data / 'affinity.db'}", node.data, ledger)


def check(url: str, data: Path, ledger: Ledger) -> None:
    """What was acknowledged is there, what was sent again is there once, and the seals of the trail hold."""
    database = Database(url)
    try:
        patients, events = database.read(stored_patients), database.read(stored_events)
        documents = database.read(stored_documents)
        report = database.read(lambda connection: verify(DatabaseLog(connection), sealing_key(data / KEY).verifier))
    finally:
        database.close()
    assert set(ledger.patients) <= set(patients)
    assert [each for each, times in Counter(patients).items() if times > 1] == []
    assert [each for each, times in Counter(events).items() if times > 1] == []
    assert set(ledger.documents) <= set(documents)
    once = set(ledger.documents) - set(ledger.resent)
    assert [each for each, times in Counter(documents).items() if times > 1 and each in once] == []
    assert report.findings == []
    assert report.sealed


def stored_patients(connection: Connection) -> list[str]:
    return list(connection.execute(select(record.c.id)).scalars())


def stored_events(connection: Connection) -> list[tuple[object, ...]]:
    """A message that was applied twice would have left an event twice."""
    columns = (event.c.message_id, event.c.type, event.c.record, event.c.other)
    return [tuple(each) for each in connection.execute(select(*columns))]


def stored_documents(connection: Connection) -> list[str]:
    return list(connection.execute(select(entry.c.unique_id)).scalars())
