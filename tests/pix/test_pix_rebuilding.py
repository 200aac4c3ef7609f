"""A check of the tables leaves them as they are, a rebuild mends them; both alone with the database."""

from sqlalchemy import update

from affinity import rebuilding
from affinity.database import Database
from pix.tables import record
from tests.pix.scene import Scene


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
