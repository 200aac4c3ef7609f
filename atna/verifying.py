"""Proof that the audit trail is what was sealed: nothing altered, removed, inserted or moved since; or what is, where.

It needs no more than the records, the batches and the public key, and a root that was kept elsewhere: who holds the
database and its key could seal another history, but not one that leads to a root that somebody else has.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from atna import merkle
from atna.batches import NO_BATCH, Batch, Member, NotABatch, SealedBatch, read_header
from atna.removal import NotARemoval, read_removal
from atna.roots import Root
from atna.signing import Verifier


class Kind(StrEnum):
    """What is wrong."""

    ALTERED = "altered"
    REMOVED = "removed"
    INSERTED = "inserted"
    MOVED = "moved"
    INDEX = "index"
    SEAL = "seal"
    CHAIN = "chain"
    KEY = "key"
    TRUNCATED = "truncated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, and where: of a record or of a batch."""

    kind: Kind
    text: str
    record: int | None = None
    batch: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record as it is there. ``xml`` None: it cannot be read any more. ``misfiled``: which columns say otherwise."""

    sequence: int
    xml: bytes | None
    misfiled: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stored batch and the records up to its last; the piece without a batch holds the records not sealed yet.

    ``removal`` and ``removal_signature`` are there if somebody says that the records were removed by policy.
    """

    number: int | None
    header: bytes = b""
    signature: bytes = b""
    members: bytes = b""
    records: Iterable[Record] = ()
    removal: bytes = b""
    removal_signature: bytes = b""


class Log(Protocol):
    """An audit trail, in a database or in a file."""

    def pieces(self) -> Iterator[Piece]:
        """All of it, in order."""


@dataclass(slots=True)
class Report:
    """What was looked at, and what was found. ``sealed``, ``unsealed`` and ``removed`` (by policy) count records."""

    sealed: int = 0
    removed: int = 0
    unsealed: int = 0
    batches: int = 0
    newest: Batch | None = None
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_intact(self) -> bool:
        """Claim that nothing is wrong."""
        return not self.findings


def verify(log: Log, key: Verifier, roots: Iterable[Root] = ()) -> Report:
    """Look at everything once."""
    report = Report()
    anchors = {each.batch.number: each for each in roots}
    report.findings += (finding for each in anchors.values() for finding in _about_root(each, key))
    for piece in log.pieces():
        if piece.number is None:
            _look_at_tail(piece, report)
        else:
            _look_at(piece, key, report)
            report.findings += _against(report.newest, anchors)
    report.findings += _beyond(report.newest, anchors.values())
    return report


def _look_at(piece: Piece, key: Verifier, report: Report) -> None:
    report.batches += 1
    records = {each.sequence: each for each in piece.records}
    report.sealed += len(records)
    try:
        sealed = SealedBatch(batch=read_header(piece.header), signature=piece.signature, packed_members=piece.members)
        report.findings += _about_seal(piece, sealed, key, report.newest)
        report.newest = sealed.batch
        if not records and _is_removed(piece, sealed.batch, key):
            report.removed += sealed.batch.count
            return
        members = sealed.members
    except NotABatch as error:
        report.findings.append(Finding(kind=Kind.SEAL, batch=piece.number, text=str(error)))
        return
    found = list(_about_records(records, members))
    leaves = [merkle.leaf(each.xml) for each in records.values() if each.xml is not None]
    if not found and merkle.root(leaves) != sealed.batch.root:
        text = "the records are others than those that were sealed"
        found.append(Finding(kind=Kind.ALTERED, batch=sealed.batch.number, text=text))
    report.findings += found


def _is_removed(piece: Piece, batch: Batch, key: Verifier) -> bool:
    """Claim that a statement of this trail's key says that the records of the batch were removed by policy."""
    try:
        covered = bool(piece.removal) and read_removal(piece.removal).covers(batch)
    except NotARemoval:
        return False
    return covered and key.signed(piece.removal, piece.removal_signature)


