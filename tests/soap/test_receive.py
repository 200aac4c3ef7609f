"""A body is received without blocking the reactor: bounded queue, held-back sender, nothing left behind."""

import errno
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from twisted.internet.defer import Deferred, execute
from twisted.python.failure import Failure

from ihe.exchange import Part, Sink
from soap.faults import SOAPFault
from soap.limits import SOAPLimits
from soap.receive import InMemory, Refused, receive
from soap.reception import Circumstances, Reception
from soap.spooled import Spooled

MTOM = 'multipart/related; boundary=B; type="application/xop+xml"'
HEAD = b"--B\r\nContent-Type: application/xop+xml\r\n\r\n<e/>\r\n--B\r\nContent-ID: <d@x>\r\n\r\n"
LIMITS = SOAPLimits(queue=1000, inline=100, body=10_000)


class Producer:
    """Remembers what was asked of the sender."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def pauseProducing(self) -> None:
        self.asked.append("pause")

    def resumeProducing(self) -> None:
        self.asked.append("resume")


class Threads:
    """Worker threads that work when a test says so."""

    def __init__(self) -> None:
        self.jobs: list[tuple[Deferred[Any], Callable[[], Deferred[Any]]]] = []

    def __call__(self, function: Callable[..., Any], *arguments: Any) -> "Deferred[Any]":
        done: Deferred[Any] = Deferred()
        self.jobs.append((done, lambda: execute(function, *arguments)))
        return done

    def work(self) -> None:
        """Finish every job, and those that they cause."""
        while self.jobs:
            done, job = self.jobs.pop(0)
            job().chainDeferred(done)


@pytest.fixture
def producer() -> Producer:
    return Producer()


@pytest.fixture
def threads() -> Threads:
    return Threads()


@pytest.fixture
def begin(spool: Callable[[], Sink], producer: Producer, threads: Threads) -> Callable[..., Reception]:
    """Receive a body whose length is unknown."""

    def start(content_type: str = MTOM, length: int | None = None, encoding: str = "") -> Reception:
        site = Circumstances(spool=spool, limits=LIMITS, in_thread=threads)
        return receive(content_type, encoding, length, producer, site)

    return start


Begin = Callable[..., Reception]


class Opening:
    """Opens a reception as soon as it may be opened, as the thread does that answers."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self.received: Any = None
        self.fault: Any = None
        reception.end(self._open)

    def _open(self) -> None:
        try:
            self.received = self._reception.open()
        except Exception as error:
            self.fault = error


def test_small_envelopes_need_no_other_thread(begin: Begin, threads: Threads) -> None:
    reception = begin("application/soap+xml", 4)
    reception.data(b"<e")
    reception.data(b"/>")
    assert isinstance(reception, InMemory)
    assert Opening(reception).received.root.tag == "e"
    assert threads.jobs == []


def test_a_package_is_taken_apart_by_workers(begin: Begin, threads: Threads, spool: Any) -> None:
    reception = begin()
    reception.data(HEAD)
    reception.data(b"content\r\n--B--")
    opening = Opening(reception)
    assert opening.received is None
    threads.work()
    received = opening.received
    assert (received.root.tag, received.packaged, received.parts["d@x"].size) == ("e", True, 7)
    reception.discard()
    reception.discard()
    threads.work()
    assert spool.left == []


def test_a_small_package_is_taken_apart_by_the_thread_that_answers(begin: Begin, threads: Threads, spool: Any) -> None:
    reception = begin(length=100)
    reception.data(HEAD)
    reception.data(b"content\r\n--B--")
    received = Opening(reception).received
    assert (received.root.tag, received.packaged, received.parts["d@x"].size) == ("e", True, 7)
    assert spool.left == ["part-1"]
    reception.throw_away()
    assert (threads.jobs, spool.left) == ([], [])


def test_a_small_package_that_lacks_its_end_leaves_nothing(begin: Begin, threads: Threads, spool: Any) -> None:
    reception = begin(length=100)
    reception.data(HEAD)
    reception.data(b"content")
    assert "breaks off" in str(Opening(reception).fault)
    reception.throw_away()
    assert (spool.made, spool.left) == (1, [])


def test_what_was_thrown_away_by_the_thread_that_answered_needs_no_other(
    begin: Begin, threads: Threads, spool: Any
) -> None:
    reception = begin()
    reception.data(HEAD + b"content\r\n--B--")
    Opening(reception)
    threads.work()
    reception.throw_away()
    assert spool.left == []
    reception.discard()
    assert threads.jobs == []


def test_a_part_that_cannot_be_removed_does_not_undo_the_answer(producer: Producer, threads: Threads) -> None:
    class Stuck:
        """A file on a disk that has just become read-only."""

        def write(self, chunk: bytes) -> None:
            pass

        def finish(self, content_id: str, media_type: str) -> Part:
            return Part(content_id=content_id, media_type=media_type, size=7, sha1="", sha256="", spooled="")

        def discard(self) -> None:
            raise OSError(errno.EROFS, "read-only")

    reception = receive(MTOM, "", 100, producer, Circumstances(spool=Stuck, limits=LIMITS, in_thread=threads))
    reception.data(HEAD + b"content\r\n--B--")
    assert Opening(reception).received.root.tag == "e"
    reception.throw_away()


