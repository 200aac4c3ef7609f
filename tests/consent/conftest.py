"""A stage with one patient, on both engines."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from affinity.database import Database
from tests.consent.stage import HOSPITAL, NATIONAL, Stage, make_stage


@pytest.fixture
def stage(database: Database, tmp_path: Path) -> Stage:
    """Anna Weber, 78 by the national authority and L-1 at the hospital."""
    made = make_stage(database, tmp_path)
    made.feed((NATIONAL, "78"), (HOSPITAL, "L-1"))
    return made


@pytest.fixture
def here(sqlite_template: Path, tmp_path: Path) -> Iterator[Stage]:
    """The same on SQLite alone, for what no engine can change."""
    shutil.copy(sqlite_template, tmp_path / "affinity.db")
    database = Database(f"sqlite:///{tmp_path / 'affinity.db'}")
    made = make_stage(database, tmp_path)
    made.feed((NATIONAL, "78"), (HOSPITAL, "L-1"))
    yield made
    database.close()
