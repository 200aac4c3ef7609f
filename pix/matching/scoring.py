"""Two records weighed: the sum of log-likelihood ratios (Fellegi, Sunter 1969), capped and vetoed; the outcome."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from pix.matching import findings, household
from pix.matching.configuration import Configuration
from pix.matching.findings import UNSURE, Findings
from pix.matching.likeness import Agreement, Level
from pix.matching.subject import Subject

HOUSEHOLD = frozenset({"phone", "email", "postal_code", "city", "street"})
CORE = frozenset({"family", "given", "birth", "sex"})
PERSONAL = frozenset({"national", "identifier"})
"""Fields that relatives do not share."""
SPELLINGS = frozenset({Level.FORM, Level.SOUND, Level.CLOSE})
"""Levels at which the words agreed in are two spellings: the more frequent one counts, alone."""


class Outcome(StrEnum):
    """What a machine may do with two records: link them, ask a human, or leave them apart."""

    LINK = "link"
    REVIEW = "review"
    APART = "apart"


class Evidence(NamedTuple):
    """One field: how it agrees, and what that weighs in bits."""

    field: str
    level: str
    bits: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The verdict on two records, with all that led to it. ``caps`` are (name, bits taken off)."""

    outcome: Outcome
    weight: float
    vetoes: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    caps: tuple[tuple[str, float], ...]
    configuration: Configuration

    @property
    def plain(self) -> Mapping[str, Any]:
        """The verdict as JSON has it, for the event and the explanation; no value of the patient's."""
        return {
            "outcome": self.outcome.value,
            "weight": round(self.weight, 2),
            "fields": [{"field": name, "level": level, "bits": round(bits, 2)} for name, level, bits in self.evidence],
            "caps": [{"cap": name, "bits": round(bits, 2)} for name, bits in self.caps],
            "vetoes": list(self.vetoes),
            "link": self.configuration.link,
            "review": self.configuration.review,
            "version": self.configuration.version,
        }


def vetoes(one: Subject, other: Subject) -> tuple[str, ...]:
    """Why no machine may join these two, nor the groups they are in; empty if they do not contradict each other."""
    found = findings.find(one, other)
    reasons = findings.contradictions(found, one, other)
    if not reasons and found.given is not None and found.given.level is Level.DOUBTFUL and not found.national:
        return (findings.DOUBTFUL_GIVEN,)
    return reasons


def compare(one: Subject, other: Subject, configuration: Configuration) -> Comparison:
    """Weigh two records. The order of the two does not matter."""
    found = findings.find(one, other)
    reasons = findings.contradictions(found, one, other)
    evidence = list(_core(found, configuration))
    personal = list(_personal(found, one, other, configuration))
    parted = findings.GIVEN in reasons or findings.BIRTH in reasons
    if parted and not any(each.level != "different" for each in personal):
        # Without a common identifier the cap on kinship keeps them below review, whatever else agrees.
        return _concluded(evidence + personal, reasons, parted, found, configuration)
    evidence += personal
    evidence += _shared(one, other, configuration)
    reservations = _reservations(found, one, other, evidence, configuration)
    return _concluded(evidence, reasons + reservations, parted, found, configuration)


def _core(found: Findings, configuration: Configuration) -> Iterator[Evidence]:
    bits = configuration.bits
    if found.family is not None:
        yield _named("family", found.family, configuration)
    if found.given is not None:
        yield _named("given", found.given, configuration)
    if found.birth is not None:
        yield Evidence("birth", found.birth.value, bits["birth", found.birth.value])
    if found.sex is not None:
        yield _yes_or_no("sex", found.sex, bits)


def _named(field: str, agreement: Agreement, configuration: Configuration) -> Evidence:
    """A name weighs more the rarer it is; each further word in which both agree adds half of its own weight."""
    level, words = agreement
    weight = configuration.bits[field, level.value]
    if words:
        listed = configuration.rarities[field]
        rarities = sorted(listed.get(word, 0.0) for word in words)
        if level in SPELLINGS:
            weight = max(0.0, weight + rarities[0])
        else:
            base = configuration.bits[field, "same"]
            further = sum(max(0.0, base + each) for each in rarities[:-1]) / 2
            weight = min(configuration.caps.name, max(0.0, weight + rarities[-1]) + further)
    return Evidence(field, level.value, weight)


def _personal(found: Findings, one: Subject, other: Subject, configuration: Configuration) -> Iterator[Evidence]:
    if found.national is not None:
        yield _yes_or_no("national", found.national, configuration.bits)
    if one.identifiers and other.identifiers:
        level = "same" if one.identifiers & other.identifiers else _closest(one.identifiers, other.identifiers)
        yield Evidence("identifier", level, configuration.bits["identifier", level])


