"""Content-Transfer-Encodings, decoded while they stream (RFC 2045: 6)."""

import binascii
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol

from soap.faults import sender_fault

Write = Callable[[bytes], None]

_WHITESPACE = b" \t\r\n"
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="


class Decoder(Protocol):
    """Takes encoded bytes in any pieces and passes plain bytes on."""

    def feed(self, data: bytes) -> None:
        """Decode the next bytes."""

    def close(self) -> None:
        """Decode what was held back; a SOAPFault says when the text breaks off."""


class Identity:
    """7bit, 8bit and binary: the bytes are what they are."""

    def __init__(self, write: Write) -> None:
        self.feed = write

    def close(self) -> None:
        """Nothing is held back."""


class Base64:
    """base64, white space tolerated, everything else strict: a document must not lose a byte unnoticed."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._held = b""
        self._ended = False

    def feed(self, data: bytes) -> None:
        """Decode whole groups of four characters."""
        text = self._held + data.translate(None, _WHITESPACE)
        if text.translate(None, _ALPHABET) or (self._ended and text):
            raise _invalid_base64()
        whole = len(text) - len(text) % 4
        self._held = text[whole:]
        if whole:
            self._decode(text[:whole])

    def close(self) -> None:
        """Refuse an incomplete group."""
        if self._held:
            raise _invalid_base64()

    def _decode(self, groups: bytes) -> None:
        self._ended = groups.endswith(b"=")
        try:
            self._write(binascii.a2b_base64(groups, strict_mode=True))
        except binascii.Error:
            raise _invalid_base64() from None


class QuotedPrintable:
    """quoted-printable; a line is at most 76 characters long, so little is held back."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._held = b""

    def feed(self, data: bytes) -> None:
        """Decode whole lines."""
        lines, newline, self._held = (self._held + data).rpartition(b"\n")
        if newline:
            self._write(_decode_quoted(lines + newline))
        if len(self._held) > 64 * 1024:
            raise sender_fault("A quoted-printable line is longer than 76 characters (RFC 2045: 6.7)")

    def close(self) -> None:
        """Decode the last line."""
        self._write(_decode_quoted(self._held))


DECODERS: Mapping[str, Callable[[Write], Decoder]] = MappingProxyType(
    {
        "": Identity,
        "7bit": Identity,
        "8bit": Identity,
        "binary": Identity,
        "base64": Base64,
        "quoted-printable": QuotedPrintable,
    }
)


def decoder(encoding: str, write: Write) -> Decoder:
    """Make the decoder that a Content-Transfer-Encoding header asks for."""
    try:
        return DECODERS[encoding.strip().lower()](write)
    except KeyError:
        raise sender_fault(f"The Content-Transfer-Encoding {encoding} is not known (RFC 2045: 6.1)") from None


_BAD_ESCAPE = re.compile(rb"=(?![0-9A-Fa-f]{2}|[ \t]*\r?\n|[ \t]*\Z)")


def _decode_quoted(lines: bytes) -> bytes:
    if _BAD_ESCAPE.search(lines):
        raise sender_fault("A part is not quoted-printable as it says (RFC 2045: 6.7)")
    return binascii.a2b_qp(lines)


def _invalid_base64() -> Exception:
    return sender_fault("Base64 content is incomplete or holds characters that are not base64 (RFC 4648: 4)")
