"""Media types of SOAP over HTTP: which package a request comes in, or why it is refused (ITI TF-2: V.8).

SOAP 1.2 Part 2: 7; MTOM: 3.2; XOP: 4.1. Names and values of media types are read without regard to case.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from soap.envelope import version_mismatch
from soap.faults import sender_fault

SOAP_XML = "application/soap+xml"
XOP_XML = "application/xop+xml"
MULTIPART = "multipart/related"

_PARAMETER = re.compile(r'(;\s*(?:([^\s=;"]+)\s*=\s*(?:"([^"\\]*(?:\\.[^"\\]*)*)"\s*|([^;"]*))|(?=;|$)))')

_QUOTED_PAIR = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class MediaType:
    """A Content-Type: lower-case ``type/subtype`` and its parameters by lower-case name."""

    name: str
    parameters: Mapping[str, str]

    def __str__(self) -> str:
        return self.name or "no media type"


@lru_cache(maxsize=256)
def parse_media_type(value: str) -> MediaType:
    """Read a Content-Type header; ValueError when its parameters are malformed (RFC 2045: 5.1)."""
    value = value.rstrip()
    name = value.partition(";")[0]
    parameters: dict[str, str] = {}
    read = len(name)
    for whole, parameter, quoted, token in _PARAMETER.findall(value, read):
        read += len(whole)
        text = _QUOTED_PAIR.sub(r"\1", quoted) if "\\" in quoted else quoted or token.strip()
        if parameter:
            parameters.setdefault(parameter.lower(), text)
    if read < len(value):
        raise ValueError("a parameter is malformed")
    return MediaType(name.strip().lower(), MappingProxyType(parameters))


@lru_cache(maxsize=256)
def accept(content_type: str, content_encoding: str = "") -> MediaType:
    """Say which package a request comes in: plain SOAP or MTOM; a SOAPFault with status 415 refuses all others."""
    if content_encoding.strip().lower() not in ("", "identity"):
        raise sender_fault(f"Content-Encoding {content_encoding} is not accepted; send the message plain", status=415)
    try:
        media = parse_media_type(content_type)
    except ValueError as error:
        raise sender_fault(f"The Content-Type cannot be read: {error} (RFC 2045: 5.1)", status=415) from None
    if media.name == "text/xml":
        raise version_mismatch("The media type text/xml announces SOAP 1.1")
    if media.name == MULTIPART:
        return _mtom(media)
    if media.name != SOAP_XML:
        raise sender_fault(
            f"The request comes as {media}; send {SOAP_XML}, or {MULTIPART} with MTOM (ITI TF-2: V.8.1)", status=415
        )
    return media


def _mtom(media: MediaType) -> MediaType:
    """MTOM announces application/xop+xml; SOAP with Attachments announces the envelope's own type."""
    kind = media.parameters.get("type", XOP_XML).lower()
    if kind in ("text/xml", SOAP_XML):
        raise sender_fault(
            f'{MULTIPART} with type="{kind}" is SOAP with Attachments, which is not accepted; '
            f'send MTOM, type="{XOP_XML}" (ITI TF-2: V.8.2)',
            status=415,
        )
    if kind != XOP_XML:
        raise sender_fault(f'{MULTIPART} must have type="{XOP_XML}", not "{kind}" (XOP: 4.1)', status=415)
    return media
