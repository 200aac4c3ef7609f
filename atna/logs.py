"""The audit trail as ``atna.verifying`` reads it: from the database, or from a file that was exported.

An export is JSON, a line for each batch and for each record, so that any tool can read it: messages are the DICOM audit
XML itself. It can be verified far from any node.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from typing import IO, Any

from sqlalchemy import Connection, Row

from atna import store, store_batches, store_removal
from atna.batches import NotABatch, read_header
from atna.compact import Damaged
from atna.dicom import NotAnAuditMessage
from atna.entries import entry_of
from atna.signing import UnusableKey, Verifier, verifier
from atna.store import Stored
from atna.verifying import Piece, Record

FORMAT = "affinity audit export 1"
PARTS = ("header", "signature", "members", "removal", "removal_signature")
COLUMNS = ("at", "event", "outcome", "person", "patient", "leaf")
BEGIN, END = -(2**63), 2**63 - 1
"""The numbers that a row can have; ours begin at 1, a forger's may not."""


@dataclass(frozen=True, slots=True)
class DatabaseLog:
    """The trail in a database, on the snapshot of one connection."""

    connection: Connection

    def pieces(self) -> Iterator[Piece]:
        """Every batch with its records, then those that are not sealed."""
        last = BEGIN
        removed = _removed(self.connection)
        for row in store_batches.batches(self.connection):
            until = _last(row, last)
            yield Piece(
                number=row.number,
                header=bytes(row.header),
                signature=bytes(row.signature),
                members=bytes(row.members),
                records=self._records(last + 1, until),
                **(removed if not row.members else {}),
            )
            last = max(last, until)
        yield Piece(number=None, records=self._records(last + 1, END))

    def _records(self, first: int, last: int) -> Iterator[Record]:
        found = store.records(self.connection, first, last)
        while some := list(islice(found, store.PAGE)):
            subjects = store.subjects(self.connection, [each.sequence for each in some])
            yield from (_record(each, subjects.get(each.sequence, set())) for each in some)


@dataclass(frozen=True, slots=True)
class FileLog:
    """The trail in a file that ``write_export`` made. Raises NotAnExport where it is no such file."""

    lines: Iterable[str]

    def pieces(self) -> Iterator[Piece]:
        """Every batch with its records, then those that are not sealed."""
        told = (_line(each) for each in self.lines)
        head = next(told, {})
        if head.get("format") != FORMAT:
            raise NotAnExport(f"the file is not of the format {FORMAT!r}")
        number, batch = None, dict[str, Any]()
        for is_batch, group in groupby(told, key=lambda each: "batch" in each):
            if not is_batch:
                yield _piece(batch, group)
                batch = {}
                continue
            for each in group:
                if batch:
                    yield _piece(batch, ())
                batch = each
                number = each["batch"]
        if batch and number is not None:
            yield _piece(batch, ())


def _removed(connection: Connection) -> dict[str, bytes]:
    """The statement that goes with batches that have no list of members any more."""
    found = store_removal.newest(connection)
    return {"removal": found.statement, "removal_signature": found.signature} if found else {}


class NotAnExport(ValueError):
    """The file is no export of an audit trail."""


def write_export(file: IO[str], connection: Connection, key: Verifier) -> int:
    """Write the whole trail; how many records that were."""
    count = 0
    file.write(json.dumps({"format": FORMAT, "public_key": key.pem}) + "\n")
    for piece in DatabaseLog(connection).pieces():
        file.write(json.dumps(_told(piece)) + "\n")
        for each in piece.records:
            message = None if each.xml is None else each.xml.decode("utf-8", "replace")
            file.write(json.dumps({"record": each.sequence, "message": message}, ensure_ascii=False) + "\n")
            count += 1
    return count


def key_of(head: str) -> Verifier:
    """The key that an export names in its first line; it proves nothing unless it is that of a root kept elsewhere."""
    try:
        return verifier(str(_line(head).get("public_key")))
    except UnusableKey as error:
        raise NotAnExport(str(error)) from error


def _told(piece: Piece) -> dict[str, Any]:
    spelled = {name: b64encode(value).decode() for name in PARTS if (value := getattr(piece, name))}
    return {"batch": piece.number, **(spelled if piece.number is not None else {})}


def _line(text: str) -> dict[str, Any]:
    try:
        told = json.loads(text)
    except json.JSONDecodeError:
        raise NotAnExport("a line is no JSON: the file is damaged or cut off") from None
    if not isinstance(told, dict):
        raise NotAnExport("a line is no JSON object")
    return told


def _piece(batch: dict[str, Any], records: Iterable[dict[str, Any]]) -> Piece:
    parts = {name: b64decode(batch.get(name, "")) for name in PARTS}
    read = (_exported(each) for each in records)
    return Piece(number=batch.get("batch"), records=read, **parts)


def _exported(told: dict[str, Any]) -> Record:
    message = told.get("message")
    return Record(sequence=int(told["record"]), xml=None if message is None else str(message).encode())


def _last(row: Row[Any], last: int) -> int:
    try:
        return read_header(bytes(row.header)).last
    except NotABatch:
        return last


def _record(stored: Stored, subjects: set[int]) -> Record:
    try:
        xml = stored.xml
        made = entry_of(xml)
    except (Damaged, NotAnAuditMessage):
        return Record(sequence=stored.sequence, xml=None)
    misfiled = [name for name in COLUMNS if getattr(made, name) != getattr(stored, name)]
    if made.subjects != subjects:
        misfiled.append("subjects")
    return Record(sequence=stored.sequence, xml=xml, misfiled=tuple(misfiled))
