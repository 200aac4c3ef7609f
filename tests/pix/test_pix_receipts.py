"""Receipts: a message sent again is answered again for as long as they are kept, and no longer."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event

from affinity.database import Database
from affinity.housekeeping import forget_receipts
from ihe.errors import Rejected
from pix import receipts
from pix.manager import PatientIndex
from pix.model import Feed, Origin
from tests.pix.scene import ANNA, Scene

SENT = Origin(source="HIS|HOSP", message_id="1", digest="one", answer=b"first", transaction="ITI-30 A28")
LATER = datetime(2026, 12, 24, 8, tzinfo=UTC)


@pytest.fixture
def fed(scene: Scene) -> Scene:
    scene.index.register(Feed(identifiers=(scene.id("HOSP:1"),), demographics=ANNA), SENT)
    return scene


def again(scene: Scene, origin: Origin) -> bytes:
    return scene.index.register(Feed(identifiers=(scene.id("HOSP:1"),), demographics=ANNA), origin)


def test_what_is_young_is_kept(fed: Scene, database: Database) -> None:
    assert forget_receipts(database, lambda: LATER, keep_days=32) == 0
    assert again(fed, replace(SENT, answer=b"second")) == b"first"
    with pytest.raises(Rejected):
        again(fed, replace(SENT, digest="other"))


def test_a_counter_that_starts_again_is_welcome_once_the_old_receipt_is_gone(fed: Scene, database: Database) -> None:
    assert forget_receipts(database, lambda: LATER, keep_days=30) == 1
    assert again(fed, replace(SENT, digest="other", answer=b"second")) == b"second"


def test_a_purge_is_made_in_pieces(index: PatientIndex, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    count = receipts.PURGED + 1
    rows = [
        {"source": "a|b", "message_id": str(number), "digest": "", "answer": b"", "at": "2026-01-01T00:00:00+00:00"}
        for number in range(count)
    ]
    index.database.write(lambda connection: receipts.CLAIM[connection.dialect.name].run_all(connection, rows))

    def purge() -> int:
        return index.database.write(lambda connection: receipts.purge(connection, LATER - timedelta(days=30)))

    assert [purge(), purge(), purge()] == [receipts.PURGED, 1, 0]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_message_is_new_whose_receipt_is_purged_at_that_moment(fed: Scene, database: Database) -> None:
    """The receipt is there when it is to be written, and gone when it is to be read."""
    purged: list[int] = []

    def purge(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if "SELECT pix_receipt.digest" in statement and not purged:
            purged.append(0)
            forget_receipts(database, lambda: LATER, keep_days=30)

    event.listen(database.engine, "before_cursor_execute", purge)
    assert again(fed, replace(SENT, answer=b"second")) == b"second"
    assert again(fed, replace(SENT, answer=b"third")) == b"second"
