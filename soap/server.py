"""SOAP over HTTP: one twisted.web Site whose endpoints are made of transactions (SOAP 1.2 Part 2: 7; ITI TF-2: V).

``build_site`` is all that the composition root needs. This module alone brings transport, Spyne and answers together.
"""

# ruff: noqa: N802 (Twisted names its hooks)

import os
from collections.abc import Mapping
from functools import partial
from typing import Any

import structlog
from lxml.etree import _Element
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.threads import deferToThread, deferToThreadPool
from twisted.python.failure import Failure
from twisted.web.pages import notFound
from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET

from ihe.exchange import Spool
from soap.channel import StreamingRequest
from soap.context import Answer, Connection, SOAPTransaction
from soap.envelope import HEADER
from soap.faults import SOAPFault, sender_fault, unforeseen
from soap.limits import DEFAULT_LIMITS, SOAPLimits
from soap.names import WSA
from soap.receive import Circumstances, InThread, Received, receive
from soap.respond import respond, respond_with_fault, write
from soap.service import Call, SOAPService
from soap.site import SOAPSite
from soap.wsdl import Documents, publish

log = structlog.get_logger(__name__)


def build_site(
    endpoints: Mapping[str, tuple[SOAPTransaction, ...]],
    answer: Answer,
    spool: Spool,
    *,
    public_url: str,
    limits: SOAPLimits = DEFAULT_LIMITS,
    extra: Mapping[str, Resource] | None = None,
    reactor: Any = None,
) -> SOAPSite:
    """Make the HTTP server of an affinity domain.

    ``endpoints`` maps paths such as ``/xds/registry`` to the transactions that they offer; ``answer`` is called for
    each request on the reactor thread; ``spool`` makes the sinks of incoming documents; ``public_url`` is how clients
    reach this server (scheme, host, port), for the WSDL; ``extra`` mounts other resources by path, those that take
    bodies with ``most_body``, the most bytes of one. Bodies of SOAP are spooled by the thread pool of ``reactor``
    (None: the installed one).
    """
    in_thread = deferToThread if reactor is None else partial(deferToThreadPool, reactor, reactor.getThreadPool())
    root = Directory()
    for path, transactions in endpoints.items():
        service = SOAPService(transactions, answer)
        _mount(root, path, SOAPEndpoint(path, service, publish(service, public_url.rstrip("/") + path), in_thread))
    for path, resource in (extra or {}).items():
        _mount(root, path, resource)
    site = Circumstances(spool=spool, limits=limits, in_thread=in_thread)
    small = {path: most for path, each in (extra or {}).items() if (most := getattr(each, "most_body", None))}
    return SOAPSite(root, partial(receive, site=site), refuse, limits, reactor, small)


class Directory(Resource):  # type: ignore[misc]
    """A part of a path that leads to others."""

    def getChild(self, path: bytes, request: StreamingRequest) -> Any:
        """Nothing else is here."""
        return notFound()


class SOAPEndpoint(Resource):  # type: ignore[misc]
    """One path: POST is a SOAP message, GET with ``?wsdl`` describes what may be posted."""

    def __init__(self, path: str, service: SOAPService, documents: Documents, in_thread: InThread) -> None:
        super().__init__()
        self._path = path
        self._service = service
        self._documents = documents
        self._in_thread = in_thread

    def getChild(self, path: bytes, request: StreamingRequest) -> Resource:
        """Answer whatever is asked below, but for what is mounted there."""
        request.postpath.clear()
        return self

    def render(self, request: StreamingRequest) -> Any:
        """Serve any method: those that are not offered get a sentence too."""
        if request.method == b"POST":
            ensureDeferred(self._exchange(request))
        else:
            self._describe(request)
            request.finish()
        return NOT_DONE_YET

    async def _exchange(self, request: StreamingRequest) -> None:
        """One request and its answer; whatever happens, the answer is SOAP and nothing spooled is left behind."""
        correlation_id = new_correlation_id()
        received: Received | None = None
        try:
            received = await _body(request)
            connection = request.site_of_channel().behind(request.channel.connection, request.requestHeaders)
            # Who left before the work began cannot learn its outcome, and will send again.
            if not request.gone:
                context, answer = self._service.call(
                    self._call(received, correlation_id, connection, _traceparent(request))
                )
                reply = await answer
            if not request.gone:
                await respond(request, context, reply, self._in_thread)
        except Exception:
            _fail(request, Failure(), correlation_id, _message_id(received.root) if received else None)
        if not request.gone:
            request.finish()
        elif request.reception is not None:
            request.reception.discard()

    def _call(self, received: Received, correlation_id: str, connection: Connection, traceparent: str | None) -> Call:
        return Call(
            root=received.root,
            parts=received.parts,
            packaged=received.packaged,
            correlation_id=correlation_id,
            endpoint=self._path,
            connection=connection,
            traceparent=traceparent,
        )

    def _describe(self, request: StreamingRequest) -> None:
        query = request.uri.partition(b"?")[2].decode("latin-1")
        document = self._documents.find(query) if request.method in (b"GET", b"HEAD") else None
        if document is not None:
            write(request, 200, "text/xml; charset=UTF-8", document)
            return
        request.setHeader(b"Allow", b"POST, GET")
        sentence = f"{self._path} takes SOAP 1.2 messages by POST; GET {self._path}?wsdl describes them.\n"
        write(request, 405, "text/plain; charset=UTF-8", sentence.encode())


def refuse(request: StreamingRequest, failure: Failure) -> None:
    """Answer a request whose body is still arriving."""
    _fail(request, failure, new_correlation_id(), None)


def new_correlation_id() -> str:
    """Name one exchange, in its faults and in the log."""
    return os.urandom(16).hex()


def _body(request: StreamingRequest) -> "Deferred[Received]":
    if request.reception is None:
        raise sender_fault("The request has no body; a SOAP envelope is needed")
    return request.reception.end()


def _traceparent(request: StreamingRequest) -> str | None:
    """A header that stands twice is none (W3C Trace Context: 3.2)."""
    values: list[bytes] = request.requestHeaders.getRawHeaders(b"traceparent") or []
    return values[0].decode("latin-1") if len(values) == 1 else None


def _message_id(root: _Element) -> str | None:
    """What an answer relates to, also when the envelope is refused for something else."""
    found = root.find(f"{HEADER}/{{{WSA}}}MessageID")
    return found.text.strip() if found is not None and found.text else None


def _fail(request: StreamingRequest, failure: Failure, correlation_id: str, message_id: str | None) -> None:
    """Turn a failure into a fault, or cut the connection when the answer has already begun."""
    fault = failure.value
    if isinstance(fault, SOAPFault):
        log.info("SOAP fault", code=fault.code.value, subcodes=fault.subcodes, correlation_id=correlation_id)
    else:
        log.error("request failed", correlation_id=correlation_id, exc_info=fault)
        fault = unforeseen(correlation_id)
    if request.gone:
        return
    if request.startedWriting:
        request.channel.transport.abortConnection()
        return
    respond_with_fault(request, fault, correlation_id, message_id)


def _mount(root: Resource, path: str, resource: IResource) -> None:
    """Put a resource under its path, with plain resources above it."""
    *above, name = (segment.encode() for segment in path.strip("/").split("/"))
    for segment in above:
        found = root.children.get(segment)
        if found is None:
            found = Directory()
            root.putChild(segment, found)
        root = found
    root.putChild(name, resource)
