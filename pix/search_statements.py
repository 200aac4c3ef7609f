"""The statements of a demographics query: how many fit each criterion, and who fits them all."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    and_,
    bindparam,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
)

from pix.search_patterns import LIKES, Form, compares
from pix.search_shapes import Shape, Wanted, WordShape
from pix.search_sources import Source, born
from pix.tables import card, record, token, wordlist
from pix.tokens import MANY
from pix.wordlists import before_words
from statements.listed import has, listed

SHOWN = (
    card.c.person,
    card.c.record,
    card.c.family,
    card.c.given,
    func.coalesce(card.c.birth, ""),
    card.c.updated,
)
ID = (record.c.authority, record.c.id)
NO_ID: tuple[ColumnElement[Any], ...] = (literal_column("''"), literal_column("''"))
MOST = bindparam("most", type_=BigInteger())


def counting(sources: Iterable[Source]) -> Select[Any]:
    """How many entries of the index each has, counted up to ``most``."""
    counts: list[ColumnElement[Any]] = [each.count(MOST) for each in sources]
    return select(*counts)


def reading(driver: Source, sources: Sequence[Source], shape: Shape) -> Select[Any]:
    """The columns SHOWN of ``most`` records that meet all criteria, in the order of what the index is read by.

    The id of each follows, or two empty texts where no ids are wanted.
    """
    with_ids = shape.wanted is Wanted.IDS
    id = ID if with_ids else NO_ID
    shown: list[ColumnElement[Any]] = [*SHOWN, *id, *([token.c.value] if driver.word else [])]
    described: Select[Any] = select(*shown).select_from(driver.table).join(card, card.c.record == driver.key)
    if with_ids and not driver.is_birth:
        described = described.join(record, record.c.key == driver.key)
    return described.where(driver.condition, *_filters(driver, sources, shape)).order_by(*driver.order).limit(MOST)


def going_on(reading: Select[Any]) -> Select[Any]:
    """The same from behind the last entry, whose word is ``last_value`` and whose record is ``last_record``."""
    last = tuple_(bindparam("last_value", type_=Text()), bindparam("last_record", type_=BigInteger()))
    return reading.where(tuple_(token.c.value, token.c.record) > last)


def _filters(driver: Source, sources: Iterable[Source], shape: Shape) -> Iterator[ColumnElement[bool]]:
    others = [each for each in shape.words if each not in (driver.word, *driver.covered)]
    if listed_alone := [each for each in others if not driver.shows(each)]:
        yield _carries(driver, listed_alone)
    yield from [_beside(each, _carries(driver, (each,))) for each in others if driver.shows(each)]
    if not driver.also:
        yield from [or_(token.c.value != MANY, _carries(driver, (each,))) for each in driver.covered]
    if shape.birth is not None and not driver.is_birth:
        yield born(token.c.birth if driver.is_name else card.c.birth, shape.birth)
    if shape.has_sex:
        yield card.c.sex == bindparam("sex")
    for each in sources:
        if each is not driver and each.is_identifier:
            yield driver.key.in_(select(each.key))


def _beside(word: WordShape, other: ColumnElement[bool]) -> ColumnElement[bool]:
    """The word is one of those beside; where there was no room for them, it is looked up."""
    seen = token.c.beside.like(word.part("beside"), escape="\\")
    return or_(seen, and_(token.c.beside == "", other))


def _carries(driver: Source, words: Iterable[WordShape]) -> ColumnElement[bool]:
    """The record's word list has all of these."""
    # OFFSET 0 keeps PostgreSQL from reading the word lists of everybody first: it cannot know how rare a word is.
    return (
        select(literal_column("1"))
        .select_from(wordlist)
        .where(wordlist.c.record == driver.key, *[condition for each in words for condition in _listing(each)])
        .offset(0)
        .exists()
    )


def _listing(word: WordShape) -> Iterator[ColumnElement[bool]]:
    """What is asked of a list as a text; where that does not say it all, of its words, too, which takes longer."""
    text, part = wordlist.c.words, word.part("listed")
    yield text.like(part, escape="\\") if word.form is Form.INSIDE else has(text, part)
    if word.form in LIKES:
        kind, each = literal(before_words(word.kind)), listed(text)
        alike = compares(each.c.value, word.form, lambda name: kind + word.part(name))
        yield select(literal_column("1")).select_from(each).where(*alike).exists()
