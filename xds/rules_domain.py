"""What the affinity domain allows (ITI TF-2: 3.42.4.1.3.3.3, 3.42.4.1.3.3.4)."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from ihe.citations import tf2
from ihe.datatypes import Code
from ihe.domain import AffinityDomain
from ihe.errors import ErrorCode
from ihe.rules import Offence, Offender, Rule, rule
from xds.attribute_values import ALL, Rows, rows, values, where
from xds.attributes import Classification, ClassificationList
from xds.model import Submission

CODED: Rows = {
    kind: tuple(row for row in all if isinstance(row.coding, Classification | ClassificationList))
    for kind, all in ALL.items()
}
NO_CODES: frozenset[Code] = frozenset()
WORDS = ("mimeType", "languageCode")
"""Attributes of a DocumentEntry without coding scheme, compared without regard to case."""


@dataclass(frozen=True, slots=True)
class InDomain:
    """A submission and the domain into which it comes. An attribute without code list is not restricted."""

    submission: Submission
    domain: AffinityDomain


@rule(ErrorCode.REGISTRY_METADATA_ERROR, tf2("3.42.4.1.3.3.3"))
def codes_are_of_the_domain(subject: InDomain) -> Iterator[Offender]:
    """A coded attribute has one of the values, code and coding scheme, that the affinity domain allows."""
    for each, attribute, value in rows(subject.submission, CODED):
        allowed = subject.domain.codes.get(attribute.name)
        if allowed is None or value is None:
            continue
        known = _pairs(allowed)
        for code in value if isinstance(value, tuple) else (value,):
            if (code.code, code.scheme) not in known:
                yield Offence(where(each, attribute.name), observed=str(code), expected=_nearest(code, allowed))


@rule(ErrorCode.REGISTRY_METADATA_ERROR, tf2("3.42.4.1.3.3.4"))
def words_are_of_the_domain(subject: InDomain) -> Iterator[Offender]:
    """mimeType, and languageCode where the domain restricts it, are among the values that the domain allows."""
    for attribute in WORDS:
        allowed = _words(subject.domain.codes.get(attribute, NO_CODES))
        for each, row, word in values(subject.submission, f"DocumentEntry.{attribute}") if allowed else ():
            if word.lower() not in allowed:
                yield Offence(where(each, row.name), observed=word, expected=", ".join(sorted(allowed)))


@lru_cache(maxsize=256)
def _pairs(allowed: frozenset[Code]) -> frozenset[tuple[str, str]]:
    """Code and coding scheme of each: what makes two codes equal."""
    return frozenset((each.code, each.scheme) for each in allowed)


@lru_cache(maxsize=16)
def _words(allowed: frozenset[Code]) -> frozenset[str]:
    return frozenset(each.code.lower() for each in allowed)


def _nearest(code: Code, allowed: frozenset[Code]) -> str:
    """The same code under the domain's scheme, if there is one: schemes are what senders get wrong most."""
    same = sorted(str(each) for each in allowed if each.code == code.code)
    if same:
        return ", ".join(same)
    of_scheme = sum(each.scheme == code.scheme for each in allowed)
    if of_scheme:
        return f"one of the {of_scheme} codes of the coding scheme {code.scheme} that the domain allows"
    return "a code of the coding scheme " + " or ".join(sorted({each.scheme for each in allowed}))


DOMAIN_RULES: tuple[Rule[InDomain], ...] = (codes_are_of_the_domain, words_are_of_the_domain)
