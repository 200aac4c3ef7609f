"""By hand: a node with workers whose connections a PgBouncer pools by transactions, and servers that end behind it.

``python -m tests.faults.pooled PGBOUNCER [MESSAGES [PREPARED [SETTING=VALUE ...]]]``: the program, so many messages
before each failure (200), ``max_prepared_statements`` (200), and settings of the node such as prepare_threshold=off.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg

from tests.end_to_end.conftest import executed, start_node
from tests.faults.load import Load
from tests.faults.readers import Readers
from tests.faults.test_failover import check
from tests.faults.test_kill import WORKERS, Together
from tests.servers import Server, account, directories

POOL = 6
"""Connections to the server, for two processes of up to 32 each."""
CONFIGURATION = """[databases]
postgres = host={server}
[pgbouncer]
listen_addr =
unix_socket_dir = {here}
pidfile = {here}/pid
logfile = {here}/log
auth_type = trust
auth_file = {here}/users
admin_users = postgres
pool_mode = transaction
default_pool_size = {pool}
max_client_conn = 200
max_prepared_statements = {prepared}
server_login_retry = 1
server_connect_timeout = 5
query_timeout = 20
"""
HALTED = 45
"""Seconds for which the server says nothing."""


class Pooler:
    """A PgBouncer before a server, on a socket in ``directory``."""

    def __init__(self, program: str, directory: Path, server: Server, prepared: str) -> None:
        self._program, self.directory = program, directory
        said = CONFIGURATION.format(here=directory, server=server.directory, pool=POOL, prepared=prepared)
        (directory / "pgbouncer.ini").write_text(said)
        (directory / "users").write_text('"postgres" ""\n')

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://postgres@/postgres?host={self.directory}&port=6432"

    def start(self) -> None:
        command = [self._program, "--quiet", "--daemon", str(self.directory / "pgbouncer.ini")]
        subprocess.run(command, check=True, user=account(), cwd="/")

    def kill(self) -> None:
        pid = int((self.directory / "pid").read_text())
        os.kill(pid, 9)
        while Path(f"/proc/{pid}").exists():
            time.sleep(0.05)

    def ask(self, command: str) -> list[dict[str, str]]:
        """A command of its console, which knows the simple protocol alone."""
        with psycopg.connect(
            f"host={self.directory} port=6432 user=postgres dbname=pgbouncer", autocommit=True
        ) as asked:
            result = asked.pgconn.exec_(command.encode())
        names = [(result.fname(column) or b"").decode() for column in range(result.nfields)]
        return [
            {name: (result.get_value(row, column) or b"").decode() for column, name in enumerate(names)}
            for row in range(result.ntuples)
        ]


@contextmanager
def pooled(program: str, prepared: str) -> Iterator[tuple[Server, Pooler]]:
    """A server and a pooler before it."""
    with directories(2) as (first, second):
        server, pooler = Server(first), Pooler(program, second, Server(first), prepared)
        server.create()
        pooler.start()
        try:
            yield server, pooler
        finally:
            pooler.kill()


def run(server: Server, pooler: Pooler, messages: int, data: Path) -> None:
    """Let each failure come after so many messages, and tell what came of it."""
    failures: dict[str, Callable[[], None]] = {
        "nothing": lambda: None,
        "server killed and started": lambda: (server.kill(), server.start()),  # type: ignore[func-returns-value]
        "server halted for a while": lambda: _halt(server),
        "every session ended": lambda: _end_sessions(server),
        "RECONNECT": lambda: pooler.ask("RECONNECT") and None,
        "pooler killed and started": lambda: (pooler.kill(), pooler.start()),  # type: ignore[func-returns-value]
    }
    options = ("--domain", "connectathon", "--xua", "off", "--database-url", pooler.url)
    node = start_node(data, *options, begin=partial(executed, kind=Together), verb=WORKERS)
    load = Load(node)
    readers = Readers(load)
    try:
        with load.running(), readers.running():
            for name, fail in failures.items():
                load.pause = 0
                load.until(messages)
                fail()
                load.until(messages)
                prepared = [each.get("prepared_statements") for each in pooler.ask("SHOW SERVERS")]
                print(f"{name}: longest pause {load.pause:.1f} s, prepared {prepared}", flush=True)
        assert node.terminate() == 0
        check(load, server)
    finally:
        if node.process.poll() is None:
            node.kill()
        print(f"{len(load.patients)} feeds and {len(load.documents)} submissions kept, told {dict(load.told)}")
        print(f"queries answered {dict(readers.answered)}, told {dict(readers.told)}")
        _tell_of_log(node.log)


def _halt(server: Server) -> None:
    server.halt()
    threading.Event().wait(HALTED)
    server.go_on()


def _end_sessions(server: Server) -> None:
    others = "backend_type = 'client backend' AND pid <> pg_backend_pid()"
    server.ask(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")


def _tell_of_log(log: list[str]) -> None:
    troubles = [line for line in log if '"level": "error"' in line or '"incident"' in line]
    print(f"{len(troubles)} errors in the log", *troubles[:3], sep="\n")


def main(program: str, messages: str = "200", prepared: str = "200", *settings: str) -> None:
    for name, value in (each.split("=") for each in ("statement_seconds=off", *settings)):
        os.environ[f"AFFINITY__POSTGRESQL__{name.upper()}"] = value
    with tempfile.TemporaryDirectory() as place, pooled(program, prepared) as (server, pooler):
        run(server, pooler, int(messages), Path(place) / "data")


if __name__ == "__main__":
    main(*sys.argv[1:])
