"""One request and its answer: received by the reactor, opened, answered and spelled in one thread, sent by the reactor.

SOAP 1.2 Part 2: 7.5.2; ITI TF-2: V.3.
"""

import os
from dataclasses import dataclass

import structlog
from lxml.etree import _Element
from twisted.internet.defer import ensureDeferred
from twisted.python.failure import Failure

from soap.context import Connection
from soap.envelope import HEADER
from soap.faults import SOAPFault, sender_fault, unforeseen
from soap.names import WSA
from soap.reception import InThread, Received, Reception
from soap.request import StreamingRequest
from soap.respond import Long, Whole, spell, spell_fault, stream
from soap.service import Call, SOAPService

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What may be asked at one path. Long answers are read ``in_thread``."""

    path: str
    service: SOAPService
    in_thread: InThread


class Exchange:
    """Whatever happens, the answer is SOAP and nothing spooled is left behind."""

    __slots__ = ("_connection", "_correlation_id", "_offer", "_reception", "_request", "_traceparent", "_unbelieved")

    _connection: Connection

    def __init__(self, offer: Offer, request: StreamingRequest, reception: Reception) -> None:
        self._offer = offer
        self._request = request
        self._reception = reception
        self._correlation_id = new_correlation_id()
        self._traceparent: str | None = None
        self._unbelieved: Exception | None = None

    def start(self) -> None:
        """Hand the request to a thread."""
        request = self._request
        if request.gone:
            self._reception.discard()
            return
        self._traceparent = _traceparent(request)
        site = request.channel.site
        try:
            self._connection = site.behind(request.channel.connection, request.requestHeaders)
        except Exception as error:
            self._unbelieved = error
        try:
            answered = site.defer(self._answer)
        except RuntimeError:  # there is no thread, and none can be made
            self._fail(Failure())
        else:
            answered.addCallbacks(self._send, self._fail)

    def _answer(self) -> Whole | Long | None:
        """Answer, in a thread. Who left before cannot learn the outcome, and will send again."""
        root: _Element | None = None
        try:
            if self._request.gone:
                return None
            received = self._reception.open()
            root = received.root
            context, run = self._offer.service.call(self._call(received))
            return spell(context, run())
        except Exception as error:
            return spell_fault(foreseen(error, self._correlation_id), self._correlation_id, _message_id(root))
        finally:
            self._reception.throw_away()

    def _call(self, received: Received) -> Call:
        if self._unbelieved is not None:
            raise self._unbelieved
        return Call(
            root=received.root,
            parts=received.parts,
            packaged=received.packaged,
            correlation_id=self._correlation_id,
            endpoint=self._offer.path,
            connection=self._connection,
            traceparent=self._traceparent,
        )

    def _send(self, answer: Whole | Long | None) -> None:
        """Send what there is; None is for who has left."""
        if isinstance(answer, Long) and not self._request.gone:
            streamed = ensureDeferred(stream(self._request, answer, self._offer.in_thread))
            streamed.addCallbacks(lambda _: self._finish(), self._fail)
            return
        if isinstance(answer, Whole) and not self._request.gone:
            try:
                self._request.send(answer.status, answer.media_type, answer.body, answer.wait)
            except Exception:
                self._fail(Failure())
                return
        self._finish()

    def _fail(self, failure: Failure) -> None:
        refuse(self._request, failure, self._correlation_id)
        self._finish()

    def _finish(self) -> None:
        if self._request.gone:
            self._reception.discard()
        else:
            self._request.finish()


def begin(offer: Offer, request: StreamingRequest) -> None:
    """Answer a request whose body is complete."""
    if request.reception is None:
        refuse(request, Failure(sender_fault("The request has no body; a SOAP envelope is needed")))
        request.finish()
        return
    request.reception.end(Exchange(offer, request, request.reception).start)


def refuse(request: StreamingRequest, failure: Failure, correlation_id: str = "") -> None:
    """Answer with a fault, or cut the connection when the answer has already begun; ``finish`` is the caller's."""
    correlation_id = correlation_id or new_correlation_id()
    fault = foreseen(failure.value, correlation_id)
    if request.gone:
        return
    if request.startedWriting:
        request.channel.transport.abortConnection()
        return
    answer = spell_fault(fault, correlation_id, None)
    request.send(answer.status, answer.media_type, answer.body, answer.wait)


def foreseen(error: BaseException, correlation_id: str) -> SOAPFault:
    """The fault that an error is, or stands for."""
    if isinstance(error, SOAPFault):
        log.info("SOAP fault", code=error.code.value, subcodes=error.subcodes, correlation_id=correlation_id)
        return error
    log.error("request failed", correlation_id=correlation_id, exc_info=error)
    return unforeseen(correlation_id)


def new_correlation_id() -> str:
    """Name one exchange, in its faults and in the log."""
    return os.urandom(16).hex()


def _traceparent(request: StreamingRequest) -> str | None:
    """A header that stands twice is none (W3C Trace Context: 3.2)."""
    values = request.fields.get(b"Traceparent", ())
    return values[0].decode("latin-1") if len(values) == 1 else None


def _message_id(root: _Element | None) -> str | None:
    """What an answer relates to, also when the envelope is refused for something else."""
    found = root.find(f"{HEADER}/{{{WSA}}}MessageID") if root is not None else None
    return found.text.strip() if found is not None and found.text else None
