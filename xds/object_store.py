"""Documents in an S3-compatible store: many machines may share one, and its correctness asks nothing special of it.

What a submission stores lies under a name of its own, ``<prefix><sha256>.<place>.sealed/`` (or ``.plain/``), which its
row keeps. Nobody else ever stores there, so nothing is to be locked: what no row refers to after a while is an orphan.
A document is one object for each ``SEGMENT`` of its stored bytes, so no multipart upload can be left half done, memory
is bounded, and a broken transfer repeats one segment.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import groupby
from pathlib import Path

import structlog

from ihe.durable import make_directory
from ihe.errors import Rejected
from ihe.exchange import Part, Sink
from xds.bucket import Bucket, Listed, NoObject
from xds.documents import Content, Referenced, Stored, StoreUnavailable, verified
from xds.encryption import HEADER, TAG, DamagedDocument, Keys, UnknownKey, sealed_size, unseal
from xds.spool import SpoolSink, left_over

SEALED, PLAIN = ".sealed", ".plain"
SEGMENT = 4 * 2**20
"""Stored bytes in every object of a document but the last."""
PLACE = 16
"""Digits of a place: it only has to differ among submissions of the same bytes."""

log = structlog.get_logger()


class ObjectStore:
    """A DocumentStore in a bucket; parts are spooled, sealed, in a directory of this machine while they arrive."""

    def __init__(self, bucket: Bucket, spool: Path, keys: Keys | None) -> None:
        self._bucket = bucket
        self._spool = spool
        self._keys = keys
        make_directory(spool)

    def create(self) -> Sink:
        return SpoolSink(str(self._spool), self._keys)

    def content(self, part: Part) -> Content:
        token = part.spooled.rpartition(".")[2][:PLACE]
        return Content(sha256=part.sha256, size=part.size, place=token)

    @contextmanager
    def adopting(self, parts: Iterable[Part], referenced: Referenced) -> Iterator[None]:
        begun: list[Part] = []
        try:
            for part in parts:
                begun.append(part)
                self.adopt(part)
            yield
        except (Rejected, StoreUnavailable):
            self._withdraw(begun)
            raise
        # Other failures may be those of a commit that took place all the same: what is not referenced is swept later.
        self._remove(map(self._name, begun), referenced)

    def adopt(self, part: Part) -> None:
        """Store a finished part durably under its own name; each object is read back before the next is sent."""
        self.keep(part, self.content(part))

    def keep(self, part: Part, content: Content) -> None:
        directory = content.name + (SEALED if self._keys else PLAIN)
        with Path(part.spooled).open("rb") as file:
            for number in range(_count(os.fstat(file.fileno()).st_size)):
                self._bucket.put(_segment(directory, number), file.read(SEGMENT))

    @contextmanager
    def removing(self, names: Iterable[str], referenced: Referenced) -> Iterator[None]:
        yield
        self._remove(names, referenced)

    def check(self, content: Content) -> None:
        directory, first, size = self._beginning(content)
        if self._keys and directory.endswith(SEALED):
            self._keys.unwrap(first[:HEADER], content.sha256, content.size)
        last = _count(size) - 1
        if last:
            self._check_size(directory, last, size - last * SEGMENT)

    def read(self, content: Content) -> bytes:
        return b"".join(self.open(content))

    def open(self, content: Content) -> Iterator[bytes]:
        directory, first, size = self._beginning(content)
        file = self._segments(directory, first, size)
        if self._keys and directory.endswith(SEALED):
            yield from unseal(file, self._keys, content.sha256, content.size)
        else:
            yield from verified(file, content)

    def sweep(self, referenced: Referenced, before: float) -> int:
        leftovers = left_over(self._spool, before)
        for path in leftovers:
            path.unlink(missing_ok=True)
        return len(leftovers)

    def stored(self) -> Iterator[Stored]:
        for name, objects in groupby(self._bucket.list(), key=_name_of):
            listed = list(objects)
            if name is not None:
                yield Stored(
                    name=name,
                    size=sum(each.size for each in listed),
                    stored_at=max(each.stored_at for each in listed),
                )

    def discard(self, name: str, referenced: Referenced) -> bool:
        if referenced(name):
            return False
        for form in (SEALED, PLAIN):
            self._bucket.delete([each.key for each in self._bucket.list(f"{name}{form}/")])
        return True

    def rewrap(self, content: Content) -> bool:
        directory, first, _ = self._beginning(content)
        if not self._keys or directory.endswith(PLAIN):
            return False
        header = self._keys.rewrap(first[:HEADER], content.sha256, content.size)
        if header is None:
            return False
        self._verify(directory, first, content)
        # Only the header changes: a reader sees the old segment or the new one, and the rest fits both.
        self._bucket.replace(_segment(directory, 0), header + first[HEADER:])
        return True

    def _verify(self, directory: str, first: bytes, content: Content) -> None:
        """Open what begins in the first segment, so that a byte that was changed on its way here does not go back."""
        assert self._keys
        seen = HEADER
        file = self._segments(directory, first, sealed_size(content.size))
        for piece in unseal(file, self._keys, content.sha256, content.size):
            seen += len(piece) + TAG
            if seen >= len(first):
                break

    def _segments(self, directory: str, first: bytes, size: int) -> "_Segments":
        """A document's stored bytes, of which the first segment is at hand."""
        return _Segments(self._bucket, first, [_segment(directory, number) for number in range(1, _count(size))])

    def _name(self, part: Part) -> str:
        return self.content(part).name

    def _withdraw(self, parts: Iterable[Part]) -> None:
        """Delete what a refused submission stored: nobody else can refer to it."""
        self._remove(map(self._name, parts), lambda _: False)

    def _remove(self, names: Iterable[str], referenced: Referenced) -> None:
        """Delete as far as the store answers; what stays is an orphan, to be swept."""
        for name in names:
            try:
                self.discard(name, referenced)
            except StoreUnavailable as error:
                log.warning("bytes not deleted", sha256=name[:64], reason=str(error))

    def _beginning(self, content: Content) -> tuple[str, bytes, int]:
        """The directory of a document, its first segment, and how many bytes are stored."""
        for form, size in ((SEALED, sealed_size(content.size)), (PLAIN, content.size)):
            with suppress(NoObject):
                directory = content.name + form
                first = self._bucket.get(_segment(directory, 0))
                if form == SEALED and not self._keys:
                    raise UnknownKey("the document is sealed and this store has no keys")
                if len(first) != min(size, SEGMENT):
                    raise DamagedDocument("the stored bytes were cut or extended")
                return directory, first, size
        raise DamagedDocument("the stored bytes are missing")

    def _check_size(self, directory: str, number: int, size: int) -> None:
        try:
            found = self._bucket.size(_segment(directory, number))
        except NoObject:
            raise DamagedDocument("the stored bytes are incomplete") from None
        if found != size:
            raise DamagedDocument("the stored bytes were cut or extended")


class _Segments:
    """The objects of a document as one file; one of them is in memory."""

    def __init__(self, bucket: Bucket, first: bytes, others: Iterable[str]) -> None:
        self._bucket = bucket
        self._held = memoryview(first)
        self._left = iter(others)

    def read(self, count: int, /) -> bytes:
        pieces = []
        while count:
            if not self._held and not self._fetch():
                break
            pieces.append(self._held[:count])
            self._held = self._held[count:]
            count -= len(pieces[-1])
        return b"".join(pieces)

    def _fetch(self) -> bool:
        key = next(self._left, None)
        if key is None:
            return False
        try:
            self._held = memoryview(self._bucket.get(key))
        except NoObject:
            raise DamagedDocument("the stored bytes are incomplete") from None
        return True


def _count(size: int) -> int:
    return max(1, -(-size // SEGMENT))


def _segment(directory: str, number: int) -> str:
    return f"{directory}/{number:05}"


def _name_of(listed: Listed) -> str | None:
    """The name of the document that an object belongs to; None of what is none of ours."""
    name, dot, form = listed.key.rpartition("/")[0].rpartition(".")
    return name if dot + form in (SEALED, PLAIN) else None
