"""Fields of two records as evidence: each with its level of agreement, and what that weighs in bits."""

from collections.abc import Iterator
from functools import lru_cache

from pix.matching import household, unsaid
from pix.matching.configuration import Configuration, Evidence
from pix.matching.findings import Findings
from pix.matching.likeness import Level
from pix.matching.subject import Subject

SPELLINGS = frozenset({Level.FORM, Level.SOUND, Level.CLOSE})
"""Levels at which the words agreed in are two spellings: the more frequent one counts, alone."""


def weigh(found: Findings, one: Subject, other: Subject, configuration: Configuration) -> tuple[Evidence, ...]:
    """Every field of which both records say something."""
    return (
        *_core(found, configuration),
        *_identifiers(found, one, other, configuration),
        *_shared(one, other, configuration),
    )


def _core(found: Findings, configuration: Configuration) -> Iterator[Evidence]:
    listed = configuration.evidence
    if found.family is not None:
        yield _named("family", *found.family, configuration)
    if found.given is not None:
        yield _named("given", *found.given, configuration)
    if found.birth is not None:
        yield listed["birth", found.birth]
    if found.sex is not None:
        yield listed["sex", "same" if found.sex else "different"]


@lru_cache(maxsize=65536)
def _named(field: str, level: Level, words: tuple[str, ...], configuration: Configuration) -> Evidence:
    """A name weighs more the rarer it is; each further word in which both agree adds half of its own weight."""
    listed = configuration.evidence[field, level]
    if not words:
        return listed
    known = configuration.rarities[field]
    rarities = sorted(known.get(word, 0.0) for word in words)
    if level in SPELLINGS:
        return Evidence(field, level.value, max(0.0, listed.bits + rarities[0]))
    base = configuration.evidence[field, "same"].bits
    further = sum(max(0.0, base + each) for each in rarities[:-1]) / 2
    return Evidence(field, level.value, min(configuration.caps.name, max(0.0, listed.bits + rarities[-1]) + further))


def _identifiers(found: Findings, one: Subject, other: Subject, configuration: Configuration) -> Iterator[Evidence]:
    if found.national is not None:
        yield configuration.evidence["national", "same" if found.national else "different"]
    if one.identifiers and other.identifiers:
        mine, theirs = unsaid.identifiers(one.identifiers), unsaid.identifiers(other.identifiers)
        if mine and theirs:
            yield configuration.evidence["identifier", _closest(mine, theirs)]


def _shared(one: Subject, other: Subject, configuration: Configuration) -> Iterator[Evidence]:
    listed = configuration.evidence
    if one.phones and other.phones:
        yield from _one_in_common("phone", unsaid.phones(one.phones), unsaid.phones(other.phones), configuration)
    if one.emails and other.emails:
        yield from _one_in_common("email", unsaid.emails(one.emails), unsaid.emails(other.emails), configuration)
    if one.places and other.places:
        yield from household.address(one.places, other.places, configuration)
    if one.mothers and other.mothers:
        mothers, others = unsaid.mothers(one.mothers), unsaid.mothers(other.mothers)
        if mothers and others:
            yield listed["mother", _closest(mothers, others)]
    if unsaid.place(one.birth_place) and unsaid.place(other.birth_place):
        yield listed["birth_place", household.texts(*sorted((one.birth_place, other.birth_place)))]


def _one_in_common(
    field: str, some: frozenset[str], others: frozenset[str], configuration: Configuration
) -> Iterator[Evidence]:
    if some and others:
        yield configuration.evidence[field, "different" if some.isdisjoint(others) else "same"]


def _closest(some: frozenset[str], others: frozenset[str]) -> str:
    if not some.isdisjoint(others):
        return "same"
    close = any(household.texts(*sorted((one, other))) == "slip" for one in some for other in others)
    return "slip" if close else "different"
