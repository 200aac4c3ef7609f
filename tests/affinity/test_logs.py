"""What the log tells of a failure that nobody foresaw."""

import json
from collections.abc import Callable

import pytest
import structlog
from sqlalchemy import insert

from affinity import logs
from affinity.database import Database
from pix.tables import receipt

SECRET = "".join(("We", "ber"))
"""Not spelled out, because a traceback shows the line of code that failed."""


def failure_of(work: Callable[[], object]) -> str:
    with pytest.raises(Exception) as caught:
        work()
    return logs.tell((caught.type, caught.value, caught.tb))


def reading() -> None:
    try:
        int(SECRET)
    except ValueError as error:
        raise KeyError(SECRET) from error


def test_a_failure_is_told_by_place_and_type_without_what_was_received() -> None:
    told = failure_of(reading)
    assert told.index("int(SECRET)") < told.index("ValueError") < told.rindex("KeyError")
    assert SECRET not in told


def test_a_failure_of_the_machine_is_told_in_its_own_words() -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    assert failure_of(full).endswith("OSError: [Errno 28] No space left on device")


def test_a_refused_row_is_told_without_its_values(database: Database) -> None:
    row = {"source": "HIS", "message_id": SECRET, "digest": "d", "answer": b"", "at": ""}
    told = failure_of(
        lambda: database.write(lambda connection: [connection.execute(insert(receipt), row) for _ in range(2)])
    )
    assert "IntegrityError" in told
    assert SECRET not in told


def test_the_configured_log_tells_it_so(capsys: pytest.CaptureFixture[str]) -> None:
    before = structlog.get_config()
    try:
        logs.configure(as_json=True, level="info")
        try:
            reading()
        except KeyError:
            structlog.get_logger().exception("failed")
    finally:
        structlog.configure(**before)
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["exception"].endswith("KeyError")
    assert SECRET not in line
