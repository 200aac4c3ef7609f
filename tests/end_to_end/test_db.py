"""``affinity db`` on the data directory of a real node: fed over MLLP, stopped, compared, damaged, mended."""

import json
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from affinity.cli import app
from tests.end_to_end.conftest import Start

RECORD = "2.25.334728459024254970897405965636283403456.3.2"
FEED = """MSH|^~\\&|GLIMS|LAB-MOSELLE|AFFINITY|AFFINITY|20261123||ADT^A28^ADT_A05|DB-{number}|P|2.5
EVN||20261123
PID|||DB-{number}^^^&{record}&ISO~L-{number}^^^LAB-MOSELLE||Müller^Léa||19800515|F|||^^Exempelduerf
PV1||N
"""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


@pytest.fixture
def stopped(start: Start, tmp_path: Path) -> Path:
    """The data directory of a node that took three messages and then was stopped."""
    node = start("--domain", "demo")
    file = tmp_path / "feed.hl7"
    file.write_text("".join(FEED.format(number=number, record=RECORD) for number in range(3)))
    assert run("send", file, "--data", node.data).exit_code == 0
    refused = run("db", "rebuild", "--data", node.data)
    assert refused.exit_code == 2 and "in use by another affinity process" in refused.stderr
    assert node.terminate() == 0
    return node.data


def test_a_rebuild_after_life_finds_nothing_to_mend_and_mends_what_was_damaged(stopped: Path) -> None:
    checked = run("db", "rebuild", "--check", "--data", stopped, "--json")
    assert (checked.exit_code, json.loads(checked.stdout)["differing"]) == (0, [])
    with sqlite3.connect(stopped / "affinity.db") as database:
        database.execute("UPDATE pix_record SET family = 'nobody' WHERE key = 1")
    for _ in range(2):
        damaged = run("db", "rebuild", "--check", "--data", stopped)
        assert damaged.exit_code == 1 and "pix_record differs from the log." in damaged.stdout
    mended = run("db", "rebuild", "--data", stopped)
    assert mended.exit_code == 0 and "pix_record differed from the log, and was mended." in mended.stdout
    assert "Every table is what the log says." in run("db", "rebuild", "--check", "--data", stopped).stdout


def test_a_log_that_cannot_be_replayed_is_named_and_nothing_is_changed(stopped: Path) -> None:
    with sqlite3.connect(stopped / "affinity.db") as database:
        database.execute("UPDATE pix_event SET type = 'dreamt' WHERE number = 2")
        before = database.execute("SELECT * FROM pix_record").fetchall()
    refused = run("db", "rebuild", "--data", stopped)
    assert refused.exit_code == 1
    assert "event 2 (dreamt) cannot be replayed by this version: no such event; nothing was changed" in refused.stderr
    with sqlite3.connect(stopped / "affinity.db") as database:
        assert database.execute("SELECT * FROM pix_record").fetchall() == before


def test_an_upgrade_says_where_the_tables_are(stopped: Path) -> None:
    assert "revision" in run("db", "upgrade", "--data", stopped).stdout


def test_a_directory_that_is_none_of_a_node_is_named(tmp_path: Path) -> None:
    refused = run("db", "rebuild", "--data", tmp_path)
    assert refused.exit_code == 2 and "no server has run" in refused.stderr
