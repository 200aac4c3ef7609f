"""A node in a process of its own, without assertions: the connectathon domain on SQLite unless told otherwise."""

import json
import ssl
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.process import ROOT, end, start
from soap.client import client_tls

READY_WITHIN = 60.0
UP = ("up", "--no-demo")
ANY_PORT = [word for name in ("http", "https", "mllp", "mllps") for word in (f"--{name}-port", "0")]


class Node:
    """``affinity up``, or another verb, on a data directory; ended with the ``with`` statement."""

    def __init__(
        self,
        data: Path,
        domain: str = "connectathon",
        database_url: str | None = None,
        module: str = "affinity",
        verb: Sequence[str] = UP,
        xua: str = "off",
        root: Path = ROOT,
    ) -> None:
        """Start, and return once the ports accept; ``seconds_to_ready`` is how long that took.

        ``root`` is the tree whose program runs.
        """
        began = time.perf_counter()
        with (data.parent / f"{data.name}.log").open("a") as log:
            options = (*verb, "--domain", domain, "--xua", xua, "--data", str(data), *ANY_PORT)
            options += ("--database-url", database_url) if database_url else ()
            self._process = start(module, options, stderr=log.fileno(), root=root)
        self.ports = self._wait(data / "ports.json", began + READY_WITHIN)
        self.seconds_to_ready = time.perf_counter() - began
        self.pid = self._process.pid
        self.data = data

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, where: TracebackType | None
    ) -> None:
        end(self._process)

    def url(self, path: str) -> str:
        """The address of a SOAP endpoint."""
        return f"http://127.0.0.1:{self.ports['http']}{path}"

    def secure_url(self, path: str) -> str:
        """The same over mutual TLS; the certificate names ``localhost``."""
        return f"https://localhost:{self.ports['https']}{path}"

    @property
    def client_tls(self) -> ssl.SSLContext:
        """As a partner of a demonstration connects: with the development client's certificate."""
        pki = self.data / "pki"
        return client_tls(pki / "ca.crt.pem", pki / "client.crt.pem", pki / "client.key.pem")

    def _wait(self, published: Path, deadline: float) -> dict[str, int]:
        while not published.exists():
            if self._process.poll() is not None or time.perf_counter() > deadline:
                end(self._process)
                raise subprocess.SubprocessError(f"the node did not start; see {published.parent}.log")
            time.sleep(0.005)
        ports: dict[str, int] = json.loads(published.read_text())
        return ports
