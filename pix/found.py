"""From records that meet the criteria to persons, in the order in which they are listed (ITI TF-2: 3.21.4.2.2.8)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import NamedTuple

from sqlalchemy import Connection

from ihe.citations import tf2
from ihe.errors import Breach, HL7ErrorCode, Rejected
from ihe.identifiers import PatientKey
from pix import searching, store_records
from pix.approximation import LEAST, relaxed
from pix.degrees import degree
from pix.queries import CandidateQuery, Criteria, SearchMode
from pix.search_shapes import Wanted
from pix.searching import AUTHORITY, BIRTH, FAMILY, GIVEN, ID, KEY, PERSON, UPDATED, Row
from pix.time_limits import TookTooLong, time_limit

BY_NAME = itemgetter(FAMILY, GIVEN, BIRTH, KEY)
LATEST = itemgetter(UPDATED, KEY)


class Limits(NamedTuple):
    """What bounds one query: the seconds that it may search, and how many records it finds; beyond it is truncated."""

    seconds: float = 5.0
    listed: int = 500


USUAL = Limits()


@dataclass(frozen=True, slots=True)
class Found:
    """Persons, each by the record that stands for it. ``truncated``: there were more than are listed.

    ``degrees`` says how well each fits, in percent; it is empty where all fit entirely.
    """

    keys: tuple[PatientKey, ...]
    degrees: tuple[int, ...] = ()
    truncated: bool = False


def matching(connection: Connection, query: CandidateQuery, limits: Limits) -> Found:
    """Each matching person, the best first and then by name.

    Rejected: the criteria would list everybody, or the search took too long.
    """
    alternatives = (query.criteria, *query.alternatives)
    approximate = query.algorithm is SearchMode.APPROXIMATE
    asked = tuple(each for one in alternatives for each in relaxed(one)) if approximate else alternatives
    wanted = Wanted.IDS if any(each.identifiers for each in alternatives) else Wanted.NAMES
    try:
        with time_limit(connection, limits.seconds):
            lists = [searching.rows(connection, each, query.algorithm, wanted, limits.listed) for each in asked]
    except TookTooLong:
        raise Rejected(_too_long(limits.seconds)) from None
    persons = _represented(chain.from_iterable(rows for rows, _ in lists), alternatives)
    found = Found(tuple([row[KEY] for row in sorted(persons, key=BY_NAME)]))
    if approximate:
        found = _ranked(connection, found, alternatives, query.minimum_degree or LEAST)
    truncated = len(found.keys) > limits.listed or any(more for _, more in lists)
    return Found(found.keys[: limits.listed], found.degrees[: limits.listed], truncated)


def _represented(rows: Iterable[Row], alternatives: Iterable[Criteria]) -> Collection[Row]:
    """The record with the id asked for stands for its person, or else the one that was fed last."""
    asked = {(each.authority.oid, each.id) for one in alternatives for each in one.identifiers if each.authority}
    rank = (lambda row: (row[AUTHORITY : ID + 1] in asked, LATEST(row))) if asked else LATEST
    standing: dict[int, Row] = {}
    for row in rows:
        other = standing.setdefault(row[PERSON], row)
        if other is not row and rank(row) > rank(other):
            standing[row[PERSON]] = row
    return standing.values()


def _ranked(connection: Connection, found: Found, alternatives: Iterable[Criteria], least: int) -> Found:
    records = store_records.by_keys(connection, found.keys)
    alternatives = tuple(alternatives)
    degrees = {key: max(degree(each, record.demographics) for each in alternatives) for key, record in records.items()}
    ranked = sorted((key for key in found.keys if degrees[key] >= least), key=lambda key: -degrees[key])
    fitting = tuple(degrees[key] for key in ranked)
    return Found(tuple(ranked), fitting if set(fitting) - {100} else ())


def _too_long(seconds: float) -> Breach:
    return Breach(
        code=HL7ErrorCode.APPLICATION_INTERNAL_ERROR,
        text=f"The search was stopped after {seconds:g} seconds",
        location="QPD^1^3",
        citation=tf2("3.21.4.1.3.2"),
        remedy="Give more letters before *, a given name beside the family name, or a date of birth",
    )
