"""PIX Consumers on real sockets: what they receive is kept, what they answer is the test's to say."""

import re
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Generic, TypeVar

from lxml import etree
from lxml.etree import _Element

from hl7v2.ack import ack
from hl7v2.er7 import parse, serialize
from hl7v2.message import Message
from ihe.errors import Breach, HL7ErrorCode, Rejected
from ihe.exchange import Exchange
from mllp.framing import Framer, Received, frame
from pix.v3_answers import accept_acknowledgement
from soap.xml import parse as parse_xml

Kept = TypeVar("Kept")
ENVELOPE = "http://www.w3.org/2003/05/soap-envelope"
PATIENCE = 20.0


class Inbox(Generic[Kept]):
    """What arrived, in order; another thread can wait for more."""

    def __init__(self) -> None:
        self.received: list[Kept] = []
        self._more = threading.Condition()

    def keep(self, each: Kept) -> None:
        with self._more:
            self.received.append(each)
            self._more.notify_all()

    def wait(self, count: int) -> list[Kept]:
        with self._more:
            arrived = self._more.wait_for(lambda: len(self.received) >= count, PATIENCE)
        assert arrived, f"{len(self.received)} of {count} arrived"
        return list(self.received)


Answer = Callable[[Message], bytes | None]


def exchange() -> Exchange:
    return Exchange(correlation_id="c0ffee", received_at=datetime.now(UTC))


def accept(message: Message) -> bytes | None:
    accepted = ack(message, None, exchange())
    return serialize(accepted) if accepted else None


def refuse(code: HL7ErrorCode) -> Answer:
    """Answer AE or AR, as the code wants it."""

    def answer(message: Message) -> bytes | None:
        refused = ack(message, Rejected(Breach(code=code, text="we do not like it")), exchange())
        return serialize(refused) if refused else None

    return answer


class MLLPInbox(Inbox[Message]):
    """A PIX Consumer of ITI-10. ``answer`` may be replaced while it runs; None hangs up without an answer."""

    def __init__(self, answer: Answer = accept, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        super().__init__()
        self.answer = answer
        self._tls = tls
        self._listening = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        """Hear nobody any more; a thread that still waits in ``accept`` would keep the port open."""
        with suppress(OSError):  # closed before
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def ids(self) -> list[str]:
        """PID-3 of what arrived, ids alone."""
        return [" ".join(each.text() for each in message["PID"].repetitions(3)) for message in self.received]

    def control_ids(self) -> list[str]:
        return [message.control_id for message in self.received]

    def _listen(self) -> None:
        while True:
            try:
                peer, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        framer = Framer()
        try:
            spoken = self._tls.wrap_socket(peer, server_side=True) if self._tls else peer
            with spoken:
                while data := spoken.recv(65536):
                    for event in framer.feed(data):
                        if isinstance(event, Received) and not self._take(spoken, event.message):
                            return
        except OSError:
            return

    def _take(self, peer: socket.socket, data: bytes) -> bool:
        message = parse(data)
        self.keep(message)
        answer = self.answer(message)
        if answer is not None:
            peer.sendall(frame(answer))
        return answer is not None


class SOAPInbox(Inbox[_Element]):
    """A PIX Consumer of ITI-46. ``breaches`` make it refuse, ``fault`` answer a SOAP fault, ``confused`` another id."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__()
        self.breaches: tuple[Breach, ...] = ()
        self.fault = self.confused = False
        self.actions: list[str] = []
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                inbox.serve(self)

            def log_message(self, *_: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        envelope = parse_xml(handler.rfile.read(int(handler.headers["Content-Length"])))
        body = envelope.find(f"{{{ENVELOPE}}}Body")
        assert body is not None
        self.actions.append(envelope.findtext(".//{http://www.w3.org/2005/08/addressing}Action") or "")
        status, content = (
            (500, FAULT) if self.fault else (200, accept_acknowledgement(body[0], exchange(), self.breaches))
        )
        self.keep(body[0])
        if self.confused:
            content = ANOTHER.sub(rb"\1<id root='2.25.1'/>", _bytes(content))
        answer = f'<e:Envelope xmlns:e="{ENVELOPE}"><e:Body>'.encode() + _bytes(content) + b"</e:Body></e:Envelope>"
        handler.send_response(status)
        handler.send_header("Content-Type", "application/soap+xml; charset=UTF-8")
        handler.send_header("Content-Length", str(len(answer)))
        handler.end_headers()
        handler.wfile.write(answer)


FAULT = (
    f'<e:Fault xmlns:e="{ENVELOPE}"><e:Code><e:Value>e:Receiver</e:Value></e:Code>'
    '<e:Reason><e:Text xml:lang="en">out of order</e:Text></e:Reason></e:Fault>'
)


ANOTHER = re.compile(rb"(<targetMessage>)<id [^>]*/>")


def _bytes(content: _Element | str | bytes) -> bytes:
    if isinstance(content, bytes):
        return content
    return content.encode() if isinstance(content, str) else etree.tostring(content)
