"""The words of a demographics query, as they stand in the index (ITI TF-2: 3.21.4.1.3.2)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from pix.folding import digits, fold
from pix.matching.phonetics import skeleton
from pix.queries import Criteria, SearchMode
from pix.telephones import national_number
from pix.tokens import Kind, account_texts

SOUNDS: Mapping[Kind, Kind] = {Kind.FAMILY: Kind.FAMILY_SOUND, Kind.GIVEN: Kind.GIVEN_SOUND}


class Word(NamedTuple):
    """One word to find, perhaps with ``*`` in it."""

    kind: Kind
    pattern: str


def criteria_words(criteria: Criteria, mode: SearchMode) -> tuple[Word, ...]:
    """Every word that must be found, once; in an approximate search the sound of a name stands for it."""
    exact = dict.fromkeys((*_texts(criteria), *_numbers(criteria)))
    return tuple(dict.fromkeys(map(_sounding, exact))) if mode is SearchMode.APPROXIMATE else tuple(exact)


def _texts(criteria: Criteria) -> Iterator[Word]:
    texts: Iterable[tuple[Kind, str | None]] = (
        *[(Kind.FAMILY, each) for each in criteria.family],
        *[(Kind.GIVEN, each) for each in criteria.given],
        (Kind.MOTHERS_FAMILY, criteria.mothers_family),
        (Kind.MOTHERS_GIVEN, criteria.mothers_given),
        (Kind.STREET, criteria.street),
        (Kind.CITY, criteria.city),
        (Kind.STATE, criteria.state),
        (Kind.POSTAL_CODE, criteria.postal_code),
        (Kind.COUNTRY, criteria.country),
    )
    for kind, text in texts:
        if text:
            yield from [Word(kind, word) for word in fold(text).split() if word.strip("*")]


def _numbers(criteria: Criteria) -> Iterator[Word]:
    if criteria.phone:
        number = f"*{digits(criteria.phone)}" if criteria.phone.startswith("*") else national_number(criteria.phone)
        yield Word(Kind.PHONE, number)
    if criteria.email:
        yield Word(Kind.EMAIL, criteria.email.strip().casefold())
    for each in criteria.accounts:
        yield Word(Kind.ACCOUNT, account_texts(each)[-1])


def _sounding(word: Word) -> Word:
    """The sound of a name; what has ``*`` in it is searched as it is written."""
    if word.kind not in SOUNDS or "*" in word.pattern:
        return word
    return Word(SOUNDS[word.kind], skeleton(word.pattern))
