"""A courier and its repository, without wires: what is sent again, what is passed over, when somebody must look."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from time import monotonic

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from affinity.audit_load import Load
from affinity.audit_outbox import TrailOutbox, as_audit_event, as_syslog
from affinity.audit_watch import Alarm
from affinity.collector_fhir import FHIRCollector
from affinity.collectors import Lost, Parcel, Refused
from affinity.database import Database
from affinity.forwarding import AuditCourier, Pace
from affinity.notifications import Patience
from affinity.shifts import ELSEWHERE, Shift
from atna import dicom, fhir
from atna.entries import entry
from atna.forwarding import Backlog, Progress, Reach
from atna.store import Stored
from atna.syslog import decode
from ihe.audit import EventOutcomeIndicator
from tests.atna.test_atna_dicom import GOOD

CUT = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
NOW = datetime(2026, 3, 1, tzinfo=UTC)
AT_ONCE = Patience(first=0.0, longest=0.0, poll=0.0)


@dataclass
class Trail:
    """Numbers that are there, of which some are those of other nodes."""

    numbers: list[int]
    foreign: frozenset[int] = frozenset()
    noted: list[Progress] = field(default_factory=list)
    oldest: datetime = NOW
    is_brought_elsewhere: bool = False
    when_empty: Callable[[], None] = lambda: None

    def shift(self) -> AbstractContextManager[Shift]:
        return nullcontext(Shift(not self.is_brought_elsewhere))

    def progress(self) -> Progress:
        return self.noted[-1] if self.noted else Progress()

    def note(self, progress: Progress) -> None:
        self.noted.append(progress)

    def load(self, after: int, limit: int) -> Load:
        taken = [each for each in self.numbers if each > after][:limit]
        parcels = tuple(Parcel(number=each, content=b"%d" % each) for each in taken if each not in self.foreign)
        if not taken:
            self.when_empty()
        return Load(parcels=parcels, through=taken[-1] if taken else after)

    def backlog(self, after: int) -> Backlog:
        waiting = [each for each in self.numbers if each > after]
        return Backlog(records=len(waiting), oldest=self.oldest if waiting else None)


@dataclass
class Collector:
    """One that does as it is told; ``trouble`` is raised once, at the next step of that name."""

    got: list[int] = field(default_factory=list)
    trouble: dict[str, Exception] = field(default_factory=dict)
    hung_up: int = 0

    def send(self, parcels: Sequence[Parcel]) -> None:
        for each in parcels:
            if isinstance(refused := self.trouble.get("send"), Refused) and refused.number == each.number:
                raise self.trouble.pop("send")
            self.got.append(each.number)
        self._raise("send")

    def confirm(self) -> None:
        self._raise("confirm")

    def alive_at(self) -> float:
        self._raise("alive")
        return monotonic()

    def hang_up(self) -> None:
        self.hung_up += 1

    def interrupt(self) -> None:
        """Nothing to interrupt."""

    def _raise(self, step: str) -> None:
        if step in self.trouble and not isinstance(self.trouble[step], Refused):
            raise self.trouble.pop(step)


def carried(trail: Trail, collector: Collector, rounds: int = 3, **options: object) -> AuditCourier:
    pace = options.get("pace", Pace())
    alarm = options.get("alarm", Alarm())
    clock: Callable[[], datetime] = lambda: NOW  # noqa: E731
    courier = AuditCourier("arr", collector, trail, clock, pace, AT_ONCE, alarm)  # type: ignore[arg-type]
    for _ in range(rounds):
        courier.run_once()
    return courier


def test_of_several_nodes_one_brings_the_trail_and_the_next_goes_on_from_there() -> None:
    trail, first, second = Trail([1, 2, 3], is_brought_elsewhere=True), Collector(), Collector()
    waiting, working = (carried(trail, each, rounds=0) for each in (second, first))
    assert (waiting.take_shift(), second.got) == (ELSEWHERE, [])
    trail.is_brought_elsewhere, trail.when_empty = False, working.stop
    working.take_shift()
    assert (first.got, trail.noted[-1].settled) == ([1, 2, 3], 3)
    trail.numbers.append(4)
    trail.when_empty = waiting.stop
    waiting.take_shift()
    assert second.got == [4]


def test_a_shift_that_begins_anew_sends_nothing_anew() -> None:
    """What is on its way is not settled, and nobody else has gone on."""
    trail, collector = Trail([1, 2, 3]), Collector()
    courier = carried(trail, collector, pace=Pace(window=1000.0))
    trail.when_empty = courier.stop
    courier.take_shift()
    courier.take_shift()
    assert collector.got == [1, 2, 3]


def test_what_was_on_its_way_when_another_node_took_over_is_brought_again() -> None:
    """The other one may have failed before it brought it: duplicates are allowed, gaps are not."""
    trail, collector = Trail([1, 2, 3]), Collector()
    courier = carried(trail, collector, pace=Pace(window=1000.0))
    trail.is_brought_elsewhere = True
    assert courier.take_shift() == ELSEWHERE
    trail.is_brought_elsewhere, trail.when_empty = False, courier.stop
    courier.take_shift()
    assert (collector.got, collector.hung_up) == ([1, 2, 3, 1, 2, 3], 1)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_nodes_on_one_database_have_a_shift_for_each_repository(database: Database, postgresql_url: str) -> None:
    elsewhere = Database(postgresql_url)
    with TrailOutbox(database, "ARR", as_audit_event).shift() as mine:
        shifts = [TrailOutbox(elsewhere, name, as_audit_event).shift() for name in ("ARR", "OTHER")]
        with shifts[0] as the_same, shifts[1] as another:
            assert (mine.is_mine, the_same.is_mine, another.is_mine) == (True, False, True)
        assert mine.lasts()
        with elsewhere.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as administrator:
            administrator.execute(CUT)
        assert not mine.lasts()
    elsewhere.close()


def test_records_of_other_nodes_are_passed_over() -> None:
    trail, collector = Trail([1, 2, 3, 4, 5], foreign=frozenset({2, 5})), Collector()
    courier = carried(trail, collector)
    assert collector.got == [1, 3, 4]
    courier._write()
    assert trail.noted[-1].settled == 5


def test_a_trail_of_other_nodes_alone_needs_no_collector() -> None:
    trail, collector = Trail([1, 2], foreign=frozenset({1, 2})), Collector(trouble={"alive": Lost("never there")})
    courier = carried(trail, collector)
    courier._write()
    assert (collector.got, trail.noted[-1].settled) == ([], 2)


def test_what_was_lost_is_sent_again_from_what_is_settled() -> None:
    trail, collector = Trail([1, 2, 3]), Collector()
    courier = carried(trail, collector, pace=Pace(window=1000.0))
    collector.trouble["alive"] = Lost("it was killed")
    courier.run_once()
    courier.run_once()
    assert collector.got == [1, 2, 3, 1, 2, 3]
    assert [each.reach for each in trail.noted] == [Reach.REACHED, Reach.LOST, Reach.REACHED]
    assert trail.noted[1].reason == "it was killed"


def test_who_took_leave_keeps_what_it_confirmed() -> None:
    trail, collector = Trail([1, 2, 3]), Collector()
    courier = carried(trail, collector, pace=Pace(window=1000.0))
    collector.trouble["alive"] = Lost("it ended the connection", orderly=True)
    for _ in range(3):
        courier.run_once()
    assert collector.got == [1, 2, 3]
    assert [each.reach for each in trail.noted] == [Reach.REACHED]


def test_what_was_not_confirmed_when_it_took_leave_is_sent_again() -> None:
    trail, collector = Trail([1, 2, 3]), Collector(trouble={"confirm": Lost("it ended the connection", orderly=True)})
    carried(trail, collector)
    assert collector.got == [1, 2, 3, 1, 2, 3]


def test_a_record_that_is_refused_holds_nobody_up() -> None:
    trail, collector = Trail([1, 2, 3, 4]), Collector(trouble={"send": Refused(2, "HTTP 422 (invalid)")})
    with capture_logs() as logs:
        courier = carried(trail, collector)
    assert collector.got == [1, 3, 4]
    courier._write()
    assert (trail.noted[-1].settled, trail.noted[-1].refused, trail.noted[-1].refused_last) == (4, 1, 2)
    assert {"event": "audit record refused", "record": 2, "reason": "HTTP 422 (invalid)"}.items() <= logs[0].items()


def test_a_restart_goes_on_from_what_is_settled() -> None:
    trail, collector = Trail([1, 2, 3, 4]), Collector()
    trail.note(Progress(settled=2, sent=4))
    carried(trail, collector)
    assert collector.got == [3, 4]


@pytest.mark.parametrize(("age", "records"), [(301, 1), (1, 11)])
def test_a_backlog_rings_once_by_age_or_size_and_once_when_it_is_gone(age: int, records: int) -> None:
    trail = Trail(list(range(1, records + 1)), oldest=NOW - timedelta(seconds=age))
    collector = Collector(trouble={"send": Lost("away")})
    with capture_logs() as logs:
        courier = carried(trail, collector, 1, alarm=Alarm(seconds=300, records=10))
        for _ in range(3):
            courier._watch._looked_at = float("-inf")
            courier.run_once()
    events = [each["event"] for each in logs if "behind" in each["event"] or "caught up" in each["event"]]
    assert events == ["audit repository falls behind", "audit repository has caught up"]


class Server:
    """A FHIR server that answers as it is told, and remembers."""

    def __init__(self, answers: list[tuple[int, bytes]]) -> None:
        self.got: list[tuple[str, str, bytes]] = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(handler) -> None:  # noqa: N805 - the names of http.server
                body = handler.rfile.read(int(handler.headers["Content-Length"]))
                self.got.append((handler.path, handler.headers["Content-Type"], body))
                status, answer = answers.pop(0) if answers else (201, b"")
                handler.send_response(status)
                handler.send_header("Content-Length", str(len(answer)))
                handler.end_headers()
                handler.wfile.write(answer)

            def log_message(handler, *_: object) -> None:  # noqa: N805
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


Serve = Callable[..., Server]


@pytest.fixture
def serve() -> Iterator[Serve]:
    opened: list[Server] = []

    def begin(*answers: tuple[int, bytes]) -> Server:
        opened.append(Server(list(answers)))
        return opened[-1]

    yield begin
    for each in opened:
        each.close()


PARCELS = [Parcel(number=1, content=b"{1}"), Parcel(number=2, content=b"{2}")]


def test_a_fhir_feed_creates_one_event_after_the_other(serve: Serve) -> None:
    server = serve()
    collector = FHIRCollector("127.0.0.1", server.port, "/base/", None)
    collector.send(PARCELS)
    assert server.got == [
        ("/base/AuditEvent", "application/fhir+json", b"{1}"),
        ("/base/AuditEvent", "application/fhir+json", b"{2}"),
    ]
    assert collector.alive_at() <= monotonic()
    collector.hang_up()


def test_an_event_that_will_never_be_taken_is_told_from_a_server_that_is_away(serve: Serve) -> None:
    outcome = json.dumps({"resourceType": "OperationOutcome", "issue": [{"code": "invalid"}]}).encode()
    server = serve((201, b""), (422, outcome), (503, b"<html>"), (401, b""))
    collector = FHIRCollector("127.0.0.1", server.port, "", None)
    with pytest.raises(Refused, match=r"HTTP 422 \(invalid\)") as refused:
        collector.send(PARCELS)
    assert refused.value.number == 2
    for status in (503, 401):
        with pytest.raises(Lost, match=f"HTTP {status}"):
            collector.send(PARCELS)
    server.close()
    with pytest.raises(Lost):
        collector.send(PARCELS)


def stored(outcome: EventOutcomeIndicator = EventOutcomeIndicator.SUCCESS) -> Stored:
    message = dicom.read(GOOD)
    made = entry(replace(message, event=replace(message.event, outcome=outcome)))
    return Stored(
        sequence=7,
        at=made.at,
        event=made.event,
        outcome=made.outcome,
        person=made.person,
        patient=made.patient,
        leaf=made.leaf,
        packed=made.message,
    )


def test_a_record_is_always_the_same_syslog_message() -> None:
    wrap = as_syslog("node.example")
    assert wrap(stored()) == wrap(stored())
    decoded = decode(wrap(stored()))
    assert (decoded.message.pri, decoded.message.msg_id, decoded.deviations) == (85, "IHE+RFC-3881", ())
    assert decoded.message.timestamp == dicom.read(GOOD).event.time
    assert decode(wrap(stored(EventOutcomeIndicator.MINOR_FAILURE))).message.pri == 84


def test_a_record_is_an_audit_event_in_fhir() -> None:
    assert fhir.read(json.loads(as_audit_event(stored()))) == dicom.read(GOOD)