def _about_seal(piece: Piece, sealed: SealedBatch, key: Verifier, before: Batch | None) -> Iterator[Finding]:
    batch = sealed.batch
    if not key.signed(batch.header, sealed.signature):
        yield Finding(kind=Kind.SEAL, batch=piece.number, text="the batch is not signed with the key of this trail")
    if batch.number != piece.number:
        yield Finding(kind=Kind.CHAIN, batch=piece.number, text=f"the batch was sealed as number {batch.number}")
    expected = before.number + 1 if before else 1
    if batch.number > expected:
        yield Finding(kind=Kind.CHAIN, batch=expected, text=f"batches are missing before number {batch.number}")
    elif batch.previous != (before.digest if before else NO_BATCH):
        yield Finding(kind=Kind.CHAIN, batch=piece.number, text="the batch does not follow the one before it")


def _about_records(records: Mapping[int, Record], members: tuple[Member, ...]) -> Iterator[Finding]:
    """Compare the records that are there with the members that were sealed."""
    sealed = {each.sequence: each for each in members}
    origins = {each.beginning: each.sequence for each in members}
    for sequence in sorted(records.keys() | sealed.keys()):
        record, member = records.get(sequence), sealed.get(sequence)
        if record is None:
            yield Finding(kind=Kind.REMOVED, record=sequence, text="the record is missing")
        elif member is None:
            yield Finding(kind=Kind.INSERTED, record=sequence, text="the record was added after its time was sealed")
        else:
            yield from _about_record(record, member, origins)


def _about_record(record: Record, member: Member, origins: Mapping[bytes, int]) -> Iterator[Finding]:
    if record.xml is None:
        yield Finding(kind=Kind.ALTERED, record=record.sequence, text="the record cannot be read any more")
        return
    leaf = merkle.leaf(record.xml)
    if not member.is_of(leaf):
        origin = origins.get(leaf[: len(member.beginning)])
        if origin is None:
            yield Finding(kind=Kind.ALTERED, record=record.sequence, text="the record says something else than it did")
        else:
            text = f"the record stands in the place of another; it was number {origin}"
            yield Finding(kind=Kind.MOVED, record=record.sequence, text=text)
    yield from _about_columns(record)


def _about_columns(record: Record) -> Iterator[Finding]:
    if record.misfiled:
        columns = ", ".join(record.misfiled)
        text = f"columns say otherwise than the record ({columns}), so that searches miss it or find it wrongly"
        yield Finding(kind=Kind.INDEX, record=record.sequence, text=text)


def _look_at_tail(piece: Piece, report: Report) -> None:
    last = report.newest.last if report.newest else 0
    for each in piece.records:
        if each.sequence <= last:
            text = "the record was added after its time was sealed"
            report.findings.append(Finding(kind=Kind.INSERTED, record=each.sequence, text=text))
            continue
        report.unsealed += 1
        if each.xml is None:
            text = "the record cannot be read any more"
            report.findings.append(Finding(kind=Kind.ALTERED, record=each.sequence, text=text))
        report.findings += _about_columns(each)


def _about_root(root: Root, key: Verifier) -> Iterator[Finding]:
    if root.verifier.pem != key.pem:
        text = "the trail is sealed with another key than the root that was kept"
        yield Finding(kind=Kind.KEY, batch=root.batch.number, text=text)
    if not root.is_genuine:
        text = "the root that was kept is not signed by the key that it names"
        yield Finding(kind=Kind.KEY, batch=root.batch.number, text=text)


def _against(newest: Batch | None, roots: Mapping[int, Root]) -> Iterator[Finding]:
    root = roots.get(newest.number) if newest else None
    if newest and root and root.batch.digest != newest.digest:
        text = "the trail up to here is another than the one of the root that was kept"
        yield Finding(kind=Kind.CHAIN, batch=newest.number, text=text)


def _beyond(newest: Batch | None, roots: Iterable[Root]) -> Iterator[Finding]:
    reached = newest.number if newest else 0
    last = max((each.batch for each in roots), key=lambda each: each.number, default=None)
    if last and last.number > reached:
        text = f"the trail ends before batch {last.number}, which is known: its records up to {last.last} are gone"
        yield Finding(kind=Kind.TRUNCATED, batch=reached + 1, text=text)
