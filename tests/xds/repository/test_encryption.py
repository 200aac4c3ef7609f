"""Sealed documents: any chunking gives the same bytes back, and no change goes unseen."""

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xds.encryption import (
    CHUNK,
    HEADER,
    TAG,
    DamagedDocument,
    KeyRing,
    Sealer,
    UnknownKey,
    sealed_size,
    unseal,
)
from xds.key_file import add_key, create_keys, load_keys

KEYS = KeyRing((b"k" * 32,))
SIZES = st.one_of(
    st.integers(0, 40), st.integers(CHUNK - 2, CHUNK + 2), st.integers(2 * CHUNK - 2, 2 * CHUNK + 2), st.just(150_000)
)


def content(size: int) -> bytes:
    return bytes(range(256)) * (size // 256) + bytes(range(size % 256))


def seal(plain: bytes, keys: KeyRing = KEYS, pieces: tuple[int, ...] = ()) -> bytes:
    sealer, sealed, rest = Sealer(keys), bytearray(), plain
    for piece in pieces:
        sealed += sealer.update(rest[:piece])
        rest = rest[piece:]
    sealed += sealer.update(rest)
    last, header = sealer.finish(sha256(plain).hexdigest(), len(plain))
    return header + bytes(sealed) + last


def opened(sealed: bytes, plain: bytes, keys: KeyRing = KEYS) -> bytes:
    return b"".join(unseal(io.BytesIO(sealed), keys, sha256(plain).hexdigest(), len(plain)))


@given(size=SIZES, pieces=st.lists(st.integers(0, 70_000), max_size=6))
def test_any_chunking_gives_the_same_bytes_back(size: int, pieces: list[int]) -> None:
    plain = content(size)
    sealed = seal(plain, pieces=tuple(pieces))
    assert len(sealed) == sealed_size(size)
    assert opened(sealed, plain) == plain


@given(size=SIZES, where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_no_flipped_bit_goes_unseen(size: int, where: float, bit: int) -> None:
    plain = content(size)
    sealed = bytearray(seal(plain))
    sealed[int(where * len(sealed))] ^= 1 << bit
    with pytest.raises((DamagedDocument, UnknownKey)):
        opened(bytes(sealed), plain)


def test_every_byte_of_a_small_document_is_guarded() -> None:
    plain = b"<ClinicalDocument/>"
    sealed = seal(plain)
    for position in range(len(sealed)):
        changed = sealed[:position] + bytes([sealed[position] ^ 1]) + sealed[position + 1 :]
        with pytest.raises((DamagedDocument, UnknownKey)):
            opened(changed, plain)


@given(size=SIZES, kept=st.floats(0, 1, exclude_max=True))
def test_no_truncation_goes_unseen(size: int, kept: float) -> None:
    plain = content(size)
    sealed = seal(plain)
    with pytest.raises(DamagedDocument):
        opened(sealed[: int(kept * len(sealed))], plain)


def _cut_at_a_chunk(sealed: bytes) -> bytes:
    return sealed[: HEADER + CHUNK + TAG]


def _swap_chunks(sealed: bytes) -> bytes:
    first, second, rest = HEADER, HEADER + CHUNK + TAG, HEADER + 2 * (CHUNK + TAG)
    return sealed[:first] + sealed[second:rest] + sealed[first:second] + sealed[rest:]


def _append_a_byte(sealed: bytes) -> bytes:
    return sealed + b"\0"


@pytest.mark.parametrize("damage", [_cut_at_a_chunk, _swap_chunks, _append_a_byte])
def test_chunks_cannot_be_cut_swapped_or_appended(damage: Callable[[bytes], bytes]) -> None:
    plain = content(3 * CHUNK)
    with pytest.raises(DamagedDocument):
        opened(damage(seal(plain)), plain)


def test_nothing_is_yielded_before_it_is_verified() -> None:
    plain = content(3 * CHUNK)
    sealed = bytearray(seal(plain))
    sealed[-1] ^= 1
    chunks = unseal(io.BytesIO(bytes(sealed)), KEYS, sha256(plain).hexdigest(), len(plain))
    assert next(chunks) + next(chunks) == plain[: 2 * CHUNK]
    with pytest.raises(DamagedDocument, match="chunk 2 of 3"):
        next(chunks)


def test_a_document_under_the_name_of_another_does_not_open() -> None:
    mine, foreign = b"result of Ada", b"result of Bob"
    with pytest.raises(DamagedDocument, match="another document"):
        opened(seal(foreign), mine)


def test_keys_rotate_without_sealing_old_documents_again() -> None:
    old, new = KeyRing((b"1" * 32,)), KeyRing((b"2" * 32, b"1" * 32))
    assert opened(seal(b"old", old), b"old", new) == b"old"
    with pytest.raises(UnknownKey):
        opened(seal(b"new", new), b"new", old)


def test_a_key_file_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "documents.key"
    assert create_keys(path) == load_keys(path)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        create_keys(path)


@pytest.mark.parametrize("text", ["", "00" * 31, "no key"])
def test_a_wrong_key_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "documents.key"
    path.write_text(text)
    with pytest.raises(ValueError):
        load_keys(path)


def test_keys_that_are_added_at_once_are_all_kept(tmp_path: Path) -> None:
    path = tmp_path / "documents.key"
    first = create_keys(path)
    with ThreadPoolExecutor(8) as threads:
        added = {ring.keys[0] for ring in threads.map(add_key, [path] * 24)}
    assert len(added) == 24 and set(load_keys(path).keys) == {*added, *first.keys}


def test_a_key_ring_does_not_show_its_keys() -> None:
    assert repr(b"k" * 32) not in repr(KEYS)
