"""A bounded load of feeds and submissions on one node, by senders who send again what was not acknowledged."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

from hl7v2.er7 import parse, serialize
from ihe.datatypes import CX
from ihe.exchange import OutgoingPart
from ihe.identifiers import UniqueId, new_oid
from ihe.transactions import SOAPBinding
from mllp import client as mllp
from soap.client import FaultReceived, NoAnswer, SOAPClient
from tests.end_to_end.conftest import RunningNode
from tests.faults.sending import RED, REPOSITORY_PATH, admission, submission
from xds.iti41 import ITI_41

FEEDERS, SUBMITTERS = 3, 2
MOST = 5000
"""Messages of a whole load."""
STORED = "Success"
BEFORE = "XDSDuplicateUniqueIdInRegistry"
"""What a SubmissionSet is answered that is sent again after it was stored and not acknowledged.

Its associations, which the sender gave UUIDs, are refused beside it.
"""
LATER = {"XDSRepositoryBusy", "XDSRegistryBusy", "XDSRepositoryOutOfResources", "XDSRegistryOutOfResources"}
"""What a sender is answered who may send the same again."""


@dataclass
class Load:
    """What was acknowledged, how often senders were told to try again, and the longest time without any answer."""

    node: RunningNode
    owner: CX = field(default_factory=lambda: CX("FAILOVER-OWNER", RED))
    patients: list[str] = field(default_factory=list)
    documents: list[str] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)
    pause: float = 0
    most: int = MOST
    seconds: float = 60
    """The longest that nothing may be acknowledged."""
    _last: float = field(default_factory=time.monotonic)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _acknowledged: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    _refused: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Senders at work; whatever one of them did not expect is raised at the end."""
        announced = _announcing(self.owner.id)
        self._repeat_until(lambda: self._feed(announced))
        with at_work([self._send_feeds] * FEEDERS + [self._send_submissions] * SUBMITTERS, self._over):
            yield

    def until(self, more: int) -> None:
        """Return once so many more messages were acknowledged."""
        for _ in range(more):
            assert self._acknowledged.acquire(timeout=self.seconds), f"nothing is acknowledged any more: {self.told}"

    def until_told(self, more: int) -> None:
        """Return once so many more senders were told to try again."""
        for _ in range(more):
            assert self._refused.acquire(timeout=self.seconds), f"nobody is told anything: {self.told}"

    @staticmethod
    def content(unique_id: str) -> bytes:
        """The document of a unique id: its first line names it. Long enough to be changed on a way (``buckets``)."""
        return (unique_id.encode() + b"\n") * 150

    def _tell(self, what: str) -> bool:
        self.told[what] += 1
        self._refused.release()
        return False

    def _send_feeds(self) -> None:
        while not self._over.is_set() and (number := next(self._numbers)) < self.most:
            patient = f"FAILOVER-{number}"
            message = _announcing(patient)
            if self._repeat_until(lambda: self._feed(message)):  # noqa: B023
                self.patients.append(patient)

    def _send_submissions(self) -> None:
        while not self._over.is_set() and next(self._numbers) < self.most:
            unique_id = new_oid()
            body = submission(self.owner, UniqueId(unique_id), "document@load")
            if self._repeat_until(lambda: self._submit(body, unique_id)):  # noqa: B023
                self.documents.append(unique_id)

    def _repeat_until(self, acknowledged: Callable[[], bool]) -> bool:
        """Send until it is acknowledged; False: the load was over before."""
        while not acknowledged():
            if self._over.wait(0.05):
                return False
        now = time.monotonic()
        self.pause, self._last = max(self.pause, now - self._last), now
        self._acknowledged.release()
        return True

    def _feed(self, message: bytes) -> bool:
        try:
            answer = parse(mllp.send(mllp.Address(host="127.0.0.1", port=self.node.ports["mllp"]), message))
        except mllp.MLLPError:
            return self._tell("hung up")
        if answer["MSA"].text(1) == "AA":
            return True
        assert (answer["MSA"].text(1), answer["ERR"].text(3)) == ("AR", "206"), serialize(answer)
        return self._tell("AR 206")

    def _submit(self, body: bytes, unique_id: str) -> bool:
        sent = self.content(unique_id)
        part = OutgoingPart(
            content_id="document@load", media_type="text/plain", size=len(sent), chunks=lambda: iter((sent,))
        )
        binding = ITI_41.bindings[0]
        assert isinstance(binding, SOAPBinding)
        try:
            answer = SOAPClient(url=self.node.url(REPOSITORY_PATH), spool=None).call(binding, [body], parts=[part])
        except (OSError, NoAnswer):
            return self._tell("no answer")
        except FaultReceived as fault:
            assert "busy" in str(fault) or "nobody knows" in str(fault), fault
            return self._tell("fault")
        codes = {str(each.get("errorCode")) for each in answer.body.iter() if each.get("errorCode")}
        if answer.body.get("status", "").endswith(STORED) or BEFORE in codes:
            return True
        assert codes <= LATER, [dict(each.attrib) for each in answer.body.iter() if each.get("errorCode")]
        return self._tell("busy")


@contextmanager
def at_work(tasks: Sequence[Callable[[], None]], over: threading.Event) -> Iterator[None]:
    """Each task in a thread, until the context ends and ``over`` tells them; what one of them raises is raised then."""
    with ThreadPoolExecutor(len(tasks)) as pool:
        senders = [pool.submit(each) for each in tasks]
        try:
            yield
        finally:
            over.set()
    for each in senders:
        each.result()


def _announcing(patient: str) -> bytes:
    """An ADT^A28, under an id that no other message has; sent again it is the same to the last second."""
    message = admission(patient)
    return message.replace(parse(message).control_id.encode(), new_oid().encode()[-20:], 1)
