"""Demographics query: who meets the criteria (ITI TF-2: 3.21.4.1.3.2; how fast: docs/searching.md).

What the fewest records have, of everything that is asked, is read from its index in the order of the index; the rest is
looked at record by record, until as many are found as are listed. Searches of one shape are compiled once.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection

from ihe.citations import tf2
from ihe.errors import Breach, HL7ErrorCode, Rejected
from pix.queries import Criteria, SearchMode
from pix.search_patterns import Form
from pix.search_shapes import PREFIX, Shape, Wanted, asked
from pix.search_sources import Source, sources
from pix.search_statements import counting, going_on, reading
from statements.selections import Selection

COUNTED = (1, 16)
"""How far the records of each criterion are counted to find the rarest, in multiples of what may be listed: first so
far, and if all have more, so far."""
LOOKED_UP = 10
"""How much more it costs to look a word up by its record than to read it beside another."""
USUAL = 8
"""Most words and ids of a query whose statements are kept: clients make few shapes, whoever tries makes any number."""


Row = tuple[Any, ...]
"""A record that meets the criteria. A class would cost a call for each of a thousand: these say what stands where."""
PERSON, KEY, FAMILY, GIVEN, BIRTH, UPDATED, AUTHORITY, ID = range(8)
"""Whose record it is and which one, what it is sorted by, when it was fed last, and its id, if ids are wanted."""


@dataclass(frozen=True, slots=True)
class Way:
    """One criterion to read records by: the first of them, those after them, what an entry costs, and who else fits."""

    first: Selection
    further: Selection
    effort: int
    also: Selection | None


@dataclass(frozen=True, slots=True)
class Search:
    """All searches of one shape. ``counts`` are those of the ways, which a search with but one does without."""

    ways: tuple[Way, ...]
    counts: Selection


def rows(
    connection: Connection, criteria: Criteria, mode: SearchMode, wanted: Wanted, listed: int
) -> tuple[Collection[Row], bool]:
    """A row for each record that meets the criteria, and whether there are more than may be ``listed``."""
    shape, values = asked(criteria, mode, wanted)
    search = _kept(shape) if len(shape.words) + len(shape.identifiers) <= USUAL else _search(shape)
    way = _rarest(connection, search, values, listed)
    values["most"] = listed + 1
    some = way.first.rows(connection, values)
    found = {each[KEY]: each for each in some}
    while len(some) > listed >= len(found):
        # A record has several words that begin alike: go on where the last one stood.
        values |= {"last_value": some[-1][-1], "last_record": some[-1][KEY]}
        some = way.further.rows(connection, values)
        found |= {each[KEY]: each for each in some}
    if way.also is not None:
        found |= {each[KEY]: each for each in way.also.rows(connection, values)}
    return found.values(), len(found) > listed


def _search(shape: Shape) -> Search:
    every = sources(shape)
    if not every:
        raise Rejected(_too_broad())
    worth = _worth(every, shape)
    counts = Selection(counting(worth), varies=_varies(shape))
    return Search(tuple([_way(each, every, worth, shape) for each in worth]), counts)


def _way(driver: Source, every: tuple[Source, ...], worth: tuple[Source, ...], shape: Shape) -> Way:
    statement = reading(driver, every, shape)
    return Way(
        first=Selection(statement, varies=_varies(shape)),
        further=Selection(going_on(statement), varies=True),
        effort=LOOKED_UP if any(_elsewhere(driver, worth, shape)) else 1,
        also=Selection(reading(driver.also, every, shape), varies=True) if driver.also else None,
    )


def _varies(shape: Shape) -> bool:
    """Claim that the best plan depends on how common what is asked for is: few have an id, or both of two names."""
    is_rare = shape.pair is not None and shape.pair.is_whole
    return not is_rare and not any(each.form is Form.WHOLE for each in shape.identifiers)


_kept = lru_cache(maxsize=512)(_search)


def _worth(every: tuple[Source, ...], shape: Shape) -> tuple[Source, ...]:
    """An id is read by if one is asked for; else what may be rare."""
    if every[-1].is_identifier:
        return every[-1:]
    if any(each.is_name for each in every) and not (shape.birth and shape.birth.is_one_day):
        # Births of a year are many, and are seen beside the name.
        return tuple(each for each in every if not each.is_birth)
    return every


def _elsewhere(driver: Source, worth: Iterable[Source], shape: Shape) -> Iterator[object]:
    """What is not seen in the entries of the source and must be looked up for each of them."""
    seen = (driver.word, *driver.covered)
    yield from (word for word in shape.words if word not in seen and not driver.shows(word))
    if not driver.is_name:
        yield from (each for each in worth if each.is_birth and each is not driver)


def _rarest(connection: Connection, search: Search, values: dict[str, Any], listed: int) -> Way:
    """The way with the least effort: what the fewest records have."""
    if len(search.ways) == 1:
        return search.ways[0]
    efforts: list[int] = []
    for times in COUNTED:
        most = times * listed
        (counts,) = search.counts.rows(connection, {**values, "most": most})
        efforts = [count * way.effort for count, way in zip(counts, search.ways, strict=True)]
        if min(counts) < most:
            break
    return search.ways[efforts.index(min(efforts))]


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
