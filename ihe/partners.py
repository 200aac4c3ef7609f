"""A node with which the affinity domain has an agreement, as far as profiles need to know it (ITI TF-2: 3.19.6.1.3)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum, StrEnum
from types import MappingProxyType


class Validation(Enum):
    """How breaches of a partner's messages are treated.

    Recording is lenient, and beyond: what can be processed although HL7 v2 forbids it is processed, and written down.
    """

    STRICT = "strict"
    LENIENT = "lenient"
    RECORD_ONLY = "record-only"


class Quirk(StrEnum):
    """A deviation of real systems that can be taken without a doubt about what is meant (docs/partners.md)."""

    OID_PREFIX = "oid-prefix"
    """A repositoryUniqueId with ``urn:oid:`` before it, or a homeCommunityId without (ITI TF-3: Table 4.2.3.2-1)."""
    FOREIGN_IDS = "foreign-ids"
    """A feed with ids that are unknown here or not its sender's, beside good ones: they are left out (3.8.4.1.3)."""


NO_QUIRKS: Mapping[Quirk, date] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """Who sent a message, by its certificate or by its source ids. ``quirks`` holds the last day of each."""

    name: str
    validation: Validation = Validation.STRICT
    quirks: Mapping[Quirk, date] = field(default_factory=lambda: NO_QUIRKS)

    def has(self, quirk: Quirk, day: date) -> bool:
        """Claim that the agreement names this quirk, and that it has not ended."""
        return quirk in self.quirks and day <= self.quirks[quirk]


Forgive = Callable[[Quirk], bool]
"""Asked where a quirk is met: claims that it is taken, and writes down that it was."""


def forgive_nothing(_: Quirk) -> bool:
    """Nothing is agreed."""
    return False
