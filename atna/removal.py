"""Retention: old records leave the audit trail by whole batches, and a signed statement says which and why.

The headers of emptied batches stay with their signatures, so the chain of all batches can still be proved. Who removes
records without the key can make no statement that covers them.
"""

import struct
from dataclasses import dataclass

from atna.batches import Batch

MAGIC = b"affinity audit removal 1\0"
LAYOUT = struct.Struct(">QQQQ32s")
"""through, last, before, at, digest of the last batch."""


class NotARemoval(ValueError):
    """Bytes that are no statement of a removal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """Every record up to number ``last`` was removed, with all batches up to number ``through``.

    They had been sealed ``before`` that moment (microseconds since 1970). ``digest`` is the last batch's, so that the
    statement belongs to this trail and no other.
    """

    through: int
    last: int
    before: int
    at: int
    digest: bytes

    @property
    def statement(self) -> bytes:
        """The bytes that are signed."""
        return MAGIC + LAYOUT.pack(self.through, self.last, self.before, self.at, self.digest)

    def covers(self, batch: Batch) -> bool:
        """Claim that the statement says that this batch was emptied."""
        if batch.number == self.through and batch.digest != self.digest:
            return False
        return batch.number <= self.through and batch.sealed_at < self.before


def removal(batch: Batch, before: int, at: int) -> Removal:
    """All up to this batch is removed. Raises ValueError for a batch that is not old enough."""
    if batch.sealed_at >= before:
        raise ValueError(f"batch {batch.number} is not that old")
    return Removal(through=batch.number, last=batch.last, before=before, at=at, digest=batch.digest)


def read_removal(statement: bytes) -> Removal:
    """Read what was signed. Raises NotARemoval."""
    if len(statement) != len(MAGIC) + LAYOUT.size or not statement.startswith(MAGIC):
        raise NotARemoval("these bytes are no statement of a removal")
    through, last, before, at, digest = LAYOUT.unpack_from(statement, len(MAGIC))
    return Removal(through=through, last=last, before=before, at=at, digest=digest)
