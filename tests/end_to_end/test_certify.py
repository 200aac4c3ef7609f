"""docs/certify-your-lis.md, line by line: what a vendor copies must work. And the evidence that is left."""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from conformance.evidence.bundle import read

PAGE = Path(__file__).parents[2] / "docs/certify-your-lis.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
PORTS = {"http": "18080", "https": "18443", "https-expired": "18444", "https-stranger": "18445"}


def free_ports(count: int) -> list[str]:
    """Ports that were free a moment ago."""
    bound = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [str(each.getsockname()[1]) for each in bound]
    for each in bound:
        each.close()
    return ports


def script() -> str:
    """The blocks of the page, at ports that nobody uses here."""
    chosen = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    text = "".join(BLOCK.findall(PAGE.read_text(encoding="utf-8")))
    for name, written in PORTS.items():
        text = text.replace(f":{written}/", f":{chosen[name]}/")
    options = " ".join(f"--{name}-port {port}" for name, port in chosen.items())
    return text.replace("affinity conform serve", f"affinity conform serve {options}")


@pytest.mark.timeout(400)
def test_every_line_of_the_page_works(tmp_path: Path) -> None:
    for tool in ("bash", "grep", "head"):
        if shutil.which(tool) is None:
            pytest.skip(f"the page needs {tool}, which is not installed here")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    told = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n" + script()],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=380,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    for step in ("submit-report", "replace-report", "late-answer", "expired-certificate"):
        assert f"MET {step}" in told.stdout
    evidence = next((tmp_path / "lis").glob("evidence-*.zip"))
    outcomes = {each.name: each.outcome for each in read(evidence).results}
    assert outcomes["late-answer"] == "passed"
    assert outcomes["soap-fault"] == "not claimed"
    request = ZipFile(evidence).read("messages/0001-request.http")
    assert request.startswith(b"POST /xds/repository HTTP/1.1\r\n")
    assert b"ProvideAndRegisterDocumentSetRequest" in request
