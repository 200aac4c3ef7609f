"""docs/tutorial.md, line by line, against a real node: what a newcomer copies must work."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TUTORIAL = Path(__file__).parents[2] / "docs/tutorial.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
WRITTEN = "http://127.0.0.1:8080"


def test_every_line_of_the_tutorial_works(start, tmp_path: Path) -> None:
    for tool in ("bash", "curl", "cmp"):
        if shutil.which(tool) is None:
            pytest.skip(f"the tutorial needs {tool}, which is not installed here")
    node = start("--xua", "optional")
    script = "".join(BLOCK.findall(TUTORIAL.read_text(encoding="utf-8")))
    assert script.count(WRITTEN) == 2
    told = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script.replace(WRITTEN, node.url(""))],
        cwd=tmp_path,
        env={
            **os.environ,
            "AFFINITY__DATA": str(node.data),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        },
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert "TUTORIAL-1  AA accepted" in told.stdout
    assert "XDSUnknownPatientId" in told.stdout
    assert sorted(path.name for path in (tmp_path / "downloads").iterdir()) == [
        "2.25.307913840139813467563410483211041263001.xml",
        "2.25.307913840139813467563410483211041263002.txt",
    ]
