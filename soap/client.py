"""A blocking SOAP client for the command line, the demo and tests: any transaction, MTOM both ways, mutual TLS.

Documents stream from and to files; only the envelope is held in memory.
"""

import ssl
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from lxml.etree import _Element

from ihe.exchange import OutgoingPart, Part, Sink, Spool
from ihe.transactions import SOAPBinding
from soap.envelope import BODY, FAULT
from soap.faults import SOAPFault
from soap.head import ENVELOPE_END, request_head
from soap.limits import DEFAULT_LIMITS, SOAPLimits
from soap.media import MULTIPART, SOAP_XML, parse_media_type
from soap.mtom import MTOMReader, PackageReader, SimpleReader, pack
from soap.names import SOAP11, SOAP12, WSA
from soap.xml import parse

CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class SOAPAnswer:
    """The body element of an answer, its parts by Content-ID, and the message id that it relates to."""

    body: _Element
    parts: Mapping[str, Part]
    relates_to: str | None


class FaultReceived(Exception):
    """The server answered with a SOAP Fault: its code and subcodes as local names, its sentence, the HTTP status."""

    def __init__(self, status: int, code: str, subcodes: tuple[str, ...], reason: str) -> None:
        super().__init__(f"{'/'.join((code, *subcodes))}: {reason}")
        self.status = status
        self.code = code
        self.subcodes = subcodes
        self.reason = reason


class NoAnswer(Exception):
    """The server did not answer in SOAP; the message says what came instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SOAPClient:
    """Speaks to one endpoint. ``spool`` makes the sinks of received documents; without it none are accepted.

    Raises FaultReceived, NoAnswer, OSError (``ssl.SSLError`` is one).
    """

    url: str
    tls: ssl.SSLContext | None = None
    timeout: float = 60
    spool: Spool | None = None
    limits: SOAPLimits = field(default_factory=lambda: DEFAULT_LIMITS)

    def call(
        self,
        binding: SOAPBinding,
        body: Iterable[bytes],
        *,
        security: bytes = b"",
        parts: Sequence[OutgoingPart] = (),
    ) -> SOAPAnswer:
        """Send one request and wait for its answer. ``security`` is a ready wsse:Security header block."""
        message_id = f"urn:uuid:{uuid.uuid4()}"
        head = request_head(binding.action, message_id, self.url, security)
        envelope = b"".join((head, *body, ENVELOPE_END))
        if binding.mtom or parts:
            return self.post(*pack(envelope, parts, binding.action))
        return self.post(f'{SOAP_XML}; charset=UTF-8; action="{binding.action}"', len(envelope), iter((envelope,)))

    def post(self, content_type: str, length: int, chunks: Iterator[bytes]) -> SOAPAnswer:
        """Send a ready message, also a wrong one, and read the answer."""
        connection = self._connect()
        try:
            headers = {"Content-Type": content_type, "Content-Length": str(length)}
            connection.connect()
            # A server that refuses a long message early may close before all is sent; its answer may be there.
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.request("POST", self._target(), chunks, headers)
            return self._read(connection.getresponse())
        except ssl.SSLError:  # of which one, for a certificate, is a ValueError, too
            raise
        except (HTTPException, ValueError, SOAPFault) as error:
            raise NoAnswer(f"{self.url} did not answer as SOAP over HTTP should: {error!r}") from error
        finally:
            connection.close()

    def _connect(self) -> HTTPConnection:
        address = urlsplit(self.url)
        host = address.hostname or ""
        if address.scheme == "https":
            return HTTPSConnection(host, address.port, timeout=self.timeout, context=self.tls)
        return HTTPConnection(host, address.port, timeout=self.timeout)

    def _target(self) -> str:
        address = urlsplit(self.url)
        return f"{address.path or '/'}?{address.query}" if address.query else address.path or "/"

    def _read(self, response: HTTPResponse) -> SOAPAnswer:
        content_type = response.getheader("Content-Type", "")
        return read_answer(self.url, response.status, content_type, response, spool=self.spool, limits=self.limits)


class Readable(Protocol):
    """Where an answer is read from."""

    def read(self, size: int, /) -> bytes:
        """At most so many of the next bytes; none at the end."""


def read_answer(
    url: str,
    status: int,
    content_type: str,
    content: Readable,
    *,
    spool: Spool | None = None,
    limits: SOAPLimits = DEFAULT_LIMITS,
) -> SOAPAnswer:
    """Take an answer apart. Raises FaultReceived, NoAnswer, SOAPFault for a package that is none."""
    media = parse_media_type(content_type)
    if media.name not in (SOAP_XML, MULTIPART, "text/xml"):
        start = content.read(200).decode("utf-8", "replace")
        raise NoAnswer(f"{url} answered HTTP {status} with {media}: {start}")
    # Without a place for documents, inline base64 stays where it is.
    fitting = limits if spool else replace(limits, inline=limits.xml.size)
    kind = MTOMReader if media.name == MULTIPART else SimpleReader
    reader: PackageReader = kind(media, spool or _no_place, fitting)
    try:
        return _take_apart(status, content, reader, limits)
    except BaseException:
        reader.discard()
        raise


def _take_apart(status: int, content: Readable, reader: PackageReader, limits: SOAPLimits) -> SOAPAnswer:
    while chunk := content.read(CHUNK):
        reader.feed(chunk)
    package = reader.close()
    root = parse(package.envelope, limits.xml, package.charset)
    body = _body(root)
    if body.tag in (FAULT, f"{{{SOAP11}}}Fault"):
        raise _fault(status, body)
    return SOAPAnswer(body, package.parts, root.findtext(f"{{*}}Header/{{{WSA}}}RelatesTo"))


def client_tls(authorities: Path, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    """TLS 1.2 or 1.3: trust what ``authorities`` issued, show ``certificate`` when asked (PEM files)."""
    context = ssl.create_default_context(cafile=str(authorities))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate is not None:
        context.load_cert_chain(certificate, key)
    return context


def file_part(path: Path, content_id: str, media_type: str) -> OutgoingPart:
    """A document to send, read from a file while it is sent."""

    def chunks() -> Iterator[bytes]:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk

    return OutgoingPart(content_id=content_id, media_type=media_type, size=path.stat().st_size, chunks=chunks)


def _no_place() -> Sink:
    raise NoAnswer("The answer holds documents and no place was given for them")


def _body(root: _Element) -> _Element:
    for name in (BODY, f"{{{SOAP11}}}Body"):
        body = root.find(name)
        if body is not None and len(body):
            return body[0]
    raise NoAnswer("The answer holds no SOAP body")


def _fault(status: int, fault: _Element) -> FaultReceived:
    if fault.tag != FAULT:
        code = fault.findtext("faultcode", "").rpartition(":")[2]
        return FaultReceived(status, code, (), fault.findtext("faultstring", ""))
    values = fault.iterfind(f"{{{SOAP12}}}Code//{{{SOAP12}}}Value")
    codes = [(value.text or "").strip().rpartition(":")[2] for value in values]
    reason = fault.findtext(f"{{{SOAP12}}}Reason/{{{SOAP12}}}Text", "")
    return FaultReceived(status, codes[0] if codes else "", tuple(codes[1:]), reason)
