"""Inline base64, cut out of the byte stream of an envelope while it arrives (ITI TF-2: V.8.2).

"Actors that receive MTOM messages shall be capable of accepting any content of type xsi:base64Binary whether it is
contained in the XML Infoset or serialized as Optimized Content": so a long run of base64 becomes a part, and an
xop:Include stands in its place. Documents of any size then cost no memory, and libxml2's limit of 10 million bytes in
one text is never met. Works on encodings in which ASCII is ASCII; others pass unchanged and meet the parser's limits.
"""

import re
from collections.abc import Callable

from ihe.exchange import Part, Sink, Spool
from ihe.identifiers import new_uuid
from soap.names import XOP
from soap.transfer import Base64, Write

_SPACES = re.compile(rb"&#(?:0*(?:9|10|13|32)|x0*(?:9|[aA]|[dD]|20));")
_OPEN_REFERENCE = re.compile(rb"&[^;&]{0,15}\Z")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=\s]")
_INCLUDE = b'<xop:Include xmlns:xop="%b" href="cid:%%b"/>' % XOP.encode()


class InlineFilter:
    """Passes an envelope on to ``write``, without its base64 texts of ``threshold`` bytes and more."""

    def __init__(self, write: Write, spool: Spool, threshold: int) -> None:
        self._write = write
        self._spool = spool
        self._threshold = threshold
        # A tag with its text that is long, or that may still become so because the bytes end in it.
        self._long = re.compile(rb"(?:\A|<)(?:[^<]{%d,}|[^<]*\Z)" % threshold)
        self._held = b""
        self._state: Callable[[bytes], bytes] = self._beginning
        self._sinks: list[Sink] = []
        self._decoder = Base64(write)
        self.parts: dict[str, Part] = {}

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the envelope."""
        data, self._held = self._held + data, b""
        while data:
            data = self._state(data)

    def close(self) -> None:
        """Pass on what was held back. A run that is still open is malformed XML, which the parser will say."""
        self._write(self._held)

    @property
    def spooled(self) -> bool:
        """Claim that base64 was cut out."""
        return bool(self._sinks)

    def discard(self) -> None:
        """Throw the parts away."""
        for sink in self._sinks:
            sink.discard()

    def _beginning(self, data: bytes) -> bytes:
        """UTF-16 and UTF-32 have a byte order mark or a NUL among the first four bytes (XML 1.0: Appendix F)."""
        if len(data) < 4:
            return self._hold(data)
        wide = data.startswith((b"\xfe\xff", b"\xff\xfe")) or b"\0" in data[:4]
        self._state = self._unchanged if wide else self._markup
        return data

    def _unchanged(self, data: bytes) -> bytes:
        self._write(data)
        return b""

    def _markup(self, data: bytes) -> bytes:
        """Pass on tags and the short texts between them, all at once."""
        for found in self._long.finditer(data):
            end = data.find(b">", found.start(), found.end()) + 1
            if end:
                self._write(data[:end])
                self._state = self._text
                return data[end:]
        self._write(data)
        return b""

    def _text(self, data: bytes) -> bytes:
        """Hold a text until it ends or its first bytes show whether it is base64."""
        end = data.find(b"<", 0, self._threshold)
        if end >= 0:
            return self._ends(data, end)
        if len(data) < self._threshold:
            return self._hold(data)
        beginning = _SPACES.sub(b"", _OPEN_REFERENCE.sub(b"", data[: self._threshold]))
        if _NOT_BASE64.search(beginning) or not beginning.strip():
            self._state = self._other_text
        else:
            self._cut()
        return data

    def _other_text(self, data: bytes) -> bytes:
        end = data.find(b"<")
        if end >= 0:
            return self._ends(data, end)
        self._write(data)
        return b""

    def _cut(self) -> None:
        """Open a part and leave the Include that names it."""
        self._sinks.append(self._spool())
        self._decoder = Base64(self._sinks[-1].write)
        self._state = self._base64

    def _base64(self, data: bytes) -> bytes:
        end = data.find(b"<")
        run = data if end < 0 else data[:end]
        open_reference = _OPEN_REFERENCE.search(run) if end < 0 else None
        if open_reference:
            self._hold(run[open_reference.start() :])
            run = run[: open_reference.start()]
        self._decoder.feed(_SPACES.sub(b"", run) if b"&" in run else run)
        if end < 0:
            return b""
        self._finish()
        return self._ends(data[end:], 0)

    def _finish(self) -> None:
        self._decoder.close()
        content_id = f"inline-{len(self._sinks)}.{new_uuid()}@affinity.invalid"
        self.parts[content_id] = self._sinks[-1].finish(content_id, "application/octet-stream")
        self._write(_INCLUDE % content_id.encode())

    def _ends(self, data: bytes, end: int) -> bytes:
        self._write(data[:end])
        self._state = self._markup
        return data[end:]

    def _hold(self, data: bytes) -> bytes:
        self._held = data
        return b""
