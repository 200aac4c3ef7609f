"""What one answer shows of a result: some persons, each as all its records describe it now (ITI TF-2: 3.21.4.2.2.6)."""

from collections.abc import Collection, Iterator, Mapping, Sequence

import orjson
from sqlalchemy import Connection

from ihe.domain import AffinityDomain
from ihe.identifiers import PatientKey
from pix import store_links, store_persons, store_records
from pix.candidates import Result, in_order
from pix.golden import GoldenView, Said, Survivorship, golden
from pix.model import Identifier
from pix.queries import Candidate, Page
from pix.store_records import Told


def page(
    connection: Connection,
    domain: AffinityDomain,
    survivorship: Survivorship,
    result: Result,
    start: int,
    quantity: int | None,
) -> Page:
    """The part of a result that begins at 1-based ``start``; without a pointer, which ``candidates.keep`` makes."""
    places = _places(connection, result.keys, start, quantity)
    candidates = tuple(_candidates(connection, domain, survivorship, result, places))
    end = places[-1] + 1 if quantity is not None and len(places) == quantity else len(result.keys)
    return Page(
        candidates=candidates,
        total=len(result.keys),
        start=start,
        skipped=max(end - (start - 1) - len(places), 0),
        truncated=result.truncated,
        domains=result.domains,
        asked=result.asked,
    )


def golden_views(
    connection: Connection, persons: Collection[PatientKey], survivorship: Survivorship
) -> dict[PatientKey, GoldenView]:
    """Each person as all its records together describe it."""
    members = store_links.members(connection, persons)
    told = store_records.told(connection, [key for linked in members.values() for key in linked])
    return {person: _view({key: told[key] for key in linked}, survivorship) for person, linked in members.items()}


def _places(connection: Connection, keys: tuple[PatientKey, ...], start: int, quantity: int | None) -> Sequence[int]:
    """Where in a frozen result the page's persons stand, without those who have become one with somebody before."""
    if start == 1:
        return range(len(keys))[:quantity]
    persons = store_links.current_persons(connection, keys)
    first: dict[PatientKey, int] = {}
    for place, key in enumerate(keys):
        first.setdefault(persons.get(key, key), place)
    return [place for place in first.values() if place >= start - 1][:quantity]


def _candidates(
    connection: Connection, domain: AffinityDomain, survivorship: Survivorship, result: Result, places: Sequence[int]
) -> Iterator[Candidate]:
    """The golden view, as it is now, of each person at these places of a frozen result."""
    persons = store_persons.described(connection, [result.keys[place] for place in places])
    identifiers = in_order(domain, {key: person.ids for key, person in persons.items()})
    for place in places:
        key = result.keys[place]
        person = persons[key]
        yield Candidate(
            key=person.survivor,
            identifiers=_within(identifiers[key], result.domains),
            demographics=_view(person.told, survivorship).demographics,
            match_degree=result.degrees[place] if result.degrees else 100,
        )


def _view(told: Mapping[PatientKey, Told], survivorship: Survivorship) -> GoldenView:
    return golden([_said(*each) for each in told.items()], survivorship)


def _said(key: PatientKey, told: Told) -> Said:
    return Said(key=key, source=told.source, updated=told.updated, known=orjson.loads(told.demographics))


def _within(identifiers: tuple[Identifier, ...], domains: Collection[str]) -> tuple[Identifier, ...]:
    return tuple([each for each in identifiers if each.authority.oid in domains]) if domains else identifiers
