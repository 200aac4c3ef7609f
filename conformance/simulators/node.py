"""A node of ours behind the doors of a simulator, in a process and a directory of its own, spoken to on loopback.

It is Document Registry, Document Repository, PIX Manager, Patient Demographics Supplier and X-Assertion Provider.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import TracebackType
from typing import Self

from conformance.exchanges import Headers, Payload
from conformance.simulators.reading import Read
from mllp.client import Address, MLLPError, send
from xua.authentication import XUAMode

READY_WITHIN = 60.0
ANSWER_WITHIN = 60.0
LOOPBACK = "127.0.0.1"
OF_THE_CONNECTION = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "expect", "content-length", "te", "upgrade", "trailer"}
)
"""Headers that are about one connection, or about how the body is cut (RFC 9110: 7.6.1)."""
ANY_PORT = [word for name in ("http", "https", "mllp", "mllps") for word in (f"--{name}-port", "0")]


class NodeDidNotStart(RuntimeError):
    """The text names the file that says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSettings:
    """What the node behind a simulator is like. ``public_url`` is where clients reach the simulator."""

    domain: str
    data: Path
    log: Path
    xua: XUAMode = XUAMode.OFF
    trust: tuple[str, ...] = ()
    audience: str = ""
    """What assertions are made for; empty: the domain's homeCommunityId."""
    public_url: str = ""


class BackingNode:
    """The process; it ends with the ``with`` statement. ``ports`` by ``http`` and ``mllp``."""

    def __init__(self, settings: NodeSettings) -> None:
        """Start it and wait until it answers. NodeDidNotStart."""
        self._settings = settings
        with settings.log.open("a") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "affinity",
                    "up",
                    "--no-demo",
                    "--data",
                    str(settings.data),
                    *_options(settings),
                ],
                env=_environment(settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the simulator, which then ends the node
            )
        try:
            self.ports = self._wait(time.monotonic() + READY_WITHIN)
        except BaseException:  # Ctrl-C, too: it must not outlive us
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    @property
    def audience(self) -> str:
        """What assertions are made for; empty: the domain's homeCommunityId."""
        return self._settings.audience

    def close(self) -> None:
        """Stop it; insist after a while."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)

    def url(self, path: str) -> str:
        """Where a client on this machine reaches a path of the node itself, past the simulator."""
        return f"http://{LOOPBACK}:{self.ports['http']}{path}"

    def http(self, read: Read) -> Payload:
        """Pass a request on, and its answer back. OSError: no answer."""
        request = read.payload
        method, target, _ = (*request.start_line.split(" "), "", "")[:3]
        connection = HTTPConnection(LOOPBACK, self.ports["http"], timeout=ANSWER_WITHIN)
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in _passed_on(request.headers, len(request.content)):
                connection.putheader(name, value)
            connection.endheaders(request.content)
            response = connection.getresponse()
            content = response.read()
        except HTTPException as error:
            raise OSError(f"the node behind the simulator: {error!r}") from error
        finally:
            connection.close()
        start = f"HTTP/1.1 {response.status} {response.reason}"
        return Payload(start_line=start, headers=_passed_on(response.getheaders(), len(content)), content=content)

    def mllp(self, read: Read) -> Payload:
        """The same for a message. OSError: no answer."""
        try:
            return Payload(content=send(Address(host=LOOPBACK, port=self.ports["mllp"]), read.payload.content))
        except MLLPError as error:
            raise OSError(str(error)) from error

    def _wait(self, deadline: float) -> dict[str, int]:
        published = self._settings.data / "ports.json"
        while not published.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise NodeDidNotStart(f"the node behind the simulator did not start; {self._settings.log} says why")
            time.sleep(0.02)
        ports: dict[str, int] = json.loads(published.read_text())
        return ports


def _options(settings: NodeSettings) -> list[str]:
    chosen = ["--domain", settings.domain, "--host", LOOPBACK, "--xua", settings.xua.value, *ANY_PORT]
    chosen += ["--audience", settings.audience] if settings.audience else []
    return chosen + [word for value in settings.trust for word in ("--trust", value)]


def _environment(settings: NodeSettings) -> dict[str, str]:
    """What is set for a node of the user's own must not reach this one."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AFFINITY__")}
    own = {"AFFINITY__LOG__FORMAT": "json", "AFFINITY__LISTEN__PUBLIC_URL": settings.public_url}
    return kept | {name: value for name, value in own.items() if value}


def _passed_on(headers: Headers | list[tuple[str, str]], length: int) -> Headers:
    kept = tuple((name, value) for name, value in headers if name.lower() not in OF_THE_CONNECTION)
    return (*kept, ("Content-Length", str(length)))
