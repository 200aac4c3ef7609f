"""Statements that run for every message: each finds its rows by an index, and answers alike on both databases."""

import re
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from sqlalchemy import Connection, create_engine, insert, select
from sqlalchemy.exc import IntegrityError

from affinity.database import Database
from pix import journal, receipts, store_links, store_records, store_tokens
from pix.tables import metadata, national
from statements.among import Among
from statements.prepared import Prepared, upsert


def prepared() -> Iterator[tuple[str, Prepared]]:
    for module in (journal, receipts, store_links, store_records, store_tokens):
        for name, value in vars(module).items():
            if isinstance(value, Prepared):
                yield f"{module.__name__}.{name}", value


@pytest.mark.parametrize(("name", "statement"), list(prepared()))
def test_no_statement_scans_a_table(name: str, statement: Prepared) -> None:
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    with engine.connect() as connection:
        text, constants = statement.text(connection)
        parameters = dict.fromkeys(re.findall(r":(\w+)", text), "[1]") | constants
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", parameters).all()
    assert [step for *_, step in plan if re.match("SCAN pix_", step)] == []


def test_a_list_may_be_of_any_length(database: Database) -> None:
    every = Prepared(select(national.c.record).where(Among(national.c.record, "keys")).order_by(national.c.record))
    add = Prepared(insert(national), national.columns)
    rows = [{"record": key, "authority": "a", "id": "i", "type_code": "", "valid": key > 1} for key in (1, 2, 3)]
    database.write(lambda connection: add.run_all(connection, rows))
    for keys, expected in (([], []), ([3, 1], [1, 3]), (range(1, 4000), [1, 2, 3])):
        found = database.read(partial(every.rows, parameters={"keys": list(keys)}))
        assert [key for (key,) in found] == expected


def test_constants_of_the_statement_are_kept(database: Database) -> None:
    valid = Prepared(select(national.c.record).where(national.c.valid.is_(True), national.c.authority == "a"))
    add = Prepared(insert(national), national.columns)
    rows = [{"record": key, "authority": "a", "id": "i", "type_code": "", "valid": key > 1} for key in (1, 2)]
    database.write(lambda connection: add.run_all(connection, rows))
    assert list(database.read(lambda connection: valid.rows(connection, {}))) == [(2,)]


def test_a_row_is_inserted_or_changed_where_it_stands(database: Database) -> None:
    put = upsert(national, ("valid",))
    every = Prepared(select(national.c.id, national.c.type_code, national.c.valid).order_by(national.c.id))
    row = {"record": 1, "authority": "a", "id": "i", "type_code": "NI", "valid": False}

    def work(connection: Connection) -> None:
        for each in (row, row | {"type_code": "SS", "valid": True}, row | {"id": "j"}):
            put[connection.dialect.name].run(connection, each)

    database.write(work)
    assert list(database.read(lambda connection: every.rows(connection, {}))) == [("i", "NI", True), ("j", "NI", False)]


def test_rows_are_inserted_in_the_order_of_the_columns(database: Database) -> None:
    add = Prepared(insert(national), national.columns)
    every = Prepared(select(*national.columns).order_by(national.c.record))
    rows = [(key, "a", "i", "NI", True) for key in range(60)]
    database.write(lambda connection: add.insert(connection, rows))
    assert list(database.read(lambda connection: every.rows(connection, {}))) == rows


def test_of_rows_of_which_one_is_there_already_nothing_stays(database: Database) -> None:
    add = Prepared(insert(national), national.columns)
    every = Prepared(select(national.c.record).order_by(national.c.record))
    rows = [(key, "a", "i", "NI", True) for key in range(60)]
    database.write(lambda connection: add.insert(connection, rows[30:31]))
    with pytest.raises((sqlite3.IntegrityError, IntegrityError)):
        database.write(lambda connection: add.insert(connection, rows))
    with ThreadPoolExecutor(8) as pool:
        works = [pool.submit(database.write, partial(add.insert, rows=rows[start:])) for start in (0, 31, 30)]
    assert [bool(each.exception()) for each in works] == [True, False, True]
    assert list(database.read(lambda connection: every.rows(connection, {}))) == [(key,) for key in range(30, 60)]
