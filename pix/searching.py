"""Demographics query: criteria to SQL over tokens and columns (ITI TF-2: 3.21.4.1.3.2; how fast: docs/searching.md).

What the fewest records have, of everything that is asked, is read from its index in the order of the index; the rest is
looked at record by record, until as many are found as are listed.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Subquery,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    true,
    tuple_,
)

from ihe.citations import tf2
from ihe.errors import Breach, HL7ErrorCode, Rejected
from pix.queries import Criteria, IdentifierPattern, SearchMode
from pix.search_words import BESIDE, PREFIX, Word, between, criteria_words, matches
from pix.tables import ACTIVE, link, national, record, token
from pix.tokens import MANY, MARKS, Kind
from statements.selections import Selection

LISTED = 1000
"""Most persons that one query lists; what lies beyond is reported as truncated."""
COUNTED = (LISTED, 8 * LISTED)
"""How far the records of each criterion are counted to find the rarest: first so far, and if all have more, so far."""
LOOKED_UP = 10
"""How much more it costs to look a word up by its record than to read it beside another."""
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


class Row(NamedTuple):
    """A record that meets the criteria: whose it is, what it is sorted by, when it was fed last, and its id."""

    person: int
    key: int
    family: str
    given: str
    birth: str
    updated: str
    authority: str
    id: str


Limit = int | BindParameter[int]
KEY = 1
"""Where the key stands in a row."""


@dataclass(frozen=True, slots=True)
class Source:
    """One criterion that the index can be read by: where, in which order, and which word, if it is one.

    ``covered`` are words that all its entries stand for, but those of records that have too many names.
    """

    table: FromClause
    key: ColumnElement[int]
    condition: ColumnElement[bool]
    order: tuple[ColumnElement[Any], ...]
    word: Word | None = None
    covered: tuple[Word, ...] = ()

    def count(self, most: int) -> ColumnElement[int]:
        """How many entries of the index it has, counted up to ``most``."""
        some = select(literal_column("1")).select_from(self.table).where(self.condition).limit(most).subquery()
        return select(func.count()).select_from(some).scalar_subquery()

    def shows(self, word: Word) -> bool:
        """Claim that its entries say whether a record carries this word, too."""
        if self.word is None or self.word.kind not in BESIDE:
            return False
        return word.is_whole_or_beginning and (word.kind in MARKS or BESIDE[self.word.kind] is word.kind)


def rows(connection: Connection, criteria: Criteria, mode: SearchMode) -> tuple[list[Row], bool]:
    """A row with the columns SHOWN for each record that meets the criteria, and whether there are more than listed."""
    words = criteria_words(criteria, mode)
    if (lone := _lone_identifier(criteria, words)) is not None:
        return _of_identifier(connection, lone)
    pair = _pair_source(words)
    described = (pair,) if pair else (*_word_sources(words), *_birth_source(criteria))
    sources = [*described, *_identifier_sources(criteria)]
    if not sources:
        raise Rejected(_too_broad())
    driver = _rarest(connection, sources, words, criteria)
    statement = _statement(driver, sources, words, criteria, LISTED + 1)
    some = _entries(connection, statement)
    found = {each[KEY]: each for each in some}
    while len(some) > LISTED >= len(found):
        # A record has several words that begin alike: go on where the last one stood.
        some = _entries(connection, statement.where(_after(some[-1])))
        found |= {each[KEY]: each for each in some}
    return [Row(*each[: len(SHOWN)]) for each in found.values()], len(found) > LISTED


def _entries(connection: Connection, statement: Select[Any]) -> list[tuple[Any, ...]]:
    """The rows as plain tuples: SQLAlchemy's cost more to look at than the database to find them."""
    cursor = connection.execute(statement).cursor
    return [] if cursor is None else [tuple(each) for each in cursor.fetchall()]


