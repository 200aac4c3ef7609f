"""The document store on real files: byte-exact, durable, shared, and clean after a crash."""

import hashlib
import os
import shutil
import threading
from pathlib import Path

import pytest

from ihe.exchange import Part
from xds.documents import Content
from xds.encryption import DamagedDocument, KeyRing, UnknownKey
from xds.file_store import FileStore

KEYS = KeyRing((b"k" * 32,))
REPORT = b"%PDF-1.7 " + b"potassium 4.1 mmol/L " * 9_000
EVERYTHING_ENDED = 1e12
"""A moment far in the future: every spool file is older."""


@pytest.fixture(params=[KEYS, None], ids=["sealed", "plain"])
def keys(request: pytest.FixtureRequest) -> KeyRing | None:
    ring: KeyRing | None = request.param
    return ring


@pytest.fixture
def store(tmp_path: Path, keys: KeyRing | None) -> FileStore:
    return FileStore(tmp_path, keys)


def receive(store: FileStore, data: bytes, piece: int = 65_536) -> Part:
    sink = store.create()
    for start in range(0, len(data), piece):
        sink.write(data[start : start + piece])
    return sink.finish("part@sender", "application/pdf")


def keep(store: FileStore, data: bytes) -> Content:
    part = receive(store, data)
    with store.adopting([part], nothing):
        pass
    Path(part.spooled).unlink()
    return Content(sha256=part.sha256, size=part.size)


def nothing(_digest: str) -> bool:
    return False


def everything(_digest: str) -> bool:
    return True


def files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file() and path.parent.name != "locks")


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 200_000])
@pytest.mark.parametrize("piece", [1_000, 65_536, 300_000])
def test_what_was_stored_comes_back_byte_for_byte(store: FileStore, size: int, piece: int) -> None:
    data = os.urandom(size)
    part = receive(store, data, piece)
    assert (part.size, part.sha1) == (size, hashlib.sha1(data, usedforsecurity=False).hexdigest())
    with store.adopting([part], nothing):
        content = Content(sha256=hashlib.sha256(data).hexdigest(), size=size)
        store.check(content)
        assert b"".join(store.open(content)) == store.read(content) == data


def test_a_sealed_store_writes_no_plain_byte(tmp_path: Path) -> None:
    keep(FileStore(tmp_path, KEYS), REPORT)
    [path] = files(tmp_path)
    assert b"potassium" not in path.read_bytes()


def test_the_path_tells_the_sha256(tmp_path: Path) -> None:
    content = keep(FileStore(tmp_path, None), REPORT)
    digest = content.sha256
    assert files(tmp_path) == [tmp_path / "content" / digest[:2] / digest[2:4] / f"{digest}.plain"]


def test_two_submissions_of_the_same_bytes_share_one_file(store: FileStore, tmp_path: Path) -> None:
    assert keep(store, REPORT) == keep(store, REPORT)
    assert len(files(tmp_path)) == 1


def test_adopting_twice_is_harmless(store: FileStore) -> None:
    part = receive(store, REPORT)
    with store.adopting([part, part], nothing):
        store.adopt(part)
    assert b"".join(store.open(Content(sha256=part.sha256, size=part.size))) == REPORT


def test_bytes_that_come_again_take_the_place_of_what_cannot_be_read(store: FileStore, tmp_path: Path) -> None:
    content = keep(store, REPORT)
    [path] = files(tmp_path)
    path.write_bytes(b"X" + path.read_bytes()[1:])
    assert keep(store, REPORT) == content
    assert store.read(content) == REPORT
    assert files(tmp_path) == [path]


def test_bytes_that_come_again_need_no_key_that_was_forgotten_meanwhile(tmp_path: Path) -> None:
    """What nobody refers to is not rewrapped: so it is after a restore to an earlier moment, or after a crash."""
    keep(FileStore(tmp_path, KEYS), REPORT)
    rotated = FileStore(tmp_path, KeyRing((b"n" * 32,)))
    assert rotated.read(keep(rotated, REPORT)) == REPORT


def test_discarding_after_adoption_keeps_the_document(store: FileStore) -> None:
    sink = store.create()
    sink.write(REPORT)
    part = sink.finish("part@sender", "application/pdf")
    with store.adopting([part], nothing):
        pass
    sink.discard()
    assert b"".join(store.open(Content(sha256=part.sha256, size=part.size))) == REPORT


def test_discarding_halfway_leaves_nothing(store: FileStore, tmp_path: Path) -> None:
    sink = store.create()
    sink.write(REPORT)
    sink.discard()
    assert files(tmp_path) == []


@pytest.mark.parametrize("size", [1, 65_536, 65_537, 200_000])
def test_a_part_that_is_received_lies_in_the_spool_under_its_sha256(tmp_path: Path, size: int) -> None:
    part = receive(FileStore(tmp_path, KEYS), b"x" * size)
    assert [str(each) for each in files(tmp_path)] == [part.spooled]
    assert Path(part.spooled).stem == part.sha256


