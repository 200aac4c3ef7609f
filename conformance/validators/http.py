"""HTTP messages as they were logged: media type, MTOM package and parts, envelope (ITI TF-2: V.3.6, V.8)."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from conformance.catalogue import Level
from conformance.findings import Finding
from conformance.validators import soap
from conformance.validators.context import Context
from ihe.citations import tf2
from ihe.exchange import Part
from soap.faults import SOAPFault
from soap.limits import DEFAULT_LIMITS
from soap.media import MULTIPART, accept
from soap.mtom import MTOMReader, Package, PackageReader, SimpleReader
from soap.xml import XMLRefused, parse

HEAD_END = re.compile(rb"\r?\n\r?\n")
FIELD = re.compile(rb"^([!-9;-~]+):[ \t]*(.*(?:\r?\n[ \t]+.*)*)", re.MULTILINE)
BOUNDARY = re.compile(rb"--([^\r\n]{1,70})\r?\n")


@dataclass(slots=True)
class Unkept:
    """A sink that looks at the bytes and keeps none of them."""

    size: int = 0
    sha1: Any = field(default_factory=hashlib.sha1)
    sha256: Any = field(default_factory=hashlib.sha256)

    def write(self, chunk: bytes) -> None:
        """Count and hash."""
        self.size += len(chunk)
        self.sha1.update(chunk)
        self.sha256.update(chunk)

    def finish(self, content_id: str, media_type: str) -> Part:
        """What was seen; its bytes are nowhere."""
        sha1, sha256 = self.sha1.hexdigest(), self.sha256.hexdigest()
        return Part(content_id=content_id, media_type=media_type, size=self.size, sha1=sha1, sha256=sha256, spooled="")

    def discard(self) -> None:
        """There is nothing to throw away."""


def validate(data: bytes, context: Context) -> tuple[str | None, tuple[Finding, ...]]:
    """The id of the transaction, and what is wrong with head, package, envelope and payload."""
    content_type, body = _taken_apart(data)
    return validate_body(content_type, (body,), context)


def validate_body(content_type: str, body: Iterable[bytes], context: Context) -> tuple[str | None, tuple[Finding, ...]]:
    """The same of a body in pieces; of its documents nothing stays in memory."""
    try:
        package = _package(content_type, body)
        root = parse(package.envelope, encoding=package.charset)
    except SOAPFault as fault:
        return None, (_wrong(fault.reason),)
    except XMLRefused as error:
        return None, (_wrong(str(error)),)
    return soap.validate(root, context, package.parts)


def _taken_apart(data: bytes) -> tuple[str, bytes]:
    """Content-Type and body; of a package without a head, what its first boundary implies."""
    bare = BOUNDARY.match(data)
    if bare is not None:
        boundary = bare[1].decode("latin-1").strip()
        return f'multipart/related; type="application/xop+xml"; boundary="{boundary}"', data
    head, *rest = HEAD_END.split(data, 1)
    fields = {name.lower(): value for name, value in FIELD.findall(head)}
    return b" ".join(fields.get(b"content-type", b"").split()).decode("latin-1"), b"".join(rest)


def _package(content_type: str, body: Iterable[bytes]) -> Package:
    media = accept(content_type)
    kind = MTOMReader if media.name == MULTIPART else SimpleReader
    reader: PackageReader = kind(media, Unkept, DEFAULT_LIMITS)
    for piece in body:
        reader.feed(piece)
    return reader.close()


def _wrong(reason: str) -> Finding:
    return Finding(level=Level.SHALL, text=reason, location="HTTP", citation=tf2("V.8"))
