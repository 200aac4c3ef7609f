"""Identifiers: OID and UUID forms, and types that must not mix (ITI TF-2: Appendix B; ITI TF-3: 4.2.3.1)."""

import os
import re
import uuid
from typing import NewType

EntryUUID = NewType("EntryUUID", str)
"""``urn:uuid:`` and a lower-case UUID: the registry's id of an object (ITI TF-3: 4.2.3.1.5)."""
UniqueId = NewType("UniqueId", str)
"""A globally unique id given by the creator: an OID, or an OID and an extension (ITI TF-3: Table 4.2.3.1.7-2)."""
PatientKey = NewType("PatientKey", int)
"""The index's own key of one patient identifier; never changes, so that rows can be sharded by it."""

OID = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))+")
UUID_URN = re.compile(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


_RANDOM = ~(0xF000 << 64 | 0xC000 << 48)
_VERSION_4 = 4 << 76 | 0x8000 << 48
"""Which bits of a UUID are random, and what the others are (RFC 4122: 4.4)."""


def is_oid(text: str) -> bool:
    """Claim that ``text`` is an OID of at most 64 characters (ITI TF-2: B.3).

    Any root will do: ISO 8824 knows 0 to 2 alone, but IHE does not have it parsed (B.2), and test tools use others.
    """
    return len(text) <= 64 and OID.fullmatch(text) is not None


def is_uuid_urn(text: str) -> bool:
    """Claim that ``text`` is ``urn:uuid:`` and a lower-case UUID (ITI TF-3: 4.2.3.1.5)."""
    return UUID_URN.fullmatch(text) is not None


def new_uuid() -> str:
    """Make a random UUID, spelled as usual (RFC 4122: 4.4); the library's passes through an object for it."""
    digits = f"{int.from_bytes(os.urandom(16), 'big') & _RANDOM | _VERSION_4:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def new_entry_uuid() -> EntryUUID:
    """Make a random EntryUUID."""
    return EntryUUID(f"urn:uuid:{new_uuid()}")


def new_oid() -> str:
    """Make a UUID-derived OID below 2.25 (ITI TF-2: B.6)."""
    return f"2.25.{uuid.uuid4().int}"