def test_a_part_that_fits_into_one_chunk_has_no_file_before_it_is_whole(tmp_path: Path) -> None:
    sink = FileStore(tmp_path, KEYS).create()
    sink.write(b"x" * 65_536)
    assert files(tmp_path) == []
    sink.discard()
    assert files(tmp_path) == []


@pytest.fixture
def fsynced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was made durable, in turn."""
    paths: list[str] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        paths.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        fsync(descriptor)

    monkeypatch.setattr("xds.spool.os.fsync", noted)
    return paths


def test_a_document_is_durable_with_all_directories_above_it_whoever_made_them(
    tmp_path: Path, fsynced: list[str]
) -> None:
    digest = hashlib.sha256(REPORT).hexdigest()
    content = tmp_path / "content"
    shard, own = content / digest[:2], content / digest[:2] / digest[2:4]
    store, other = FileStore(tmp_path, KEYS), FileStore(tmp_path, KEYS)
    own.mkdir(parents=True)  # as another process has just done, which has not come to making it durable
    above = [str(shard), str(content)]
    for each, expected in ((store, above), (store, []), (other, above)):
        fsynced.clear()
        keep(each, REPORT)
        assert kept(fsynced) == [str(own / f"{digest}.sealed"), str(own), *expected]


def test_directories_in_one_directory_make_it_durable_once_in_each_process(tmp_path: Path, fsynced: list[str]) -> None:
    first, second = alike()
    shard = tmp_path / "content" / hashlib.sha256(first).hexdigest()[:2]
    store, other = FileStore(tmp_path, KEYS), FileStore(tmp_path, KEYS)
    found = []
    for each, report in ((store, first), (store, second), (other, second)):
        fsynced.clear()
        keep(each, report)
        found.append(kept(fsynced)[2:])
    assert found == [[str(shard), str(shard.parent)], [str(shard)], [str(shard), str(shard.parent)]]


def kept(fsynced: list[str]) -> list[str]:
    """Those that are not of the spool."""
    return [each for each in fsynced if "/spool/" not in each]


def test_what_takes_the_place_of_others_is_durable_before(store: FileStore, fsynced: list[str]) -> None:
    keep(store, REPORT)
    fsynced.clear()
    keep(store, REPORT)
    assert "/spool/" in fsynced[0]


def alike() -> tuple[bytes, bytes]:
    """Reports that belong into two directories of one."""
    known: dict[str, bytes] = {}
    for number in range(300):
        report = b"Report %d" % number
        digest = hashlib.sha256(report).hexdigest()
        other = known.setdefault(digest[:2], report)
        if hashlib.sha256(other).hexdigest()[:4] != digest[:4]:
            return other, report
    raise AssertionError("there are 256 directories")


def test_directories_that_are_made_anew_are_made_durable_anew(tmp_path: Path, fsynced: list[str]) -> None:
    store = FileStore(tmp_path, KEYS)
    fsynced.clear()
    keep(store, REPORT)
    made = list(fsynced)
    shutil.rmtree(tmp_path / "content")
    (tmp_path / "content").mkdir()
    fsynced.clear()
    keep(store, REPORT)
    assert fsynced == made and len(made) == 4
    assert all(each.stat().st_mode & 0o077 == 0 for each in (tmp_path / "content").rglob("*"))


def test_a_refused_submission_leaves_nothing(store: FileStore, tmp_path: Path) -> None:
    part = receive(store, REPORT)
    with pytest.raises(ZeroDivisionError), store.adopting([part], nothing):
        raise ZeroDivisionError
    Path(part.spooled).unlink()
    assert files(tmp_path) == []


def test_a_refused_submission_leaves_the_same_bytes_of_another_document(store: FileStore) -> None:
    content = keep(store, REPORT)
    with pytest.raises(ZeroDivisionError), store.adopting([receive(store, REPORT)], everything):
        raise ZeroDivisionError
    assert b"".join(store.open(content)) == REPORT


@pytest.mark.parametrize("damage", ["flip", "cut", "extend", "replace", "delete"])
def test_damage_is_told_never_delivered(store: FileStore, tmp_path: Path, damage: str) -> None:
    content = keep(store, REPORT)
    [path] = files(tmp_path)
    stored = path.read_bytes()
    match damage:
        case "flip":
            path.write_bytes(stored[:-1] + bytes([stored[-1] ^ 1]))
        case "cut":
            path.write_bytes(stored[:-1])
        case "extend":
            path.write_bytes(stored + b"\0")
        case "replace":
            keep(store, REPORT[::-1])
            [other] = set(files(tmp_path)) - {path}
            other.replace(path)
        case "delete":
            path.unlink()
    delivered = b""
    with pytest.raises(DamagedDocument):
        for chunk in store.open(content):
            delivered += chunk
    assert len(delivered) < len(REPORT)
    with pytest.raises(DamagedDocument):
        store.read(content)


@pytest.mark.parametrize("damage", ["cut", "delete"])
def test_check_sees_missing_bytes_before_an_answer_begins(store: FileStore, tmp_path: Path, damage: str) -> None:
    content = keep(store, REPORT)
    [path] = files(tmp_path)
    path.unlink() if damage == "delete" else path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DamagedDocument):
        store.check(content)


def test_check_sees_the_bytes_of_another_document(tmp_path: Path) -> None:
    store = FileStore(tmp_path, KEYS)
    mine = keep(store, REPORT)
    [path] = files(tmp_path)
    keep(store, REPORT[::-1])
    [other] = set(files(tmp_path)) - {path}
    other.replace(path)
    with pytest.raises(DamagedDocument, match="another document"):
        store.check(mine)


def test_encryption_can_be_switched_on_later(tmp_path: Path) -> None:
    before = keep(FileStore(tmp_path, None), b"stored plain")
    store = FileStore(tmp_path, KEYS)
    after = keep(store, b"stored sealed")
    assert [b"".join(store.open(each)) for each in (before, after)] == [b"stored plain", b"stored sealed"]
    with pytest.raises(UnknownKey):
        FileStore(tmp_path, None).check(after)
    with pytest.raises(UnknownKey):
        FileStore(tmp_path, None).read(after)


class TestRemoving:
    def test_bytes_go_when_nothing_refers_to_them(self, store: FileStore, tmp_path: Path) -> None:
        content = keep(store, REPORT)
        with store.removing([content.sha256], nothing):
            store.check(content)
        assert files(tmp_path) == []

    def test_bytes_stay_while_another_document_refers_to_them(self, store: FileStore) -> None:
        content = keep(store, REPORT)
        with store.removing([content.sha256], everything):
            pass
        store.check(content)

    def test_a_remover_waits_for_a_submission_of_the_same_bytes(self, store: FileStore) -> None:
        content = keep(store, REPORT)
        registered, adopted, asked = threading.Event(), threading.Event(), []

        def submit() -> None:
            with store.adopting([receive(store, REPORT)], nothing):
                adopted.set()
                remover.join(0.05)
                assert remover.is_alive()
                registered.set()

        def is_registered(_digest: str) -> bool:
            asked.append(registered.is_set())
            return registered.is_set()

        def remove() -> None:
            adopted.wait(10)
            with store.removing([content.sha256], is_registered):
                pass

        remover, submitter = threading.Thread(target=remove), threading.Thread(target=submit)
        remover.start()
        submitter.start()
        submitter.join(10)
        remover.join(10)
        assert asked == [True]
        store.check(content)


class TestSweep:
    def test_a_half_received_part_goes(self, store: FileStore, tmp_path: Path) -> None:
        store.create().write(REPORT)
        assert store.sweep(nothing, EVERYTHING_ENDED) == 1
        assert files(tmp_path) == []

    def test_a_document_adopted_but_never_registered_goes(self, store: FileStore, tmp_path: Path) -> None:
        store.adopt(receive(store, REPORT))
        store.sweep(nothing, EVERYTHING_ENDED)
        assert files(tmp_path) == []

    def test_a_document_registered_but_never_answered_stays(self, store: FileStore, tmp_path: Path) -> None:
        part = receive(store, REPORT)
        store.adopt(part)
        store.sweep(everything, EVERYTHING_ENDED)
        store.check(Content(sha256=part.sha256, size=part.size))
        assert len(files(tmp_path)) == 1

    def test_a_removal_that_stopped_after_its_commit_is_finished(self, store: FileStore, tmp_path: Path) -> None:
        content = keep(store, REPORT)

        def crash(_digest: str) -> bool:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt), store.removing([content.sha256], crash):
            pass
        store.check(content)
        store.sweep(nothing, EVERYTHING_ENDED)
        assert files(tmp_path) == []

    def test_what_is_going_on_is_left_alone(self, store: FileStore) -> None:
        part = receive(store, REPORT)
        store.adopt(part)
        began = Path(part.spooled).stat().st_mtime - 1
        assert store.sweep(nothing, began) == 0
        store.check(Content(sha256=part.sha256, size=part.size))

    def test_a_part_whose_request_ends_at_that_moment_hinders_nothing(self, store: FileStore, tmp_path: Path) -> None:
        """It is listed, and gone when it is looked at: a node under load has one at every moment."""
        store.create().write(REPORT)
        (listed,) = tmp_path.rglob("spool/*")
        listed.with_name("receiving.gone").symlink_to(tmp_path / "nowhere")
        assert store.sweep(nothing, EVERYTHING_ENDED) == 1
