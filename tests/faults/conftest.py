"""Nodes that tests of faults start, which end with the test; who is told of patients; a domain that may be changed."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from affinity.domain import SHIPPED
from tests.affinity.fake_consumers import MLLPInbox
from tests.end_to_end.conftest import Start, start

__all__ = ["Start", "start"]


@pytest.fixture
def inbox() -> Iterator[MLLPInbox]:
    opened = MLLPInbox()
    yield opened
    opened.close()


@pytest.fixture
def domain(tmp_path: Path) -> Path:
    directory = tmp_path / "domain"
    shutil.copytree(SHIPPED / "connectathon", directory)
    return directory
