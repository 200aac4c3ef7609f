"""``affinity db scrub``, ``sweep``, ``new-key`` and ``rewrap``, on files and in a bucket."""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from affinity.cli import app
from affinity.database import Database
from affinity.document_chores import scrub_of
from affinity.document_store import open_store
from affinity.document_store_numbers import store_numbers
from affinity.domain import load
from affinity.node import open_node
from affinity.orphans import Swept, orphans, remove_orphans
from affinity.rewrapping import rewrap_all
from affinity.settings import Documents, DocumentStoreKind, Settings
from atna.tables import audit_event
from ihe.identifiers import UniqueId
from tests.buckets import ACCESS, BUCKET, SECRET, BucketServer, StoredObject
from xds import repository_store
from xds.documents import Content, DocumentStore, Stored, StoreUnavailable
from xds.file_store import FileStore
from xds.key_file import KeyFile, add_key, load_keys
from xds.repository_store import Document
from xds.tables import document

NOW = datetime(2026, 11, 23, tzinfo=UTC)
FOREVER = datetime(2100, 1, 1, tzinfo=UTC)
REPORTS = {f"1.2.{n}": b"potassium 4.%d mmol/L " % n * (900 if n else 1) for n in range(5)}
Run = Callable[..., Any]


@pytest.fixture(params=["files", "s3"])
def settings(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of a node with documents, in either store; the variables make the verbs use it."""
    data, documents = tmp_path / "data", Documents()
    if request.param == "s3":
        server: BucketServer = request.getfixturevalue("s3")
        held = tmp_path / "credentials"
        held.write_text(f"[default]\naws_access_key_id = {ACCESS}\naws_secret_access_key = {SECRET}\n")
        documents = Documents(
            store=DocumentStoreKind.S3, bucket=BUCKET, prefix=tmp_path.name, endpoint=server.url, credentials=held
        )
        monkeypatch.setenv("AFFINITY__DOCUMENTS", documents.model_dump_json(exclude_defaults=True))
    made = Settings(domain="demo", data=data, documents=documents)
    node = open_node(made, load("demo"))
    for unique_id, content in REPORTS.items():
        sink = node.store.create()
        sink.write(content)
        part = sink.finish("part", "text/plain")
        document = Document(
            repository_unique_id="2.25.1",
            unique_id=UniqueId(unique_id),
            content=node.store.content(part),
            sha1=part.sha1,
            mime_type="text/plain",
        )
        with node.store.adopting([part], lambda _: True):
            node.database.write(lambda connection, new=document: repository_store.record(connection, [new], NOW))  # type: ignore[misc]
        sink.discard()
    node.close()
    return made


@pytest.fixture
def run(settings: Settings) -> Run:
    return lambda *words: CliRunner().invoke(app, ["db", *words, "--data", str(settings.data), "--json"])


@pytest.fixture
def objects(settings: Settings, request: pytest.FixtureRequest) -> "Sequence[Path | StoredObject]":
    """The files behind the documents."""
    if settings.documents.store is DocumentStoreKind.FILES:
        return sorted((settings.data / "documents" / "content").rglob("*.sealed"))
    server: BucketServer = request.getfixturevalue("s3")
    return server.objects(settings.documents.prefix)


def told(result: Any) -> Any:
    return json.loads(result.stdout)


def damage(path: "Path | StoredObject") -> None:
    stored = bytearray(path.read_bytes())
    stored[-1] ^= 1
    path.write_bytes(stored)


def read_all(store: DocumentStore, settings: Settings) -> dict[str, bytes]:
    node = open_node(settings, load("demo"))
    try:
        found = node.database.read(lambda c: repository_store.documents(c, "2.25.1", map(UniqueId, REPORTS)))
        return {str(id): b"".join(store.open(each.content)) for id, each in found.items()}
    finally:
        node.close()


class TestScrub:
    def test_sound_documents_are_told_as_such(self, run: Run, settings: Settings) -> None:
        result = run("scrub")
        done = told(result)
        assert (result.exit_code, done["checked"], done["damaged"], done["orphans"]) == (0, len(REPORTS), 0, 0)
        assert done["size"] == sum(map(len, REPORTS.values()))

    def test_a_changed_byte_is_named_by_its_document_and_audited(
        self, run: Run, settings: Settings, objects: "Sequence[Path | StoredObject]"
    ) -> None:
        damage(objects[0])
        result = run("scrub")
        [finding] = told(result)["findings"]
        assert result.exit_code == 1
        assert set(finding["unique_ids"]) < set(REPORTS)
        node = open_node(settings, load("demo"))
        alerts = node.database.read(
            lambda c: c.execute(select(func.count()).where(audit_event.c.outcome == 8)).scalar()
        )
        numbers = store_numbers(settings, node.database)
        node.close()
        assert alerts == 1
        assert numbers.scrub is not None
        assert (numbers.documents, numbers.scrub.damaged) == (len(REPORTS), 1)

    def test_a_round_that_was_stopped_goes_on(self, run: Run, settings: Settings) -> None:
        database = Database(settings.database)
        scrub_of(settings, database, open_store(settings)).step(3)
        database.close()
        state = json.loads((settings.data / "scrub.json").read_text())
        assert (state["checked"], state["finished_at"]) == (3, None)
        assert told(run("scrub"))["checked"] == len(REPORTS)


class TestSweep:
    def test_only_what_nobody_refers_to_goes_and_not_at_once(self, run: Run, settings: Settings) -> None:
        node = open_node(settings, load("demo"))
        sink = node.store.create()
        sink.write(b"never registered")
        part = sink.finish("part", "text/plain")
        with pytest.raises(OSError), node.store.adopting([part], lambda _: True):
            raise OSError("the database went away")
        found = list(orphans(node.database, node.store, FOREVER))
        node.close()
        assert [each.name[:64] for each in found] == [part.sha256]
        assert told(run("sweep")) == {"removed": 0}
        if settings.documents.store is DocumentStoreKind.FILES:
            [path] = (settings.data / "documents" / "content").rglob(f"{part.sha256}.sealed")
            os.utime(path, (1, 1))
            assert told(run("sweep")) == {"removed": 1}
        assert read_all(open_store(settings), settings) == REPORTS

    def test_a_server_leaves_what_a_database_of_an_earlier_moment_does_not_know(self, settings: Settings) -> None:
        """As if it had been restored: the documents are there, and no row refers to them."""
        node = open_node(settings, load("demo"))
        node.database.write(lambda connection: connection.execute(document.delete()))
        now = datetime.now(UTC) + timedelta(days=1)
        assert remove_orphans(node.database, node.store, now, since=now) == Swept(removed=0, left=len(REPORTS))
        assert len(list(orphans(node.database, node.store, FOREVER))) == len(REPORTS)
        assert remove_orphans(node.database, node.store, now, since=datetime(2020, 1, 1, tzinfo=UTC)).left == 0
        assert list(orphans(node.database, node.store, FOREVER)) == []
        node.close()

    @pytest.mark.parametrize(("days", "left"), [(1, 0), (-1, len(REPORTS))])
    def test_a_server_deletes_what_was_removed_while_the_store_was_away_whenever_it_was_stored(
        self, settings: Settings, days: int, left: int
    ) -> None:
        """What was stored after the removal came again: a database of an earlier moment does not know of it."""
        node = open_node(settings, load("demo"))
        removed_at, now = datetime.now(UTC) + timedelta(days=days), datetime.now(UTC) + timedelta(days=2)
        for each in map(UniqueId, REPORTS):
            node.database.write(lambda c, id=each: repository_store.remove(c, "2.25.1", id, removed_at))  # type: ignore[misc]
        swept = remove_orphans(node.database, node.store, now, since=now)
        node.close()
        assert swept == Swept(removed=len(REPORTS) - left, left=left)


class TestKeys:
    def test_a_new_key_is_used_at_once_and_needed_alone_after_rewrapping(self, run: Run, settings: Settings) -> None:
        running = open_store(settings)
        [old] = load_keys(settings.data / "documents.key").ids()
        new, kept = told(run("new-key"))["keys"]
        assert kept == old
        assert told(run("rewrap")) == {"documents": 5, "rewrapped": 5, "failed": [], "dropped_keys": []}
        assert told(run("rewrap", "--drop-unused")) == {
            "documents": 5,
            "rewrapped": 0,
            "failed": [],
            "dropped_keys": [old],
        }
        assert load_keys(settings.data / "documents.key").ids() == (new,)
        assert read_all(running, settings) == REPORTS

    def test_no_key_is_forgotten_while_a_document_cannot_be_opened(
        self, run: Run, settings: Settings, objects: "Sequence[Path | StoredObject]"
    ) -> None:
        run("new-key")
        path = objects[0]
        path.write_bytes(b"X" + path.read_bytes()[1:])
        result = run("rewrap", "--drop-unused")
        assert (result.exit_code, told(result)["dropped_keys"]) == (1, [])
        assert len(load_keys(settings.data / "documents.key").ids()) == 2

    def test_a_rewrapping_that_was_stopped_goes_on(self, run: Run, settings: Settings) -> None:
        node = open_node(settings, load("demo"))
        first, *_ = node.database.read(lambda connection: repository_store.contents(connection, "", 1))
        node.close()
        run("new-key")
        (settings.data / "rewrap.mark").write_text(first.name)
        assert told(run("rewrap"))["rewrapped"] == len(REPORTS) - 1
        assert told(run("rewrap"))["rewrapped"] == 1


class Withholding(FileStore):
    """A store that does not give one document, or none at all: it is busy, or forbids it."""

    withheld = ""
    answers = True

    def open(self, content: Content) -> Iterator[bytes]:
        self.check(content)
        return super().open(content)

    def check(self, content: Content) -> None:
        if content.name == self.withheld:
            raise StoreUnavailable("PermissionDeniedError")

    def rewrap(self, content: Content) -> bool:
        self.check(content)
        return super().rewrap(content)

    def stored(self) -> Iterator[Stored]:
        if not self.answers:
            raise StoreUnavailable("GenericError")
        return super().stored()


@pytest.mark.parametrize("settings", ["files"], indirect=True)
class TestWithheld:
    @pytest.fixture
    def stage(self, settings: Settings) -> Iterator[tuple[Database, Withholding]]:
        database = Database(settings.database)
        store = Withholding(settings.data / "documents", KeyFile(settings.data / "documents.key"))
        [first] = database.read(lambda each: repository_store.contents(each, "", 1))
        store.withheld = first.name
        yield database, store
        database.close()

    def test_a_document_that_alone_is_not_given_is_named_and_holds_up_no_other(
        self, settings: Settings, stage: tuple[Database, Withholding]
    ) -> None:
        database, store = stage
        done = scrub_of(settings, database, store).step(len(REPORTS) + 1)
        assert [each.sha256 for each in done.findings] == [store.withheld]
        assert (done.checked, done.finished_at is None) == (len(REPORTS), False)

    def test_keys_of_the_others_are_rotated(self, settings: Settings, stage: tuple[Database, Withholding]) -> None:
        database, store = stage
        add_key(settings.data / "documents.key")
        done = rewrap_all(database, store, settings.data / "rewrap.mark")
        assert (done.rewrapped, done.failed) == (len(REPORTS) - 1, (store.withheld,))

    def test_nothing_is_named_where_the_store_does_not_answer(
        self, settings: Settings, stage: tuple[Database, Withholding]
    ) -> None:
        database, store = stage
        store.answers = False
        with pytest.raises(StoreUnavailable):
            scrub_of(settings, database, store).step(1)
        with pytest.raises(StoreUnavailable):
            rewrap_all(database, store, settings.data / "rewrap.mark")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files of others")
@pytest.mark.parametrize("settings", ["files"], indirect=True)
def test_what_root_changes_stays_the_nodes_own(run: Run, settings: Settings) -> None:
    owned = [settings.data / "documents.key", *settings.data.glob("documents/content/*/*/*")]
    for each in owned:
        os.chown(each, 4321, 4321)
    assert run("new-key").exit_code == run("rewrap").exit_code == 0
    assert {(each.stat().st_uid, each.stat().st_gid) for each in owned} == {(4321, 4321)}


@pytest.mark.parametrize("settings", ["files"], indirect=True)
def test_what_a_killed_process_left_in_the_spool_goes_with_the_orphans(run: Run, settings: Settings) -> None:
    old, new = (settings.data / "documents" / "spool" / name for name in ("receiving.old", "receiving.new"))
    for each in (old, new):
        each.touch()
    os.utime(old, (1, 1))
    assert told(run("sweep")) == {"removed": 1}
    assert (old.exists(), new.exists()) == (False, True)


@pytest.mark.parametrize("settings", ["files"], indirect=True)
class TestBackup:
    def test_it_can_be_read_after_keys_were_rotated_and_so_can_earlier_states_of_it(
        self, run: Run, settings: Settings, tmp_path: Path
    ) -> None:
        backup, keys, earlier = tmp_path / "backup", tmp_path / "keys", tmp_path / "earlier"
        for words in (("new-key",), ("rewrap", "--drop-unused")):
            assert run("backup", str(backup), "--keys", str(keys)).exit_code == 0
            shutil.copytree(backup, earlier, dirs_exist_ok=True)
            assert run(*words).exit_code == 0
        assert told(run("backup", str(backup), "--keys", str(keys)))["copied"]["files"] == len(REPORTS)
        newest = keys / "documents.key"
        assert load_keys(newest).ids()[:1] == load_keys(settings.data / "documents.key").ids()
        for state in (backup, earlier):
            assert read_all(FileStore(state / "documents", KeyFile(newest)), settings) == REPORTS

    def test_what_is_there_under_the_same_key_is_not_copied_again(
        self, run: Run, settings: Settings, tmp_path: Path
    ) -> None:
        run("backup", str(tmp_path / "backup"))
        copy = next((tmp_path / "backup" / "documents" / "content").glob("*/*/*"))
        made = copy.stat().st_mtime_ns
        os.utime(copy, (1, 1))
        assert told(run("backup", str(tmp_path / "backup")))["copied"]["files"] == 0
        assert copy.stat().st_mtime_ns == made, "the next backup opens it again"

    def test_a_file_that_is_no_copy_of_keys_is_left_alone(self, run: Run, settings: Settings, tmp_path: Path) -> None:
        (tmp_path / "documents.key").write_text("something else")
        assert run("backup", str(tmp_path / "backup"), "--keys", str(tmp_path)).exit_code == 1
        assert (tmp_path / "documents.key").read_text() == "something else"
