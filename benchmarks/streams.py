"""Documents of any size that nobody holds in memory: made while they are sent, hashed while they are received."""

import base64
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
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
"""A multiple of three, so that each chunk is whole base64."""
TIMEOUT = 600.0
CONTENT_ID = "document0@benchmark"


@cache
def _noise() -> bytes:
    return os.urandom(CHUNK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """``size`` bytes that no other ``seed`` has; every chunk differs from every other."""

    seed: int
    size: int

    def chunks(self) -> Iterator[bytes]:
        """The bytes, bounded piece by bounded piece."""
        for start in range(0, self.size, CHUNK):
            length = min(CHUNK, self.size - start)
            yield (b"%d %d " % (self.seed, start) + _noise()[64:])[:length].ljust(length, b".")

    def sha256(self) -> str:
        """What must come back."""
        digest = hashlib.sha256()
        for chunk in self.chunks():
            digest.update(chunk)
        return digest.hexdigest()


@dataclass(slots=True)
class HashingSink:
    """Takes a received document and keeps nothing of it but size and digests."""

    size: int = 0
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def write(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self.size += len(chunk)
        self.digest.update(chunk)

    def finish(self, content_id: str, media_type: str) -> Part:
        """Say what was received."""
        sha256 = self.digest.hexdigest()
        return Part(
            content_id=content_id, media_type=media_type, size=self.size, sha1="", sha256=sha256, spooled=os.devnull
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
    """ITI-43 of one document, for a client whose spool is HashingSink: its size and SHA-256 as they arrived."""
    body = xds.retrieve([(messages.DOMAIN.repository_unique_id, unique_id)])
    answer = client.call(soap_binding(ITI_43), [body])
    (part,) = answer.parts.values()
    return part


def _demand_success(answer: SOAPAnswer) -> None:
    if not answer.body.get("status", "").endswith(":Success"):
        raise WrongAnswer(str([dict(each.attrib) for each in answer.body.iter()]))
