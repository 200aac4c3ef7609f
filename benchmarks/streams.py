"""Documents of any size that nobody holds in memory: made while they are sent, compared while they are received."""

import base64
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from affinity.client import xds
from affinity.client.bindings import soap_binding
from benchmarks import messages
from benchmarks.load import WrongAnswer
from benchmarks.node import Node
from ihe.exchange import OutgoingPart, Part, Spool
from ihe.identifiers import new_oid
from soap.client import SOAPAnswer, SOAPClient
from soap.head import ENVELOPE_END, request_head
from soap.media import SOAP_XML
from xds.document_requests import XDS_B
from xds.ebrim_writing import encode
from xds.iti41 import ITI_41
from xds.iti43 import ITI_43

CHUNK = 768 * 1024
MARK = 63
"""How a chunk begins, which tells it from all others; both are multiples of three, so that each is whole base64."""
TIMEOUT = 600.0
CONTENT_ID = "document0@benchmark"


@cache
def _noise() -> bytes:
    return os.urandom(CHUNK - MARK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """``size`` bytes that no other ``seed`` has; every chunk differs from every other.

    Nothing is copied to make them: who sends and compares shares the machine with the node that is measured.
    """

    seed: int
    size: int

    def chunks(self) -> Iterator[bytes]:
        """The bytes, bounded piece by bounded piece."""
        for start in range(0, self.size, CHUNK):
            length = min(CHUNK, self.size - start)
            yield (b"%d %d " % (self.seed, start)).ljust(MARK, b".")[:length]
            if length > MARK:
                yield _noise()[: length - MARK]


class ComparingSink:
    """Takes a received document, compares each byte with what was sent, and keeps nothing; WrongAnswer otherwise.

    A digest would take as long as all else that the client does.
    """

    def __init__(self, sent: Content) -> None:
        self._sent = sent.chunks()
        self._chunk = b""
        self._compared = 0
        self.size = 0

    def write(self, chunk: bytes) -> None:
        """Compare the next bytes."""
        taken = 0
        while taken < len(chunk):
            if self._compared == len(self._chunk):
                self._chunk, self._compared = next(self._sent, b""), 0
            some = min(len(chunk) - taken, len(self._chunk) - self._compared)
            if not some or chunk[taken : taken + some] != self._chunk[self._compared : self._compared + some]:
                raise WrongAnswer(f"other bytes than were sent, after {self.size + taken}")
            taken, self._compared = taken + some, self._compared + some
        self.size += len(chunk)

    def finish(self, content_id: str, media_type: str) -> Part:
        """Say how much was received."""
        return Part(
            content_id=content_id, media_type=media_type, size=self.size, sha1="", sha256="", spooled=os.devnull
        )

    def discard(self) -> None:
        """Nothing was kept."""


def plain(node: Node, spool: Spool | None = None) -> SOAPClient:
    """Speaks to the repository without TLS."""
    return SOAPClient(url=node.url(messages.REPOSITORY_PATH), timeout=TIMEOUT, spool=spool)


def secured(node: Node, spool: Spool | None = None) -> SOAPClient:
    """Speaks to the repository over mutual TLS."""
    url = node.secure_url(messages.REPOSITORY_PATH)
    return SOAPClient(url=url, tls=node.client_tls, timeout=TIMEOUT, spool=spool)


def submit(client: SOAPClient, patient: str, content: Content) -> str:
    """ITI-41 with one XOP part; the document's uniqueId."""
    unique_id = new_oid()
    described = messages.described_submission(patient, 1, [unique_id])
    part = OutgoingPart(content_id=CONTENT_ID, media_type="text/plain", size=content.size, chunks=content.chunks)
    body = xds.provide_and_register(described, [CONTENT_ID])
    _demand_success(client.call(soap_binding(ITI_41), [body], parts=[part]))
    return unique_id


def submit_inline(node: Node, patient: str, content: Content) -> str:
    """ITI-41 with the document as base64 text inside the package's envelope; the document's uniqueId."""
    unique_id = new_oid()
    url = node.url(messages.REPOSITORY_PATH)
    binding = soap_binding(ITI_41)
    described = encode(messages.described_submission(patient, 1, [unique_id]))
    opening = b'<xdsb:ProvideAndRegisterDocumentSetRequest xmlns:xdsb="%b">%b<xdsb:Document id="Document01">'
    before = (
        b"--MIME\r\nContent-Type: application/xop+xml; charset=UTF-8; "
        b'type="application/soap+xml"\r\nContent-ID: <root@benchmark>\r\n\r\n'
        + request_head(binding.action, f"urn:uuid:{unique_id}", url)
        + opening % (XDS_B.encode(), described)
    )
    closing = b"</xdsb:Document></xdsb:ProvideAndRegisterDocumentSetRequest>"
    after = closing + ENVELOPE_END + b"\r\n--MIME--\r\n"
    kind = (
        'multipart/related; boundary="MIME"; type="application/xop+xml"; start="<root@benchmark>"; '
        f'start-info="{SOAP_XML}"; action="{binding.action}"'
    )

    def chunks() -> Iterator[bytes]:
        yield before
        yield from map(base64.b64encode, content.chunks())
        yield after

    length = len(before) + (content.size + 2) // 3 * 4 + len(after)
    _demand_success(SOAPClient(url=url, timeout=TIMEOUT).post(kind, length, chunks()))
    return unique_id


def retrieve(client: SOAPClient, unique_id: str) -> Part:
    """ITI-43 of one document, for a client whose spool is ComparingSink: its size as it arrived."""
    body = xds.retrieve([(messages.DOMAIN.repository_unique_id, unique_id)])
    answer = client.call(soap_binding(ITI_43), [body])
    (part,) = answer.parts.values()
    return part


def _demand_success(answer: SOAPAnswer) -> None:
    if not answer.body.get("status", "").endswith(":Success"):
        raise WrongAnswer(str([dict(each.attrib) for each in answer.body.iter()]))
