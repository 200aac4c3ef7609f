"""A bucket that is full, away, silent, busy, or on a way that changes bytes: submissions wait, feeds do not."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.buckets import ACCESS, BUCKET, SECRET, BucketServer, Fault, FaultyWay, bucket_server, faulty_way
from tests.end_to_end.conftest import Start
from tests.faults.full import filled, mounted
from tests.faults.load import Load
from tests.faults.test_disk import AFTER, BEFORE, check

ROUNDS = int(os.environ.get("AFFINITY_FAULT_ROUNDS", "1"))
FAULTS = (Fault.DOWN, Fault.SILENT, Fault.BUSY, Fault.WRONG_UP)
REFUSED = 2
"""Answers that say "later", before the fault is mended."""
DISK = (24 + ROUNDS) * 2**20


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[BucketServer]:
    """Of this test alone, on a small disk."""
    place = tmp_path / "bucket"
    place.mkdir()
    with mounted(place, DISK), bucket_server(place) as server:
        yield server


@pytest.fixture
def way(bucket: BucketServer) -> Iterator[FaultyWay]:
    with faulty_way(bucket.url) as made:
        yield made


@pytest.fixture
def settings(tmp_path: Path, way: FaultyWay) -> Path:
    """Of a node that has its documents in the bucket, at the end of the way."""
    held, file = tmp_path / "credentials", tmp_path / "node.toml"
    held.write_text(f"[default]\naws_access_key_id = {ACCESS}\naws_secret_access_key = {SECRET}\n")
    file.write_text(
        f'[documents]\nstore = "s3"\nbucket = "{BUCKET}"\nendpoint = "{way.url}"\ncredentials = "{held}"\n'
        "request_seconds = 0.5\nretry_seconds = 0.5\n"
    )
    return file


def test_a_failing_bucket_refuses_and_loses_nothing(
    start: Start, settings: Path, bucket: BucketServer, way: FaultyWay, tmp_path: Path
) -> None:
    load = Load(start("--config", str(settings), "--domain", "connectathon", "--xua", "off"))
    with load.running():
        for fault in FAULTS * ROUNDS:
            load.until(BEFORE)
            way.fault = fault
            load.until_told(REFUSED)
            way.fault = Fault.NONE
        for _ in range(ROUNDS):
            load.until(BEFORE)
            with filled(tmp_path / "bucket"):
                load.until_told(REFUSED)
        load.until(AFTER)
    assert {each for each in load.told} <= {"busy"}, load.told  # feeds need no bucket
    check(load, tmp_path)
