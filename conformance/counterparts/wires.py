"""How the harness calls: web services over HTTP, HL7 v2 over MLLP; each call is an exchange of the transcript."""

import ssl
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from conformance.exchanges import Exchange, Headers, Payload, Transcript, Wire
from mllp.client import Address, MLLPError, send

LARGEST_ANSWER = 64 * 2**20
"""Bytes of an answer that are kept; what is longer is cut off, and then it cannot be read."""
PATIENCE = 60.0
"""Seconds that a system under test has for an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Who calls whom with which transaction."""

    transaction: str
    initiator: str
    responder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPWire:
    """Posts ready messages, right and wrong ones. No answer is an exchange, too: nothing is raised for it."""

    transcript: Transcript
    tls: ssl.SSLContext | None = None

    def post(self, call: Call, url: str, headers: Headers, content: bytes) -> Exchange:
        """Send one request and keep what came of it."""
        address = urlsplit(url)
        request = Payload(
            start_line=f"POST {address.path or '/'} HTTP/1.1",
            headers=(("Host", address.netloc), *headers, ("Content-Length", str(len(content)))),
            content=content,
        )
        return _kept(self.transcript, Wire.HTTP, call, request, lambda: self._post(url, request))

    def _post(self, url: str, request: Payload) -> Payload:
        address = urlsplit(url)
        host = address.hostname or ""
        if address.scheme == "https":
            connection: HTTPConnection = HTTPSConnection(host, address.port, timeout=PATIENCE, context=self.tls)
        else:
            connection = HTTPConnection(host, address.port, timeout=PATIENCE)
        target = request.start_line.split(" ")[1]
        with closing(connection):
            connection.putrequest("POST", target, skip_host=True, skip_accept_encoding=True)
            for name, value in request.headers:
                connection.putheader(name, value)
            connection.endheaders(request.content)
            answer = connection.getresponse()
            return Payload(
                start_line=f"HTTP/1.1 {answer.status} {answer.reason}",
                headers=tuple(each for each in answer.getheaders() if each[0].lower() != "transfer-encoding"),
                content=answer.read(LARGEST_ANSWER),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class MLLPWire:
    """Sends ready HL7 v2 messages, one connection each."""

    transcript: Transcript
    tls: ssl.SSLContext | None = None

    def send(self, call: Call, address: Address, message: bytes) -> Exchange:
        """Send one message and keep what came of it."""
        request = Payload(content=message)
        return _kept(
            self.transcript,
            Wire.MLLP,
            call,
            request,
            lambda: Payload(content=send(address, message, PATIENCE, self.tls)),
        )


def _kept(
    transcript: Transcript, wire: Wire, call: Call, request: Payload, exchange: Callable[[], Payload]
) -> Exchange:
    began, start = datetime.now(UTC), time.monotonic()
    answer, failure = None, ""
    try:
        answer = exchange()
    except (HTTPException, MLLPError, OSError) as error:
        failure = str(error) or type(error).__name__
    return transcript.add(
        Exchange(
            wire=wire,
            transaction=call.transaction,
            initiator=call.initiator,
            responder=call.responder,
            began=began,
            seconds=time.monotonic() - start,
            request=request,
            answer=answer,
            failure=failure,
        )
    )
