"""The directory in which the processes of a node keep their metrics, as the parent looks after it."""

import shutil
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable by which the client library of Prometheus learns of it, when it is loaded."""
DIRECTORY = "metrics"
"""Where in the data directory it is."""


def begin(data: Path) -> dict[str, str]:
    """Make it anew, for a node counts from zero when it starts; returns what its processes must find around them."""
    made = data.resolve() / DIRECTORY
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(mode=0o700)
    return {VARIABLE: str(made)}


def forget(data: Path, pid: int) -> None:
    """A worker has ended: what was measured of it is no more; what it has counted stays."""
    for each in (data / DIRECTORY).glob(f"gauge_live*_{pid}.db"):
        each.unlink(missing_ok=True)
