"""Counts of the whole index by source, over ``pix.tables``: each is one pass over one table, read only."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, Select, cast, func, or_, select, union

from pix.tables import ACTIVE, WAITING, link, national, record, task
from pix.tasks import Kind

IN_USE = (record.c.announced, record.c.survivor.is_(None))
DOUBTS = tuple(each.value for each in (Kind.POTENTIAL_DUPLICATE, Kind.LOW_MARGIN, Kind.VETO, Kind.COLLISION))
Counts = Mapping[str, int]
"""By source, application|facility."""
PairsOfCounts = Mapping[str, tuple[int, int]]


def _says(attribute: str) -> ColumnElement[bool]:
    """Claim that demographics have an attribute: ``pix.snapshot`` writes what is known, quotes in values escaped."""
    return record.c.demographics.contains(f'"{attribute}":', autoescape=True)


def _count(claim: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(cast(claim, Integer)), 0)


COMPLETENESS = (
    select(
        record.c.source,
        func.count(),
        _count(record.c.birth.is_(None)),
        _count(or_(record.c.sex.is_(None), record.c.sex.not_in(("F", "M", "O")))),
        _count(~_says("addresses")),
        _count(~or_(_says("home_phones"), _says("business_phones"))),
    )
    .where(*IN_USE)
    .group_by(record.c.source)
)
ATTRIBUTES = ("birth_date", "sex", "address", "phone")
"""What COMPLETENESS counts the absence of, in its order."""


def completeness(connection: Connection) -> Iterator[tuple[str, int, Mapping[str, int]]]:
    """For each source: how many records it feeds, and how many of them lack each attribute."""
    for source, total, *lacking in connection.execute(COMPLETENESS):
        yield source, total, dict(zip(ATTRIBUTES, map(int, lacking), strict=True))


def persons(connection: Connection) -> PairsOfCounts:
    """How many persons the records of each source are, and how many records are one too many.

    A record is one too many if its person has another of the same authority and source.
    """
    grouped = (
        select(record.c.source, link.c.person, func.count().label("records"))
        .join(link, link.c.record == record.c.key)
        .where(ACTIVE, *IN_USE)
        .group_by(record.c.source, record.c.authority, link.c.person)
        .subquery()
    )
    surplus = func.sum(grouped.c.records - 1)
    counted = select(grouped.c.source, func.count(grouped.c.person.distinct()), surplus)
    return _pairs(connection, counted.group_by(grouped.c.source))


def suspected_duplicates(connection: Connection) -> Counts:
    """How many open tasks ask whether two records of one authority, both fed by this source, are one person."""
    low, high = record.alias(), record.alias()
    return _counts(
        connection,
        select(low.c.source, func.count())
        .select_from(task)
        .join(low, low.c.key == task.c.low)
        .join(high, high.c.key == task.c.high)
        .where(WAITING, task.c.low != task.c.high, task.c.kind.in_(DOUBTS))
        .where(low.c.authority == high.c.authority, low.c.source == high.c.source)
        .group_by(low.c.source),
    )


def overlays(connection: Connection) -> Counts:
    """How many records of each source stand in an open task of that kind."""
    waiting = (WAITING, task.c.kind == Kind.OVERLAY.value)
    either = union(select(task.c.low.label("key")).where(*waiting), select(task.c.high).where(*waiting)).subquery()
    counted = select(record.c.source, func.count()).join(either, either.c.key == record.c.key)
    return _counts(connection, counted.group_by(record.c.source))


def with_national_id(connection: Connection) -> PairsOfCounts:
    """How many records of each source carry a national id, and how many one with wrong check digits."""
    wrong = func.max(cast(national.c.valid.is_(False), Integer)).label("wrong")
    carrying = select(national.c.record, wrong).group_by(national.c.record).subquery()
    counted = select(record.c.source, func.count(), func.sum(carrying.c.wrong))
    joined = counted.join(carrying, carrying.c.record == record.c.key).where(*IN_USE)
    return _pairs(connection, joined.group_by(record.c.source))


def given_names(connection: Connection) -> Iterator[tuple[str, str, int]]:
    """Every given name (folded) of each source, and how many records have it."""
    statement = select(record.c.source, record.c.given, func.count()).where(*IN_USE)
    grouped = statement.group_by(record.c.source, record.c.given).execution_options(yield_per=1000)
    yield from (tuple(row) for row in connection.execute(grouped))


def _pairs(connection: Connection, statement: Select[Any]) -> PairsOfCounts:
    return {row[0]: (int(row[1]), int(row[2])) for row in connection.execute(statement)}


def _counts(connection: Connection, statement: Select[Any]) -> Counts:
    return {row[0]: int(row[1]) for row in connection.execute(statement)}
