"""A capture as a directory that fits into git: one file for each message, documents by digest, one index.

``index.json`` has the order, the times, the transaction and the roles; nothing in it depends on where it lies.
"""

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from conformance.capture import forms
from conformance.capture.forms import Form, Written
from conformance.capture.recorded import CHUNK, Attachment, Blob, Message, Recorded, in_memory
from conformance.exchanges import Wire

VERSION = 1
INDEX, PARTS, ATTRIBUTES = "index.json", "parts", ".gitattributes"
AS_THEY_ARE = "* -text whitespace=cr-at-eol\nparts/* binary\n"
"""Git must not change a line end: each byte counts."""


class NoCapture(ValueError):
    """A directory holds no capture, or one that was changed; the text says where and how to mend it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """What was captured; ``redacted`` False: with data of patients."""

    exchanges: tuple[Recorded, ...]
    redacted: bool


@contextmanager
def written(directory: Path, capture: Capture) -> Iterator[Path]:
    """Write a capture beside its place, give it to be looked at, then put it there; nothing is left if that raises."""
    if directory.exists():
        raise NoCapture(f"{directory} is there already: name a directory that is not, or move it away")
    directory.parent.mkdir(parents=True, exist_ok=True)
    beside = directory.with_name(f".{directory.name}.partial")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(mode=0o700)
    try:
        _write(beside, capture)
        yield beside
        beside.chmod(0o755 if capture.redacted else 0o700)
        beside.rename(directory)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def read(directory: Path) -> Capture:
    """Read a capture. NoCapture: it is none, or a file of it is missing or was changed."""
    try:
        index = json.loads((directory / INDEX).read_text(encoding="utf-8"))
        if index["version"] != VERSION:
            raise NoCapture(f"{directory} was written by another version of this program: capture again")
        exchanges = tuple(_read_exchange(directory, each) for each in index["exchanges"])
        return Capture(exchanges=exchanges, redacted=index["redacted"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, NoCapture):
            raise
        raise NoCapture(f"{directory} holds no capture that can be read: {error!r}") from error


def name(recorded: Recorded, side: str) -> str:
    """The file of a message: ``0003-ITI-18-request.http``."""
    ending = "hl7" if recorded.wire is Wire.MLLP else "http" if recorded.wire is Wire.HTTP else "xml"
    return f"{recorded.number:04}-{recorded.transaction or 'unknown'}-{side}.{ending}"


def _write(directory: Path, capture: Capture) -> None:
    (directory / PARTS).mkdir()
    (directory / ATTRIBUTES).write_text(AS_THEY_ARE, encoding="utf-8")
    exchanges = [_write_exchange(directory, each) for each in capture.exchanges]
    index = {"version": VERSION, "redacted": capture.redacted, "exchanges": exchanges}
    (directory / INDEX).write_text(json.dumps(index, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _write_exchange(directory: Path, each: Recorded) -> dict[str, Any]:
    answer = each.answer and _write_message(directory, each.answer, name(each, "answer"))
    return {
        "number": each.number,
        "wire": each.wire.value,
        "transaction": each.transaction,
        "initiator": each.initiator,
        "responder": each.responder,
        "endpoint": each.endpoint,
        "connection": each.connection,
        "began": each.began.isoformat(),
        "seconds": round(each.seconds, 6),
        "failure": each.failure,
        "signature": each.signature,
        "request": _write_message(directory, each.request, name(each, "request")),
        "answer": answer,
    }


def _write_message(directory: Path, message: Message, file: str) -> dict[str, Any]:
    in_lines = forms.write(message.head + message.text.content())
    (directory / file).write_bytes(in_lines.content)
    for each in message.attachments:
        _write_blob(directory / PARTS / each.blob.sha256, each.blob)
    return {
        "file": file,
        "form": in_lines.form.value,
        "break": in_lines.line_break,
        "head": len(message.head),
        "chunked": message.chunked,
        "parts": [{"at": each.at, "sha256": each.blob.sha256, "size": each.blob.size} for each in message.attachments],
    }


def _write_blob(file: Path, blob: Blob) -> None:
    if not file.exists():
        with file.open("wb") as writing:
            writing.writelines(blob.read())


def _read_exchange(directory: Path, plain: dict[str, Any]) -> Recorded:
    given = {key: value for key, value in plain.items() if key not in ("wire", "began", "request", "answer")}
    return Recorded(
        wire=Wire(plain["wire"]),
        began=datetime.fromisoformat(plain["began"]),
        request=_read_message(directory, plain["request"]),
        answer=plain["answer"] and _read_message(directory, plain["answer"]),
        **given,
    )


def _read_message(directory: Path, plain: dict[str, Any]) -> Message:
    content = (directory / _plain_name(plain["file"])).read_bytes()
    whole = forms.read(Written(content, Form(plain["form"]), plain["break"]))
    return Message(
        head=whole[: plain["head"]],
        text=in_memory(whole[plain["head"] :]),
        attachments=tuple(_read_part(directory, each) for each in plain["parts"]),
        chunked=plain["chunked"],
    )


def _read_part(directory: Path, plain: dict[str, Any]) -> Attachment:
    file = directory / PARTS / _plain_name(plain["sha256"])
    digest = hashlib.sha256()
    for piece in _read_file(file):
        digest.update(piece)
    if digest.hexdigest() != plain["sha256"]:
        raise NoCapture(f"{file} is not what was captured: its SHA-256 is another; take it from where it was kept")
    return Attachment(plain["at"], Blob(sha256=plain["sha256"], size=plain["size"], read=partial(_read_file, file)))


def _plain_name(written: str) -> str:
    """An index that somebody sent must not name files elsewhere."""
    if Path(written).name != written or written in ("", ".", ".."):
        raise NoCapture(f"the index names the file {written!r}: only names without a path are read")
    return written


def _read_file(file: Path) -> Iterator[bytes]:
    with file.open("rb") as reading:
        while piece := reading.read(CHUNK):
            yield piece


def numbered(exchanges: Iterable[Recorded]) -> tuple[Recorded, ...]:
    """In the order in which they began."""
    ordered = sorted(exchanges, key=lambda each: (each.began, each.number))
    return tuple(replace(each, number=number) for number, each in enumerate(ordered, 1))
