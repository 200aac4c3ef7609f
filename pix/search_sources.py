"""What a demographics query can be read by: each criterion that an index serves (how fast: docs/searching.md)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    FromClause,
    Subquery,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    true,
)

from pix.search_patterns import Form, between, compares
from pix.search_shapes import BirthShape, IdentifierShape, PairShape, Shape, WordShape
from pix.tables import ACTIVE, link, national, record, token
from pix.tokens import MANY, MARKS, Kind

BESIDE: Mapping[Kind, Kind] = {
    Kind.FAMILY: Kind.GIVEN,
    Kind.GIVEN: Kind.FAMILY,
    Kind.FAMILY_SOUND: Kind.GIVEN_SOUND,
    Kind.GIVEN_SOUND: Kind.FAMILY_SOUND,
    Kind.PAIR: Kind.PAIR,
}
"""What the index holds, with town and birth, beside a word of each kind; beside a pair of names no further name."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One criterion that the index can be read by: where, in which order, and which word, if it is one.

    ``covered`` are words that all its entries stand for, but MANY. ``also`` is what else must be read if it is.
    """

    table: FromClause
    key: ColumnElement[int]
    condition: ColumnElement[bool]
    order: tuple[ColumnElement[Any], ...]
    word: WordShape | None = None
    covered: tuple[WordShape, ...] = ()
    also: "Source | None" = None

    @property
    def is_identifier(self) -> bool:
        """Claim that its entries are the records of those who have an id."""
        return isinstance(self.table, Subquery)

    @property
    def is_birth(self) -> bool:
        """Claim that it is read by the day of birth."""
        return self.table is record

    @property
    def is_name(self) -> bool:
        """Claim that its entries have other words and the day of birth beside them."""
        return self.word is not None and self.word.kind in BESIDE

    def count(self, most: BindParameter[int]) -> ColumnElement[int]:
        """How many entries of the index it has, counted up to ``most``."""
        some = select(literal_column("1")).select_from(self.table).where(self.condition).limit(most).subquery()
        return select(func.count()).select_from(some).scalar_subquery()

    def shows(self, word: WordShape) -> bool:
        """Claim that its entries say whether a record carries this word, too."""
        if self.word is None or self.word.kind not in BESIDE:
            return False
        return word.is_whole_or_beginning and (word.kind in MARKS or BESIDE[self.word.kind] is word.kind)


def sources(shape: Shape) -> tuple[Source, ...]:
    """Every criterion that an index serves; none where everybody would be listed."""
    if not all(each.is_selective for each in shape.identifiers):
        return ()
    return (*_described(shape), *(_identifier_source(each) for each in shape.identifiers))


def born(column: ColumnElement[str], birth: BirthShape) -> ColumnElement[bool]:
    """Born in the range; or less is known of the birth than is asked, and it may be in the range."""
    vague: list[BindParameter[str]] = [bindparam(f"born_vague{number}") for number in range(birth.vague)]
    within = between(column, bindparam("born_from"), bindparam("born_until"))
    return and_(*within, or_(column >= bindparam("born_low"), column.in_(vague))) if vague else and_(*within)


def _described(shape: Shape) -> Iterator[Source]:
    if shape.pair is None:
        strong = [each for each in shape.words if each.is_strong]
        # A town may be searched for by itself; beside anything better it only narrows.
        towns = [each for each in shape.words if each.kind is Kind.CITY and each.is_selective]
        yield from map(_word_source, strong or towns)
        yield from _birth_source(shape)
    elif shape.pair.is_whole:
        yield _whole_pair_source(shape.pair)
    else:
        yield _pair_source(shape.pair)
        known = shape.pair.covered if shape.pair.is_all else ()
        yield from [_word_source(each) for each in shape.words if each.is_strong and each not in known]
        yield from _birth_source(shape)


def _word_source(word: WordShape) -> Source:
    by_record: tuple[Column[Any], ...] = (token.c.record,)
    order = by_record if word.form is Form.WHOLE else (token.c.value, *by_record)
    return Source(token, token.c.record, word.condition_on(token), order, word)


def _whole_pair_source(pair: PairShape) -> Source:
    condition = and_(token.c.kind == Kind.PAIR.value, token.c.value.in_([pair.word.part("whole"), MANY]))
    return Source(token, token.c.record, condition, (token.c.record,), pair.word, pair.covered)


def _pair_source(pair: PairShape) -> Source:
    """A range. Those with too many names are not in it, and are few."""
    word = pair.word
    condition = and_(token.c.kind == Kind.PAIR.value, token.c.value == MANY)
    many = Source(token, token.c.record, condition, (token.c.record,), word)
    order = (token.c.value, token.c.record)
    return Source(token, token.c.record, word.condition_on(token), order, word, pair.covered, many)


def _birth_source(shape: Shape) -> Iterator[Source]:
    if shape.birth is not None:
        yield Source(record, record.c.key, born(record.c.birth, shape.birth), (record.c.birth, record.c.key))


def _identifier_source(id: IdentifierShape) -> Source:
    """Every record of the persons that have the id, whichever of their sources it comes from.

    One of their records has it as its own, or a national one is attached to it.
    """
    own, attached = (compares(table.c.id, id.form, id.part) for table in (record, national))
    if id.has_authority:
        own.append(record.c.authority == id.part("of"))
        attached.append(national.c.authority == id.part("of"))
    both = select(record.c.key).where(*own).union_all(select(national.c.record).where(*attached)).subquery()
    persons = select(link.c.person).where(link.c.record.in_(select(both.c[0])), ACTIVE)
    linked = link.alias()
    theirs = select(linked.c.record.label("key")).where(linked.c.person.in_(persons), linked.c.ended_by.is_(None))
    named = theirs.distinct().subquery()
    return Source(named, named.c.key, true(), (named.c.key,))
