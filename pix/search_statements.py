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

from pix.search_shapes import Shape, WordShape
from pix.search_sources import Source, born
from pix.tables import ACTIVE, link, record, token
from pix.tokens import MANY

SHOWN = (
    link.c.person,
    record.c.key,
    record.c.family,
    record.c.given,
    func.coalesce(record.c.birth, ""),
    record.c.updated,
    record.c.authority,
    record.c.id,
)
MOST = bindparam("most", type_=BigInteger())


def counting(sources: Iterable[Source]) -> Select[Any]:
    """How many entries of the index each has, counted up to ``most``."""
    counts: list[ColumnElement[Any]] = [each.count(MOST) for each in sources]
    return select(*counts)


def reading(driver: Source, sources: Sequence[Source], shape: Shape) -> Select[Any]:
    """The columns SHOWN of ``most`` records that meet all criteria, in the order of what the index is read by."""
    shown: list[ColumnElement[Any]] = [*SHOWN, *([token.c.value] if driver.word else [])]
    start: Select[Any] = select(*shown).select_from(driver.table)
    described = start if driver.is_birth else start.join(record, record.c.key == driver.key)
    return (
        described.join(link, and_(link.c.record == record.c.key, ACTIVE))
        .where(driver.condition, *_filters(driver, sources, shape), record.c.survivor.is_(None))
        .order_by(*driver.order)
        .limit(MOST)
    )


def going_on(reading: Select[Any]) -> Select[Any]:
    """The same from behind the last entry, whose word is ``last_value`` and whose record is ``last_record``."""
    last = tuple_(bindparam("last_value", type_=Text()), bindparam("last_record", type_=BigInteger()))
    return reading.where(tuple_(token.c.value, token.c.record) > last)


def _filters(driver: Source, sources: Iterable[Source], shape: Shape) -> Iterator[ColumnElement[bool]]:
    for word in shape.words:
        carries = _carries(driver, word)
        if word in driver.covered:
            yield or_(token.c.value != MANY, carries)
        elif word != driver.word:
            yield _beside(word, carries) if driver.shows(word) else carries
    if shape.birth is not None and not driver.is_birth:
        yield born(token.c.birth if driver.is_name else record.c.birth, shape.birth)
    if shape.has_sex:
        yield record.c.sex == bindparam("sex")
    for each in sources:
        if each is not driver and each.is_identifier:
            yield record.c.key.in_(select(each.key))


def _beside(word: WordShape, other: ColumnElement[bool]) -> ColumnElement[bool]:
    """The word is one of those beside; where there was no room for them, it is looked up."""
    seen = token.c.beside.like(word.part("beside"), escape="\\")
    return or_(seen, and_(token.c.beside == "", other))


def _carries(driver: Source, word: WordShape) -> ColumnElement[bool]:
    other = token.alias()
    condition = word.condition_on(other)
    # OFFSET 0 keeps PostgreSQL from reading every record of the word first, for a word that it believes to be rare.
    return (
        select(literal_column("1")).select_from(other).where(other.c.record == driver.key, condition).offset(0).exists()
    )
