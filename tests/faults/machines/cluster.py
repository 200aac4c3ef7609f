"""Three machines with kernels, disks and a network of their own: PostgreSQL under Patroni, etcd; HAProxy before them.

The machines are Debian's ``user-mode-linux``; the rest is of Debian's ``patroni``, ``etcd-server``, ``haproxy``,
``postgresql-15`` and ``ebtables``. Everything is in the network namespace of this process and ends with it.
"""

import json
import os
import signal
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

INIT = Path(__file__).with_name("init.sh")
NUMBERS = (1, 2, 3)
HERE, BRIDGE = "10.77.0.1", "machines"
MEMORY, DISK = "448M", 3 * 2**30
BALANCED = 5000
"""Port of HAProxy that leads to the primary."""
HAPROXY = """defaults
    mode tcp
    retries 2
    timeout client 30m
    timeout connect 4s
    timeout server 30m
    timeout check 5s
listen primary
    bind 127.0.0.1:{port}
    option httpchk GET /primary
    http-check expect status 200
    default-server inter 2s fall 3 rise 2 on-marked-down shutdown-sessions
{servers}
"""


class Machine:
    """One of them. ``kill`` cuts its power: what its disk was not told to keep is gone."""

    def __init__(self, directory: Path, number: int, ttl: int) -> None:
        self.name, self.address = f"m{number}", f"10.77.0.1{number}"
        self._number, self._ttl = number, ttl
        self._disk, self.log = directory / f"{self.name}.disk", directory / f"{self.name}.log"
        with self._disk.open("wb") as file:
            file.truncate(DISK)
        do("mkfs.ext4", "-q", str(self._disk))
        do("ip", "tuntap", "add", "dev", self.name, "mode", "tap")
        do("ip", "link", "set", self.name, "master", BRIDGE, "up")

    def boot(self) -> None:
        command = [
            *(
                "linux.uml",
                f"mem={MEMORY}",
                f"ubd0={self._disk}",
                f"vec0:transport=tap,ifname={self.name},depth=128,gro=1",
            ),
            *("root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", f"init={INIT}", "quiet", "con=null"),
            *("con0=fd:0,fd:1", f"number={self._number}", f"ttl={self._ttl}"),
        ]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**os.environ, "TMPDIR": "/dev/shm"},
                start_new_session=True,
            )

    def do(self, command: str) -> None:
        """Type a command at its console."""
        assert self._process.stdin is not None
        self._process.stdin.write(command.encode() + b"\n")
        self._process.stdin.flush()

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def pause(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def cut(self) -> None:
        """Let nothing in or out, without a word to anybody."""
        self.mute()
        self.deafen()

    def mute(self) -> None:
        """Let nothing out of it."""
        self._drop("-i", ("INPUT", "FORWARD"))

    def deafen(self) -> None:
        """Let nothing into it."""
        self._drop("-o", ("OUTPUT", "FORWARD"))

    def mend(self) -> None:
        """Its network as it was."""
        do("ebtables", "-F")

    def lose(self, percent: int) -> None:
        """Lose so much of what it sends; 0: nothing."""
        self.do(f"tc qdisc replace dev vec0 root netem loss {percent}%")

    @property
    def is_primary(self) -> bool:
        """Claim that its Patroni says so."""
        return self._says("primary")

    @property
    def is_synchronous(self) -> bool:
        """Claim that commits wait for it."""
        return self._says("sync")

    def _says(self, role: str) -> bool:
        with suppress(OSError), urllib.request.urlopen(f"http://{self.address}:8008/{role}", timeout=5) as answer:
            return bool(answer.status == 200)
        return False

    def _drop(self, side: str, chains: tuple[str, ...]) -> None:
        for chain in chains:
            do("ebtables", "-A", chain, side, self.name, "-j", "DROP")


class Cluster:
    """The three, and what stands before them."""

    def __init__(self, directory: Path, ttl: int) -> None:
        self.machines = [Machine(directory, number, ttl) for number in NUMBERS]
        self.balanced = f"postgresql+psycopg://postgres@127.0.0.1:{BALANCED}/postgres"
        hosts = "&".join(f"host={each.address}" for each in self.machines)
        self.direct = f"postgresql+psycopg://postgres@/postgres?{hosts}&target_session_attrs=read-write"
        self._haproxy = directory / "haproxy.cfg"
        servers = "\n".join(f"    server {each.name} {each.address}:5432 check port 8008" for each in self.machines)
        self._haproxy.write_text(HAPROXY.format(port=BALANCED, servers=servers))

    @property
    def primary(self) -> Machine:
        """The one that takes changes; waited for until it has a synchronous standby."""
        found: list[Machine] = []

        def is_found() -> bool:
            found[:] = [each for each in self.machines if each.is_primary]
            return len(found) == 1 and any(each.is_synchronous for each in self.machines)

        wait_until(is_found, 240)
        return found[0]

    def settle(self, seconds: float) -> bool:
        """Wait so long until all machines are members again, and stream. False: they do not yet."""
        with suppress(AssertionError):
            wait_until(lambda: self._streaming() == len(self.machines) - 1, seconds)
            return True
        return False

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """Run one statement on the primary; its rows."""
        hosts = ",".join(each.address for each in self.machines)
        said = f"host={hosts} user=postgres dbname=postgres target_session_attrs=read-write connect_timeout=5"
        with psycopg.connect(said, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def switch_over(self, old: Machine) -> None:
        """As planned: Patroni hands the lease on."""
        [new] = [each for each in self.machines if each.is_synchronous]
        request = urllib.request.Request(
            f"http://{old.address}:8008/switchover",
            json.dumps({"leader": old.name, "candidate": new.name}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            assert answer.status == 200, answer.read()

    def _streaming(self) -> int:
        with suppress(psycopg.Error):
            return len(self.ask("SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'"))
        return 0

    def start(self) -> "subprocess.Popen[bytes]":
        for each in self.machines:
            each.boot()
        return subprocess.Popen(["haproxy", "-q", "-f", str(self._haproxy)])


@contextmanager
def running(directory: Path, ttl: int) -> Iterator[Cluster]:
    """A cluster that ends with the context. It takes a network namespace of its own: ``unshare --net``."""
    do("ip", "link", "set", "lo", "up")
    do("ip", "link", "add", BRIDGE, "type", "bridge")
    do("ip", "address", "add", f"{HERE}/24", "dev", BRIDGE)
    do("ip", "link", "set", BRIDGE, "up")
    cluster = Cluster(directory, ttl)
    haproxy = cluster.start()
    try:
        yield cluster
    finally:
        haproxy.kill()
        for each in cluster.machines:
            each.kill()


def do(*command: str) -> None:
    subprocess.run(command, check=True)


def wait_until(holds: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it does not come about"
        threading.Event().wait(0.5)
