"""A node that moves in parts: documents alone, taken up again after an outage or a kill; and the way back."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from affinity.cli import app
from affinity.cli.verbs import ExitCode
from affinity.database import Database
from affinity.moving import move as moving
from affinity.settings import Settings, load
from hl7v2.er7 import parse
from ihe.datatypes import CX
from ihe.exchange import OutgoingPart
from ihe.identifiers import UniqueId, new_oid
from mllp import client as mllp
from tests.buckets import ACCESS, BUCKET, SECRET, BucketServer, Fault, FaultyWay, faulty_way
from tests.end_to_end.conftest import RunningNode, Start, start
from tests.faults.sending import (
    RED,
    REPOSITORY_PATH,
    address,
    admission,
    call,
    content,
    retrieve,
    submission,
)
from tests.forked import Forked
from xds import repository_store
from xds.iti41 import ITI_41
from xds.iti86 import ITI_86

__all__ = ["start"]
OWNER = CX("MOVE-OWNER", RED)
OPTIONS = ("--domain", "connectathon", "--xua", "off")


def affinity(*words: object) -> Any:
    return CliRunner().invoke(app, [str(each) for each in words])


def move(*words: object) -> Any:
    return affinity("db", "move", *words, "--json")


def admit(node: RunningNode, patient: str) -> str:
    return parse(mllp.send(address(node), admission(patient)))["MSA"].text(1)


def provide(node: RunningNode, count: int) -> set[str]:
    """Submit documents; their ids."""
    return {_provide(node, new_oid()) for _ in range(count)}


def _provide(node: RunningNode, unique_id: str) -> str:
    sent = content(unique_id)
    part = OutgoingPart(content_id="d@x", media_type="text/plain", size=len(sent), chunks=lambda: iter((sent,)))
    body = submission(OWNER, UniqueId(unique_id), "d@x")
    answer = call(node, REPOSITORY_PATH, ITI_41.bindings[0], body, part).body
    assert str(answer.get("status")).endswith(":Success")
    return unique_id


@pytest.fixture
def node(start: Start) -> RunningNode:
    """One with a patient, whose documents are files."""
    begun = start(*OPTIONS)
    assert admit(begun, OWNER.id) == "AA"
    return begun


@pytest.fixture
def way(s3: BucketServer) -> Iterator[FaultyWay]:
    with faulty_way(s3.url) as made:
        yield made


@pytest.fixture
def there(tmp_path: Path, node: RunningNode, way: FaultyWay) -> Path:
    """The settings of the same node with its documents in a bucket."""
    held, file = tmp_path / "credentials", tmp_path / "bucket.toml"
    held.write_text(f"[default]\naws_access_key_id = {ACCESS}\naws_secret_access_key = {SECRET}\n")
    file.write_text(
        f'domain = "connectathon"\ndata = "{node.data}"\n[documents]\nstore = "s3"\nbucket = "{BUCKET}"\n'
        f'prefix = "{tmp_path.name}"\nendpoint = "{way.url}"\ncredentials = "{held}"\nretry_seconds = 0.5\n'
    )
    return file


def here(node: RunningNode) -> Settings:
    return load(None, {"data": node.data, "domain": "connectathon"})


class TestDocumentsAlone:
    def test_they_go_to_a_bucket_through_an_outage_a_kill_and_what_came_meanwhile(
        self, node: RunningNode, there: Path, way: FaultyWay, s3: BucketServer, start: Start, tmp_path: Path
    ) -> None:
        words = ("--data", node.data, "--domain", "connectathon", "--to", there)
        sent = provide(node, 12)
        way.fault = Fault.DOWN
        assert move(*words).exit_code == ExitCode.UNREACHABLE
        way.fault = Fault.NONE
        killed = Forked(["db", "move", *map(str, words)], {})
        while not (stored := len(s3.objects(tmp_path.name))):
            time.sleep(0.002)
        killed.kill()
        assert killed.wait(20) == -9
        assert 0 < stored < 12
        sent |= provide(node, 1)
        told = move(*words)
        assert told.exit_code == 0, told.output
        assert json.loads(told.stdout) | {"rows": {}} == {
            "rows": {},
            "digests": {},
            "documents": 13,
            "lost": [],
            "complete": False,  # its server runs
        }
        sent |= provide(node, 2)
        assert node.terminate() == 0
        told = json.loads(move(*words).stdout)
        assert (told["documents"], told["complete"], told["lost"]) == (15, True, [])
        assert len(s3.objects(tmp_path.name)) == 15
        begun = start("--config", str(there), "--xua", "off", data=node.data)
        assert retrieve(begun, sent, tmp_path / "received") == {each: content(each) for each in sent}
        assert begun.terminate() == 0
        assert affinity("db", "scrub", "--config", there).exit_code == 0

    def test_one_that_is_removed_while_it_is_copied_is_not_lost(self, node: RunningNode, there: Path) -> None:
        (gone,) = provide(node, 1)
        provide(node, 2)
        settings, removed = here(node), []
        real = repository_store.contents

        def contents(*arguments: Any) -> Any:
            found = real(*arguments)
            if not removed:
                removed.append(remove(node, gone))
            return found

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(repository_store, "contents", contents)
            moved = moving.move(settings, load(there, {}), moving.Telling(step=print, ready=lambda: None))
        assert (moved.documents, moved.lost) == (2, [])

    def test_one_that_is_damaged_is_named(self, node: RunningNode, there: Path) -> None:
        provide(node, 2)
        file = next(path for path in (node.data / "documents").rglob("*") if path.is_file() and len(path.stem) == 64)
        file.write_bytes(file.read_bytes()[:-1] + b"?")
        told = move("--data", node.data, "--domain", "connectathon", "--to", there)
        assert told.exit_code == ExitCode.REFUSED
        assert json.loads(told.stdout)["lost"] == [file.stem]
        assert json.loads(told.stdout)["documents"] == 1


def remove(node: RunningNode, unique_id: str) -> str:
    repository = here(node)
    from affinity.client import xds
    from affinity.domain import load as load_domain

    repository = load_domain("connectathon").affinity_domain.repository_unique_id
    request = xds.retrieve([(repository, unique_id)]).decode().partition(">")[2].rpartition("<")[0]
    request = (
        f'<r:RemoveDocumentsRequest xmlns:r="urn:ihe:iti:rmd:2017" xmlns="urn:ihe:iti:xds-b:2007">{request}'
        "</r:RemoveDocumentsRequest>"
    )
    answer = call(node, REPOSITORY_PATH, ITI_86.bindings[0], request.encode()).body
    assert str(answer.get("status")).endswith(":Success")
    return unique_id


class TestTheWayBack:
    @pytest.fixture
    def away(self, tmp_path: Path, empty_postgresql: str) -> Path:
        """The settings of the node where it goes."""
        file = tmp_path / "postgresql.toml"
        file.write_text(f'domain = "connectathon"\ndata = "{tmp_path / "new"}"\ndatabase_url = "{empty_postgresql}"\n')
        return file

    def test_a_released_source_serves_as_before_also_without_a_restart(
        self, node: RunningNode, away: Path, start: Start
    ) -> None:
        words = ("--data", node.data, "--domain", "connectathon")
        assert move(*words, "--to", away).exit_code == 0
        assert admit(node, "MOVE-REFUSED") == "AR"
        assert move(*words, "--release").exit_code == 0
        assert admit(node, "MOVE-AGAIN") == "AA"
        provide(node, 1)
        assert node.terminate() == 0
        database = Database(here(node).database)
        names = "SELECT name FROM sqlite_master WHERE name LIKE 'moving%'"
        assert database.read(lambda connection: connection.exec_driver_sql(names).all()) == []
        database.close()
        again = start(*OPTIONS, data=node.data)
        assert admit(again, "MOVE-AFTER") == "AA"
        assert again.terminate() == 0
        assert affinity("audit", "verify", *words).exit_code == 0

    def test_what_was_taken_back_does_not_go_on_in_a_target_that_was_begun(self, node: RunningNode, away: Path) -> None:
        """The source has changed since, and nobody noted what."""
        words = ("--data", node.data, "--domain", "connectathon")
        assert move(*words, "--to", away).exit_code == 0
        assert move(*words, "--release").exit_code == 0
        assert admit(node, "MOVE-AGAIN") == "AA"
        told = move(*words, "--to", away)
        assert told.exit_code == ExitCode.WRONG_USE
        assert "another move" in told.output
        assert admit(node, "MOVE-STILL") == "AA"

    def test_release_of_what_was_never_moved_changes_nothing(self, node: RunningNode) -> None:
        assert move("--data", node.data, "--domain", "connectathon", "--release").exit_code == 0
        assert admit(node, "MOVE-AGAIN") == "AA"
