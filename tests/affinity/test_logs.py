"""What the log tells of a failure that nobody foresaw."""

import errno
import json
import sys
from collections.abc import Callable, Iterator
from io import StringIO

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


@pytest.fixture
def unchanged() -> Iterator[None]:
    """What other tests find configured."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.mark.usefixtures("unchanged")
def test_the_configured_log_tells_it_so(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(as_json=True, level="info")
    try:
        reading()
    except KeyError:
        structlog.get_logger().exception("failed")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["exception"].endswith("KeyError")
    assert SECRET not in line


class SometimesFull(StringIO):
    """A file on a disk that is full at times."""

    is_full = True

    def write(self, text: str) -> int:
        if self.is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(text)


@pytest.mark.usefixtures("unchanged")
def test_a_log_that_takes_no_lines_stops_nobody_and_tells_how_many_once_it_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = SometimesFull()
    monkeypatch.setattr(sys, "stderr", file)
    logs.configure(as_json=True, level="info")
    structlog.get_logger().info("first")
    structlog.get_logger().error("second")
    file.is_full = False
    structlog.get_logger().info("third")
    told = [json.loads(line) for line in file.getvalue().splitlines()]
    assert [(each["event"], each.get("count")) for each in told] == [("third", None), ("log lines were refused", 2)]


@pytest.mark.usefixtures("unchanged")
def test_a_log_that_nobody_can_write_any_more_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    file = StringIO()
    monkeypatch.setattr(sys, "stderr", file)
    logs.configure(as_json=False, level="info")
    file.close()
    structlog.get_logger().info("said")