def test_the_sender_is_held_back_while_the_disk_is_slow(begin: Begin, threads: Threads, producer: Producer) -> None:
    reception = begin()
    reception.data(HEAD)
    for _ in range(9):
        reception.data(b"x" * 100)
    assert producer.asked == []
    reception.data(b"x" * 100)
    assert producer.asked == ["pause"]
    threads.work()
    assert producer.asked == ["pause", "resume"]


def test_one_worker_at_a_time_takes_what_has_arrived_in_order(begin: Begin, threads: Threads) -> None:
    reception = begin()
    for piece in (HEAD, b"ab", b"cd"):
        reception.data(piece)
        assert len(threads.jobs) == 1
    reception.data(b"\r\n--B--")
    opening = Opening(reception)
    threads.work()
    assert opening.received.parts["d@x"].size == 4


def test_a_sender_that_leaves_takes_its_parts_with_it(begin: Begin, threads: Threads, spool: Any) -> None:
    reception = begin()
    reception.data(HEAD + b"x" * 500)
    threads.work()
    assert spool.left == ["part-1"]
    reception.data(b"x" * 500)
    reception.discard()
    assert spool.left == ["part-1"]  # a worker may be writing
    threads.work()
    assert spool.left == []


def test_a_malformed_package_is_known_before_it_ends(begin: Begin, threads: Threads, producer: Producer) -> None:
    reception = begin()
    reception.data(b"x" * 2000)
    reception.data(b"\r\n--B\r\nno colon\r\n\r\n")
    threads.work()
    assert reception.refused is not None
    assert producer.asked == ["pause", "resume"]
    reception.data(b"more")
    assert threads.jobs == []
    assert "no name and colon" in str(Opening(reception).fault)


def test_a_body_without_length_is_counted(begin: Begin, threads: Threads) -> None:
    reception = begin()
    for _ in range(101):
        reception.data(b"x" * 100)
    assert reception.refused is not None
    opening = Opening(reception)
    threads.work()
    assert isinstance(opening.fault, SOAPFault)
    assert opening.fault.status == 413


@pytest.mark.parametrize("length", [None, 100])
@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (errno.ENOSPC, "no room for documents"),
        (errno.EDQUOT, "no room"),
        (errno.EROFS, "no disk for documents"),
        (errno.EIO, "no disk for documents"),
        (errno.EACCES, "Errno 13"),
    ],
)
def test_a_full_disk_fails_the_request_and_not_the_server(
    producer: Producer, threads: Threads, error: int, answer: str, length: int | None
) -> None:
    """What may go better later is said to be so; what nobody foresaw is not."""

    def full() -> Sink:
        raise OSError(error, "words of the operating system")

    reception = receive(MTOM, "", length, producer, Circumstances(spool=full, limits=LIMITS, in_thread=threads))
    reception.data(HEAD)
    opening = Opening(reception)
    threads.work()
    assert answer in str(opening.fault)


def test_a_worker_that_fails_after_the_sender_left_leaves_nothing(
    producer: Producer, threads: Threads, spool: Any
) -> None:
    class Broken:
        """A disk that fails with the second byte."""

        def __init__(self) -> None:
            self.sink = spool()
            self.finish, self.discard = self.sink.finish, self.sink.discard

        def write(self, chunk: bytes) -> None:
            raise OSError(errno.EIO, "broken")

    reception = receive(MTOM, "", None, producer, Circumstances(spool=Broken, limits=LIMITS, in_thread=threads))
    reception.data(HEAD + b"content" * 10)
    reception.discard()
    threads.work()
    assert (spool.made, spool.left) == (1, [])


def test_many_long_envelopes_at_once_are_too_many_until_one_is_answered(
    spool: Any, producer: Producer, threads: Threads
) -> None:
    limits = replace(LIMITS, envelopes=1000)
    site = Circumstances(spool=spool, limits=limits, in_thread=threads)
    receptions = [receive("application/soap+xml", "", None, producer, site) for _ in range(3)]
    for reception in receptions[:2]:
        reception.data(b"<e>" + b" " * 600)
        threads.work()
    assert [reception.refused is None for reception in receptions[:2]] == [True, False]
    assert isinstance(receptions[1].refused, Failure)
    assert receptions[1].refused.value.status == 503
    for reception in receptions[:2]:
        reception.discard()
    receptions[2].data(b"<e>" + b" " * 600)
    threads.work()
    assert receptions[2].refused is None
    receptions[2].discard()
    assert site.memory.taken == 0


@pytest.mark.parametrize(
    ("content_type", "encoding", "length", "status"),
    [
        ("text/html", "", 4, 415),
        (MTOM, "gzip", 4, 415),
        (MTOM, "", 10_001, 413),
        ("multipart/related", "", 4, 415),
        ("application/soap+xml", "", 10_001, 413),
    ],
)
def test_headers_alone_may_refuse_a_body(
    begin: Begin, content_type: str, encoding: str, length: int, status: int
) -> None:
    reception = begin(content_type, length, encoding)
    assert isinstance(reception, Refused)
    reception.data(b"x")
    assert Opening(reception).fault.status == status


def test_long_envelopes_are_read_by_a_worker(begin: Begin, threads: Threads) -> None:
    reception = begin("application/soap+xml", 101)
    assert isinstance(reception, Spooled)
    reception.data(b"<e>" + b" " * 94 + b"</e>")
    opening = Opening(reception)
    assert opening.received is None
    threads.work()
    assert opening.received.root.tag == "e"
