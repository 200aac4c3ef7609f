"""A sealed batch of the audit trail: which records, the root of the tree over them, and the batch before it.

The bytes that are signed have one spelling, so that nobody can say that they meant something else. Each batch holds the
hash of the one before: whoever keeps one signed batch can prove all that came before it.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from atna import merkle

MAGIC = b"affinity audit batch 1\0"
LAYOUT = struct.Struct(">QQQQQ32s32s32s")
"""number, count, first, last, sealed_at, root, members, previous."""
MEMBER = struct.Struct(">Q8s")
NO_BATCH = bytes(32)
"""What the first batch says of the one before it."""
MOST = 4096
"""Records of one batch."""


class NotABatch(ValueError):
    """Bytes that are no header of a batch."""


@dataclass(frozen=True, slots=True)
class Member:
    """One record of a batch: its number, and the first bytes of its leaf, which tell it from others."""

    sequence: int
    beginning: bytes

    def is_of(self, leaf: bytes) -> bool:
        """Claim that this is the member of that leaf."""
        return leaf[: len(self.beginning)] == self.beginning


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is signed. ``first`` and ``last`` are numbers of records; ``sealed_at`` is in microseconds since 1970."""

    number: int
    count: int
    first: int
    last: int
    sealed_at: int
    root: bytes
    members: bytes
    previous: bytes

    @property
    def header(self) -> bytes:
        """The bytes that are signed."""
        numbers = (self.number, self.count, self.first, self.last, self.sealed_at)
        return MAGIC + LAYOUT.pack(*numbers, self.root, self.members, self.previous)

    @property
    def digest(self) -> bytes:
        """What the next batch says of this one."""
        return sha256(self.header).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedBatch:
    """A batch with its signature and the list of its members, as it is stored."""

    batch: Batch
    signature: bytes
    packed_members: bytes

    @property
    def members(self) -> tuple[Member, ...]:
        """The members, in their order. Raises NotABatch if the list is not the one that was signed."""
        listed = _unpacked(self.packed_members, self.batch.count)
        if sha256(listed).digest() != self.batch.members:
            raise NotABatch("the list of members is not the one that was signed")
        return tuple(Member(*each) for each in MEMBER.iter_unpack(listed))


def batch(previous: Batch | None, leaves: Sequence[tuple[int, bytes]], now: int) -> tuple[Batch, bytes]:
    """The next batch, of records given by number and leaf, and its packed list of members."""
    listed = b"".join(MEMBER.pack(sequence, leaf[:8]) for sequence, leaf in leaves)
    made = Batch(
        number=previous.number + 1 if previous else 1,
        count=len(leaves),
        first=leaves[0][0],
        last=leaves[-1][0],
        sealed_at=now,
        root=merkle.root([leaf for _, leaf in leaves]),
        members=sha256(listed).digest(),
        previous=previous.digest if previous else NO_BATCH,
    )
    return made, zlib.compress(listed, 6)


def read_header(header: bytes) -> Batch:
    """Read what was signed. Raises NotABatch."""
    if len(header) != len(MAGIC) + LAYOUT.size or not header.startswith(MAGIC):
        raise NotABatch("these bytes are no header of a batch")
    number, count, first, last, sealed_at, root, members, previous = LAYOUT.unpack_from(header, len(MAGIC))
    return Batch(
        number=number,
        count=count,
        first=first,
        last=last,
        sealed_at=sealed_at,
        root=root,
        members=members,
        previous=previous,
    )


def _unpacked(packed: bytes, count: int) -> bytes:
    unpacker, most = zlib.decompressobj(), MEMBER.size * count
    try:
        listed = unpacker.decompress(packed, most + 1)
    except zlib.error:
        raise NotABatch("the list of members cannot be unpacked") from None
    if len(listed) != most:
        raise NotABatch("the list of members has not as many as were signed")
    return listed
