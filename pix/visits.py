"""Patients by their visits: what is asked, who has such a visit, and which visit is shown (ITI TF-2: 3.22)."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Select, and_, exists, func, select

from ihe.identifiers import PatientKey
from pix import candidates, store_encounters, store_links, store_records
from pix.asking import first_page
from pix.candidates import Result
from pix.encounters import OPEN, Encounter, Status
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
    keys, truncated = _whom(index, query, visit)
    domains = candidates.oids(query.domains)
    result = Result(keys=keys, truncated=truncated, domains=domains, asked=query.asked)
    return first_page(index, query, lambda _: result)


def shown(connection: Connection, keys: Collection[PatientKey], visit: VisitCriteria) -> Mapping[PatientKey, Encounter]:
    """The visit of each person that the answer shows: one that is not over before others, then the latest."""
    persons = store_links.persons_of(connection, keys)
    members = store_links.members(connection, set(persons.values()))
    visits = {key: _visits(connection, members[home]) for key, home in persons.items()}
    fitting = {key: [each for each in some if visit.fits(each)] for key, some in visits.items()}
    return {key: max(some, key=_rank) for key, some in fitting.items() if some}


def _whom(index: PatientIndex, query: CandidateQuery, visit: VisitCriteria) -> tuple[Keys, bool]:
    """One record of each person, and whether there were more than were looked at."""
    visitors, more = index.database.read(lambda each: _visitors(each, visit, index.search_limits.listed))
    if query.criteria == EVERYBODY:
        return index.database.read(lambda each: _within(each, index, query, visitors)), more
    if not visitors:
        return (), False
    whole = replace(query, quantity=None)
    if visit.words and not more and len(visitors) <= FEW:
        first, *rest = index.database.read(lambda each: _one_by_one(each, index, query.criteria, visitors))
        whole = replace(whole, criteria=first, alternatives=tuple(rest))
    page = index.find(whole)
    found = tuple(each.key for each in page.candidates)
    having = index.database.read(lambda each: shown(each, found, visit))
    return tuple(key for key in found if key in having), page.truncated


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


def _within(connection: Connection, index: PatientIndex, query: CandidateQuery, keys: Keys) -> Keys:
    """Those with an id in one of the domains asked for (ITI TF-2: 3.22.4.2.2.11, case 2)."""
    wanted = set(candidates.oids(query.domains))
    if not wanted:
        return keys
    persons = store_links.persons_of(connection, keys)
    held = candidates.identifiers_of(connection, index.domain, set(persons.values()))
    return tuple(key for key in keys if wanted & {each.authority.oid for each in held[persons[key]]})


def _one_by_one(connection: Connection, index: PatientIndex, criteria: Criteria, keys: Keys) -> list[Criteria]:
    """The criteria once for each of these records: the person has its id, and meets them."""
    authorities = {each.oid: each for each in index.domain.assigning_authorities}
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
