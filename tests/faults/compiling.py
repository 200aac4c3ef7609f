"""Libraries that are put under a node (LD_PRELOAD), compiled here where there is a C compiler."""

import shutil
import subprocess
from pathlib import Path

import pytest


def compiled(name: str, directory: Path) -> Path:
    """The library of ``name``.c."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("what is put under a node needs a C compiler, cc")
    made, source = directory / f"{name}.so", Path(__file__).with_name(f"{name}.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-w", "-o", str(made), str(source), "-ldl"], check=True)
    return made
