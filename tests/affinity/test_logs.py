"""What the log tells of a failure that nobody foresaw."""

import pytest
from sqlalchemy import insert

from affinity.database import Database
from affinity.logs import tell
from pix.tables import receipt


def failure_of(work: object) -> str:
    with pytest.raises(BaseException) as caught:
        work()  # type: ignore[operator]
    return tell((caught.type, caught.value, caught.tb))


def test_a_failure_is_told_by_place_and_type_without_what_was_received() -> None:
    def read() -> None:
        try:
            int("Weber")
        except ValueError as error:
            raise KeyError("19800515") from error

    told = failure_of(read)
    assert "ValueError" in told
    assert "KeyError" in told
    assert 'int("Weber")' in told.splitlines()[2]  # the line of code; here it holds a constant
    assert "invalid literal" not in told
    assert "19800515" not in told.replace('raise KeyError("19800515")', "")


def test_a_failure_of_the_machine_is_told_in_its_own_words() -> None:
    def read() -> None:
        raise OSError(28, "No space left on device")

    assert failure_of(read).endswith("OSError: [Errno 28] No space left on device")


def test_a_refused_row_is_told_without_its_values(database: Database) -> None:
    row = {"source": "HIS", "message_id": "Weber", "digest": "d", "answer": b"", "at": ""}

    def twice() -> None:
        database.write(lambda connection: [connection.execute(insert(receipt), row) for _ in range(2)])

    told = failure_of(twice)
    assert "IntegrityError" in told
    assert "Weber" not in told.replace('"message_id": "Weber"', "")
