"""Which part of a captured message is ER7 or XML, and the message with that part rewritten and the rest in order."""

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, unquote_plus

from conformance.capture import er7_fields, xml_fields
from conformance.capture.er7_fields import Replace
from conformance.capture.pseudonyms import Kind
from conformance.capture.recorded import Attachment, Blob, Message, header
from conformance.capture.xml_fields import Scope
from hl7v2.encoding import UNDECLARED, charset
from hl7v2.er7 import Malformed, NotHL7, parse_header
from soap.media import parse_media_type
from soap.xml import XMLRefused, parse

DECLARED = re.compile(rb"<\?xml[^>]*encoding=[\"']([\w.:-]+)[\"']")
SECRETS = re.compile(r"(?im)^((?:proxy-)?authorization|cookie|set-cookie):[ \t]*([^\r\n]*)")
ASKED = re.compile(r"([?&][^=&\s]+=)([^&\s]+)")
"""What is asked for in the address of a request."""
LENGTH = re.compile(rb"(?im)^(content-length:[ \t]*)\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """What becomes of what is around the message: ``text`` of heads, ``blob`` of attachments (None: as it is)."""

    text: Callable[[str], str]
    blob: Callable[[Attachment], Blob | None]


def rewrite(message: Message, replace: Replace, scope: Scope, documents: Documents) -> Message:
    """The message with its values replaced; what cannot be read is replaced as one free text."""
    made = message.changed(
        head=_head(message.head, replace, documents),
        text=lambda piece: _piece(message, piece, replace, scope, documents),
        blob=lambda each: documents.blob(each) or each.blob,
    )
    return dataclasses.replace(made, head=LENGTH.sub(rb"\g<1>%d" % made.size, made.head, count=1))


def rewrite_xml(content: bytes, replace: Replace, scope: Scope, charset: str | None = None) -> bytes | None:
    """The XML with its values replaced; None if it is none, or none that may be read."""
    codec = charset or _declared(content)
    try:
        parse(content, encoding=charset)
        text = content.decode(codec)
        return xml_fields.rewrite(text, replace, scope).encode(codec, "xmlcharrefreplace")
    except (XMLRefused, ValueError, LookupError):
        return None


def _piece(message: Message, piece: bytes, replace: Replace, scope: Scope, documents: Documents) -> bytes:
    """What stands between two attachments."""
    if not piece:
        return piece
    if not message.head:
        return _er7(piece, replace, scope) or _xml(message, piece, replace, scope, documents)
    return _xml(message, piece, replace, scope, documents)


def _er7(piece: bytes, replace: Replace, scope: Scope) -> bytes | None:
    if not piece.lstrip().startswith(b"MSH"):
        return None
    try:
        header_segment = parse_header(piece).header
    except (Malformed, NotHL7):
        return None
    codec = (charset(header_segment.text(18)) or UNDECLARED).codec
    try:
        text = piece.decode(codec)
    except UnicodeDecodeError:  # in another character set than it says: each byte is a character here, and stays one
        codec, text = "latin-1", piece.decode("latin-1")
    new = er7_fields.rewrite(text, header_segment.encoding, replace, authors=scope.authors, texts=scope.texts)
    return new.encode(codec, "replace")


def _xml(message: Message, piece: bytes, replace: Replace, scope: Scope, documents: Documents) -> bytes:
    """An XML document, with MIME before and behind it where there is; or only MIME; or nothing that can be read."""
    span = xml_span(message, piece)
    if span is None and header(message.head, "content-type").lower().lstrip().startswith("multipart/"):
        return _plain(piece, documents.text)
    start, end = span or (0, 0)
    new = rewrite_xml(piece[start:end], replace, scope, _charset(message.head)) if span else None
    if new is None:
        return _plain(piece, lambda text: replace(Kind.TEXT, text))
    return _plain(piece[:start], documents.text) + new + _plain(piece[end:], documents.text)


def _plain(piece: bytes, change: Callable[[str], str]) -> bytes:
    try:
        return change(piece.decode()).encode()
    except UnicodeDecodeError:
        return change(piece.decode("latin-1")).encode("latin-1", "replace")


def _head(head: bytes, replace: Replace, documents: Documents) -> bytes:
    """Start line and fields; what signs somebody in is replaced."""

    def change(text: str) -> str:
        text = SECRETS.sub(lambda found: f"{found[1]}: {replace(Kind.SECRET, found[2])}", text)
        start, line_end, rest = text.partition("\r\n")
        asked = ASKED.sub(lambda found: found[1] + quote(replace(Kind.ID, unquote_plus(found[2])), safe=""), start)
        return documents.text(asked + line_end + rest)

    return _plain(head, change)


def _charset(head: bytes) -> str | None:
    try:
        media = parse_media_type(header(head, "content-type"))
    except ValueError:
        return None
    return media.parameters.get("charset") if media.name != "multipart/related" else None


def _declared(content: bytes) -> str:
    found = DECLARED.match(content.lstrip(b"\xef\xbb\xbf"))
    return found[1].decode("ascii") if found else "utf-8"


def envelope(message: Message) -> bytes:
    """The XML of a message over HTTP; empty where there is none."""
    content = message.text.content()
    if message.attachments:
        content = content[: message.attachments[0].at]
    span = xml_span(message, content)
    return content[span[0] : span[1]] if span else b""


def xml_span(message: Message, piece: bytes) -> tuple[int, int] | None:
    """Where XML begins and ends, after the fields of a MIME part and before the next boundary."""
    is_mime = header(message.head, "content-type").lower().lstrip().startswith("multipart/")
    start = piece.find(b"<", piece.find(b"\r\n\r\n") if is_mime else 0)
    if start < 0:
        return None
    after = piece.find(b"\r\n--", start) if is_mime else -1
    return start, piece.rfind(b">", 0, after if after >= 0 else len(piece)) + 1
