"""Couriers and consumers on real sockets: who is told, in which order, how often, and what becomes of refusals."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from typing import ClassVar

import pytest
from prometheus_client import generate_latest
from sqlalchemy import text

from affinity.consumers import MLLPConsumer, Outcome, Verdict, consumer
from affinity.database import Database
from affinity.domain_model import Subscriber
from affinity.metrics import REGISTRY
from affinity.node import utc_now
from affinity.notifications import Courier, Couriers, Patience
from affinity.outages import InDoubt, Trouble, Unavailable
from affinity.pki import DevelopmentPKI, development_pki
from affinity.works import Result, Work
from hl7v2.message import Message
from ihe.errors import Breach, HL7ErrorCode
from mllp.client import Address
from pix import store_notifications as store
from pix.iti10 import Route
from pix.manager import PatientIndex
from pix.model import Origin
from pix.notifications import Outbox
from pix.update_notifications import Notification, State
from tests.affinity.fake_consumers import MLLPInbox, SOAPInbox, accept, refuse
from tests.pix.conftest import DOMAIN
from tests.pix.scene import Scene, person
from tests.pix.v3.desk import complaints
from tls.files import TLS

QUICK = Patience(first=0.02, longest=0.1, attempts=3, poll=5.0)


class Stage:
    """An index with subscribers, and their couriers."""

    def __init__(self, database: Database, tls: TLS | None) -> None:
        self.database = database
        self.couriers = Couriers()
        self._tls = tls
        self._numbers = count(1)
        self._subscribers: tuple[Subscriber, ...] = ()
        self.scene: Scene

    def subscribe(self, *subscribers: Subscriber) -> Scene:
        self._subscribers = subscribers
        outbox = Outbox(subscriptions=tuple(each.subscription for each in subscribers), wake=self.couriers.wake)
        index = PatientIndex(domain=DOMAIN, database=self.database, clock=utc_now, outbox=outbox)
        self.scene = Scene(index, self._origin, DOMAIN.assigning_authorities)
        return self.scene

    def start(self, patience: Patience = QUICK) -> None:
        self.couriers.start(
            Courier(each.name, consumer(each, DOMAIN, self._tls), self.database, utc_now, patience)
            for each in self._subscribers
        )

    def restart(self) -> None:
        self.couriers.stop(10)
        self.couriers = Couriers()
        self.start()

    def in_state(self, *states: State) -> tuple[Notification, ...]:
        return self.database.read(lambda connection: store.in_state(connection, states))

    def settled(self) -> tuple[Notification, ...]:
        """Everything, once nothing waits any more."""
        waiting = threading.Event()
        for _ in range(2000):
            if not self.in_state(State.PENDING):
                return self.in_state(*State)
            waiting.wait(0.01)
        pytest.fail("it still waits")

    def _origin(self, source: str = "HIS|HOSP") -> Origin:
        number = next(self._numbers)
        return Origin(source=source, message_id=f"M{number}", digest=f"d{number}", answer=b"AA", transaction="test")


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> DevelopmentPKI:
    return development_pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def calling(pki: DevelopmentPKI) -> TLS:
    return TLS(certificate=pki.client.certificate, key=pki.client.key, authorities=pki.authority.certificate)


@pytest.fixture
def server_context(pki: DevelopmentPKI) -> ssl.SSLContext:
    """A consumer's own TLS, which demands a certificate of ours."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.server.certificate, pki.server.key)
    context.load_verify_locations(pki.authority.certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


@pytest.fixture
def stage(database: Database, calling: TLS) -> Iterator[Stage]:
    made = Stage(database, calling)
    yield made
    made.couriers.stop(10)


Listen = Callable[..., MLLPInbox]


@pytest.fixture
def listen() -> Iterator[Listen]:
    opened: list[MLLPInbox] = []

    def begin(**options: object) -> MLLPInbox:
        opened.append(MLLPInbox(**options))  # type: ignore[arg-type]
        return opened[-1]

    yield begin
    for each in opened:
        each.close()


class Counting(Patience):
    """Patience that says when it is tried for the fifth time in a row."""

    lost: ClassVar[threading.Event] = threading.Event()

    def after(self, failures: int) -> float:
        """Notice, then wait as always."""
        if failures >= 5:
            self.lost.set()
        return super().after(failures)


class Troubled:
    """The database, which takes nothing while there is trouble."""

    def __init__(self, database: Database) -> None:
        self.read, self.shift = database.read, database.shift
        self.trouble: Exception | None = None
        self._database = database

    def write(self, work: Work[Result]) -> Result:
        """Store, or refuse."""
        if self.trouble is not None:
            raise self.trouble
        return self._database.write(work)


def over_mllp(port: int, name: str = "CARD", scheme: str = "mllp", domains: frozenset[str] = frozenset()) -> Subscriber:
    wire = f"{scheme}://127.0.0.1:{port}"
    return Subscriber(name=name, wire=wire, domains=domains, application="CARDIO", facility="HOSP")


def over_soap(port: int, scheme: str = "http") -> Subscriber:
    return Subscriber(name="CARD", wire=f"{scheme}://127.0.0.1:{port}/pix", device="2.25.77")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def states(told: tuple[Notification, ...]) -> list[str]:
    return [each.state.value for each in told]


def test_a_consumer_is_told_by_a31(stage: Stage, listen: Listen) -> None:
    inbox = listen()
    scene = stage.subscribe(over_mllp(inbox.port))
    stage.start()
    scene.feed("HOSP:1")
    scene.feed("CLINIC:7")
    scene.link("HOSP:1", "CLINIC:7")
    message = inbox.wait(3)[2]
    header = message.header
    assert [header.text(each) for each in (3, 4, 5, 6)] == ["AFFINITY", "AFFINITY", "CARDIO", "HOSP"]
    assert [header.text(9, each) for each in (1, 2, 3)] == ["ADT", "A31", "ADT_A05"]
    assert message["PID"].raw(3) == "1^^^HOSP&2.25.999.1&ISO~7^^^CLINIC&2.25.999.2&ISO"
    assert message["PID"].raw(5) == " "
    assert message["PV1"].text(2) == "N"
    assert states(stage.settled()) == ["sent", "sent", "sent"]


@pytest.mark.parametrize("wire", ["mllps", "https"])
def test_a_consumer_is_told_over_mutual_tls(wire: str, stage: Stage, server_context: ssl.SSLContext) -> None:
    inbox = MLLPInbox(tls=server_context) if wire == "mllps" else SOAPInbox(tls=server_context)
    scene = stage.subscribe(
        over_mllp(inbox.port, scheme="mllps") if wire == "mllps" else over_soap(inbox.port, "https")
    )
    stage.start()
    scene.feed("HOSP:1")
    inbox.wait(1)
    assert states(stage.settled()) == ["sent"]
    inbox.close()


def test_a_wire_with_tls_needs_certificates() -> None:
    with pytest.raises(ValueError, match="subscriber CARD is told over TLS, but no certificates are set"):
        consumer(over_mllp(1, scheme="mllps"), DOMAIN, None)


@pytest.fixture
def soap_inbox() -> Iterator[SOAPInbox]:
    inbox = SOAPInbox()
    yield inbox
    inbox.close()


def test_a_consumer_is_told_by_patient_registry_record_revised(stage: Stage, soap_inbox: SOAPInbox) -> None:
    scene = stage.subscribe(over_soap(soap_inbox.port))
    stage.start()
    scene.feed("HOSP:1")
    scene.feed("CLINIC:7")
    scene.link("HOSP:1", "CLINIC:7")
    body = soap_inbox.wait(3)[2]
    assert soap_inbox.actions[2] == "urn:hl7-org:v3:PRPA_IN201302UV02"
    ids = [(each.get("root"), each.get("extension")) for each in body.iterfind(".//{*}patient/{*}id")]
    assert ids == [("2.25.999.1", "1"), ("2.25.999.2", "7")]
    assert body.findtext(".//{*}patientPerson/{*}name/{*}family") == "Weber"
    assert complaints(body) == []
    assert states(stage.settled()) == ["sent", "sent", "sent"]


def test_a_refusal_is_a_dead_letter_with_its_words_and_the_next_list_goes_out(stage: Stage, listen: Listen) -> None:
    inbox = listen(answer=refuse(HL7ErrorCode.UNKNOWN_KEY_IDENTIFIER))
    scene = stage.subscribe(over_mllp(inbox.port))
    scene.feed("HOSP:1")
    stage.start()
    inbox.wait(1)
    (dead,) = stage.settled()
    assert (dead.state, dead.attempts) == (State.DEAD, 1)
    assert dead.error is not None and dead.error.startswith("AE: 204 ") and "we do not like it" in dead.error
    inbox.answer = accept
    scene.change("HOSP:1", "HOSP:2")
    assert states(stage.settled()) == ["dead", "sent"]
    assert inbox.ids() == ["1", "2"]


def test_a_rejection_is_tried_again_and_dead_after_so_many_attempts(stage: Stage, listen: Listen) -> None:
    inbox = listen(answer=refuse(HL7ErrorCode.APPLICATION_RECORD_LOCKED))
    scene = stage.subscribe(over_mllp(inbox.port))
    stage.start()
    scene.feed("HOSP:1")
    (dead,) = stage.settled()
    assert (dead.state, dead.attempts) == (State.DEAD, 3)
    assert inbox.control_ids() == [dead.message_id[:20]] * 3


def test_a_later_list_waits_for_an_earlier_one_of_the_same_patient_and_others_overtake(
    stage: Stage, listen: Listen
) -> None:
    rejected = refuse(HL7ErrorCode.APPLICATION_RECORD_LOCKED)
    gate = threading.Event()

    def answer(message: Message) -> bytes | None:
        held = message["PID"].text(3) == "1" and not gate.is_set()
        return rejected(message) if held else accept(message)

    inbox = listen(answer=answer)
    scene = stage.subscribe(over_mllp(inbox.port))
    scene.feed("HOSP:1")
    scene.feed("CLINIC:7")
    scene.link("HOSP:1", "CLINIC:7")
    scene.feed("HOSP:2")
    stage.start(Patience(first=0.02, longest=0.1, attempts=1000, poll=5.0))
    while "2" not in inbox.ids():
        inbox.wait(len(inbox.received) + 1)
    assert {*inbox.ids()} == {"1", "7", "2"}
    gate.set()
    assert states(stage.settled()) == ["sent"] * 4
    assert inbox.ids()[-2:] == ["1", "1 7"]


def test_what_nobody_takes_waits_without_end_and_arrives_once_somebody_listens(stage: Stage, listen: Listen) -> None:
    port, patience = free_port(), Counting(first=0.02, longest=0.1, attempts=1, poll=5.0)
    scene = stage.subscribe(over_mllp(port))
    stage.start(patience)
    scene.feed("HOSP:1")
    scene.feed("HOSP:2")
    assert patience.lost.wait(20)
    waiting = stage.in_state(State.PENDING)
    assert len(waiting) == 2 and all(each.attempts == 0 and each.due <= utc_now() for each in waiting)
    assert {each.error.split(" to ")[0] for each in waiting if each.error} == {"no connection"}
    inbox = listen(port=port)
    assert [each["PID"].text(3) for each in inbox.wait(2)] == ["1", "2"]
    assert states(stage.settled()) == ["sent", "sent"]


def test_without_an_answer_the_same_message_is_sent_again(stage: Stage, listen: Listen) -> None:
    inbox: MLLPInbox = listen(answer=lambda message: None if len(inbox.received) < 3 else accept(message))
    scene = stage.subscribe(over_mllp(inbox.port))
    stage.start()
    scene.feed("HOSP:1")
    stage.settled()
    assert len(set(inbox.control_ids())) == 1
    assert len({each.header.text(7) for each in inbox.received}) == 1
    assert len(inbox.received) == 3


def test_an_answer_to_another_message_counts_as_none(stage: Stage, listen: Listen) -> None:
    def confuse(message: Message) -> bytes | None:
        return (accept(message) or b"").replace(message.control_id.encode(), b"another")

    inbox = listen(answer=confuse)
    scene = stage.subscribe(over_mllp(inbox.port))
    stage.start()
    scene.feed("HOSP:1")
    (dead,) = stage.settled()
    assert (dead.state, dead.error) == (State.DEAD, "the answer names another message")


def test_one_that_hangs_delays_no_other(stage: Stage, listen: Listen) -> None:
    released = threading.Event()

    def hang(message: Message) -> bytes | None:
        released.wait(20)
        return accept(message)

    slow, quick = listen(answer=hang), listen()
    scene = stage.subscribe(over_mllp(slow.port, "SLOW"), over_mllp(quick.port, "QUICK"))
    stage.start()
    for number in range(5):
        scene.feed(f"HOSP:{number}")
    quick.wait(5)
    assert len(slow.received) <= 1
    released.set()
    slow.wait(5)


def test_what_was_left_is_told_after_a_restart(stage: Stage, listen: Listen) -> None:
    inbox = listen()
    scene = stage.subscribe(over_mllp(inbox.port))
    scene.feed("HOSP:1")
    stage.start()
    inbox.wait(1)
    stage.settled()
    stage.couriers.stop(10)
    scene.feed("HOSP:2")
    stage.restart()
    inbox.wait(2)
    stage.settled()
    assert inbox.ids() == ["1", "2"]


def test_what_was_told_and_could_not_be_written_down_is_not_told_again(stage: Stage, listen: Listen) -> None:
    inbox = listen()
    subscriber = over_mllp(inbox.port)
    scene = stage.subscribe(subscriber)
    database = Troubled(stage.database)
    courier = Courier(subscriber.name, consumer(subscriber, DOMAIN, None), database, utc_now, QUICK)  # type: ignore[arg-type]
    courier.run_once()
    scene.feed("HOSP:1")
    database.trouble = Unavailable(Trouble.FULL)
    for _ in range(3):
        with pytest.raises(Unavailable):
            courier.run_once()
    assert states(stage.in_state(*State)) == ["pending"]
    database.trouble = None
    courier.run_once()
    assert states(stage.in_state(*State)) == ["sent"]
    assert inbox.ids() == ["1"]


def test_what_may_not_have_been_written_down_is_told_again_if_it_was_not(stage: Stage, listen: Listen) -> None:
    inbox = listen()
    subscriber = over_mllp(inbox.port)
    scene = stage.subscribe(subscriber)
    database = Troubled(stage.database)
    courier = Courier(subscriber.name, consumer(subscriber, DOMAIN, None), database, utc_now, QUICK)  # type: ignore[arg-type]
    courier.run_once()
    scene.feed("HOSP:1")
    database.trouble = InDoubt()
    with pytest.raises(InDoubt):
        courier.run_once()
    database.trouble = None
    courier.run_once()
    assert states(stage.in_state(*State)) == ["sent"]
    assert inbox.ids() == ["1", "1"]


class Telling:
    """A consumer that takes everything, or whatever ``outcome`` says; ``meanwhile`` something else happens, once."""

    def __init__(self, meanwhile: Callable[[], object], outcome: Outcome = Outcome.ACCEPTED) -> None:
        self.told: list[Notification] = []
        self._meanwhile = [meanwhile]
        self._outcome = outcome

    def tell(self, told: Notification) -> Verdict:
        while self._meanwhile:
            self._meanwhile.pop()()
        self.told.append(told)
        return Verdict(self._outcome)

    def hang_up(self) -> None:
        pass


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_of_two_nodes_on_one_database_one_tells_a_consumer_at_a_time(
    stage: Stage, postgresql_url: str, listen: Listen
) -> None:
    """The second would tell a later list while the first is about to tell an earlier one."""
    subscriber = over_mllp(listen().port)
    scene, elsewhere = stage.subscribe(subscriber), Database(postgresql_url)
    others = Telling(lambda: None)
    other = Courier(subscriber.name, others, elsewhere, utc_now, QUICK)

    def change_and_tell() -> None:
        scene.feed("HOSP:1", "CLINIC:7")
        assert other.run_once() > 0

    mine = Telling(change_and_tell)
    scene.feed("HOSP:1")
    first = Courier(subscriber.name, mine, stage.database, utc_now, QUICK)
    assert first.run_once() == 0
    assert (len(mine.told), others.told) == (1, [])
    while not others.told:  # nobody waits until the server has taken back the turn
        other.run_once()
    assert [len(each.identifiers) for each in (*mine.told, *others.told)] == [1, 2]
    assert states(stage.in_state(*State)) == ["sent", "sent"]
    elsewhere.close()


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_who_has_lost_the_shift_tells_nothing_more(stage: Stage) -> None:
    """Another node has it by now, and would tell a later list before this one."""
    scene = stage.subscribe(over_mllp(free_port()))
    for id, name in (("HOSP:1", "Anna"), ("HOSP:2", "Marc")):
        scene.feed(id, who=person(name, "Weber"))
    cut = text("SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND classid = 3418")
    mine = Telling(lambda: stage.database.write(lambda connection: connection.execute(cut)))
    courier = Courier("CARD", mine, stage.database, utc_now, QUICK)
    assert courier.run_once() == 0
    assert len(mine.told) == 1
    assert sorted(states(stage.in_state(*State))) == ["pending", "sent"]


def test_what_another_node_told_meanwhile_is_not_told_again(stage: Stage) -> None:
    scene, at_once = stage.subscribe(over_mllp(free_port())), Patience(first=0.0)
    database, mine, others = Troubled(stage.database), Telling(bool, Outcome.UNANSWERED), Telling(bool)
    courier = Courier("CARD", mine, database, utc_now, at_once)  # type: ignore[arg-type]
    courier.run_once()
    scene.feed("HOSP:1")
    database.trouble = Unavailable(Trouble.AWAY)
    with pytest.raises(Unavailable):
        courier.run_once()
    Courier("CARD", others, stage.database, utc_now, at_once).run_once()
    database.trouble = None
    courier.run_once()
    assert states(stage.in_state(*State)) == ["sent"]
    assert (len(mine.told), len(others.told)) == (1, 1)


def test_a_v3_refusal_is_dead_at_once_and_a_fault_is_tried_again(stage: Stage, soap_inbox: SOAPInbox) -> None:
    scene = stage.subscribe(over_soap(soap_inbox.port))
    soap_inbox.breaches = (Breach(code=HL7ErrorCode.REQUIRED_FIELD_MISSING, text="no name"),)
    stage.start()
    scene.feed("HOSP:1")
    (refused,) = stage.settled()
    assert (refused.state, refused.attempts) == (State.DEAD, 1)
    assert refused.error is not None and refused.error.startswith("CE: 101")
    soap_inbox.fault = True
    scene.feed("HOSP:2")
    faulty = stage.settled()[1]
    assert (faulty.state, faulty.attempts) == (State.DEAD, 3)
    assert faulty.error == "Receiver: out of order"
    ids = [each.find("{*}id") for each in soap_inbox.received[1:]]
    assert len({each.get("root") for each in ids if each is not None}) == 1


def test_a_v3_answer_to_another_message_counts_as_none(stage: Stage, soap_inbox: SOAPInbox) -> None:
    scene = stage.subscribe(over_soap(soap_inbox.port))
    soap_inbox.confused = True
    stage.start()
    scene.feed("HOSP:1")
    (told,) = stage.settled()
    assert (told.state, told.attempts, told.error) == (State.DEAD, 3, "the answer names another message")


def test_only_domains_of_interest_are_told(stage: Stage, listen: Listen) -> None:
    inbox = listen()
    scene = stage.subscribe(over_mllp(inbox.port, domains=frozenset({"2.25.999.2"})))
    stage.start()
    scene.feed("HOSP:1")
    scene.feed("CLINIC:7")
    scene.link("HOSP:1", "CLINIC:7")
    scene.change("CLINIC:7", "CLINIC:8")
    inbox.wait(2)
    stage.settled()
    assert inbox.ids() == ["7", "8"]


def test_the_metrics_tell_what_waits_and_what_is_dead(stage: Stage) -> None:
    scene = stage.subscribe(over_mllp(free_port(), "METERED"))
    scene.feed("HOSP:1")
    route = Route(application="A", facility="A", receiving_application="B", receiving_facility="B")
    told = MLLPConsumer(Address(host="127.0.0.1", port=1), route)
    ahead = datetime(2999, 1, 1, tzinfo=UTC)
    Courier("METERED", told, stage.database, lambda: ahead, QUICK).measure()
    exposed = generate_latest(REGISTRY).decode()
    assert 'affinity_notifications{state="pending",subscriber="METERED"} 1.0' in exposed
    assert 'affinity_notifications{state="dead",subscriber="METERED"} 0.0' in exposed
    (age,) = [
        line
        for line in exposed.splitlines()
        if line.startswith('affinity_notifications_oldest_seconds{subscriber="METERED')
    ]
    assert float(age.split()[-1]) > 1e9


def test_waits_double_up_to_the_longest_and_differ_by_chance() -> None:
    patience = Patience(first=1.0, longest=60.0)
    for failures, longest in ((1, 1.0), (2, 2.0), (5, 16.0), (7, 60.0), (1000, 60.0)):
        assert longest / 2 <= patience.after(failures) <= longest
    assert len({patience.after(3) for _ in range(20)}) > 1