def _word_sources(words: Sequence[Word]) -> Iterator[Source]:
    strong = [each for each in words if each.is_strong]
    # A town may be searched for by itself; beside anything better it only narrows.
    for word in strong or [each for each in words if each.kind is Kind.CITY and each.is_selective]:
        order: tuple[Column[Any], ...] = (token.c.value, token.c.record) if "*" in word.pattern else (token.c.record,)
        yield Source(token, token.c.record, word.condition, order, word)


def _pair_source(words: Sequence[Word]) -> Source | None:
    """A whole family name and a whole given name, the longest of each, for what is short is often a particle."""
    whole = sorted((each for each in words if "*" not in each.pattern), key=lambda each: -len(each.pattern))
    family, given = (next((each for each in whole if each.kind is kind), None) for kind in (Kind.FAMILY, Kind.GIVEN))
    if family is None or given is None:
        return None
    pair = Word(Kind.PAIR, f"{family.pattern} {given.pattern}")
    condition = and_(token.c.kind == Kind.PAIR.value, token.c.value.in_((pair.pattern, MANY)))
    return Source(token, token.c.record, condition, (token.c.record,), pair, (family, given))


def _birth_source(criteria: Criteria) -> Iterator[Source]:
    if criteria.birth is not None:
        order = (record.c.birth, record.c.key)
        yield Source(record, record.c.key, _born(record.c.birth, criteria.birth), order)


def _born(column: ColumnElement[str], birth: tuple[str, str]) -> ColumnElement[bool]:
    """Born in the range; or less is known of the birth than is asked, and it may be in the range."""
    low, high = birth[0][:8], birth[1][:8]
    vague = [low[:length] for length in (4, 6) if length < len(low)]
    if not vague:
        return and_(*between(column, low, high))
    # One range of the index, which holds them all.
    return and_(*between(column, low[:4], high), or_(column >= low, column.in_(vague)))


def _identifier_sources(criteria: Criteria) -> Iterator[Source]:
    """Every record of the persons that have the id, whichever of their sources it comes from."""
    for pattern in criteria.identifiers:
        if "*" in pattern.id and len(pattern.id.partition("*")[0]) < PREFIX:
            raise Rejected(_too_broad())
        own, attached = matches(record.c.id, pattern.id), matches(national.c.id, pattern.id)
        if pattern.authority is not None:
            own.append(record.c.authority == pattern.authority.oid)
            attached.append(national.c.authority == pattern.authority.oid)
        yield _identifier_source(own, attached)


def _identifier_source(own: Sequence[ColumnElement[bool]], attached: Sequence[ColumnElement[bool]]) -> Source:
    """The records of the persons of whom one has an ``own`` id like this, or a national one ``attached`` to it."""
    both = select(record.c.key).where(*own).union_all(select(national.c.record).where(*attached)).subquery()
    persons = select(link.c.person).where(link.c.record.in_(select(both.c[0])), ACTIVE)
    linked = link.alias()
    theirs = select(linked.c.record.label("key")).where(linked.c.person.in_(persons), linked.c.ended_by.is_(None))
    named = theirs.distinct().subquery()
    return Source(named, named.c.key, true(), (named.c.key,))


def _lone_identifier(criteria: Criteria, words: Sequence[Word]) -> IdentifierPattern | None:
    """The whole id with its authority, if nothing else is asked for."""
    if words or criteria.birth or criteria.sex or len(criteria.identifiers) != 1:
        return None
    (pattern,) = criteria.identifiers
    return None if pattern.authority is None or "*" in pattern.id else pattern


def _of_identifier(connection: Connection, lone: IdentifierPattern) -> tuple[list[Row], bool]:
    """The most frequent question of all, by a statement that is there already."""
    assert lone.authority is not None
    found = IDENTIFIED.rows(connection, {"of": lone.authority.oid, "named": lone.id, "most": LISTED + 1})
    return [Row(*each) for each in found], len(found) > LISTED


