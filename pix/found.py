"""From records that meet the criteria to persons, in the order in which they are listed (ITI TF-2: 3.21.4.2.2.8)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from operator import attrgetter

from sqlalchemy import Connection

from ihe.citations import tf2
from ihe.errors import Breach, HL7ErrorCode, Rejected
from ihe.identifiers import PatientKey
from pix import searching, store_records
from pix.approximation import LEAST, relaxed
from pix.degrees import degree
from pix.queries import CandidateQuery, Criteria, SearchMode
from pix.time_limits import TookTooLong, time_limit

SECONDS = 5.0
"""How long one query may search unless the index is told otherwise."""

NAME = attrgetter("family", "given", "birth", "key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A person by the record that stands for it, and how well it fits, in percent."""

    key: PatientKey
    degree: int = 100


def matching(connection: Connection, query: CandidateQuery, seconds: float = SECONDS) -> tuple[tuple[Hit, ...], bool]:
    """Each matching person, the best first and then by name, and whether there were more than are listed.

    Rejected: the criteria would list everybody, or the search took too long.
    """
    alternatives = (query.criteria, *query.alternatives)
    approximate = query.algorithm is SearchMode.APPROXIMATE
    asked = tuple(each for one in alternatives for each in relaxed(one)) if approximate else alternatives
    try:
        with time_limit(connection, seconds):
            lists = [searching.rows(connection, each, query.algorithm) for each in asked]
    except TookTooLong:
        raise Rejected(_too_long(seconds)) from None
    persons = _represented((row for rows, _ in lists for row in rows), alternatives)
    ordered = sorted(persons, key=NAME)
    hits = [Hit(key=PatientKey(row.key)) for row in ordered]
    if approximate:
        hits = _ranked(connection, hits, alternatives, query.minimum_degree or LEAST)
    truncated = len(hits) > searching.LISTED or any(more for _, more in lists)
    return tuple(hits[: searching.LISTED]), truncated


def _represented(rows: Iterable[searching.Row], alternatives: Iterable[Criteria]) -> Collection[searching.Row]:
    """The record with the id asked for stands for its person, or else the one that was fed last."""
    asked = {(each.authority.oid, each.id) for one in alternatives for each in one.identifiers if each.authority}
    standing: dict[int, searching.Row] = {}
    for row in rows:
        other = standing.setdefault(row.person, row)
        if other is not row and _rank(row, asked) > _rank(other, asked):
            standing[row.person] = row
    return standing.values()


def _rank(row: searching.Row, asked: Collection[tuple[str, str]]) -> tuple[bool, str, int]:
    return (row.authority, row.id) in asked, row.updated, row.key


def _ranked(connection: Connection, hits: list[Hit], alternatives: Iterable[Criteria], least: int) -> list[Hit]:
    records = store_records.by_keys(connection, [each.key for each in hits])
    alternatives = tuple(alternatives)
    degrees = {key: max(degree(each, record.demographics) for each in alternatives) for key, record in records.items()}
    ranked = [Hit(key=each.key, degree=degrees[each.key]) for each in hits if degrees[each.key] >= least]
    return sorted(ranked, key=lambda each: -each.degree)


def _too_long(seconds: float) -> Breach:
    return Breach(
        code=HL7ErrorCode.APPLICATION_INTERNAL_ERROR,
        text=f"The search was stopped after {seconds:g} seconds",
        location="QPD^1^3",
        citation=tf2("3.21.4.1.3.2"),
        remedy="Give more letters before *, a given name beside the family name, or a date of birth",
    )
