"""A national day: arrivals have their rate, histograms add up, a stalled server is seen, load stays on this machine."""

import threading
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from socket import create_server, socket

import pytest
from hypothesis import given, settings
from hypothesis.strategies import floats, lists

from benchmarks.day.arrivals import SHARES, arrivals
from benchmarks.day.clients import NotAllowed, Run, Target
from benchmarks.day.latencies import histogram, merge, milliseconds, record
from benchmarks.day.open_loop import Door, Due, Outcome, play
from benchmarks.day.report import plain, save_page
from benchmarks.day.results import Recorder, together
from benchmarks.day.traffic import V2
from benchmarks.day.verdicts import http_code, mllp_code

QUESTION, ANSWER = b"\x0bMSH|\x1c\r", b"\x0bMSH|\rMSA|AA|1\r\x1c\r"


def test_arrivals_have_the_rate_and_the_mix_that_were_asked_for() -> None:
    due = list(arrivals(rate=100, seconds=100, seed=7))
    kinds = Counter(kind for _, kind in due)
    assert sum(SHARES.values()) == 100
    assert 9_600 < len(due) < 10_400  # four standard deviations of a Poisson count
    assert all(abs(100 * kinds[kind] / len(due) - share) < 2 for kind, share in SHARES.items())


def test_the_gaps_between_arrivals_are_as_uneven_as_those_of_people() -> None:
    moments = [at for at, _ in arrivals(rate=100, seconds=100, seed=7)]
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    mean = sum(gaps) / len(gaps)
    deviation = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert 0.9 < deviation / mean < 1.1  # 1 for an exponential distribution, 0 for a metronome


def test_a_seed_repeats_a_day_and_another_does_not() -> None:
    first, again, other = (list(arrivals(10, 10, seed)) for seed in (1, 1, 2))
    assert first == again != other


@settings(max_examples=20)
@given(lists(floats(1e-6, 500), min_size=1, max_size=60), lists(floats(1e-6, 500), max_size=60))
def test_histograms_of_several_clients_add_up_to_that_of_one(some: list[float], others: list[float]) -> None:
    parts, whole = [histogram(2), histogram(2)], histogram(2)
    for into, values in zip(parts, (some, others), strict=True):
        for each in values:
            record(into, each)
            record(whole, each)
    assert [milliseconds(merge(parts, 2), p) for p in (0, 50, 99, 100)] == [
        milliseconds(whole, p) for p in (0, 50, 99, 100)
    ]


@pytest.fixture
def listener() -> Iterator[socket]:
    with create_server(("127.0.0.1", 0)) as made:
        made.settimeout(20)
        yield made


def _serve(listener: socket, stall: threading.Event | None) -> None:
    """Answer one connection, the first question only once ``stall`` is set."""
    connection, _ = listener.accept()
    with connection:
        while connection.recv(len(QUESTION)):
            if stall is not None:
                stall.wait(20)
            connection.sendall(ANSWER)


def _due(*moments: float) -> list[Due]:
    return [Due(at=at, kind="ITI-9", door="mllp", request=QUESTION, verdict=V2) for at in moments]


def test_a_stalled_server_is_seen_in_every_request_that_was_due_meanwhile(listener: socket) -> None:
    stall, outcomes = threading.Event(), list[Outcome]()
    server = threading.Thread(target=_serve, args=(listener, stall))
    server.start()
    threading.Timer(0.5, stall.set).start()
    doors = {"mllp": Door(port=listener.getsockname()[1], connections=1)}
    play(_due(0.0, 0.1, 0.2, 0.3), doors, 20, outcomes.append)
    server.join()
    assert [each.error for each in outcomes] == [None] * 4
    # One connection: a closed loop would have found one slow answer and three fast ones.
    assert all(each.latency > 0.45 - each.due.at for each in outcomes)


