"""A real rsyslog of Debian as collector, with its own directory, ports and certificates."""

import os
import shutil
import signal
import socket
import subprocess
from collections import Counter
from pathlib import Path
from threading import Event
from typing import Self

import pytest

from affinity.pki import DevelopmentPKI

DAEMON = shutil.which("rsyslogd") or "/usr/sbin/rsyslogd"
DRIVERS = (Path("/usr/lib/x86_64-linux-gnu/rsyslog"), Path("/usr/lib/aarch64-linux-gnu/rsyslog"))
MESSAGE = "64k"


def demand(driver: str) -> None:
    """Skip where rsyslog or its TLS driver is not installed."""
    if not Path(DAEMON).exists():
        pytest.skip("rsyslog is not installed (apt-get install rsyslog rsyslog-gnutls rsyslog-openssl)")
    if driver != "udp" and not any((each / f"lmnsd_{driver}.so").exists() for each in DRIVERS):
        package = {"gtls": "rsyslog-gnutls", "ossl": "rsyslog-openssl"}[driver]
        pytest.skip(f"{package} is not installed (apt-get install {package})")


class Rsyslog:
    """One collector; it can be killed, stopped, slowed down and started again on the same port."""

    def __init__(self, directory: Path, driver: str, pki: DevelopmentPKI, delay: int = 0) -> None:
        demand(driver)
        directory.mkdir()
        self.port = _free_port(driver)
        self._directory = directory
        self._output = directory / "out.log"
        self._output.touch()
        (directory / "rsyslog.conf").write_text(self._configuration(driver, pki, delay))
        self._udp = driver == "udp"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start, and wait until it listens."""
        command = [DAEMON, "-n", "-i", str(self._directory / "pid"), "-f", str(self._directory / "rsyslog.conf")]
        log = (self._directory / "rsyslog.err").open("ab")
        self._process = subprocess.Popen(command, stdout=log, stderr=log)
        eventually(self._listens, f"rsyslog does not listen: {(self._directory / 'rsyslog.err').read_text()}")
        return self

    def kill(self) -> None:
        """kill -9: what it has not written is lost."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        (self._directory / "pid").unlink(missing_ok=True)

    def freeze(self) -> None:
        """It lives and does nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        """End it, whatever it does."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def lines(self) -> list[str]:
        """What it has stored."""
        return self._output.read_text().splitlines()

    def counted(self) -> Counter[str]:
        """How often it has each record, by the user that the record names."""
        return Counter(line.partition('UserID="')[2].partition('"')[0] for line in self.lines())

    def _signal(self, number: int) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)

    def _listens(self) -> bool:
        if self._udp:
            table = Path("/proc/net/udp").read_text()
            return f":{self.port:04X} " in table
        try:
            socket.create_connection(("127.0.0.1", self.port), 0.2).close()
        except OSError:
            return False
        return True

    def _configuration(self, driver: str, pki: DevelopmentPKI, delay: int) -> str:
        files = f"""
            defaultNetstreamDriverCAFile="{pki.authority.certificate}"
            defaultNetstreamDriverCertFile="{pki.server.certificate}"
            defaultNetstreamDriverKeyFile="{pki.server.key}" """
        tcp = f"""
            module(load="imtcp" StreamDriver.Name="{driver}" StreamDriver.Mode="1"
                   StreamDriver.AuthMode="x509/certvalid")
            input(type="imtcp" port="{self.port}" address="127.0.0.1")"""
        udp = f"""
            module(load="imudp")
            input(type="imudp" port="{self.port}" address="127.0.0.1" rcvbufSize="4m")"""
        slow = f'queue.type="LinkedList" queue.size="100" queue.dequeueSlowdown="{delay}"' if delay else ""
        return f"""
            global(workDirectory="{self._directory}" maxMessageSize="{MESSAGE}" {"" if driver == "udp" else files})
            main_queue({'queue.size="100" queue.highWatermark="80"' if delay else 'queue.size="5000"'})
            {udp if driver == "udp" else tcp}
            template(name="raw" type="string" string="%rawmsg%\\n")
            action(type="omfile" file="{self._output}" template="raw" {slow})
            """


def eventually(claim: object, complaint: str, seconds: float = 20.0) -> None:
    """Wait until ``claim()`` is true."""
    pause = Event()
    for _ in range(int(seconds * 50)):
        if claim():  # type: ignore[operator]
            return
        pause.wait(0.02)
    pytest.fail(complaint)


def _free_port(driver: str) -> int:
    kind = socket.SOCK_DGRAM if driver == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
