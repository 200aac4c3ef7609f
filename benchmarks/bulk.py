"""Databases of any size for measurements of growth, made without feeding: minutes for a million people.

The events are those of a feed and go through ``pix.projection`` as in a feed, so that the rows are those of a feed.
What is left out is the matcher: who is one person is known. Each worker writes its share of the people to tables
without indexes, and the shares are then copied into the real tables in the order of their keys.
"""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, Table, create_engine, event, insert

from affinity.garbage import rare_collections
from affinity.population.records import PopulationRecord, records
from affinity.population.tags import Tag
from benchmarks.filling import TABLES, columns, fill
from ihe.identifiers import PatientKey
from pix import matricule
from pix.events import Announced, Event, Linked, to_plain
from pix.projection import Entry, project
from pix.snapshot import plain
from pix.state import NationalId, State
from pix.tables import card, record, wordlist
from pix.tables import event as log
from statements.prepared import Prepared

WORKERS = 2
FILE = "affinity.db"
"""The name by which a node knows its database."""
AT = "2026-01-01T00:00:00+00:00"
PER_RECORD = 2
"""Numbers that are set apart for the events of each record."""
APPEND = Prepared(insert(log), log.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """``persons`` people of the population with this seed are stored, those after them, ``strangers``, are not."""

    persons: int
    strangers: int
    seed: int = 1

    def records(self) -> Iterator[tuple[int, PopulationRecord]]:
        """Each record with its key, 0 for those of strangers. Numbers that two people have are left out."""
        key = 0
        for each in records(self.persons + self.strangers, self.seed):
            if Tag.OVERLAY in each.tags:
                continue
            known = each.person <= self.persons
            key += known
            yield (key if known else 0), each


def build(directory: Path, people: People) -> Path:
    """Make a directory with an SQLite database of these people, unless it is there, and what is known of strangers."""
    data = directory / f"people-{people.persons}-{people.seed}"
    if (data / FILE).exists():
        return data
    data.mkdir(parents=True, exist_ok=True)
    shares = [data / f"share{number}.db" for number in range(WORKERS)]
    with get_context("spawn").Pool(WORKERS) as pool:
        pool.starmap(write_share, [(people, number, file) for number, file in enumerate(shares)])
    fill(data / FILE, shares, _of_all_shares)
    for each in shares:
        each.unlink()
    return data


def _of_all_shares(table: Table) -> str:
    return " UNION ALL ".join(f"SELECT {columns(table)} FROM s{number}.{table.name}" for number in range(WORKERS))


def write_share(people: People, number: int, file: Path) -> None:
    """What one worker does: all records of its share of the people; the first one also keeps the strangers' records."""
    engine = create_engine(f"sqlite:///{file}")
    event.listen(engine, "connect", _carelessly)
    firsts: dict[int, PatientKey] = {}
    with rare_collections(), engine.begin() as connection, strangers_of(file.parent).open("a") as strangers:
        _bare_tables().create_all(connection)
        for key, each in people.records():
            if not key and number == 0:
                strangers.write(json.dumps(_stranger(each), ensure_ascii=False) + "\n")
            elif key and each.person % WORKERS == number:
                first = firsts.setdefault(each.person, PatientKey(key))
                write(connection, PatientKey(key), first, each)
    engine.dispose()


def strangers_of(data: Path) -> Path:
    """The file with the records of people who are not in the database, a JSON object on each line."""
    return data / "strangers.jsonl"


def write(connection: Connection, key: PatientKey, person: PatientKey, told: PopulationRecord) -> None:
    """The events of one record, and what they do to the tables. ``person`` is the first record of its person."""
    (own,) = [each for each in told.identifiers if not each.authority.national]
    oid, id = own.key
    announced = Announced(
        record=key,
        authority=oid,
        id=id,
        type_code=own.type_code,
        alone=key == person,
        state=State(demographics=told.demographics, nationals=_nationals(told)),
    )
    _note(connection, PER_RECORD * key - 1, told.source, announced)
    if key != person:
        linked = Linked(record=key, before=None, person=person, reason="match")
        _note(connection, PER_RECORD * key, told.source, linked)


def _nationals(told: PopulationRecord) -> tuple[NationalId, ...]:
    return tuple(
        NationalId(
            authority=each.authority.oid, id=each.id, type_code=each.type_code, valid=matricule.is_valid(each.id)
        )
        for each in told.identifiers
        if each.authority.national
    )


def _note(connection: Connection, number: int, source: str, noted: Event) -> None:
    told = to_plain(noted)
    after = json.dumps(told["after"], ensure_ascii=False, separators=(",", ":"))
    what = {"number": number, "at": AT, "type": noted.type, "actor": source, "origin": "load", "message_id": "bulk"}
    about = {"reason": None, "record": told["record"], "other": told["other"], "before": None, "after": after}
    APPEND.run(connection, what | about)
    project(connection, Entry(number=number, at=AT, actor=source), noted)


def _stranger(told: PopulationRecord) -> dict[str, object]:
    ids = [(each.authority.namespace_id, each.id, each.type_code) for each in told.identifiers]
    return {"source": told.source, "ids": ids, "demographics": plain(told.demographics)}


def _bare_tables() -> MetaData:
    """The tables without any index but those of records, their cards and word lists by their keys."""
    bare = MetaData()
    for table in TABLES:
        key = table in (record, card, wordlist)
        found = [Column(each.name, each.type, primary_key=key and each.primary_key) for each in table.columns]
        Table(table.name, bare, *found)
    return bare


def _carelessly(connection: sqlite3.Connection, _record: object) -> None:
    """A share is made anew where anything goes wrong."""
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "locking_mode=EXCLUSIVE"):
        connection.execute(f"PRAGMA {pragma}")
