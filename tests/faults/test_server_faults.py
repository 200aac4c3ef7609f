"""PostgreSQL with a full disk, and a pool that is exhausted: senders are told to try again, and nothing is lost.

A full disk is a file system of its own, which root alone may mount.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.end_to_end.conftest import Start
from tests.faults.full import filled, mounted
from tests.faults.load import Load
from tests.faults.test_disk import REFUSED
from tests.faults.test_failover import AFTER, BEFORE, check
from tests.servers import Server, directories

ROOM = 160 * 2**20
"""Bytes of the disk: an empty server takes a third of it, and its log may take as much."""
OPTIONS = ("--domain", "connectathon", "--xua", "off")


@pytest.fixture
def server() -> Iterator[Server]:
    with directories(1) as (place,):
        yield Server(place)


@pytest.fixture
def cramped() -> Iterator[Server]:
    """A server on a small disk."""
    with directories(1) as (place,), mounted(place, ROOM):
        server = Server(place)
        yield server
        server.end()


def test_a_database_server_whose_disk_is_full_refuses_and_loses_nothing(start: Start, cramped: Server) -> None:
    cramped.create()
    load = Load(start(*OPTIONS, "--database-url", cramped.url()))
    with load.running():
        load.until(BEFORE)
        with filled(cramped.directory):
            load.until_told(REFUSED)
        if not cramped.runs:  # it gives up where its log has no room, and is started by who made some
            cramped.start()
        load.until(AFTER)
    check(load, cramped)
    assert load.node.terminate() == 0
    assert [line for line in load.node.log if '"incident"' in line] == []


def test_a_pool_that_is_exhausted_refuses_and_loses_nothing(
    start: Start, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else holds a table, so that two connections wait for it, and everybody else for them."""
    for name, value in (("CONNECTIONS", "2"), ("WAIT_SECONDS", "0.2"), ("STATEMENT_SECONDS", "3")):
        monkeypatch.setenv(f"AFFINITY__POSTGRESQL__{name}", value)
    server.create()
    load = Load(start(*OPTIONS, "--database-url", server.url()))
    with load.running():
        load.until(BEFORE)
        with held(server, "pix_record"):
            load.until_told(REFUSED)
        load.until(AFTER)
    check(load, server)
    assert load.node.terminate() == 0
    assert [line for line in load.node.log if '"incident"' in line] == []


@contextmanager
def held(server: Server, table: str) -> Iterator[None]:
    """Let nobody read or write a table."""
    with psycopg.connect(f"host={server.directory} user=postgres dbname=postgres") as connection:
        connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
        yield
