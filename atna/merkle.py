"""Hashes of records and the tree over them, in the manner of RFC 6962, section 2.1.

A leaf and a node begin with different bytes, so that no node can be passed off as a record. The second prefix keeps
these hashes apart from those of any other log.
"""

from collections.abc import Sequence
from hashlib import sha256

DOMAIN = b"affinity audit record 1\0"
LEAF, NODE = b"\x00", b"\x01"
EMPTY = sha256(b"").digest()


def leaf(message: bytes) -> bytes:
    """The hash of one audit message: of its XML, byte for byte."""
    return sha256(LEAF + DOMAIN + message).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """MTH of the leaves, in their order: pairs are joined level by level, and an odd one goes up as it is."""
    level = list(leaves)
    if not level:
        return EMPTY
    while len(level) > 1:
        paired = [_node(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
        level = paired + level[2 * len(paired) :]
    return level[0]


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(NODE + left + right).digest()
