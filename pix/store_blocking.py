"""What brings records together that may be one person, over ``pix.tables``."""

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from itertools import chain

from sqlalchemy import Connection, bindparam, delete, insert, select, text

from ihe.identifiers import PatientKey
from pix.matching.blocking import stored_keys
from pix.matching.subject import Subject, subject
from pix.model import Demographics
from pix.remembering import Last
from pix.state import NOTHING, State, linking_ids
from pix.tables import blocking
from statements.prepared import Prepared, Question

CROWDED = 60
"""Most records of one key that are worth a look: what more people have in common tells nobody from anybody."""
MOST = 100
"""Most candidates that are compared with one record: those that share most keys."""
NO_KEYS: frozenset[int] = frozenset()
INSERT = Prepared(insert(blocking), blocking.columns)
DELETE = Prepared(delete(blocking).where(blocking.c.record == bindparam("this"), blocking.c.key == bindparam("of")))
OF_RECORD = Prepared(select(blocking.c.key).where(blocking.c.record == bindparam("this")).order_by(blocking.c.key))
DELETE_ALL = Prepared(delete(blocking).where(blocking.c.record == bindparam("this")))
SHARING = {
    "sqlite": Prepared(
        text(
            "SELECT (SELECT group_concat(record) FROM "
            "(SELECT record FROM pix_blocking WHERE key = value LIMIT :most)) FROM json_each(:keys)"
        )
    ),
    "postgresql": Prepared(
        text(
            "SELECT (SELECT string_agg(CAST(record AS TEXT), ',') FROM "
            "(SELECT record FROM pix_blocking b WHERE b.key = k.key LIMIT :most) of_key) "
            "FROM unnest(CAST(:keys AS BIGINT[])) AS k(key)"
        )
    ),
}
"""The records of each key, at most ``most`` of it: neither database reads on where a key is crowded."""


@Last
def unidentified(demographics: Demographics) -> Subject:
    """A record as the matcher sees it, its national ids left out."""
    return subject(demographics)


@Last
def seen(state: State) -> Subject:
    """A record as the matcher sees it. One change asks for that of its record three times."""
    return seen_with(state.demographics, linking_ids(state.nationals))


def seen_with(demographics: Demographics, nationals: frozenset[tuple[str, str]]) -> Subject:
    """The same of a record with these national ids that may link."""
    found = unidentified(demographics)
    return replace(found, nationals=nationals) if nationals else found


def replace_keys(connection: Connection, key: PatientKey, before: State, after: State) -> None:
    """Write the difference between what found the record before and what finds it now."""
    old = NO_KEYS if before is NOTHING else stored_keys(seen(before))
    new = stored_keys(seen(after))
    if gone := old - new:
        DELETE.run_all(connection, [{"this": key, "of": each} for each in sorted(gone)])
    INSERT.insert(connection, [(each, key) for each in sorted(new - old)])


def rewrite_keys(connection: Connection, key: PatientKey, state: State) -> None:
    """Write anew what finds a record, whatever stands there."""
    new = stored_keys(seen(state))
    old = set(keys_of(connection, key))
    DELETE.run_all(connection, [{"this": key, "of": each} for each in sorted(old - new)])
    INSERT.insert(connection, [(each, key) for each in sorted(new - old)])


def keys_of(connection: Connection, key: PatientKey) -> list[int]:
    """The blocking keys of a record."""
    return [each for (each,) in OF_RECORD.rows(connection, {"this": key})]


def remove_keys(connection: Connection, key: PatientKey) -> None:
    """Let nothing bring a record together with others any more."""
    DELETE_ALL.run(connection, {"this": key})


def sharing(connection: Connection, keys: Collection[int]) -> list[PatientKey]:
    """The records that have one of the blocking keys, those with most of them first; crowded keys are left out."""
    if not keys:
        return []
    rows = SHARING[connection.dialect.name].rows(connection, _shared(keys))
    lists = [records.split(",") for (records,) in rows if records]
    shared = Counter(chain.from_iterable([some for some in lists if len(some) <= CROWDED]))
    if not shared:
        return []
    ordered = sorted(shared, key=lambda key: (-shared[key], int(key)))
    return [PatientKey(int(key)) for key in ordered[:MOST]]


def asking_sharing(keys: Collection[int]) -> list[Question]:
    """What ``sharing`` asks of PostgreSQL."""
    return [(SHARING["postgresql"], _shared(keys))] if keys else []


def _shared(keys: Collection[int]) -> dict[str, object]:
    return {"keys": sorted(keys), "most": CROWDED + 1}
