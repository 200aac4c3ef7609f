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
    literal_column,
    or_,
    select,
    tuple_,
)

from pix.search_shapes import Shape, Wanted, WordShape
from pix.search_sources import Source, born
from pix.tables import card, record, token, wordlist
from pix.tokens import MANY
from statements.listed import listed

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
    for word in shape.words:
        carries = _carries(driver, word)
        if word in driver.covered:
            if not driver.also:
                yield or_(token.c.value != MANY, carries)
        elif word != driver.word:
            yield _beside(word, carries) if driver.shows(word) else carries
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


def _carries(driver: Source, word: WordShape) -> ColumnElement[bool]:
    words = listed(wordlist.c.words, word.kind.value)
    # OFFSET 0 keeps PostgreSQL from reading the word lists of everybody first: it cannot know how rare a word is.
    return (
        select(literal_column("1"))
        .select_from(wordlist, words)
        .where(wordlist.c.record == driver.key, *word.compares(words.c.value))
        .offset(0)
        .exists()
    )
