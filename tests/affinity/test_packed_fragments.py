"""Fragments that were stored before they were packed are packed by a migration, which may be interrupted."""

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, create_engine, text

from affinity.migrations import config, is_up_to_date
from xds.compact import pack, unpack

OBJECTS = 1500
"""More than are converted in one commit."""
ASSOCIATION = text(
    "INSERT INTO association (patient_key, id, entry_uuid, logical_id, version, status, fragment, association_type, "
    "source_object, target_object) VALUES (:key, :id, 'u', 'u', 1, 'APPROVED', :fragment, 'APND', 's', 't')"
)
LOCATOR = text("INSERT INTO object_locator (entry_uuid, kind, patient_key, id) VALUES (:uuid, 'ASSOCIATION', 1, 1)")
TEXTS = [b'<rim:Association id="%d"\0<b/>\0</rim:Association>' % number for number in range(OBJECTS)]
UUIDS = [f"{number:05}" for number in range(OBJECTS)]


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    """A database of the version before, with objects."""
    on_sqlite = request.param == "sqlite"
    made = create_engine(
        f"sqlite:///{tmp_path / 'old.db'}" if on_sqlite else request.getfixturevalue("empty_postgresql")
    )
    request.addfinalizer(made.dispose)
    command.upgrade(config(made), "0025")
    with made.begin() as connection:
        rows = [{"key": number // 3, "id": number, "fragment": each} for number, each in enumerate(TEXTS)]
        connection.execute(ASSOCIATION, rows)
        connection.execute(LOCATOR, [{"uuid": each} for each in UUIDS])
    return made


def stored(engine: Engine) -> list[bytes]:
    with engine.connect() as connection:
        return [bytes(each) for each in connection.scalars(text("SELECT fragment FROM association ORDER BY id"))]


def located(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(text("SELECT entry_uuid FROM object_locator ORDER BY entry_uuid")))


def packed(fragments: list[bytes]) -> int:
    return sum(not each.startswith(b"<") for each in fragments)


def test_fragments_are_packed_the_same_and_an_interrupted_migration_goes_on(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = iter(range(1200))

    def interrupted(fragment: bytes) -> bytes:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return pack(fragment)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("xds.compact.pack", interrupted)
        command.upgrade(config(engine), "head")
    assert packed(stored(engine)) == 1000 and not is_up_to_date(engine)
    command.upgrade(config(engine), "head")
    assert packed(stored(engine)) == OBJECTS and is_up_to_date(engine)
    assert [unpack(each) for each in stored(engine)] == TEXTS
    assert located(engine) == UUIDS


def test_the_version_before_can_be_had_back(engine: Engine) -> None:
    command.upgrade(config(engine), "0026")
    command.downgrade(config(engine), "0025")
    assert stored(engine) == TEXTS and located(engine) == UUIDS
