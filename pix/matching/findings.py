"""What two records agree in, in what they contradict each other, and what keeps a machine from joining them."""

from collections.abc import Iterator
from typing import NamedTuple

from pix.matching import dates
from pix.matching.dates import Birth
from pix.matching.likeness import Agreement, Level, are_swapped, compare_families, compare_givens
from pix.matching.subject import Subject

NATIONAL = "different national ids"
GIVEN = "given name"
BIRTH = "birth date"
SEX = "sex"
ORDER = "birth order"
OVERLAY = "overlay"
DOUBTFUL = "given name is doubtful"
PLACEHOLDER = "placeholder given name"
UNKNOWN = "identity unknown"
NO_GIVEN, NO_BIRTH, VAGUE_BIRTH, FAMILY = "no given name", "no birth date", "birth date is vague", "family name"
NO_CORROBORATION = "no corroboration"
OTHER_DATE = "birth date is mistyped or another's"

UNSURE = frozenset({Level.INITIAL, Level.SECOND, Level.MIXED, Level.DOUBTFUL})
"""Levels at which two given names may as well be those of twins."""
TWINNED = frozenset({Level.DOUBTFUL})
"""Those at which they are so even with a number in common that nobody can check (PID-19)."""


class Findings(NamedTuple):
    """The comparisons that may contradict. None: one of the records says nothing of it."""

    family: Agreement | None
    given: Agreement | None
    birth: Birth | None
    sex: bool | None
    national: bool | None

    @property
    def parted(self) -> bool:
        """Claim that given name or birth date are of another: relatives agree in all the rest."""
        return self.birth is Birth.DIFFERENT or self.are_two_names

    @property
    def is_born_vaguely(self) -> bool:
        """Claim that only the year is known, and that the names do not agree in full to make good for it."""
        if self.birth is not Birth.NEW_YEAR:
            return self.birth is Birth.PARTIAL
        return not all(name and name.level is Level.SAME for name in (self.family, self.given))

    @property
    def is_born_at_new_year(self) -> bool:
        """Claim that 1 January may stand for an unknown day, though the names agree in full."""
        return self.birth is Birth.NEW_YEAR and not self.is_born_vaguely

    @property
    def are_two_names(self) -> bool:
        """Twins are called Paul and Paula: names that are alike are two where the sexes or the numbers differ, too."""
        if self.given is None:
            return False
        told_apart = self.sex is False or self.national is False
        return self.given.level is Level.DIFFERENT or (self.given.level is Level.DOUBTFUL and told_apart)


def find(one: Subject, other: Subject) -> Findings:
    """Compare names, birth, sex and national ids."""
    family, given = compare_families(one, other), compare_givens(one, other)
    if family and given and family.level is Level.DIFFERENT and given.level is not Level.SAME:
        swapped = are_swapped(one, other)
        family, given = (swapped, Agreement(Level.SWAPPED)) if swapped else (family, given)
    sex = one.sex == other.sex if one.sex and other.sex else None
    return Findings(family, given, dates.compare(one.birth, other.birth), sex, _nationals(one, other))


def are_hopeless(one: Subject, other: Subject) -> bool:
    """Claim that birth dates contradict and no identifier can make that good; found before anything else is compared.

    ``caps.kinship`` is below the threshold of review, so such a pair is left apart whatever else agrees.
    """
    return are_of_other_births(one, other.birth, identified=bool(other.identifiers)) and one.nationals.isdisjoint(
        other.nationals
    )


def are_of_other_births(one: Subject, birth: str, *, identified: bool) -> bool:
    """Claim that only a national id of both could bring a record together with one of that ``birth``.

    ``identified``: the other may have an identifier without an authority, which is compared before anything is said.
    """
    return dates.compare(one.birth, birth) is Birth.DIFFERENT and not (one.identifiers and identified)


def are_of_other_names(one: Subject, other: Subject) -> bool:
    """Claim that given names contradict: only an identifier of both could bring the records together then.

    ``caps.kinship`` holds for such a pair, too. Of the other nothing but its names is looked at.
    """
    given = compare_givens(one, other)
    return given is not None and given.level is Level.DIFFERENT and are_swapped(one, other) is None


def are_named_apart(found: Findings, one: Subject, other: Subject) -> bool:
    """The same of two records that were compared, of which neither identifier brings them together."""
    if found.given is None or found.given.level is not Level.DIFFERENT:
        return False
    return not found.national and not (one.identifiers and other.identifiers)


def contradictions(found: Findings, one: Subject, other: Subject) -> tuple[str, ...]:
    """In what the records contradict each other."""
    reasons = [NATIONAL] if found.national is False else []
    if found.are_two_names:
        reasons.append(GIVEN)
    if found.given is None and found.family is not None and found.family.level is Level.DIFFERENT:
        reasons.append(FAMILY)
    if found.birth in dates.CONTRADICTING:
        reasons.append(BIRTH)
    if found.sex is False and (found.given is None or found.given.level is not Level.SAME):
        reasons.append(SEX)
    if one.birth_order and other.birth_order and one.birth_order != other.birth_order:
        reasons.append(ORDER)
    if found.national and found.birth is None and one.placeholder is not other.placeholder:
        # A newborn has its mother's number until it has its own.
        reasons.append(PLACEHOLDER)
    if found.national and reasons:
        reasons.append(OVERLAY)
    return tuple(reasons)


def reservations(found: Findings, one: Subject, other: Subject, *, identified: bool) -> Iterator[str]:
    """Why a machine should not link, although nothing contradicts; an identifier in common makes good for most.

    One that nobody can check (PID-19) does not tell twins apart: children are insured under a parent's number.
    """
    if one.placeholder or other.placeholder:
        yield PLACEHOLDER
    if one.unknown or other.unknown:
        yield UNKNOWN
    if found.given is None and not (found.national or one.placeholder or other.placeholder):
        yield NO_GIVEN
    if found.given is not None and found.given.level in (TWINNED if identified else UNSURE) and not found.national:
        yield DOUBTFUL
    if identified:
        return
    if found.birth is None:
        yield NO_BIRTH
    if found.is_born_vaguely:
        yield VAGUE_BIRTH
    if found.family is None or found.family.level is Level.DIFFERENT:
        yield FAMILY


def _nationals(one: Subject, other: Subject) -> bool | None:
    if not one.nationals or not other.nationals:
        return None
    if not one.nationals.isdisjoint(other.nationals):
        return True
    authorities = {authority for authority, _ in one.nationals}
    return None if authorities.isdisjoint(authority for authority, _ in other.nationals) else False
