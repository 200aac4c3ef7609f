"""Names in comparable parts: particles, double names, names written together (XPN; ITI TF-2: Table 3.30-3)."""

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from pix.folding import fold
from pix.matching.placeholders import is_placeholder
from pix.matching.scripts import latin
from pix.matching.vocabulary import vocabulary
from pix.model import PersonName

PARTICLES = vocabulary("particles")
MOST_WORDS, MOST_NAMES = 12, 6
"""Words of one name, and names of one record, that are looked at: each meets each, and feeds may be hostile."""


class Surname(NamedTuple):
    """One family name: its words without particles, and everything written together."""

    words: frozenset[str]
    joined: str


@lru_cache(maxsize=65536)
def surname(text: str) -> Surname | None:
    """``van den Berg`` is {berg} and vandenberg, ``Silva e Sousa`` {silva, sousa}; None for no letters."""
    found = fold(latin(text)).split()[:MOST_WORDS]
    words = frozenset(each for each in found if each not in PARTICLES)
    return Surname(words or frozenset(found), "".join(found)) if found else None


@lru_cache(maxsize=65536)
def given_words(given: str, further: str) -> tuple[str, ...]:
    """All given names in order, double names apart; empty for a placeholder."""
    found = tuple(fold(latin(f"{given} {further}")).split()[:MOST_WORDS])
    if is_placeholder(found):
        return ()
    # A single letter is an initial here, whatever particle it may be elsewhere.
    return tuple(dict.fromkeys(each for each in found if len(each) == 1 or each not in PARTICLES))


def surnames(names: Iterable[PersonName]) -> tuple[Surname, ...]:
    """Every family name that the names hold: whole, own, and the partner's."""
    texts = [text for name in names for text in (name.family, name.own_family, name.partner_family) if text]
    found = texts if len(texts) < 2 else list(dict.fromkeys(texts))[:MOST_NAMES]
    return tuple(made for text in found if (made := surname(text)))
