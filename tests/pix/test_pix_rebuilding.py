"""A check of the tables leaves them as they are, a rebuild mends them; both alone with the database."""

from sqlalchemy import update

from affinity import rebuilding
from affinity.database import Database
from pix import store_records
from pix.tables import record
from tests.pix.scene import Scene, person
from tests.pix.test_pix_beside import on_postgresql_alone


def test_a_check_tells_what_a_rebuild_then_mends(scene: Scene, database: Database) -> None:
    scene.feed("HOSP:1")
    told: list[int] = []
    assert rebuilding.check(database, told.append).differing == ()
    assert told[-1] == rebuilding.length(database)
    database.write(lambda connection: connection.execute(update(record).values(family="nobody")))
    for _ in range(2):
        assert rebuilding.check(database, told.append).differing == ("pix_record",)
    assert rebuilding.rebuild(database, told.append).differing == ("pix_record",)
    assert rebuilding.check(database, told.append).differing == ()


def test_a_key_that_a_feed_has_taken_during_a_check_is_given_to_no_other(scene: Scene, database: Database) -> None:
    on_postgresql_alone(database)
    scene.feed("HOSP:1")
    taken: list[int] = []

    def take(_done: int) -> None:
        """As a feed of another node does, before it waits to write to the log."""
        taken.append(database.write(store_records.next_key))

    rebuilding.check(database, take)
    scene.feed("HOSP:2", who=person("Marc", "Thill"))
    assert taken
    assert not set(taken).intersection(scene.keys("HOSP:1", "HOSP:2"))
