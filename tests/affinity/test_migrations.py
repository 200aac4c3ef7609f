"""The migrations make the very tables that the code declares."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine

from affinity.migrations import HEAD, config, upgrade
from affinity.schema import METADATA


def differences(engine: Engine) -> list[object]:
    with engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), list(METADATA)))  # type: ignore[arg-type]


def test_on_sqlite(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'new.db'}")
    upgrade(engine)
    upgrade(engine)
    assert differences(engine) == []


def test_a_database_named_relative_to_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    engine = create_engine("sqlite:///here.db")
    upgrade(engine)
    assert differences(engine) == []
    assert (tmp_path / "here.db").exists()


def test_on_postgresql(empty_postgresql: str) -> None:
    engine = create_engine(empty_postgresql)
    upgrade(engine)
    assert differences(engine) == []
    engine.dispose()


def test_the_newest_revision_is_the_one_that_a_start_looks_for() -> None:
    assert ScriptDirectory.from_config(config(create_engine("sqlite://"))).get_heads() == [HEAD]
