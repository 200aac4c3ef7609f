"""curl as the client of a long answer over mutual TLS, beside ours, which may hold the node back."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import WrongAnswer
from benchmarks.node import Node

TIMEOUT = 600.0


@dataclass(frozen=True, slots=True)
class Download:
    """What curl tells of an answer, which it does not keep."""

    size: int
    seconds: float


def is_there() -> bool:
    """Whether this machine has curl."""
    return shutil.which("curl") is not None


def download(node: Node, request: bytes, path: str, aside: Path) -> Download:
    """Post what ``benchmarks.messages`` made; its body lies in the file ``aside`` meanwhile. WrongAnswer if refused."""
    head, _, body = request.partition(b"\r\n\r\n")
    aside.write_bytes(body)
    command = ["curl", "--silent", "--show-error", "--http1.1", "--max-time", str(TIMEOUT), "--output", os.devnull]
    command += [*_tls(node.data / "pki"), *_headers(head), "--data-binary", f"@{aside}", "--write-out", "%{json}"]
    told = json.loads(subprocess.run([*command, node.secure_url(path)], check=True, capture_output=True).stdout)
    if told["http_code"] != 200:
        raise WrongAnswer(f"HTTP status {told['http_code']} for curl")
    return Download(told["size_download"], told["time_total"])


def _tls(pki: Path) -> Iterator[str]:
    for option, file in (("cacert", "ca.crt.pem"), ("cert", "client.crt.pem"), ("key", "client.key.pem")):
        yield f"--{option}"
        yield str(pki / file)


def _headers(head: bytes) -> Iterator[str]:
    """As they were made, but for what curl says itself, and no ``Expect: 100-continue``."""
    for line in (*head.decode("ascii").split("\r\n")[1:], "Expect:"):
        if not line.lower().startswith(("host:", "content-length:")):
            yield "--header"
            yield line