def test_a_request_that_nobody_answers_counts_as_long_as_it_was_waited_for(listener: socket) -> None:
    stall, outcomes = threading.Event(), list[Outcome]()
    server = threading.Thread(target=_serve, args=(listener, stall))
    server.start()
    play(_due(0.0, 0.05), {"mllp": Door(port=listener.getsockname()[1], connections=1)}, 0.2, outcomes.append)
    stall.set()
    server.join()
    assert [each.error for each in outcomes] == ["no answer", "no answer"]
    assert min(each.latency for each in outcomes) >= 0.2


def test_a_connection_that_is_closed_is_an_error_and_another_is_opened(listener: socket) -> None:
    def hang_up_then_serve() -> None:
        listener.accept()[0].close()
        _serve(listener, None)

    server, outcomes = threading.Thread(target=hang_up_then_serve), list[Outcome]()
    server.start()
    doors = {"mllp": Door(port=listener.getsockname()[1], connections=1)}
    play(_due(0.0, 0.3), doors, 20, outcomes.append)
    server.join()
    assert outcomes[-1].error is None
    assert {each.error for each in outcomes[:-1]} <= {"connection closed"}


@pytest.mark.parametrize("host", ["10.0.0.1", "localhost", "example.org", "0.0.0.0", "::"])
def test_load_goes_to_loopback_alone(host: str) -> None:
    with pytest.raises(NotAllowed, match="no loopback address"):
        Target(doors={"http": (host, 8080)})
    Target(doors={"http": ("127.0.0.1", 8080), "mllp": ("::1", 2575)})


@pytest.mark.parametrize(
    "beyond", [{"seconds": 301}, {"seconds": 0}, {"rate": 10_000}, {"rate": 0}, {"clients": 17}, {"connections": 65}]
)
def test_a_run_is_bounded(beyond: dict[str, float]) -> None:
    allowed = {"rate": 20.0, "seconds": 30.0, "seed": 1}
    Run(**allowed)  # type: ignore[arg-type]
    with pytest.raises(NotAllowed):
        Run(**allowed | beyond)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b'HTTP/1.1 200 OK\r\n\r\n<rs:RegistryError errorCode="XDSUnknownPatientId"/>', "XDSUnknownPatientId"),
        (b"HTTP/1.1 500 x\r\n\r\n<soap:Code><soap:Value>soap:Sender</soap:Value></soap:Code>", "fault Sender"),
        (b"HTTP/1.1 503 Busy\r\n\r\n", "HTTP 503"),
    ],
)
def test_a_refusal_over_http_is_counted_by_its_code(answer: bytes, code: str) -> None:
    assert http_code(answer) == code


def test_a_refusal_over_mllp_is_counted_by_its_code() -> None:
    assert mllp_code(b"\x0bMSH|^~\\&|\rMSA|AE|1\rERR||PID^1^3|204^Unknown|E\r\x1c\r") == "AE 204"


def test_a_report_says_what_several_clients_found_and_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    clients = (Recorder(), Recorder())
    for number, (client, error) in enumerate(zip(clients, (None, "<AE>"), strict=True)):
        client(Outcome(due=_due(number)[0], latency=0.010 * (number + 1), late=0.0, error=error))
    results = together(each.packed(cpu=0.5) for each in clients)
    report = plain(Run(rate=1, seconds=2, seed=1), results, {"python": "3"}, {"node": 1.0})
    assert report["kinds"]["ITI-9"]["asked"] == report["kinds"]["all"]["asked"] == 2
    assert report["kinds"]["ITI-9"]["p50"] == pytest.approx(10, rel=0.01)
    assert report["errors"] == [{"kind": "ITI-9", "code": "<AE>", "count": 1}]
    assert list(report["seconds"]) == ["0", "1"]
    save_page(page := tmp_path / "day.html", report)
    written = page.read_text()
    assert "node 500.0 ms CPU a request; clients 25.0 %, 25.0 % of a core each" in written
    assert "<polyline" in written and "&lt;AE&gt;" in written
    assert "http://" not in written and "https://" not in written and "<script" not in written
