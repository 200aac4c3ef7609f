"""What two records agree in, field by field, and in what they contradict each other."""

from typing import NamedTuple

from pix.matching import dates
from pix.matching.dates import Birth
from pix.matching.likeness import Agreement, Level, are_swapped, compare_families, compare_givens
from pix.matching.subject import Subject

NATIONAL, GIVEN, BIRTH, SEX, ORDER, OVERLAY = (
    "different national ids",
    "given name",
    "birth date",
    "sex",
    "birth order",
    "overlay",
)
DOUBTFUL_GIVEN = "given name is doubtful"
EXACT = frozenset({Level.SAME, Level.PART})
UNSURE = frozenset({Level.INITIAL, Level.SECOND, Level.MIXED, Level.DOUBTFUL})
"""Levels at which two given names may as well be those of twins."""


class Findings(NamedTuple):
    """The comparisons that may contradict. None: one of the records says nothing of it."""

    family: Agreement | None
    given: Agreement | None
    birth: Birth | None
    sex: bool | None
    national: bool | None


def find(one: Subject, other: Subject) -> Findings:
    """Compare names, birth, sex and national ids."""
    family, given = compare_families(one, other), compare_givens(one, other)
    if family and given and family.level is Level.DIFFERENT and given.level is not Level.SAME:
        swapped = are_swapped(one, other)
        family, given = (swapped, Agreement(Level.SWAPPED)) if swapped else (family, given)
    sex = one.sex == other.sex if one.sex and other.sex else None
    return Findings(family, given, dates.compare(one.birth, other.birth), sex, _nationals(one, other))


def contradictions(found: Findings, one: Subject, other: Subject) -> tuple[str, ...]:
    """In what the records contradict each other, as the explanation names it."""
    reasons = [NATIONAL] if found.national is False else []
    if found.given is not None and _are_two_names(found.given.level, found):
        reasons.append(GIVEN)
    if found.birth in dates.CONTRADICTING:
        reasons.append(BIRTH)
    if found.sex is False and (found.given is None or found.given.level is not Level.SAME):
        reasons.append(SEX)
    if one.birth_order and other.birth_order and one.birth_order != other.birth_order:
        reasons.append(ORDER)
    if found.national and reasons:
        reasons.append(OVERLAY)
    return tuple(reasons)


def _are_two_names(level: Level, found: Findings) -> bool:
    """Twins are called Paul and Paula: names that are alike are two where the sexes differ, too."""
    return level is Level.DIFFERENT or (level is Level.DOUBTFUL and found.sex is False)


def _nationals(one: Subject, other: Subject) -> bool | None:
    if not one.nationals or not other.nationals:
        return None
    if not one.nationals.isdisjoint(other.nationals):
        return True
    authorities = {authority for authority, _ in one.nationals}
    return None if authorities.isdisjoint(authority for authority, _ in other.nationals) else False