def _rarest(connection: Connection, sources: Sequence[Source], words: Sequence[Word], criteria: Criteria) -> Source:
    """The source that is read with the least effort: an id if one is asked for, else what the fewest records have."""
    if isinstance(sources[-1].table, Subquery):
        return sources[-1]
    if any(each.word and each.word.kind in BESIDE for each in sources) and criteria.birthday is None:
        # Births of a year are many, and are seen beside the name.
        sources = [each for each in sources if each.table is not record]
    if len(sources) == 1:
        return sources[0]
    weights = [LOOKED_UP if any(_elsewhere(each, sources, words)) else 1 for each in sources]
    efforts = []
    for most in COUNTED:
        counts = connection.execute(select(*(each.count(most) for each in sources))).one()
        efforts = [count * weight for count, weight in zip(counts, weights, strict=True)]
        if min(counts) < most:
            break
    return sources[efforts.index(min(efforts))]


def _elsewhere(driver: Source, sources: Sequence[Source], words: Sequence[Word]) -> Iterator[object]:
    """What is not seen in the entries of the source and must be looked up for each of them."""
    yield from (word for word in words if word != driver.word and not driver.shows(word))
    if driver.word is None or driver.word.kind not in BESIDE:
        yield from (each for each in sources if each.table is record and each is not driver)


def _statement(
    driver: Source, sources: Sequence[Source], words: Iterable[Word], criteria: Criteria, most: Limit
) -> Select[Any]:
    start = select(*SHOWN, *((token.c.value,) if driver.word else ())).select_from(driver.table)
    described = start if driver.table is record else start.join(record, record.c.key == driver.key)
    return (
        described.join(link, and_(link.c.record == record.c.key, ACTIVE))
        .where(driver.condition, *_filters(driver, sources, words, criteria), record.c.survivor.is_(None))
        .order_by(*driver.order)
        .limit(most)
    )


def _filters(
    driver: Source, sources: Iterable[Source], words: Iterable[Word], criteria: Criteria
) -> Iterator[ColumnElement[bool]]:
    for word in words:
        carries = _carries(driver, word)
        if word in driver.covered:
            yield or_(token.c.value != MANY, carries)
        elif word != driver.word:
            yield _beside(word, carries) if driver.shows(word) else carries
    if criteria.birth is not None and driver.table is not record:
        yield _born(token.c.birth if driver.word and driver.word.kind in BESIDE else record.c.birth, criteria.birth)
    if criteria.sex is not None:
        yield record.c.sex == criteria.sex
    for each in sources:
        if each is not driver and isinstance(each.table, Subquery):
            yield record.c.key.in_(select(each.key))


def _beside(word: Word, other: ColumnElement[bool]) -> ColumnElement[bool]:
    """The word is one of those beside; where there was no room for them, it is looked up."""
    seen = token.c.beside.contains(
        f" {MARKS.get(word.kind, '')}{word.prefix}" + ("" if "*" in word.pattern else " "), autoescape=True
    )
    return or_(seen, and_(token.c.beside == "", other))


def _carries(driver: Source, word: Word) -> ColumnElement[bool]:
    other = token.alias()
    condition = word.condition_on(other)
    # OFFSET 0 keeps PostgreSQL from reading every record of the word first, for a word that it believes to be rare.
    return (
        select(literal_column("1")).select_from(other).where(other.c.record == driver.key, condition).offset(0).exists()
    )


def _after(row: tuple[Any, ...]) -> ColumnElement[bool]:
    return tuple_(token.c.value, token.c.record) > tuple_(row[-1], row[KEY])


def _too_broad() -> Breach:
    return Breach(
        code=HL7ErrorCode.REQUIRED_FIELD_MISSING,
        text="The query would list everybody",
        location="QPD^1^3",
        citation=tf2("3.21.4.1.2.3"),
        remedy=(
            f"Give an identifier, a name or address of which at least {PREFIX} characters stand before *,"
            " a date of birth, a telephone or an account number"
        ),
    )


_OWN = (record.c.id == bindparam("named"), record.c.authority == bindparam("of"))
_ATTACHED = (national.c.id == bindparam("named"), national.c.authority == bindparam("of"))
IDENTIFIED = Selection(_statement(_identifier_source(_OWN, _ATTACHED), (), (), Criteria(), bindparam("most")))
