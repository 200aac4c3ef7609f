"""A small document repository over real sockets: two transactions, an answer function that echoes, a spool on disk."""

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from lxml.etree import _Element
from twisted.internet.defer import Deferred
from twisted.internet.selectreactor import SelectReactor
from twisted.internet.threads import blockingCallFromThread
from twisted.web.resource import Resource

from ihe.audit import IMPORT, EventActionCode
from ihe.audited import Audit
from ihe.citations import tf2
from ihe.exchange import OutgoingPart, Part, SOAPReply, SOAPRequest
from ihe.transactions import Actor, SOAPBinding, Transaction
from soap.client import SOAPClient
from soap.context import SOAPContext, SOAPTransaction
from soap.faults import sender_fault
from soap.limits import SOAPLimits
from soap.names import WSSE
from soap.server import build_site
from soap.site import SOAPSite
from soap.xml import escape
from tls.server import Certificates, secured

XDS = "urn:ihe:iti:xds-b:2007"
QUERY = "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"
RS = "urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0"
ACTION = "urn:ihe:iti:2007:"
SUCCESS = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success"


def _never(*_: object) -> Any:
    raise AssertionError("the wire must not call this")


def _transaction(number: str, name: str, responder: Actor, binding: SOAPBinding) -> SOAPTransaction:
    return Transaction(
        id=f"ITI-{number}",
        name=name,
        citation=tf2(f"3.{number}"),
        initiator=Actor.DOCUMENT_CONSUMER,
        responder=responder,
        bindings=(binding,),
        decode=_never,
        handle=_never,
        encode=_never,
        refuse=_never,
        audit=Audit(
            citation=tf2(f"3.{number}"),
            event=IMPORT,
            type=IMPORT,
            action=EventActionCode.EXECUTE,
            describe=_never,
        ),
    )


STORED_QUERY = SOAPBinding(
    operation="DocumentRegistry_RegistryStoredQuery",
    action=f"{ACTION}RegistryStoredQuery",
    request=f"{{{QUERY}}}AdhocQueryRequest",
    reply_action=f"{ACTION}RegistryStoredQueryResponse",
    reply=f"{{{QUERY}}}AdhocQueryResponse",
)
PROVIDE = SOAPBinding(
    operation="DocumentRepository_ProvideAndRegisterDocumentSet-b",
    action=f"{ACTION}ProvideAndRegisterDocumentSet-b",
    request=f"{{{XDS}}}ProvideAndRegisterDocumentSetRequest",
    reply_action=f"{ACTION}ProvideAndRegisterDocumentSet-bResponse",
    reply=f"{{{RS}}}RegistryResponse",
    mtom=True,
)
REGISTRY = _transaction("18", "Registry Stored Query", Actor.DOCUMENT_REGISTRY, STORED_QUERY)
REPOSITORY = _transaction("41", "Provide and Register Document Set-b", Actor.DOCUMENT_REPOSITORY, PROVIDE)


