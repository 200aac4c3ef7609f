"""Patients by their visits: what is asked, who has such a visit, and which visit is shown (ITI TF-2: 3.22)."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Select, and_, exists, func, select

from ihe.domain import AffinityDomain
from ihe.identifiers import PatientKey
from pix import candidates, store_encounters, store_links, store_records
from pix.asking import first_page
from pix.candidates import Result
from pix.encounters import OPEN, Encounter, Status
from pix.found import Found, Limits, matching
from pix.manager import PatientIndex
from pix.queries import CandidateQuery, Criteria, IdentifierPattern, Page
from pix.search_patterns import matches
from pix.tables import ACTIVE, link, record
from pix.tables_encounters import encounter, word

FEW = 200
"""So many who have such a visit are looked up one by one among those who meet the demographic criteria."""
EVERYBODY = Criteria()
Keys = tuple[PatientKey, ...]


@dataclass(frozen=True, slots=True)
class VisitCriteria:
    """What one visit must say: a folded pattern, perhaps with ``*``, at each position of PV1."""

    words: tuple[tuple[str, str], ...] = ()

    def fits(self, visit: Encounter) -> bool:
        """Claim that the visit says all of it."""
        said = store_encounters.words(visit.pv1)
        return all(any(at == place and _fits(pattern, text) for at, text in said) for place, pattern in self.words)


def find(index: PatientIndex, query: CandidateQuery, visit: VisitCriteria) -> Page:
    """The patients who meet the demographic criteria and have such a visit; frozen as ``index.find`` does it."""

    def search(connection: Connection) -> Result:
        found = _whom(connection, index.domain, query, visit, index.search_limits)
        return candidates.freeze(candidates.with_domains(connection, found, candidates.oids(query.domains)), query)

    return first_page(index, query, search)


def shown(connection: Connection, keys: Collection[PatientKey], visit: VisitCriteria) -> Mapping[PatientKey, Encounter]:
    """The visit of each person that the answer shows: one that is not over before others, then the latest."""
    persons = store_links.persons_of(connection, keys)
    members = store_links.members(connection, set(persons.values()))
    visits = {key: _visits(connection, members[home]) for key, home in persons.items()}
    fitting = {key: [each for each in some if visit.fits(each)] for key, some in visits.items()}
    return {key: max(some, key=_rank) for key, some in fitting.items() if some}


def _whom(
    connection: Connection, domain: AffinityDomain, query: CandidateQuery, visit: VisitCriteria, limits: Limits
) -> Found:
    """Who meets the demographic criteria and has such a visit, each by the record that stands for the person."""
    visitors, more = _visitors(connection, visit, limits.listed)
    if query.criteria == EVERYBODY or not visitors:
        return Found(visitors, truncated=more)
    if visit.words and not more and len(visitors) <= FEW:
        first, *rest = _one_by_one(connection, domain, query.criteria, visitors)
        query = replace(query, criteria=first, alternatives=tuple(rest))
    found = matching(connection, query, limits)
    having = shown(connection, found.keys, visit)
    return replace(found, keys=tuple(key for key in found.keys if key in having))


def _visitors(connection: Connection, visit: VisitCriteria, listed: int) -> tuple[Keys, bool]:
    """One record of each person who has such a visit, by name; and whether there were more than are listed."""
    rows = connection.execute(_having(visit).limit(listed + 1)).all()
    first: dict[int, PatientKey] = {}
    for row in rows:
        first.setdefault(row.person, PatientKey(row.key))
    return tuple(first.values())[:listed], len(rows) > listed


def _having(visit: VisitCriteria) -> Select[tuple[object, ...]]:
    announced = record.alias()
    home = func.coalesce(announced.c.survivor, announced.c.key)
    said = [
        exists().where(
            word.c.encounter == encounter.c.number, word.c.position == place, *matches(word.c.value, pattern)
        )
        for place, pattern in visit.words
    ]
    return (
        select(link.c.person, record.c.key, record.c.family, record.c.given, record.c.birth)
        .select_from(encounter.join(announced, announced.c.key == encounter.c.record))
        .join(record, record.c.key == home)
        .join(link, and_(link.c.record == record.c.key, ACTIVE))
        .where(encounter.c.status != Status.CANCELLED.value, *said)
        .order_by(record.c.family, record.c.given, record.c.birth, record.c.key)
        .distinct()
    )


def _one_by_one(connection: Connection, domain: AffinityDomain, criteria: Criteria, keys: Keys) -> list[Criteria]:
    """The criteria once for each of these records: the person has its id, and meets them."""
    authorities = {each.oid: each for each in domain.assigning_authorities}
    records = store_records.by_keys(connection, keys).values()
    patterns = (IdentifierPattern(id=each.id, authority=authorities.get(each.authority)) for each in records)
    return [replace(criteria, identifiers=(*criteria.identifiers, pattern)) for pattern in patterns]


def _visits(connection: Connection, members: Iterable[PatientKey]) -> tuple[Encounter, ...]:
    keys = set(members)
    keys |= {key for each in keys for key in store_records.subsumed_by(connection, each)}
    return store_encounters.encounters_of(connection, keys)


def _rank(visit: Encounter) -> tuple[bool, str, int]:
    return (visit.status in OPEN, visit.begin, visit.number)


def _fits(pattern: str, text: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text) is not None
