"""The words of a demographics query, as they stand in the index (ITI TF-2: 3.21.4.1.3.2)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, FromClause, and_

from pix.folding import digits, fold
from pix.matching.phonetics import skeleton
from pix.queries import Criteria, SearchMode
from pix.tables import token
from pix.telephones import national_number
from pix.tokens import Kind, account_texts

PREFIX = 2
"""Fewest characters before ``*`` by which the index is searched; shorter ones only narrow what others have found."""
LAST = "\U0010ffff"
STRONG = frozenset(
    {
        Kind.FAMILY,
        Kind.GIVEN,
        Kind.FAMILY_SOUND,
        Kind.GIVEN_SOUND,
        Kind.MOTHERS_FAMILY,
        Kind.STREET,
        Kind.POSTAL_CODE,
        Kind.PHONE,
        Kind.EMAIL,
        Kind.ACCOUNT,
    }
)
"""Kinds of words that are worth a search by themselves."""
BESIDE: Mapping[Kind, Kind] = {
    Kind.FAMILY: Kind.GIVEN,
    Kind.GIVEN: Kind.FAMILY,
    Kind.FAMILY_SOUND: Kind.GIVEN_SOUND,
    Kind.GIVEN_SOUND: Kind.FAMILY_SOUND,
    Kind.PAIR: Kind.PAIR,
}
"""What the index holds, with town and birth, beside a word of each kind; beside a pair of names no further name."""
SOUNDS: Mapping[Kind, Kind] = {Kind.FAMILY: Kind.FAMILY_SOUND, Kind.GIVEN: Kind.GIVEN_SOUND}


@dataclass(frozen=True, slots=True)
class Word:
    """One word to find, perhaps with ``*`` in it."""

    kind: Kind
    pattern: str

    @property
    def prefix(self) -> str:
        """What stands before the first ``*``."""
        return self.pattern.partition("*")[0]

    @property
    def is_selective(self) -> bool:
        """Claim that enough stands before the first ``*`` for a range of the index."""
        return "*" not in self.pattern or len(self.prefix) >= PREFIX

    @property
    def is_strong(self) -> bool:
        """Claim that the index finds few enough records by this word."""
        return self.kind in STRONG and self.is_selective

    @property
    def is_whole_or_beginning(self) -> bool:
        """Claim that nothing follows the first ``*``."""
        return self.pattern.rstrip("*") == self.prefix

    @property
    def condition(self) -> ColumnElement[bool]:
        """The tokens that this word stands for."""
        return self.condition_on(token)

    def condition_on(self, tokens: FromClause) -> ColumnElement[bool]:
        """The same for an alias of the table."""
        return and_(tokens.c.kind == self.kind.value, *matches(tokens.c.value, self.pattern))


def criteria_words(criteria: Criteria, mode: SearchMode) -> tuple[Word, ...]:
    """Every word that must be found, once; in an approximate search the sound of a name stands for it."""
    exact = dict.fromkeys((*_texts(criteria), *_numbers(criteria)))
    return tuple(dict.fromkeys(map(_sounding, exact))) if mode is SearchMode.APPROXIMATE else tuple(exact)


def matches(column: ColumnElement[str], pattern: str) -> list[ColumnElement[bool]]:
    """Equality, or a range that the index serves, and LIKE where ``*`` is not only at the end."""
    prefix, star, rest = pattern.partition("*")
    if not star:
        return [column == pattern]
    conditions = between(column, prefix, prefix) if prefix else []
    if rest.strip("*"):
        like = "%".join(
            part.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") for part in pattern.split("*")
        )
        conditions.append(column.like(like, escape="\\"))
    return conditions


def between(column: ColumnElement[str], low: str, high: str) -> list[ColumnElement[bool]]:
    """From ``low`` to everything that begins with ``high``; not BETWEEN, which PostgreSQL cannot read with COLLATE."""
    return [column >= low, column <= high + LAST]


def _texts(criteria: Criteria) -> Iterator[Word]:
    texts: Iterable[tuple[Kind, str | None]] = (
        *((Kind.FAMILY, each) for each in criteria.family),
        *((Kind.GIVEN, each) for each in criteria.given),
        (Kind.MOTHERS_FAMILY, criteria.mothers_family),
        (Kind.MOTHERS_GIVEN, criteria.mothers_given),
        (Kind.STREET, criteria.street),
        (Kind.CITY, criteria.city),
        (Kind.STATE, criteria.state),
        (Kind.POSTAL_CODE, criteria.postal_code),
        (Kind.COUNTRY, criteria.country),
    )
    for kind, text in texts:
        yield from (Word(kind, word) for word in fold(text or "").split() if word.strip("*"))


def _numbers(criteria: Criteria) -> Iterator[Word]:
    if criteria.phone:
        number = f"*{digits(criteria.phone)}" if criteria.phone.startswith("*") else national_number(criteria.phone)
        yield Word(Kind.PHONE, number)
    if criteria.email:
        yield Word(Kind.EMAIL, criteria.email.strip().casefold())
    yield from (Word(Kind.ACCOUNT, account_texts(each)[-1]) for each in criteria.accounts)


def _sounding(word: Word) -> Word:
    """The sound of a name; what has ``*`` in it is searched as it is written."""
    if word.kind not in SOUNDS or "*" in word.pattern:
        return word
    return Word(SOUNDS[word.kind], skeleton(word.pattern))
