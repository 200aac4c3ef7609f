"""Many new records at once, over ``pix.tables``: what is known of them by one question, what they are by one answer."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection, insert, select, text, union

from ihe.identifiers import PatientKey
from pix import store_blocking, store_cards, store_links, store_nationals, store_records, store_tasks, store_tokens
from pix.store_blocking import CROWDED
from pix.tables import decision, event, link, match, national
from statements.among import Among
from statements.compiled import Row
from statements.prepared import Prepared

_mine, _theirs = national.alias(), national.alias()
NEAR = Prepared(
    union(
        select(_mine.c.record, _theirs.c.record)
        .select_from(_mine.join(_theirs, (_mine.c.authority == _theirs.c.authority) & (_mine.c.id == _theirs.c.id)))
        .where(Among(_mine.c.record, "keys"), _mine.c.valid, _theirs.c.valid),
        select(decision.c.low, decision.c.high).where(Among(decision.c.low, "keys"), decision.c.same),
        select(decision.c.high, decision.c.low).where(Among(decision.c.high, "keys"), decision.c.same),
        select(match.c.low, match.c.high).where(Among(match.c.low, "keys")),
        select(match.c.high, match.c.low).where(Among(match.c.high, "keys")),
    )
)
"""As ``store_links.NEIGHBOURS``, of many and without those that are one person with them."""
KNOWN = {
    "sqlite": Prepared(
        text(
            "SELECT id FROM pix_record WHERE authority = :of "
            "AND id IN (SELECT value FROM json_each(CAST(:ids AS TEXT))) ORDER BY id"
        )
    ),
    "postgresql": Prepared(
        text(
            "SELECT id FROM pix_record WHERE authority = :of "
            "AND id IN (SELECT jsonb_array_elements_text(CAST(:ids AS JSONB))) ORDER BY id"
        )
    ),
}
CARRYING = {
    "sqlite": Prepared(
        text(
            "SELECT id, record, valid FROM pix_national WHERE authority = :of "
            "AND id IN (SELECT value FROM json_each(CAST(:ids AS TEXT))) ORDER BY id, record"
        )
    ),
    "postgresql": Prepared(
        text(
            "SELECT id, record, valid FROM pix_national WHERE authority = :of "
            "AND id IN (SELECT jsonb_array_elements_text(CAST(:ids AS JSONB))) ORDER BY id, record"
        )
    ),
}
SHARING = {
    "sqlite": Prepared(
        text(
            "SELECT value, (SELECT group_concat(record) FROM "
            "(SELECT record FROM pix_blocking WHERE key = value LIMIT :most)) FROM json_each(:keys)"
        )
    ),
    "postgresql": Prepared(
        text(
            "SELECT k.key, (SELECT string_agg(CAST(record AS TEXT), ',') FROM "
            "(SELECT record FROM pix_blocking b WHERE b.key = k.key LIMIT :most) of_key) "
            "FROM unnest(CAST(:keys AS BIGINT[])) AS k(key)"
        )
    ),
}
"""As ``store_blocking.SHARING``, each key beside its records."""
EVENTS = Prepared(insert(event), event.columns)
LINKS = Prepared(insert(link), link.columns)
MATCHES = Prepared(insert(match), match.columns)
NEXT_EVENT = {
    "sqlite": Prepared(text("SELECT seq + 1 FROM sqlite_sequence WHERE name = 'pix_event'")),
    "postgresql": Prepared(text("SELECT nextval(pg_get_serial_sequence('pix_event', 'number'))")),
}
Ids = Collection[tuple[str, str]]
"""Authorities, by their OID, and ids."""


@dataclass(slots=True)
class Rows:
    """Rows of new records, in the order of the columns of their tables; of links and tasks also what ended old ones."""

    records: list[Row] = field(default_factory=list)
    nationals: list[Row] = field(default_factory=list)
    tokens: list[Row] = field(default_factory=list)
    words: list[Row] = field(default_factory=list)
    blocking: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    matches: list[Row] = field(default_factory=list)
    links: dict[PatientKey, Row] = field(default_factory=dict)
    former: list[Row] = field(default_factory=list)
    ended: list[Mapping[str, Any]] = field(default_factory=list)
    tasks: dict[int, Row] = field(default_factory=dict)
    closed: list[Mapping[str, Any]] = field(default_factory=list)

    def begin_link(self, key: PatientKey, person: PatientKey, reason: str, event: int) -> None:
        """Link a record, which has no active link, to a person."""
        self.links[key] = (event, key, person, reason, event, None)

    def end_link(self, key: PatientKey, event: int) -> None:
        """End the record's active link."""
        if former := self.links.pop(key, None):
            self.former.append((*former[:-1], event))
        else:
            self.ended.append({"this": key, "ended_by": event})

    def close_task(self, number: int, event: int) -> None:
        """Withdraw what no longer needs a person."""
        if opened := self.tasks.get(number):
            self.tasks[number] = (*opened[:6], event, *opened[7:-1], event)
        else:
            self.closed.append({"this": number, "closed_by": event, "version": event})

    def insert(self, connection: Connection) -> None:
        """Insert them, those of each table in the order of its key, so that each page is written once."""
        store_links.END.run_all(connection, self.ended)
        store_records.INSERT.insert(connection, self.records)
        store_nationals.INSERT.insert(connection, self.nationals)
        LINKS.insert(connection, sorted((*self.former, *self.links.values())))
        MATCHES.insert(connection, sorted(self.matches))
        store_tasks.OPEN.insert(connection, list(self.tasks.values()))
        store_tasks.CLOSE.run_all(connection, self.closed)
        store_blocking.INSERT.insert(connection, sorted(self.blocking))
        EVENTS.insert(connection, self.events)
        store_cards.remove(connection, [each["this"] for each in self.ended])
        store_cards.put_all(connection, self.links)
        store_tokens.INSERT.insert(connection, sorted(self.tokens))
        store_tokens.LIST.insert(connection, self.words)


