"""What queries answer: the ids of a person, and results kept for continuation (ITI TF-2: 3.9, 3.21)."""

import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import compress

import orjson
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from ihe.domain import AffinityDomain, AssigningAuthority
from ihe.identifiers import PatientKey
from pix import store_links, store_nationals, store_persons, store_records
from pix.found import Found
from pix.model import Identifier
from pix.queries import CandidateQuery, Page
from pix.snapshot import written
from pix.store_records import Named
from pix.tables import continuation
from statements.prepared import Prepared

KEPT_FOR = timedelta(minutes=15)
KEPT = 2000
"""Most unfinished queries that are kept; the oldest go first."""
EXPIRE = Prepared(delete(continuation).where(continuation.c.at < bindparam("horizon")))
LIMIT = Prepared(
    delete(continuation).where(
        continuation.c.token.in_(
            select(continuation.c.token).order_by(continuation.c.at.desc()).offset(bindparam("kept"))
        )
    )
)
SAME_TAG = Prepared(
    select(continuation.c.token)
    .where(continuation.c.owner == bindparam("owner"), continuation.c.tag == bindparam("tag"))
    .limit(1)
)
INSERT = Prepared(insert(continuation), continuation.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The persons that a query found, each by the record that stands for it, frozen so that pages fit together.

    ``degrees`` says how well each fits, in percent; it is empty where all fit entirely.
    """

    keys: tuple[PatientKey, ...]
    degrees: tuple[int, ...] = ()
    truncated: bool
    domains: tuple[str, ...]
    asked: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A result under its token, with the number of the result after the last page, and that page's size."""

    token: str
    result: Result
    next: int
    quantity: int | None


def identifiers_of(
    connection: Connection, domain: AffinityDomain, persons: Collection[PatientKey]
) -> dict[PatientKey, tuple[Identifier, ...]]:
    """All ids of each person, in the order of the domain's authorities; national ids only if their digits are right."""
    return in_order(domain, store_persons.held(connection, persons))


def identifiers_beside(
    connection: Connection, domain: AffinityDomain, identifier: Identifier
) -> dict[PatientKey, tuple[Identifier, ...]]:
    """The same of the persons that have this id: one, unless sources contradict each other; none if it is unknown."""
    return in_order(domain, store_persons.held_beside(connection, identifier))


def in_order(
    domain: AffinityDomain, held: Mapping[PatientKey, Iterable[Named]]
) -> dict[PatientKey, tuple[Identifier, ...]]:
    """Each id once, in the order of the domain's authorities; those of other domains are left out."""
    authorities = {each.oid: (order, each) for order, each in enumerate(domain.assigning_authorities)}
    found: dict[PatientKey, tuple[Identifier, ...]] = {}
    for person, said in held.items():
        known = sorted(
            {(authorities[oid][0], id): (oid, id, code) for oid, id, code in said if oid in authorities}.items()
        )
        found[person] = tuple(
            [Identifier(authority=authorities[oid][1], id=id, type_code=code) for _, (oid, id, code) in known]
        )
    return found


def persons_named(connection: Connection, identifier: Identifier) -> set[PatientKey] | None:
    """The persons that have this id: one, unless sources contradict each other; None if nobody announced it."""
    own = store_records.by_identifiers(connection, (identifier,)).get(identifier.key)
    if own is not None and own.announced and own.survivor is None:
        return set(store_links.persons_of(connection, (own.key,)).values())
    carrying = store_nationals.carrying(connection, identifier.key)
    return set(store_links.persons_of(connection, carrying).values()) or None


def with_domains(connection: Connection, found: Found, domains: Collection[str]) -> Found:
    """Those whose persons have an id in one of the domains (ITI TF-2: 3.21.4.2.2.8, case 2)."""
    if not domains:
        return found
    persons = store_links.persons_of(connection, found.keys)
    within = store_links.persons_within(connection, set(persons.values()), domains)
    holding = [persons[key] in within for key in found.keys]
    keys, degrees = tuple(compress(found.keys, holding)), tuple(compress(found.degrees, holding))
    return replace(found, keys=keys, degrees=degrees if set(degrees) - {100} else ())


def freeze(found: Found, query: CandidateQuery) -> Result:
    """What a query found, as it is kept."""
    return Result(
        keys=found.keys,
        degrees=found.degrees,
        truncated=found.truncated,
        domains=oids(query.domains),
        asked=query.asked,
    )


def keep(connection: Connection, result: Result, query: CandidateQuery, at: datetime) -> str:
    """Freeze a result under a random name and return it; old results and those above the limit go."""
    name = secrets.token_hex(16)
    horizon = (at - KEPT_FOR).astimezone(UTC).isoformat()
    EXPIRE.run(connection, {"horizon": horizon})
    LIMIT.run(connection, {"kept": KEPT})
    if query.continued_by_tag:
        forget(connection, query.owner, query.tag)
    row = {"token": name, "owner": query.owner, "tag": query.tag, "at": at.astimezone(UTC).isoformat()}
    lists = {"keys": written(result.keys), "degrees": written(result.degrees)}
    texts = {"domains": written(result.domains), "asked": result.asked}
    place = {"truncated": result.truncated, "next": (query.quantity or 0) + 1, "quantity": query.quantity}
    INSERT.run(connection, row | lists | texts | place)
    return name


def kept(connection: Connection, owner: str, at: datetime, *, token: str = "", tag: str = "") -> Kept | None:
    """The result frozen under ``token``, or the latest of query ``tag``."""
    named = continuation.c.token == token if token else continuation.c.tag == tag
    horizon = (at - KEPT_FOR).astimezone(UTC).isoformat()
    mine = select(continuation).where(named, continuation.c.owner == owner, continuation.c.at >= horizon)
    row = connection.execute(mine.order_by(continuation.c.at.desc()).limit(1)).first()
    if row is None:
        return None
    result = Result(
        keys=tuple(orjson.loads(row.keys)),
        degrees=tuple(orjson.loads(row.degrees)),
        truncated=row.truncated,
        domains=tuple(orjson.loads(row.domains)),
        asked=row.asked,
    )
    return Kept(token=row.token, result=result, next=row.next, quantity=row.quantity)


def are_kept(connection: Connection, owner: str, tag: str) -> bool:
    """Claim that results of a query are kept."""
    return SAME_TAG.first(connection, {"owner": owner, "tag": tag}) is not None


def advance(connection: Connection, token: str, page: Page, quantity: int | None) -> None:
    """Remember where the last page of a kept result ended, and its size."""
    place = {"next": page.following, "quantity": quantity}
    connection.execute(update(continuation).where(continuation.c.token == token).values(place))


def advance_from(connection: Connection, token: str, page: Page, quantity: int | None) -> int | None:
    """The same of a page that follows the last one; where that ended, if it is another one by now."""
    this = select(continuation.c.next).where(continuation.c.token == token)
    ended = connection.execute(this.with_for_update()).scalar()
    if ended is not None and ended != page.start:
        return int(ended)
    advance(connection, token, page, quantity)
    return None


def forget(connection: Connection, owner: str, tag: str) -> None:
    """Drop the results kept for a query."""
    connection.execute(delete(continuation).where(continuation.c.owner == owner, continuation.c.tag == tag))


def oids(authorities: Iterable[AssigningAuthority]) -> tuple[str, ...]:
    """The OIDs of authorities, in order."""
    return tuple(each.oid for each in authorities)
