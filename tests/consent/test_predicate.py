"""The predicate under the queries and the function that explains decide alike, whatever policy, person and record."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, select

from affinity.access_documents import documents
from affinity.database import Database
from consent import store
from consent.case import Case
from consent.decision import judge, stand
from consent.events import instant
from consent.facts import Facts
from consent.policy import Policy
from consent.tables import emergency, exclusion, mask, record, relationship
from consent.viewing import Eyes
from ihe.datatypes import Code
from ihe.exchange import Principal
from ihe.identifiers import EntryUUID, PatientKey, UniqueId
from tests.consent import shelf
from tests.consent.cases import (
    AUTHORS,
    CLASSES,
    CONFIDENTIALITY,
    NOW,
    TYPES,
    anna,
    facts_of,
    likely,
    lively_facts,
    lively_policies,
    policies,
    principals,
)
from tests.xds.queries.conftest import make_entry
from xds import visibility
from xds.model import Author, DocumentEntry
from xds.tables import document_entry

SERIAL = iter(range(1, 10**9))


def code(text: str) -> Code:
    value, _, scheme = text.partition("^^")
    return Code(value, scheme, "x")


@st.composite
def entries(draw: st.DrawFn) -> DocumentEntry:
    """A document whose uniqueId is made unique later."""
    return make_entry(
        shelf.patient_id("A"),
        class_code=code(draw(st.sampled_from(CLASSES))),
        type_code=code(draw(st.sampled_from(TYPES))),
        confidentiality_code=tuple(map(code, draw(st.lists(st.sampled_from(CONFIDENTIALITY), max_size=2)))),
        author=tuple(Author(author_person=each) for each in draw(st.lists(st.sampled_from(AUTHORS), max_size=2))),
    )


def remember(connection: Connection, facts: Facts) -> None:
    """Write facts into the projections as they are."""
    numbers = iter(range(next(SERIAL) * 100, 10**12))
    rows: dict[Any, list[dict[str, Any]]] = {
        record: [
            {"patient_key": e.key, "under": e.under, "state": e.state, "since": instant(e.since), "event": e.event}
            | {"opens_at": instant(e.opens_at) if e.opens_at else None}
            for e in {(e.key, e.under): e for e in facts.records}.values()
        ],
        relationship: [
            {"patient_key": e.key, "party": e.party, "kind": e.kind, "since": instant(e.since), "source": ""}
            | {"until": instant(e.until) if e.until else None}
            for e in facts.relationships
        ],
        exclusion: [{"patient_key": e.key, "party": e.party, "lifted_under": e.lifted_under} for e in facts.exclusions],
        mask: [
            {"patient_key": e.key, "unique_id": e.unique_id, "profession": e.profession}
            | {"lifted_under": e.lifted_under}
            for e in facts.masks
        ],
        emergency: [
            {"patient_key": e.key, "party": e.party, "since": instant(e.since), "until": instant(e.until)}
            | {"level": e.level, "reason": e.reason}
            for e in facts.emergencies
        ],
    }
    for table, some in rows.items():
        for each in some:
            numbered = each if table is record else {"number": next(numbers), **each}
            connection.execute(insert(table).values(**numbered))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Policy, Principal | None, tuple[PatientKey, ...], Facts, list[DocumentEntry]]:
    serial = next(SERIAL)
    keys = tuple(PatientKey(serial * 10 + n) for n in range(draw(st.integers(1, 2))))
    held = [
        replace(
            each,
            entry_uuid=EntryUUID(f"urn:uuid:00000000-0000-4000-{n:04}-{serial:012}"),
            unique_id=UniqueId(f"1.{serial}.{n}"),
        )
        for n, each in enumerate(draw(st.lists(entries(), min_size=1, max_size=4)), start=8000)
    ]
    ids = tuple(UniqueId(each.unique_id or "") for each in held)
    facts = draw(likely(lively_facts(keys, ids), facts_of(keys, ids)))
    return draw(likely(lively_policies, policies)), draw(likely(st.just(anna), principals)), keys, facts, held


def seen(connection: Connection, eyes: Eyes, keys: tuple[PatientKey, ...]) -> set[str]:
    sight = eyes.sight(connection, keys)
    shown = visibility.shape(sight).shows(document_entry)
    query = select(document_entry.c.unique_id).where(document_entry.c.patient_key.in_(keys), shown)
    return set(connection.execute(query, visibility.values(sight)).scalars())


def explained(
    connection: Connection, asked: Policy, principal: Principal | None, keys: tuple[PatientKey, ...]
) -> Iterator[str]:
    facts = store.facts(connection, keys).of(keys)
    standing = stand(Case(policy=asked, principal=principal, facts=facts, now=NOW))
    return (each.unique_id for each in documents(connection, keys) if judge(standing, each)[0])


@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(world=worlds())
def test_the_predicate_and_the_explanation_decide_alike(database: Database, world: Any) -> None:
    policy, principal, keys, facts, held = world
    index = shelf.Index({shelf.patient_id("A"): keys})
    shelf.put(database, [(n, keys[n % len(keys)], each, False) for n, each in enumerate(held, start=1)])
    database.write(lambda connection: remember(connection, facts))
    eyes = Eyes(policy=policy, exchange=shelf.exchange(principal), together=index.together)
    shown = database.read(lambda connection: seen(connection, eyes, keys))
    assert shown == set(database.read(lambda connection: set(explained(connection, policy, principal, keys))))
