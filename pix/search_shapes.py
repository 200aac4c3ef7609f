"""What a demographics query asks without its values: searches of one shape are one statement, made once.

A shape says which words, dates and ids are given and how each is compared; the values stand beside it, under the names
of the statement's parameters.
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, ColumnElement, FromClause, and_, bindparam

from pix.pairs import sought
from pix.queries import Criteria, IdentifierPattern, SearchMode
from pix.search_patterns import LAST, Form, compares, escaped, form_of, parts
from pix.search_words import Word, criteria_words
from pix.tokens import MARKS, STRONG, Kind
from pix.wordlists import part_of_list

PREFIX = 2
"""Fewest characters before ``*`` by which the index is searched; shorter ones only narrow what others have found."""


class WordShape(NamedTuple):
    """A word to find. ``is_selective``: enough stands before the first ``*`` for a range of the index."""

    kind: Kind
    form: Form
    is_selective: bool
    name: str

    @property
    def is_strong(self) -> bool:
        """Claim that the index finds few enough records by this word."""
        return self.is_selective and self.kind in STRONG

    @property
    def is_whole_or_beginning(self) -> bool:
        """Claim that nothing follows the first ``*``."""
        return self.form in (Form.WHOLE, Form.BEGINNING)

    def part(self, name: str) -> BindParameter[str]:
        """The parameter for a part of the pattern."""
        return bindparam(f"{self.name}_{name}")

    def condition_on(self, tokens: FromClause) -> ColumnElement[bool]:
        """The tokens that this word stands for."""
        return and_(tokens.c.kind == self.kind.value, *self.compares(tokens.c.value))

    def compares(self, value: ColumnElement[str]) -> list[ColumnElement[bool]]:
        """What is asked of a word of this kind."""
        return compares(value, self.form, self.part)


class PairShape(NamedTuple):
    """A family name and a given name of the query, ``covered``, as the one word that they are together."""

    word: WordShape
    covered: tuple[WordShape, ...]

    @property
    def is_whole(self) -> bool:
        """Claim that both names are whole: few records have both."""
        return self.word.form is Form.WHOLE

    @property
    def is_all(self) -> bool:
        """Claim that a range of the index holds those alone whose names begin so."""
        return self.word.form is not Form.BEGINNING_AND_MORE


class IdentifierShape(NamedTuple):
    """An id to find, of one authority or of any. ``is_selective`` as for a word."""

    form: Form
    is_selective: bool
    has_authority: bool
    name: str

    def part(self, name: str) -> BindParameter[str]:
        """The parameter for a part of the pattern, or for the authority (``of``)."""
        return bindparam(f"{self.name}_{name}")


class BirthShape(NamedTuple):
    """A range of dates; so many ``vague`` dates may be in it, which say less than is asked."""

    vague: int
    is_one_day: bool


class Wanted(Enum):
    """Whether ids of the records that are found are wanted: they stand elsewhere, and most searches ask for none."""

    NAMES = "names"
    IDS = "names and ids"


class Shape(NamedTuple):
    """Which criteria are given. ``pair`` are a family name and a given one of the words."""

    words: tuple[WordShape, ...]
    pair: PairShape | None
    birth: BirthShape | None
    has_sex: bool
    identifiers: tuple[IdentifierShape, ...]
    wanted: Wanted


class Asked(NamedTuple):
    """The shape of a query, and the values of its parameters."""

    shape: Shape
    values: dict[str, Any]


def asked(criteria: Criteria, mode: SearchMode, wanted: Wanted) -> Asked:
    """Tell the shape of a query from its values."""
    words = criteria_words(criteria, mode)
    values: dict[str, Any] = {"sex": criteria.sex}
    shapes = tuple([_word(number, each, values) for number, each in enumerate(words)])
    identifiers = tuple([_identifier(number, each, values) for number, each in enumerate(criteria.identifiers)])
    pair = _pair(words, shapes, values)
    birth = None if criteria.birth is None else _birth(criteria, criteria.birth, values)
    return Asked(Shape(shapes, pair, birth, criteria.sex is not None, identifiers, wanted), values)


def _word(number: int, word: Word, values: dict[str, Any]) -> WordShape:
    name, (kind, pattern) = f"word{number}", word
    beginning, star, _ = pattern.partition("*")
    _put(values, name, parts(pattern))
    values[f"{name}_listed"] = part_of_list(kind, pattern)
    values[f"{name}_beside"] = f"% {MARKS.get(kind, '')}{escaped(beginning)}{'' if star else ' '}%"
    return WordShape(kind, form_of(pattern), not star or len(beginning) >= PREFIX, name)


def _identifier(number: int, pattern: IdentifierPattern, values: dict[str, Any]) -> IdentifierShape:
    name, beginning = f"id{number}", pattern.id.partition("*")[0]
    _put(values, name, parts(pattern.id))
    if pattern.authority is not None:
        values[f"{name}_of"] = pattern.authority.oid
    is_selective = len(beginning) >= PREFIX or beginning == pattern.id
    return IdentifierShape(form_of(pattern.id), is_selective, pattern.authority is not None, name)


def _pair(words: Sequence[Word], shapes: Sequence[WordShape], values: dict[str, Any]) -> PairShape | None:
    places = [_plainest(kind, words, shapes) for kind in (Kind.FAMILY, Kind.GIVEN)]
    if None in places:
        return None
    family, given = [place for place in places if place is not None]
    beginning, like = sought(words[family].pattern, words[given].pattern)
    covered = (shapes[family], shapes[given])
    if all(each.form is Form.WHOLE for each in covered):
        form = Form.WHOLE
    else:
        form = Form.BEGINNING_AND_MORE if like else Form.BEGINNING
    _put(values, "pair", {"whole": beginning, "low": beginning, "high": beginning + LAST, "like": like})
    return PairShape(WordShape(Kind.PAIR, form, True, "pair"), covered)


def _plainest(kind: Kind, words: Sequence[Word], shapes: Sequence[WordShape]) -> int | None:
    """Where the name of this kind stands that says most: a whole one if there is one, the longest of these."""
    fit = [
        place
        for place, each in enumerate(shapes)
        if each.kind is kind and each.is_selective and each.is_whole_or_beginning
    ]
    return min(fit, key=lambda at: (shapes[at].form is not Form.WHOLE, -len(words[at].pattern)), default=None)


def _birth(criteria: Criteria, birth: tuple[str, str], values: dict[str, Any]) -> BirthShape:
    low, high = birth[0][:8], birth[1][:8]
    vague = [low[:length] for length in (4, 6) if length < len(low)]
    # One range of the index holds the vague ones, too.
    values |= {"born_from": low[:4] if vague else low, "born_until": high + LAST, "born_low": low}
    values |= {f"born_vague{number}": each for number, each in enumerate(vague)}
    return BirthShape(len(vague), criteria.birthday is not None)


def _put(values: dict[str, Any], name: str, pattern: Mapping[str, str]) -> None:
    for part, text in pattern.items():
        values[f"{name}_{part}"] = text