class FileSink:
    """Writes one part to a file and hashes it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("xb")
        self._sha1, self._sha256, self._size = hashlib.sha1(), hashlib.sha256(), 0

    def write(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self._file.write(chunk)
        self._sha1.update(chunk)
        self._sha256.update(chunk)
        self._size += len(chunk)

    def finish(self, content_id: str, media_type: str) -> Part:
        """Close the file."""
        self._file.close()
        return Part(
            content_id=content_id,
            media_type=media_type,
            size=self._size,
            sha1=self._sha1.hexdigest(),
            sha256=self._sha256.hexdigest(),
            spooled=str(self._path),
        )

    def discard(self) -> None:
        """Remove the file."""
        self._file.close()
        self._path.unlink(missing_ok=True)


@dataclass
class Spooling:
    """Makes sinks below a directory, and knows what is still there."""

    directory: Path
    made: int = 0

    def __call__(self) -> FileSink:
        self.made += 1
        return FileSink(self.directory / f"part-{self.made}")

    @property
    def left(self) -> list[str]:
        """The files that nobody threw away."""
        return sorted(path.name for path in self.directory.iterdir())


@dataclass
class EchoRepository:
    """Answers queries with the message id; answers submissions with their documents as parts, in document order."""

    requests: list[tuple[SOAPRequest, SOAPContext]] = field(default_factory=list)
    received: list[bytes] = field(default_factory=list)

    def __call__(self, transaction: SOAPTransaction, request: SOAPRequest, context: SOAPContext) -> SOAPReply:
        self.requests.append((request, context))
        asked = request.body.get("please")
        if asked == "fail":
            raise ZeroDivisionError("Jane Doe's record")
        if asked == "refuse":
            raise sender_fault("The token was refused", f"{{{WSSE}}}InvalidSecurityToken")
        if transaction is REGISTRY:
            return SOAPReply(_query_response(context))
        if asked == "break":
            return SOAPReply((b"<x/>",), (_broken(),))
        if asked == "at hand":
            return SOAPReply((b"<x/>",), (_at_hand(),))
        parts = tuple(_outgoing(part) for part in request.parts.values())
        return SOAPReply(
            (b'<rs:RegistryResponse xmlns:rs="%b" status="%b"/>' % (RS.encode(), SUCCESS.encode()),), parts
        )


def _query_response(context: SOAPContext) -> tuple[bytes, ...]:
    return (
        b'<query:AdhocQueryResponse xmlns:query="%b" status="%b" requestId="' % (QUERY.encode(), SUCCESS.encode()),
        escape(context.addressing.message_id or ""),
        b'"><rim:RegistryObjectList xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"/>',
        b"</query:AdhocQueryResponse>",
    )


def _outgoing(part: Part) -> OutgoingPart:
    """The file is opened now: the spool is emptied when the answer is complete."""
    file = Path(part.spooled).open("rb")  # noqa: SIM115

    def chunks() -> Iterator[bytes]:
        with file:
            while chunk := file.read(100_000):
                yield chunk

    return OutgoingPart(content_id=part.content_id, media_type=part.media_type, size=part.size, chunks=chunks)


def _broken() -> OutgoingPart:
    def chunks() -> Iterator[bytes]:
        yield b"x" * 300_000
        raise OSError("the disk is gone")

    return OutgoingPart(content_id="d@x", media_type="text/plain", size=600_000, chunks=chunks)


def _at_hand() -> OutgoingPart:
    """Tells which thread reads it: the one that was asked, or another."""
    asked = threading.get_ident()

    def chunks() -> Iterator[bytes]:
        yield b"same" if threading.get_ident() == asked else b"else"

    return OutgoingPart(content_id="d@x", media_type="text/plain", size=4, chunks=chunks, is_at_hand=True)


class Node:
    """Ports on loopback whose reactor runs in a thread."""

    def __init__(self) -> None:
        self.reactor: Any = SelectReactor()
        self._thread = threading.Thread(target=self.reactor.run, kwargs={"installSignalHandlers": False}, daemon=True)
        self._thread.start()

    def listen(self, site: Any, tls: Any = None) -> int:
        """Open any free port."""
        if tls is None:
            return int(self.call(self.reactor.listenTCP, 0, site, 50, "127.0.0.1").getHost().port)
        factory = secured(site, Certificates(tls), self.reactor)
        return int(self.call(self.reactor.listenTCP, 0, factory, 50, "127.0.0.1").getHost().port)

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Run a function on the reactor."""
        return blockingCallFromThread(self.reactor, function, *arguments)

    def start(self, function: Callable[[], "Deferred[None]"]) -> "Future[None]":
        """Run a function on the reactor; the result of its Deferred arrives in the Future."""
        arriving: Future[None] = Future()

        def run() -> None:
            function().addCallbacks(arriving.set_result, lambda failure: arriving.set_exception(failure.value))

        self.reactor.callFromThread(run)
        return arriving

    def settle(self) -> None:
        """Wait until the worker threads have nothing left to do."""
        done = threading.Event()
        pool = self.reactor.getThreadPool()
        for _ in range(3):
            done.clear()
            self.reactor.callFromThread(pool.callInThread, done.set)
            done.wait(10)

    def stop(self) -> None:
        """Stop the reactor and its thread."""
        self.reactor.callFromThread(self.reactor.stop)
        self._thread.join(10)


