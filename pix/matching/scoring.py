"""Two records weighed: the sum of log-likelihood ratios (Fellegi, Sunter 1969), capped and vetoed; the outcome."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pix.matching import dates, findings
from pix.matching.configuration import Configuration, Evidence
from pix.matching.evidence import weigh
from pix.matching.findings import Findings
from pix.matching.likeness import Level
from pix.matching.subject import Subject

HOUSEHOLD = frozenset({"phone", "email", "postal_code", "city", "street"})
PERSONAL = frozenset({"national", "identifier"})
"""Fields that relatives do not share."""
HOME = frozenset({"phone", "email", "street", "mother"})
"""Fields in which namesakes of one town do not agree by chance, so that a date may pass for mistyped."""
PRIVATE = frozenset({"phone", "email", "mother"})
"""Fields in which those whom one house takes in, a centre for refugees, do not agree by chance."""
CORE = frozenset({"family", "given", "birth", "sex"})
"""Fields that strangers share by chance; the others corroborate."""


class Outcome(StrEnum):
    """What a machine may do with two records: link them, ask a human, or leave them apart."""

    LINK = "link"
    REVIEW = "review"
    APART = "apart"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The verdict on two records, with all that led to it; ``weight`` in bits, ``caps`` as (name, bits taken off).

    ``vetoes`` are the contradictions and reservations on account of which the pair is not linked, whatever it weighs.
    """

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
        return (findings.DOUBTFUL,)
    return reasons


def compare(one: Subject, other: Subject, configuration: Configuration) -> Comparison:
    """Weigh two records, no further than the outcome needs. The order of the two does not matter."""
    if findings.are_hopeless(one, other):
        return _apart(findings.BIRTH, configuration.evidence["birth", "different"], configuration)
    found = findings.find(one, other)
    if findings.are_named_apart(found, one, other):
        return _apart(findings.GIVEN, configuration.evidence["given", "different"], configuration)
    return _weighed(found, one, other, configuration)


def compare_fully(one: Subject, other: Subject, configuration: Configuration) -> Comparison:
    """Weigh every field of two records, for an explanation; the outcome is that of ``compare``."""
    return _weighed(findings.find(one, other), one, other, configuration)


def _apart(veto: str, evidence: Evidence, configuration: Configuration) -> Comparison:
    return Comparison(
        outcome=Outcome.APART,
        weight=evidence.bits,
        vetoes=(veto,),
        evidence=(evidence,),
        caps=(),
        configuration=configuration,
    )


def _weighed(found: Findings, one: Subject, other: Subject, configuration: Configuration) -> Comparison:
    reasons = findings.contradictions(found, one, other)
    evidence = weigh(found, one, other, configuration)
    caps, weight = _capped(evidence, found, configuration)
    # The same national id is somebody's mistake if it is not the same person: a human looks at it.
    if weight < configuration.review and not found.national:
        outcome = Outcome.APART
    else:
        reasons = tuple(dict.fromkeys((*reasons, *_reservations(found, one, other, evidence, configuration))))
        outcome = Outcome.REVIEW if reasons or weight < configuration.link else Outcome.LINK
    return Comparison(
        outcome=outcome, weight=weight, vetoes=reasons, evidence=evidence, caps=caps, configuration=configuration
    )


def _reservations(
    found: Findings, one: Subject, other: Subject, evidence: Iterable[Evidence], configuration: Configuration
) -> tuple[str, ...]:
    agreeing = {each.field for each in evidence if each.level == "same"}
    identified = not agreeing.isdisjoint(PERSONAL)
    reasons = tuple(findings.reservations(found, one, other, identified=identified))
    if found.birth in dates.MISTYPED and not identified and agreeing.isdisjoint(HOME):
        reasons = (*reasons, findings.OTHER_DATE)
    if found.is_born_at_new_year and not identified and agreeing.isdisjoint(PRIVATE):
        reasons = (*reasons, findings.VAGUE_BIRTH)
    if identified or _corroborating(found, evidence, configuration) >= configuration.corroboration:
        return reasons
    return (*reasons, findings.NO_CORROBORATION)


def _corroborating(found: Findings, evidence: Iterable[Evidence], configuration: Configuration) -> float:
    """What speaks for one person beyond one family name, one given name, birth date and sex, in bits."""
    beyond = sum(each.bits for each in evidence if each.bits > 0 and each.field not in CORE)
    further = sum(
        len(agreement.words) - 1
        for agreement in (found.family, found.given)
        if agreement is not None and agreement.level is Level.SAME
    )
    return beyond + further * configuration.evidence["given", "same"].bits / 2


def _capped(
    evidence: Iterable[Evidence], found: Findings, configuration: Configuration
) -> tuple[tuple[tuple[str, float], ...], float]:
    caps, total, shared, favourable = configuration.caps, 0.0, 0.0, 0.0
    for field, _, bits in evidence:
        total += bits
        if field in HOUSEHOLD:
            shared += bits
        elif bits > 0 and field not in PERSONAL:
            favourable += bits
    kept = min(max(shared, caps.household_least), caps.household)
    taken = [("household", shared - kept)] if kept != shared else []
    if found.parted and (excess := favourable + max(kept, 0.0) - caps.kinship) > 0:
        taken.append(("kinship", excess))
    return tuple(taken), total - sum(bits for _, bits in taken)
