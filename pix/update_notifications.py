"""Update notifications in values: who wants to be told, and what (ITI TF-2: 3.10.4.1, 3.46.4.1)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ihe.datatypes import CX
from ihe.identifiers import PatientKey
from pix.model import Identifier, PersonName

Key = tuple[str, str]
"""The OID of an assigning authority, and an id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A PIX Consumer that wants to be told; ``domains`` are the OIDs of those of interest to it, none means all.

    ``with_name``: its wire carries a name of the patient, as HL7 v3 does and v2 must not.
    """

    name: str
    domains: frozenset[str] = frozenset()
    with_name: bool = False

    def within(self, identifiers: Iterable[Identifier]) -> tuple[Identifier, ...]:
        """Those of its domains, in order: ids of one domain stand together (ITI TF-2: 3.10.4.1.2.3)."""
        return tuple(each for each in identifiers if not self.domains or each.authority.oid in self.domains)

    def sees(self, keys: Iterable[Key]) -> frozenset[Key]:
        """The same of a list that is known by its keys alone."""
        return frozenset(key for key in keys if not self.domains or key[0] in self.domains)


class State(StrEnum):
    """What became of a notification; ``OUTDATED`` is a dead letter that was not sent again, for the list changed."""

    PENDING = "pending"
    SENT = "sent"
    DEAD = "dead"
    OUTDATED = "outdated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """What one subscriber is to be told of one person."""

    subscriber: str
    person: PatientKey
    identifiers: tuple[CX, ...]
    names: tuple[PersonName, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification(Posted):
    """One that is stored. ``message_id`` (32 hexadecimal digits) and ``at`` are the same at every attempt."""

    number: int
    message_id: str
    at: datetime
    state: State
    attempts: int
    due: datetime
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What one attempt to send makes of a notification."""

    number: int
    state: State
    attempts: int
    due: datetime
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """How many wait or are dead, and since when the oldest of those that wait does."""

    pending: int
    dead: int
    oldest: datetime | None


def keys_of(identifiers: Iterable[Identifier]) -> frozenset[Key]:
    """What makes two lists the same: OID and id of each."""
    return frozenset(each.key for each in identifiers)
