"""Answers made wrong: each function takes a good answer and changes one thing."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from conformance.exchanges import Payload
from conformance.simulators.faults import FaultKind

BODY_END = re.compile(rb"</(?:[\w.-]+:)?Body>")
RELATES_TO = re.compile(rb"<((?:[\w.-]+:)?RelatesTo)\b([^>]*)>[^<]*</(?:[\w.-]+:)?RelatesTo>")
ERROR_CODE = re.compile(rb'errorCode="[^"]*"')
DETAIL_CODE = re.compile(rb'(<(?:[\w.-]+:)?acknowledgementDetail\b[^>]*>\s*<(?:[\w.-]+:)?code\b[^>]*?code=")[^"]*"')
ANOTHER = b"urn:uuid:00000000-0000-4000-8000-000000000000"
HEAD_END = b"\r\n\r\n"
NO_HL7 = b"<html>502 Bad Gateway</html>"
NO_CODE = b"XDSNoSuchError"


def with_content(answer: Payload, content: bytes) -> Payload:
    """The same answer with other content, and with the length that it has."""
    headers = tuple(
        (name, str(len(content)) if name.lower() == "content-length" else value) for name, value in answer.headers
    )
    return replace(answer, content=content, headers=headers)


def not_well_formed(answer: Payload) -> Payload:
    """Without the end tag of the Body; over MLLP what a proxy says that found nobody."""
    if not answer.start_line:
        return with_content(answer, NO_HL7)
    return with_content(answer, BODY_END.sub(b"", answer.content, count=1))


def truncated(answer: Payload) -> Payload:
    """Cut in the middle of what comes last."""
    start = answer.content.rfind(HEAD_END) + len(HEAD_END) if _is_package(answer) else 0
    return with_content(answer, answer.content[: start + (len(answer.content) - start) // 2])


def wrong_content_type(answer: Payload) -> Payload:
    """text/html, whatever it is."""
    kept = tuple(each for each in answer.headers if each[0].lower() != "content-type")
    return replace(answer, headers=(("Content-Type", "text/html; charset=UTF-8"), *kept))


def altered_document(answer: Payload) -> Payload:
    """One bit of the last part is another one. An answer without parts stays as it is."""
    at = answer.content.rfind(HEAD_END) + len(HEAD_END)
    if not _is_package(answer) or at >= len(answer.content):
        return answer
    changed = bytes((answer.content[at] ^ 1,))
    return with_content(answer, answer.content[:at] + changed + answer.content[at + 1 :])


def no_relates_to(answer: Payload) -> Payload:
    """Nobody knows what it answers."""
    return with_content(answer, RELATES_TO.sub(b"", answer.content))


def wrong_relates_to(answer: Payload) -> Payload:
    """It answers a message that nobody sent."""
    return with_content(answer, RELATES_TO.sub(rb"<\1\2>%b</\1>" % ANOTHER, answer.content))


def no_msa(answer: Payload) -> Payload:
    """Without its MSA segment."""
    kept = [each for each in answer.content.split(b"\r") if not each.startswith(b"MSA")]
    return with_content(answer, b"\r".join(kept))


def wrong_msa_2(answer: Payload) -> Payload:
    """It acknowledges a message that nobody sent."""
    return _with_field(answer, b"MSA", 2, b"0000-ANOTHER")


def wrong_error_code(answer: Payload) -> Payload:
    """Every error has a code that no table has."""
    if not answer.start_line:
        return _with_field(answer, b"ERR", 3, b"999^No such code^HL70357")
    content = ERROR_CODE.sub(b'errorCode="%b"' % NO_CODE, answer.content)
    return with_content(answer, DETAIL_CODE.sub(rb'\g<1>999"', content))


SPOILT: Mapping[FaultKind, Callable[[Payload], Payload]] = {
    FaultKind.NOT_WELL_FORMED: not_well_formed,
    FaultKind.TRUNCATED: truncated,
    FaultKind.WRONG_CONTENT_TYPE: wrong_content_type,
    FaultKind.ALTERED_DOCUMENT: altered_document,
    FaultKind.NO_RELATES_TO: no_relates_to,
    FaultKind.WRONG_RELATES_TO: wrong_relates_to,
    FaultKind.NO_MSA: no_msa,
    FaultKind.WRONG_MSA_2: wrong_msa_2,
    FaultKind.WRONG_ERROR_CODE: wrong_error_code,
}
"""What is done to a good answer."""


def _is_package(answer: Payload) -> bool:
    return "multipart/" in answer.header("Content-Type").lower()


def _with_field(answer: Payload, segment: bytes, number: int, value: bytes) -> Payload:
    lines = answer.content.split(b"\r")
    return with_content(answer, b"\r".join(_changed(each, segment, number, value) for each in lines))


def _changed(line: bytes, segment: bytes, number: int, value: bytes) -> bytes:
    if not line.startswith(segment):
        return line
    fields = line.split(b"|")
    fields += [b""] * (number + 1 - len(fields))
    fields[number] = value
    return b"|".join(fields)