def known(connection: Connection, ids: Ids) -> set[tuple[str, str]]:
    """Those of the ids that records have."""
    asked = KNOWN[connection.dialect.name]
    return {(of, id) for of, some in _by_authority(ids) for (id,) in asked.rows(connection, {"of": of, "ids": some})}


def carrying(connection: Connection, ids: Ids) -> dict[tuple[str, str], list[tuple[PatientKey, bool]]]:
    """The records that carry each national id, and whether its check digits are right."""
    found: defaultdict[tuple[str, str], list[tuple[PatientKey, bool]]] = defaultdict(list)
    for of, some in _by_authority(ids):
        for id, key, valid in CARRYING[connection.dialect.name].rows(connection, {"of": of, "ids": some}):
            found[of, id].append((PatientKey(key), bool(valid)))
    return found


def sharing(connection: Connection, keys: Collection[int]) -> dict[int, list[PatientKey]]:
    """The records that have each of the blocking keys, no more of them than tell that it is crowded."""
    asked = {"keys": sorted(keys), "most": CROWDED + 1}
    rows = SHARING[connection.dialect.name].rows(connection, asked)
    return {key: [PatientKey(int(each)) for each in records.split(",")] for key, records in rows if records}


def near(connection: Connection, keys: Collection[PatientKey]) -> Sequence[Row]:
    """Each record with each one that ids, decisions or verdicts connect it with."""
    return NEAR.rows(connection, {"keys": keys})


def next_event(connection: Connection) -> int:
    """The number that the next event will have."""
    row = NEXT_EVENT[connection.dialect.name].first(connection, {})
    return 1 if row is None else int(row[0])


def _by_authority(ids: Ids) -> Iterable[tuple[str, str]]:
    """The ids of each authority as JSON."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for of, id in ids:
        found[of].append(id)
    return [(of, orjson.dumps(some).decode()) for of, some in found.items()]
