"""Whether an answer is whole, and what is wrong with it: the code by which its standard names the error."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.load import Dialogue

LOOKED_AT = 3000
"""Bytes at the start of an answer that hold its verdict."""
EBXML = re.compile(rb'errorCode="([^"]+)"')
FAULT = re.compile(rb"<(?:\w+:)?Value[^>]*>(?:\w+:)?([^<]+)</")
STATUS = re.compile(rb"HTTP/1\.[01] (\d+)")
ACKNOWLEDGED = re.compile(rb"\rMSA\|(\w\w)")
ERR_3 = re.compile(rb"\rERR\|[^|\r]*\|[^|\r]*\|([^|^\r]+)")


@dataclass(frozen=True, slots=True)
class Verdict:
    """How answers of a kind are judged."""

    dialogue: Dialogue
    code: Callable[[bytes], str]

    def is_whole(self, received: bytearray) -> bool:
        """Claim that nothing is missing."""
        return bool(self.dialogue.whole(received))

    def error(self, received: bytearray) -> str | None:
        """None of a good answer."""
        start = bytes(received[:LOOKED_AT])
        return None if self.dialogue.good in start else self.code(start)


def http_code(answer: bytes) -> str:
    """The code of a RegistryError, of a SOAP Fault (the most special one), or of HTTP."""
    if found := EBXML.search(answer):
        return found[1].decode()
    if codes := FAULT.findall(answer):
        return f"fault {codes[-1].decode()}"
    status = STATUS.match(answer)
    return f"HTTP {status[1].decode()}" if status else "not HTTP"


def mllp_code(answer: bytes) -> str:
    """MSA-1 and ERR-3."""
    said, error = ACKNOWLEDGED.search(answer), ERR_3.search(answer)
    return " ".join(each[1].decode() for each in (said, error) if each) or "no MSA"
