"""Real messages of other systems, and one circumstance to answer them in."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ihe.exchange import Exchange

FOLDERS = ("ITI-8", "ITI-9", "ITI-10", "ITI-21", "ITI-22", "ITI-30-31", "ITI-64", "OHIE-CR")


@pytest.fixture(scope="session")
def samples(shared: Path) -> dict[str, bytes]:
    """Every HL7 v2 sample by ``folder/file``, without the MLLP wrapper that one of them carries."""
    files = [file for folder in FOLDERS for file in sorted((shared / "samples" / folder).iterdir())]
    return {f"{file.parent.name}/{file.name}": file.read_bytes().strip(b"\x0b\x1c\r\n") for file in files}


@pytest.fixture
def exchange() -> Exchange:
    """A request that arrived on a fixed day."""
    return Exchange(correlation_id="c0ffee00c0ffee00c0ffee", received_at=datetime(2026, 11, 23, 10, 30, tzinfo=UTC))
