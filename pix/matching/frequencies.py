"""How frequent names and towns are among given records: what is frequent says little where two records share it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from pix.matching.configuration import COUNTED
from pix.matching.subject import Subject

LISTED = 500
"""Most words of one field that a configuration lists."""
LEAST = 5
"""Bearers below which a share is chance."""


def count(subjects: Iterable[Subject]) -> tuple[Mapping[str, Counter[str]], Counter[str]]:
    """How many records hold each word, by field, and how many records say anything there."""
    words: dict[str, Counter[str]] = {field: Counter() for field in COUNTED}
    records: Counter[str] = Counter()
    for each in subjects:
        for field, said in _said(each):
            words[field].update(said)
            records[field] += bool(said)
    return words, records


def shares(
    words: Mapping[str, Counter[str]], records: Mapping[str, int], unlisted: Mapping[str, float]
) -> dict[str, dict[str, float]]:
    """The words worth listing with their shares: more frequent than a word that is not listed counts as."""
    return {
        field: {
            word: number / records[field]
            for word, number in found.most_common(LISTED)
            if number >= LEAST and number / records[field] > unlisted[field]
        }
        for field, found in words.items()
    }


def _said(subject: Subject) -> Iterator[tuple[str, frozenset[str]]]:
    yield "family", subject.family_words
    yield "given", frozenset(word for names in subject.givens for word in names)
    yield "city", frozenset(place.city for place in subject.places if place.city)
