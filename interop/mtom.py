"""ITI-41 and ITI-43 in the MTOM dialects of toolkits that cannot run here: WCF, Axis2, Metro, and what else XOP allows.

Written by hand, so that every byte is as the toolkit would send it (SOAP MTOM, XOP, RFC 2387; ITI TF-2: V.8).
"""

import base64
import email
import http.client
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from email.message import Message
from functools import partial
from urllib.parse import quote

from interop.cases import Case, case
from interop.messages import PROVIDE, RETRIEVE, envelope, new_oid, provide_body, retrieve_body

CRLF = b"\r\n"
CONTENT = b"Erster Teil\r\n--MIMEBoundary\r\n\x00\x01\xff zweiter Teil\r\n"
"""With what confuses MIME parsers: line ends, something like a boundary, and bytes that are no text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """How a toolkit packs one message: media type, headers and spelling of the parts."""

    content_type: str
    boundary: str
    root_id: str
    part_id: str
    href: str
    root_headers: tuple[str, ...] = ('Content-Type: application/xop+xml;charset=utf-8;type="application/soap+xml"',)
    part_headers: tuple[str, ...] = ("Content-Type: text/plain", "Content-Transfer-Encoding: binary")
    declaration: str = ""
    preamble: bytes = b""
    epilogue: bytes = CRLF
    root_first: bool = True
    encode: Callable[[bytes], bytes] = bytes

    @property
    def include(self) -> str:
        """What stands in the envelope for the document."""
        return f'<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="{self.href}"/>'

    def pack(self, envelope: str, *contents: bytes) -> bytes:
        """The body of the HTTP request, with one document or none."""
        root = self._part(self.root_headers, self.root_id, (self.declaration + envelope).encode())
        others = tuple(self._part(self.part_headers, self.part_id, self.encode(content)) for content in contents)
        parts = (root, *others) if self.root_first else (*others, root)
        return self.preamble + b"".join(parts) + f"--{self.boundary}--".encode() + self.epilogue

    def _part(self, headers: Sequence[str], content_id: str, content: bytes) -> bytes:
        lines = (f"--{self.boundary}", *headers, f"Content-ID: <{content_id}>", "", "")
        return "\r\n".join(lines).encode() + content + CRLF


def wcf() -> Package:
    """.NET: ids that are URLs, percent-encoded references, a boundary with plus and equals signs."""
    boundary, part = f"uuid:{uuid.uuid4()}+id=1", f"http://tempuri.org/1/{uuid.uuid4().hex}"
    return Package(
        content_type=f'multipart/related; type="application/xop+xml";start="<http://tempuri.org/0>";boundary="{boundary}"'
        ';start-info="application/soap+xml"',
        boundary=boundary,
        root_id="http://tempuri.org/0",
        part_id=part,
        href=f"cid:{quote(part, safe='')}",
        preamble=CRLF,
        part_headers=("Content-Transfer-Encoding: binary", "Content-Type: application/octet-stream"),
    )


def axis2() -> Package:
    """Axis2, so the NIST toolkit: an unquoted boundary, an action parameter, an XML declaration."""
    boundary = f"MIMEBoundaryurn_uuid_{uuid.uuid4().hex.upper()}"
    return Package(
        content_type=f'multipart/related; boundary={boundary}; type="application/xop+xml";'
        f' start="<0.urn:uuid:A1@apache.org>"; start-info="application/soap+xml"; action="{PROVIDE}"',
        boundary=boundary,
        root_id="0.urn:uuid:A1@apache.org",
        part_id="1.urn:uuid:A2@apache.org",
        href="cid:1.urn:uuid:A2@apache.org",
        declaration="<?xml version='1.0' encoding='UTF-8'?>",
    )


def metro() -> Package:
    """Metro and JAX-WS RI: the action in start-info, no charset, a space in the media type."""
    boundary = f"uuid:{uuid.uuid4()}"
    return Package(
        content_type=f'multipart/related;start="<rootpart*{boundary[5:]}@example.jaxws.sun.com>";type="application/xop+xml";'
        f'boundary="{boundary}";start-info="application/soap+xml;action=\\"{PROVIDE}\\""',
        boundary=boundary,
        root_id=f"rootpart*{boundary[5:]}@example.jaxws.sun.com",
        part_id="b3c@example.jaxws.sun.com",
        href="cid:b3c@example.jaxws.sun.com",
        root_headers=(
            f'Content-Type: application/xop+xml;charset=utf-8;type="application/soap+xml;action=\\"{PROVIDE}\\""',
        ),
        declaration='<?xml version="1.0" ?>',
    )


def variants() -> Iterator[tuple[str, Package]]:
    """The toolkits, and what XOP and MIME allow beside them."""
    yield "WCF (.NET)", wcf()
    yield "Axis2", axis2()
    yield "Metro", metro()
    yield (
        "no start parameter, preamble and epilogue",
        replace(
            axis2(),
            content_type='Multipart/Related; boundary="=_b 1"; type="application/xop+xml"; '
            'start-info="application/soap+xml"',
            boundary="=_b 1",
            preamble=b"This is a multi-part message in MIME format.\r\n",
            epilogue=b"\r\nepilogue\r\n",
        ),
    )
    yield "root part last", replace(axis2(), root_first=False)
    yield (
        "document as base64 part",
        replace(axis2(), part_headers=("Content-Transfer-Encoding: BASE64",), encode=base64.encodebytes),
    )
    yield "nothing after the closing boundary", replace(wcf(), epilogue=b"")
    yield (
        "header names in lower case",
        replace(wcf(), root_headers=('content-type: application/xop+xml; charset=UTF-8; type="application/soap+xml"',)),
    )


def tell(port: int, patient_id: str, repository: str) -> Iterator[Case]:
    """Submit in every dialect, and retrieve each time what was submitted."""
    client = Client(port, patient_id, repository)
    for name, package in variants():
        yield case("ITI-41", f"MTOM as {name}", partial(client.round_trip, package))
    yield case(
        "ITI-41", "Expect: 100-continue (WCF, curl)", lambda: client.round_trip(wcf(), {"Expect": "100-continue"})
    )
    yield case("ITI-41", "in chunks of 7 bytes", lambda: client.round_trip(axis2(), chunk=7))
    yield case("ITI-41", "a connection that is used once", lambda: client.round_trip(axis2(), {"Connection": "close"}))
    yield case("ITI-41", "inline base64 in an MTOM package", client.inline)
    yield case("ITI-41", "without MTOM: a Fault that says so", client.without_mtom)
    yield case("ITI-41", "a truncated package is refused", client.truncated)


class Client:
    """Submits a document and retrieves it again."""

    def __init__(self, port: int, patient_id: str, repository: str) -> None:
        self._port = port
        self._patient_id = patient_id
        self._repository = repository

    def round_trip(self, package: Package, headers: dict[str, str] | None = None, chunk: int = 0) -> str:
        """Submit in one dialect; the very same bytes come back."""
        unique_id = new_oid()
        sent = package.pack(self._provide(unique_id, package.include), CONTENT)
        status, media_type, answer = self._post(package.content_type, sent, headers, chunk)
        _succeeded(status, answer)
        return self._came_back(package, unique_id) + f"; answered as {media_type.partition(';')[0]}"

    def inline(self) -> str:
        """The only part is the root."""
        unique_id, package = new_oid(), axis2()
        text = self._provide(unique_id, base64.b64encode(CONTENT).decode())
        status, _, answer = self._post(package.content_type, package.pack(text))
        _succeeded(status, answer)
        return self._came_back(package, unique_id)

    def without_mtom(self) -> str:
        """ITI-41 demands MTOM; the Fault says which encoding is wanted."""
        text = self._provide(new_oid(), base64.b64encode(CONTENT).decode())
        status, _, answer = self._post("application/soap+xml; charset=UTF-8", text.encode())
        if status not in (400, 415, 500) or b"MTOM" not in answer:
            raise AssertionError(f"{status} {answer[:500]!r}")
        return f"{status}"

    def truncated(self) -> str:
        """Half a document is no document."""
        unique_id, package = new_oid(), axis2()
        sent = package.pack(self._provide(unique_id, package.include), CONTENT)
        status, _, answer = self._post(package.content_type, sent[: sent.index(b"zweiter")])
        if status == 200 or b"Fault" not in answer:
            raise AssertionError(f"{status} {answer[:500]!r}")
        return f"{status}"

    def _provide(self, unique_id: str, document: str) -> str:
        return envelope(PROVIDE, provide_body(self._patient_id, unique_id, document))

    def _came_back(self, package: Package, unique_id: str) -> str:
        text = envelope(RETRIEVE, retrieve_body(self._repository, unique_id))
        content_type = package.content_type.replace(PROVIDE, RETRIEVE)
        status, media_type, answer = self._post(content_type, package.pack(text))
        parts = _parts(media_type, answer)
        if status != 200 or not any(part.get_payload(decode=True) == CONTENT for part in parts[1:]):
            raise AssertionError(f"retrieved {status} {media_type} {answer[:800]!r}")
        return "retrieved byte for byte"

    def _post(
        self, content_type: str, body: bytes, headers: dict[str, str] | None = None, chunk: int = 0
    ) -> tuple[int, str, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        sent = (body[at : at + chunk] for at in range(0, len(body), chunk)) if chunk else body
        all_headers = {"Content-Type": content_type, "User-Agent": "interop", **(headers or {})}
        try:
            connection.request("POST", "/xds/repository", sent, all_headers, encode_chunked=bool(chunk))
            answer = connection.getresponse()
            return answer.status, answer.getheader("Content-Type", ""), answer.read()
        finally:
            connection.close()


def _parts(media_type: str, body: bytes) -> list[Message]:
    """The parts of a package, as Python's own MIME parser reads them."""
    message = email.message_from_bytes(f"Content-Type: {media_type}\r\n\r\n".encode() + body)
    payload = message.get_payload()
    return [part for part in payload if isinstance(part, Message)] if isinstance(payload, list) else []


def _succeeded(status: int, answer: bytes) -> None:
    if status != 200 or b"ResponseStatusType:Success" not in answer:
        raise AssertionError(f"{status} {answer[:1500]!r}")
