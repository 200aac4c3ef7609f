"""The document store in a bucket: byte-exact, durable, never half, and with bounded patience; a real S3 server."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from ihe.errors import Rejected
from ihe.exchange import Part
from tests.buckets import BucketServer, Fault, FaultyWay, faulty_way
from xds.bucket import Bucket, Credentials
from xds.documents import Content, StoreUnavailable
from xds.encryption import DamagedDocument, KeyRing, UnknownKey
from xds.object_store import SEGMENT, ObjectStore

KEYS = KeyRing((b"k" * 32,))
NEWER = KeyRing((b"n" * 32, b"k" * 32))
REPORT = b"%PDF-1.7 " + b"potassium 4.1 mmol/L " * 9_000
LARGE = bytes(range(256)) * (SEGMENT // 256) + REPORT
NAMES = count(1)
FAULTS = [each for each in Fault if each not in {Fault.NONE, Fault.RESET, Fault.WRONG_DOWN}]


def nothing(_name: str) -> bool:
    return False


def everything(_name: str) -> bool:
    return True


@pytest.fixture
def prefix() -> str:
    return f"test-{next(NAMES)}"


@pytest.fixture(params=[KEYS, None], ids=["sealed", "plain"])
def store(request: pytest.FixtureRequest, s3: BucketServer, prefix: str, tmp_path: Path) -> ObjectStore:
    return ObjectStore(s3.bucket(prefix), tmp_path, request.param)


@pytest.fixture
def sealed(s3: BucketServer, prefix: str, tmp_path: Path) -> ObjectStore:
    return ObjectStore(s3.bucket(prefix), tmp_path, KEYS)


@pytest.fixture
def way(s3: BucketServer) -> Iterator[FaultyWay]:
    with faulty_way(s3.url) as made:
        yield made


@pytest.fixture
def behind(s3: BucketServer, way: FaultyWay, prefix: str, tmp_path: Path) -> ObjectStore:
    """The same bucket as that of ``sealed``, by the faulty way."""
    return ObjectStore(s3.bucket(prefix, url=way.url, seconds=2), tmp_path, KEYS)


def receive(store: ObjectStore, data: bytes) -> Part:
    sink = store.create()
    sink.write(data)
    return sink.finish("part@sender", "application/pdf")


def keep(store: ObjectStore, data: bytes) -> Content:
    part = receive(store, data)
    with store.adopting([part], everything):
        pass
    return store.content(part)


def read(store: ObjectStore, content: Content) -> bytes:
    whole = store.read(content)
    assert b"".join(store.open(content)) == whole
    return whole


@pytest.mark.parametrize("size", [0, 1, 65_537, SEGMENT, SEGMENT + 1])
def test_what_was_stored_comes_back_byte_for_byte(store: ObjectStore, size: int) -> None:
    data = (LARGE * 2)[:size]
    content = keep(store, data)
    store.check(content)
    assert read(store, content) == data


def test_the_secret_and_the_bytes_are_not_in_the_bucket_readable(
    sealed: ObjectStore, s3: BucketServer, prefix: str
) -> None:
    keep(sealed, REPORT)
    [path] = s3.objects(prefix)
    assert b"potassium" not in path.read_bytes()


def test_a_wrong_secret_is_refused_and_not_told(s3: BucketServer, prefix: str) -> None:
    held = Credentials(access_key_id="test-access", secret_access_key="another-secret")
    bucket = Bucket(s3.address(prefix), lambda: held)
    with pytest.raises(StoreUnavailable) as caught:
        bucket.put("key", REPORT)
    assert "another-secret" not in f"{caught.value} {held}"


class TestSharing:
    def test_the_same_bytes_of_two_submissions_do_not_depend_on_each_other(self, sealed: ObjectStore) -> None:
        first, second = keep(sealed, REPORT), keep(sealed, REPORT)
        with sealed.removing([first.name], nothing):
            pass
        assert read(sealed, second) == REPORT
        with pytest.raises(DamagedDocument):
            sealed.check(first)

    def test_what_a_resent_submission_stored_again_goes(
        self, sealed: ObjectStore, s3: BucketServer, prefix: str
    ) -> None:
        with sealed.adopting([receive(sealed, REPORT)], nothing):
            pass
        assert s3.objects(prefix) == []

    def test_a_refused_submission_leaves_nothing(self, sealed: ObjectStore, s3: BucketServer, prefix: str) -> None:
        with pytest.raises(Rejected), sealed.adopting([receive(sealed, LARGE)], everything):
            raise Rejected
        assert s3.objects(prefix) == []

    def test_what_a_commit_in_doubt_may_refer_to_stays(self, sealed: ObjectStore) -> None:
        part = receive(sealed, REPORT)
        with pytest.raises(OSError), sealed.adopting([part], nothing):
            raise OSError("the connection to the database broke during the commit")
        assert read(sealed, sealed.content(part)) == REPORT

    def test_what_is_referenced_is_not_discarded(self, sealed: ObjectStore) -> None:
        content = keep(sealed, REPORT)
        assert [sealed.discard(content.name, each) for each in (everything, nothing)] == [False, True]
        assert list(sealed.stored()) == []

    def test_the_store_tells_what_it_has_in_order(self, sealed: ObjectStore) -> None:
        names = sorted(keep(sealed, data).name for data in (REPORT, b"other", b"short"))
        assert [each.name for each in sealed.stored()] == names


class TestDamage:
    @pytest.mark.parametrize("number", [0, 1])
    def test_a_changed_bit_is_told_never_delivered(
        self, store: ObjectStore, s3: BucketServer, prefix: str, number: int
    ) -> None:
        content, bucket = keep(store, LARGE), s3.bucket(prefix)
        key = [each.key for each in bucket.list()][number]
        stored = bucket.get(key)
        bucket.put(key, stored[:-1] + bytes([stored[-1] ^ 1]))
        with pytest.raises(DamagedDocument):
            read(store, content)

    @pytest.mark.parametrize("number", [0, 1])
    def test_what_is_missing_or_cut_is_seen_before_an_answer_begins(
        self, store: ObjectStore, s3: BucketServer, prefix: str, number: int
    ) -> None:
        content, bucket = keep(store, LARGE), s3.bucket(prefix)
        key = [each.key for each in bucket.list()][number]
        bucket.put(key, bucket.get(key)[:-1])
        with pytest.raises(DamagedDocument):
            store.check(content)
        bucket.delete([key])
        with pytest.raises(DamagedDocument):
            store.check(content)

    def test_sealed_bytes_need_their_key(self, sealed: ObjectStore, s3: BucketServer, prefix: str) -> None:
        content = keep(sealed, REPORT)
        for keys in (None, KeyRing((b"x" * 32,))):
            with pytest.raises(UnknownKey):
                ObjectStore(s3.bucket(prefix), sealed._spool, keys).check(content)


class TestRewrapping:
    def test_the_old_key_is_needed_no_more(self, sealed: ObjectStore, s3: BucketServer, prefix: str) -> None:
        content = keep(sealed, LARGE)
        newer = ObjectStore(s3.bucket(prefix), sealed._spool, NEWER)
        assert [newer.rewrap(content), newer.rewrap(content)] == [True, False]
        alone = ObjectStore(s3.bucket(prefix), sealed._spool, KeyRing(NEWER.keys[:1]))
        assert read(alone, content) == LARGE

    def test_only_the_first_segment_is_sent_again(self, sealed: ObjectStore, s3: BucketServer, prefix: str) -> None:
        content = keep(sealed, LARGE)
        before = [path.read_bytes() for path in s3.objects(prefix)]
        ObjectStore(s3.bucket(prefix), sealed._spool, NEWER).rewrap(content)
        after = [path.read_bytes() for path in s3.objects(prefix)]
        assert [one == other for one, other in zip(before, after, strict=True)] == [False, True]

    @pytest.mark.parametrize("fault", [Fault.WRONG_UP, Fault.WRONG_DOWN], ids=lambda each: each.name)
    @pytest.mark.parametrize("data", [REPORT, LARGE], ids=["short", "large"])
    def test_a_byte_that_is_changed_on_its_way_destroys_nothing(
        self, fault: Fault, data: bytes, behind: ObjectStore, way: FaultyWay, sealed: ObjectStore, s3: BucketServer
    ) -> None:
        content = keep(sealed, data)
        way.fault = fault
        with pytest.raises((StoreUnavailable, DamagedDocument)):
            ObjectStore(behind._bucket, sealed._spool, NEWER).rewrap(content)
        assert read(ObjectStore(sealed._bucket, sealed._spool, NEWER), content) == data
        way.fault = Fault.NONE
        assert ObjectStore(behind._bucket, sealed._spool, NEWER).rewrap(content)
        assert read(ObjectStore(sealed._bucket, sealed._spool, KeyRing(NEWER.keys[:1])), content) == data


class TestFaults:
    @pytest.mark.parametrize("fault", FAULTS, ids=lambda each: each.name)
    def test_nothing_half_is_stored(
        self,
        fault: Fault,
        behind: ObjectStore,
        way: FaultyWay,
        sealed: ObjectStore,
    ) -> None:
        part = receive(behind, REPORT)
        way.fault = fault
        entered = False
        with pytest.raises(StoreUnavailable), behind.adopting([part], everything):
            entered = True
        assert not entered
        for each in sealed.stored():
            sealed.discard(each.name, nothing)
        way.fault = Fault.NONE
        with behind.adopting([part], everything):
            pass
        assert read(sealed, sealed.content(part)) == REPORT

    @pytest.mark.parametrize("fault", [Fault.DOWN, Fault.SILENT, Fault.BUSY], ids=lambda each: each.name)
    def test_a_store_that_does_not_answer_is_told_before_an_answer_begins(
        self, fault: Fault, behind: ObjectStore, way: FaultyWay, sealed: ObjectStore
    ) -> None:
        content = keep(sealed, REPORT)
        way.fault = fault
        with pytest.raises(StoreUnavailable):
            behind.check(content)

    def test_a_connection_that_breaks_in_the_middle_is_made_again(
        self, behind: ObjectStore, way: FaultyWay, sealed: ObjectStore
    ) -> None:
        content = keep(sealed, REPORT)
        way.fault, way.left = Fault.RESET, 1
        assert read(behind, content) == REPORT

    def test_what_was_changed_on_its_way_back_is_not_delivered(
        self, behind: ObjectStore, way: FaultyWay, sealed: ObjectStore
    ) -> None:
        content = keep(sealed, REPORT)
        way.fault = Fault.WRONG_DOWN
        with pytest.raises(DamagedDocument):
            read(behind, content)