def _shared(one: Subject, other: Subject, configuration: Configuration) -> Iterator[Evidence]:
    bits = configuration.bits
    for field, level in (*household.contacts(one, other), *household.address(one, other, bits)):
        weight = bits[field, level]
        if field == "city" and level == "same":
            weight = max(0.0, weight + _rarest_city(one, other, configuration))
        yield Evidence(field, level, weight)
    if one.mothers and other.mothers:
        level = "same" if one.mothers & other.mothers else _closest(one.mothers, other.mothers)
        yield Evidence("mother", level, bits["mother", level])
    if one.birth_place and other.birth_place:
        level = household.texts(*sorted((one.birth_place, other.birth_place)))
        yield Evidence("birth_place", level, bits["birth_place", level])


def _rarest_city(one: Subject, other: Subject, configuration: Configuration) -> float:
    """The least frequent of the cities in common counts, as log2 of how much rarer than a city that is not listed."""
    common = {each.city for each in one.places} & {each.city for each in other.places}
    return max((configuration.rarities["city"].get(each, 0.0) for each in common), default=0.0)


def _closest(some: frozenset[str], others: frozenset[str]) -> str:
    close = any(household.texts(*sorted((one, other))) == "slip" for one in some for other in others)
    return "slip" if close else "different"


def _yes_or_no(field: str, agrees: bool, bits: Mapping[tuple[str, str], float]) -> Evidence:
    level = "same" if agrees else "different"
    return Evidence(field, level, bits[field, level])


def _reservations(
    found: Findings, one: Subject, other: Subject, evidence: list[Evidence], configuration: Configuration
) -> tuple[str, ...]:
    """Why a machine should not link, although nothing contradicts."""
    identified = any(each.field in PERSONAL and each.level == "same" for each in evidence)
    reasons = []
    if one.placeholder or other.placeholder:
        reasons.append("placeholder given name")
    if one.unknown or other.unknown:
        reasons.append("identity unknown")
    if not identified:
        reasons += _unidentified(found, one, other)
    if not identified and _corroborating(found, evidence, configuration) < configuration.corroboration:
        reasons.append("no corroboration")
    return tuple(reasons)


def _unidentified(found: Findings, one: Subject, other: Subject) -> Iterator[str]:
    """What an identifier in common would make good."""
    if found.given is None and not (one.placeholder or other.placeholder):
        yield "no given name"
    if found.given is not None and found.given.level in UNSURE:
        yield findings.DOUBTFUL_GIVEN
    if found.birth is None:
        yield "no birth date"
    if found.family is None or found.family.level is Level.DIFFERENT:
        yield "family name"


def _corroborating(found: Findings, evidence: list[Evidence], configuration: Configuration) -> float:
    """What speaks for one person beyond name, birth date and sex, in bits."""
    beyond = sum(each.bits for each in evidence if each.bits > 0 and each.field not in CORE)
    further = sum(
        max(0, len(agreement.words) - 1)
        for agreement in (found.family, found.given)
        if agreement is not None and agreement.level is Level.SAME
    )
    return beyond + further * configuration.bits["given", "same"] / 2


def _concluded(
    evidence: list[Evidence], reasons: tuple[str, ...], parted: bool, found: Findings, configuration: Configuration
) -> Comparison:
    caps = tuple(_caps(evidence, parted, configuration))
    weight = sum(each.bits for each in evidence) - sum(bits for _, bits in caps)
    return Comparison(
        outcome=_outcome(weight, reasons, found, configuration),
        weight=weight,
        vetoes=reasons,
        evidence=tuple(evidence),
        caps=caps,
        configuration=configuration,
    )


def _caps(evidence: list[Evidence], parted: bool, configuration: Configuration) -> Iterator[tuple[str, float]]:
    caps = configuration.caps
    shared = sum(each.bits for each in evidence if each.field in HOUSEHOLD)
    kept = min(max(shared, caps.household_least), caps.household)
    if kept != shared:
        yield "household", shared - kept
    if parted:
        others = sum(each.bits for each in evidence if each.field not in PERSONAL and each.bits > 0)
        excess = others - max(0.0, shared - kept) - caps.kinship
        if excess > 0:
            yield "kinship", excess


def _outcome(weight: float, reasons: tuple[str, ...], found: Findings, configuration: Configuration) -> Outcome:
    if weight >= configuration.link and not reasons:
        return Outcome.LINK
    # The same national id is somebody's mistake if it is not the same person: a human looks at it.
    return Outcome.REVIEW if weight >= configuration.review or found.national else Outcome.APART