@dataclass
class Server:
    """A listening repository, its answers, its spool."""

    node: Node
    port: int
    repository: EchoRepository
    spool: Spooling
    site: SOAPSite
    scheme: str = "http"

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{self.scheme}://localhost:{self.port}"

    def client(self, path: str, **options: Any) -> SOAPClient:
        """A client of one endpoint."""
        return SOAPClient(url=f"{self.url}{path}", timeout=20, **options)


@pytest.fixture(scope="session")
def node() -> Iterator[Node]:
    """A reactor of its own, beside the one that other tests may use."""
    running = Node()
    yield running
    running.stop()


Serve = Callable[..., Server]


@pytest.fixture
def serve(node: Node, tmp_path: Path) -> Serve:
    """Start servers with limits and certificates of a test's choice."""

    def start(limits: SOAPLimits | None = None, tls: Any = None, public_url: str = "http://affinity.example") -> Server:
        (tmp_path / "spool").mkdir(exist_ok=True)
        spool, repository = Spooling(tmp_path / "spool"), EchoRepository()
        site = build_site(
            {"/xds/registry": (REGISTRY,), "/xds/repository": (REPOSITORY,)},
            repository,
            spool,
            public_url=public_url,
            limits=limits or SOAPLimits(),
            extra={"/health/live": _Alive()},
            reactor=node.reactor,
        )
        return Server(node, node.listen(site, tls), repository, spool, site, "http" if tls is None else "https")

    return start


@pytest.fixture
def server(serve: Serve) -> Server:
    """A server with the usual limits."""
    return serve()


class _Alive(Resource):  # type: ignore[misc]
    isLeaf = True  # noqa: N815

    def render_GET(self, request: Any) -> bytes:
        """Say that the process lives."""
        return b"alive"


@pytest.fixture
def spool(tmp_path: Path) -> Spooling:
    """A spool for readers that are tested without a server."""
    (tmp_path / "parts").mkdir()
    return Spooling(tmp_path / "parts")


@pytest.fixture(scope="session")
def stored_query() -> SOAPBinding:
    """A Simple SOAP operation."""
    return STORED_QUERY


@pytest.fixture(scope="session")
def provide() -> SOAPBinding:
    """An MTOM operation."""
    return PROVIDE


@pytest.fixture(scope="session")
def transactions() -> tuple[SOAPTransaction, SOAPTransaction]:
    """ITI-18 and ITI-41 as far as the wire knows them."""
    return REGISTRY, REPOSITORY


def _envelope(action: str, body: str, headers: str = "", message_id: str = "urn:uuid:1") -> bytes:
    return (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing">'
        f'<s:Header><a:Action s:mustUnderstand="1">{action}</a:Action><a:MessageID>{message_id}</a:MessageID>{headers}'
        f"</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


@pytest.fixture(scope="session")
def query_envelope() -> Callable[..., bytes]:
    """A stored query in its envelope; one argument changes one thing."""
    return partial(_envelope, STORED_QUERY.action, f'<q:AdhocQueryRequest xmlns:q="{QUERY}"/>')


@pytest.fixture(scope="session")
def envelope() -> Callable[..., bytes]:
    """Any action, any body."""
    return _envelope


def _submission(hrefs: Sequence[str], inline: Sequence[str] = ()) -> str:
    include = '<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="{}"/>'
    documents = [*(include.format(href) for href in hrefs), *inline]
    spelled = "".join(f'<x:Document id="d{n}">{content}</x:Document>' for n, content in enumerate(documents))
    return f'<x:ProvideAndRegisterDocumentSetRequest xmlns:x="{XDS}">{spelled}</x:ProvideAndRegisterDocumentSetRequest>'


@pytest.fixture(scope="session")
def submission() -> Callable[..., str]:
    """The body of an ITI-41 request whose documents are named by href or stand inline."""
    return _submission


@pytest.fixture(scope="session")
def included() -> Callable[[_Element], list[str]]:
    """The hrefs of a body, in order."""
    return lambda body: [
        include.get("href", "") for include in body.iter("{http://www.w3.org/2004/08/xop/include}Include")
    ]
