"""What it costs a partner to connect again over mutual TLS: a full handshake, or a session that is resumed."""

import socket
import ssl
import time
from pathlib import Path

from benchmarks.figures import Effort, Figure, Say
from benchmarks.node import Node
from benchmarks.process import cpu_seconds

CONNECTIONS = 200
REQUEST = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
VERSIONS = {"TLS 1.3": ssl.TLSVersion.TLSv1_3, "TLS 1.2": ssl.TLSVersion.TLSv1_2}


def measure(directory: Path, effort: Effort, say: Say) -> list[Figure]:
    """Connect, ask whether the node lives, hang up; again and again."""
    figures = []
    with Node(directory / "reconnects") as node:
        for name, version in VERSIONS.items():
            for way, resumes in (("full handshake", False), ("session resumed", True)):
                say(f"{name}, {way}")
                count = effort.count(CONNECTIONS)
                runs = [_run(node, version, count, resumes=resumes) for _ in range(effort.runs)]
                wall, cpu = zip(*runs, strict=True)
                figures.append(_figure(f"{name}, {way}: connection and answer", "µs", wall))
                figures.append(_figure(f"{name}, {way}: server", "µs CPU", cpu))
    return figures


def _figure(name: str, unit: str, runs: tuple[float, ...]) -> Figure:
    return Figure(benchmark="Mutual TLS, connecting again", name=name, unit=unit, runs=runs)


def _run(node: Node, version: ssl.TLSVersion, count: int, *, resumes: bool) -> tuple[float, float]:
    """Microseconds for one connection: those that the client waits, and those of the server's CPU."""
    context = node.client_tls
    context.minimum_version = context.maximum_version = version
    session = _ask(context, node.ports["https"], None, expected=False)
    began, before = time.perf_counter(), cpu_seconds(node.pid)
    for _ in range(count):
        session = _ask(context, node.ports["https"], session if resumes else None, expected=resumes)
    return 1e6 * (time.perf_counter() - began) / count, 1e6 * (cpu_seconds(node.pid) - before) / count


def _ask(
    context: ssl.SSLContext, port: int, session: ssl.SSLSession | None, *, expected: bool
) -> ssl.SSLSession | None:
    with (
        socket.create_connection(("localhost", port), 20) as plain,
        context.wrap_socket(plain, server_hostname="localhost", session=session) as secured,
    ):
        secured.sendall(REQUEST)
        answer = secured.recv(1000)
        if not answer.startswith(b"HTTP/1.1 200") or secured.session_reused is not expected:
            raise RuntimeError(f"resumed: {secured.session_reused}, answered: {answer[:40]!r}")
        return secured.session
