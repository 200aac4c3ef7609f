"""Fragments are stored small, and read for ever."""

import zlib
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from re import findall

import pytest

from ihe.datatypes import Code
from ihe.identifiers import EntryUUID, is_uuid_urn, new_entry_uuid
from xds.compact import DICTIONARIES, Damaged, pack, unpack
from xds.ebrim_writing import encode_object, fragment
from xds.fragments import CUT
from xds.model import Submission

PINNED = {1: "934481f87dc44c422093c733d72c0f7c4ee7e174ffe0da00c20d491b27b0d1b9"}
STORED = bytes.fromhex("01431a2ec492d61d819db3247d3b061b8c611900")
"""``<rim:Association id="urn:uuid:A"`` and so on, as version 1 packed it."""
TEXT = b'<rim:Association id="urn:uuid:A"\0<b/>\0</rim:Association>'


def test_a_dictionary_never_changes() -> None:
    assert {number: sha256(each).hexdigest() for number, each in DICTIONARIES.items()} == PINNED


def test_what_was_stored_is_read() -> None:
    assert unpack(STORED) == TEXT


@pytest.mark.parametrize(
    "text", [TEXT, b"<x>%s</x>" % bytes(range(256)), b"<a>" + b"long" * 50_000, b"<", "<é\0".encode()]
)
def test_a_fragment_comes_back_byte_for_byte(text: bytes) -> None:
    assert unpack(pack(text)) == text


def test_what_was_stored_unpacked_is_read_as_it_is() -> None:
    assert unpack(TEXT) == TEXT


def test_what_would_not_come_back_is_stored_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    class Wrong:
        def copy(self) -> "Wrong":
            return self

        def compress(self, text: bytes) -> bytes:
            return zlib.compress(text)

        def flush(self) -> bytes:
            return b""

    monkeypatch.setattr("xds.compact._PRIMED", Wrong())
    assert pack(TEXT) == TEXT


@pytest.mark.parametrize("stored", [b"", b"\xff" + STORED[1:], STORED[:-1], STORED + b"x", b"\x01\xff\xff"])
def test_damage_is_noticed(stored: bytes) -> None:
    with pytest.raises(Damaged):
        unpack(stored)


def test_an_entry_takes_an_eighth_and_its_nested_objects_have_uuids(submission: Submission) -> None:
    uuid = new_entry_uuid()
    entry = replace(submission.document_entries[0], entry_uuid=uuid, logical_id=uuid)
    stored = fragment(entry)
    text = unpack(stored)
    assert text.count(CUT) == 3 and len(stored) * 8 < len(text)
    nested = ids_in(text)
    assert len(nested) == len({*nested, uuid}) - 1 and all(map(is_uuid_urn, nested))


def test_nested_objects_have_ids_whatever_the_object_has_and_however_many_they_are(
    submission: Submission, codes: Mapping[str, Code]
) -> None:
    full = replace(submission.document_entries[0], event_code_list=(codes["eventCodeList"],) * 4200)
    for uuid in (EntryUUID("Document01"), new_entry_uuid()):
        nested = ids_in(encode_object(replace(full, entry_uuid=uuid)))
        assert len(nested) == len(set(nested)) > 4200 and all(map(is_uuid_urn, nested))


def ids_in(element: bytes) -> list[str]:
    return findall(r'<rim:(?:Classification|ExternalIdentifier) id="([^"]+)"', element.decode())
