"""Files of HL7 v2 messages as people keep them: several in one, LF or CR, MLLP frames or batch headers around them."""

import re

START = re.compile(rb"(?:\A|[\r\n\x0b\x1c])\s*(?=MSH[!-/:-@[-`{-~])")
HEADER = re.compile(rb"MSH[!-/:-@[-`{-~]")
LINE_END = re.compile(rb"[\r\n]+")
FRAME = b"\x0b\x1c\xef\xbb\xbf"
"""MLLP's start and end block, and the byte order mark."""
BATCH = (b"FHS", b"BHS", b"BTS", b"FTS")


def split(content: bytes) -> tuple[bytes, ...]:
    """The messages of a file in its order, each segment ended by CR; what stands before the first MSH is left out."""
    pieces = START.split(content.lstrip(FRAME))
    return tuple(_message(piece) for piece in pieces if HEADER.match(piece))


def _message(piece: bytes) -> bytes:
    segments = (line.strip(b"\x0b\x1c\x00") for line in LINE_END.split(piece))
    return b"".join(segment + b"\r" for segment in segments if segment.strip() and segment[:3] not in BATCH)
