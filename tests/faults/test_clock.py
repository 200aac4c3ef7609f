"""A wall clock that jumps by hours and days, there and back: receipts hold, and so do the seals."""

from pathlib import Path

import pytest

from affinity.database import Database
from affinity.sealing import KEY
from atna.logs import DatabaseLog
from atna.signing import sealing_key
from atna.verifying import verify
from hl7v2.er7 import parse
from hl7v2.message import Message
from mllp import client as mllp
from tests.end_to_end.conftest import RunningNode, Start
from tests.faults.compiling import compiled
from tests.faults.sending import address, admission

HOUR, DAY = 3600, 86400
JUMPS = (0, 2 * HOUR, -DAY, 5 * DAY, -HOUR, 0)
QUERY = "MSH|^~\\&|C|C|A|A|20260101||QBP^Q22^QBP_Q21|{}|P|2.5\rQPD|IHE PDQ Query|T|@PID.5.1^Sturdy*\rRCP|I|1^RD\r{}"


def sent(node: RunningNode, message: bytes) -> Message:
    return parse(mllp.send(address(node), message))


def test_jumps_of_the_clock_lose_nothing_and_repeat_nothing(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = tmp_path / "clock"
    monkeypatch.setenv("LD_PRELOAD", str(compiled("clock", tmp_path)))
    monkeypatch.setenv("FAULTS_CLOCK", str(clock))
    node = start("--domain", "connectathon", "--xua", "off")
    monkeypatch.delenv("LD_PRELOAD")
    first = admission("CLOCK-FIRST")
    receipt = mllp.send(address(node), first)
    assert sent(node, admission("CLOCK-SECOND"))["MSA"].text(1) == "AA"
    page = sent(node, QUERY.format("q", "").encode())
    told: dict[int, int] = {}
    for number, seconds in enumerate(JUMPS):
        clock.write_text(str(seconds))
        answer = sent(node, admission(f"CLOCK-{number}"))
        assert answer["MSA"].text(1) == "AA"
        told[seconds] = int(answer.header.text(7)[:8])
        assert mllp.send(address(node), first) == receipt  # of that MSH-10: stored, not made anew
    assert told[5 * DAY] > told[0] > told[-DAY], "the clock did not jump at all"
    later = sent(node, QUERY.format("r", f"DSC|{page['DSC'].text(1)}\r").encode())
    assert later["MSA"].text(1) in ("AA", "AE")  # the page, or that it is no longer known
    assert node.terminate() == 0
    assert [line for line in node.log if '"incident"' in line] == []
    database = Database(f"sqlite:///{node.data / 'affinity.db'}")
    try:
        report = database.read(lambda each: verify(DatabaseLog(each), sealing_key(node.data / KEY).verifier))
        count = "SELECT count(*) FROM pix_event WHERE type = 'announced'"
        announced = database.read(lambda each: each.exec_driver_sql(count).scalar_one())
    finally:
        database.close()
    assert report.findings == []
    assert announced == 2 + len(JUMPS)
