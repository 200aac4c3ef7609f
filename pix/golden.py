"""The golden view: one description of a person, chosen attribute by attribute from what its sources say.

Nothing is stored: the view is computed from the source records by rules of survivorship, so that a new rule, a merge or
a link taken back shows at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from itertools import chain
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from ihe.identifiers import PatientKey
from pix.model import ATTRIBUTES, Demographics
from pix.snapshot import demographics_of


class Order(StrEnum):
    """By what one source's word is preferred to another's."""

    PRIORITY = "priority"
    """The source that stands first in the list of trusted sources."""
    RECENCY = "recency"
    """The source that was fed last."""
    COMPLETENESS = "completeness"
    """The source that says most, such as a name with its prefix and all given names."""


TOGETHER = (
    ("names", "aliases"),
    ("addresses", "county"),
    ("multiple_birth", "birth_order"),
    ("death_time", "death_indicator"),
    ("last_update_time", "last_update_facility"),
)
"""Attributes that come from one source together, the first of each group being the one that rules name."""
GROUPS: tuple[tuple[str, ...], ...] = (
    *TOGETHER,
    *((each,) for each in ATTRIBUTES if not any(each in group for group in TOGETHER)),
)
LEADERS = frozenset(group[0] for group in GROUPS)
GROUP_OF = {name: group for group in GROUPS for name in group}


@dataclass(frozen=True, slots=True, kw_only=True)
class Survivorship:
    """Which source's word counts. ``trusted`` are patterns of ``application|facility``, the most trusted first.

    ``rules`` says by what the sources of an attribute are compared, each order deciding where those before it leave a
    tie; ``default`` is for attributes without a rule.
    """

    trusted: tuple[str, ...] = ()
    default: tuple[Order, ...] = (Order.PRIORITY, Order.RECENCY, Order.COMPLETENESS)
    rules: Mapping[str, tuple[Order, ...]] = field(default_factory=lambda: MappingProxyType({}))

    def orders(self, attribute: str) -> tuple[Order, ...]:
        """By what the sources of an attribute are compared."""
        return self.rules.get(attribute, self.default)

    def trust(self, source: str) -> int:
        """How far up in the list of trusted sources this one stands; sources that are not in it come last."""
        places = (place for place, pattern in enumerate(self.trusted) if fnmatchcase(source, pattern))
        return -next(places, len(self.trusted))


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one source record says of a person; ``updated`` is when it was fed last, ISO 8601 in UTC.

    ``known`` is all that it says, as ``pix.snapshot.known`` has it: most of it is compared, and little is shown.
    """

    key: PatientKey
    source: str
    updated: str
    known: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenView:
    """A person as shown, and from which record each known attribute comes."""

    demographics: Demographics
    provenance: Mapping[str, PatientKey]


def golden(said: Sequence[Said], survivorship: Survivorship) -> GoldenView:
    """Choose each attribute from the record whose word counts most; the order of the records does not matter."""
    if len(said) == 1:
        (one,) = said
        return GoldenView(demographics=demographics_of(one.known), provenance=_all_from(one))
    trust = {each.key: survivorship.trust(each.source) for each in said} if survivorship.trusted else {}
    known = dict.fromkeys(chain.from_iterable([each.known for each in said]))
    values: dict[str, Any] = {}
    provenance: dict[str, PatientKey] = {}
    for group in dict.fromkeys([GROUP_OF[name] for name in known if name in GROUP_OF]):
        chosen = _chosen(said, group, survivorship.orders(group[0]), trust)
        for name in group:
            if name in chosen.known:
                values[name], provenance[name] = chosen.known[name], chosen.key
    return GoldenView(demographics=demographics_of(values), provenance=provenance)


def _all_from(one: Said) -> Mapping[str, PatientKey]:
    return {name: one.key for name in one.known if name in GROUP_OF}


def _chosen(
    said: Sequence[Said], group: tuple[str, ...], orders: tuple[Order, ...], trust: Mapping[PatientKey, int]
) -> Said:
    """Of those who know the leading attribute of the group, or else any of it, who comes first in the orders.

    ``trust`` is empty where nobody is trusted more than others.
    """
    knowing = [each for each in said if group[0] in each.known]
    knowing = knowing or [each for each in said if _known(each, group)]
    for order in orders:
        if len(knowing) == 1:
            break
        if trust or order is not Order.PRIORITY:
            ranks = _ranks(order, knowing, group, trust)
            best = max(ranks)
            knowing = [each for each, rank in zip(knowing, ranks, strict=True) if rank == best]
    # The last resort is the key, so that two equal records never take turns.
    return knowing[0] if len(knowing) == 1 else min(knowing, key=attrgetter("key"))


def _ranks(
    order: Order, knowing: Sequence[Said], group: tuple[str, ...], trust: Mapping[PatientKey, int]
) -> Sequence[Any]:
    """Where each of them stands in this order."""
    if order is Order.PRIORITY:
        return [trust[each.key] for each in knowing]
    if order is Order.RECENCY:
        return [each.updated for each in knowing]
    told = [_known(each, group) for each in knowing]
    # Where all say the same, nobody says more.
    return [0] * len(told) if told.count(told[0]) == len(told) else [_size(each) for each in told]


def _known(said: Said, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: said.known[name] for name in names if name in said.known}


def _size(value: Any) -> int:
    """How many texts a value has."""
    if type(value) is str:
        return 1
    return sum([1 if type(each) is str else _size(each) for each in (value.values() if type(value) is dict else value)])
