"""Plain heads of SOAP messages, read in one go; what is not plain is left to Twisted's parser, which reads by lines.

A head is plain if it has come whole, asks by POST for a path that is known, has one Content-Length, no transfer
encoding, and nothing in it that any parser reads otherwise (RFC 9112: 2.2, 5, 6.3). So nothing is taken here that
Twisted would refuse, or would understand differently; a test compares them.
"""

import re
from collections.abc import Container
from dataclasses import dataclass
from functools import lru_cache

from twisted.web.http_headers import Headers

END = b"\r\n\r\n"
LONGEST, MOST = 2048, 100
"""Bytes of a head, and its lines."""
METHOD, VERSION = b"POST", b"HTTP/1.1"
LENGTH, TRANSFER_ENCODING = b"Content-Length", b"Transfer-Encoding"
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_UNFIT = re.compile(rb"[\0\r\n]")
_NUMBER = re.compile(rb"[1-9][0-9]{0,8}")

Field = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Begun:
    """A request that has begun: what it asks for, its fields by Twisted's names, and what there is of its body."""

    target: bytes
    fields: dict[bytes, list[bytes]]
    length: bytes
    body: bytes


def read(data: bytes, targets: Container[bytes]) -> Begun | None:
    """Read a plain head and no more than one body; None leaves all of it to Twisted."""
    end = data.find(END, 0, LONGEST)
    first, *lines = data[: max(end, 0)].split(b"\r\n", MOST + 1)
    target = first[len(METHOD) + 1 : -len(VERSION) - 1]
    if target not in targets or first != b"%b %b %b" % (METHOD, target, VERSION) or len(lines) > MOST:
        return None
    fields: dict[bytes, list[bytes]] = {}
    for line in lines:
        field = _field(line)
        if field is None:
            return None
        fields.setdefault(field[0], []).append(field[1])
    length, body = fields.get(LENGTH, ()), data[end + len(END) :]
    if len(length) != 1 or _NUMBER.fullmatch(length[0]) is None or len(body) > int(length[0]):
        return None
    return Begun(target, fields, length[0], body)


@lru_cache(maxsize=512)
def _field(line: bytes) -> Field | None:
    """A header line that any parser reads alike; clients send the same ones with every message."""
    name, colon, value = line.partition(b":")
    if not colon or _NAME.fullmatch(name) is None or _UNFIT.search(value):
        return None
    canonical = _canonical(name)
    return None if canonical == TRANSFER_ENCODING else (canonical, value.strip(b" \t"))


@lru_cache(maxsize=512)
def _canonical(name: bytes) -> bytes:
    """As Twisted spells the name of a header."""
    headers = Headers()
    headers.addRawHeader(name, b"")
    canonical: bytes = next(headers.getAllRawHeaders())[0]
    return canonical
