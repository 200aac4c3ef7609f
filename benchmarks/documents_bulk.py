"""Document entries in any number without submissions: what a registry would have stored, from rendered examples.

A few submissions go through the registry's own code (``accept``, ``fragment``, ``row``); every other document is one
of these under ids and a hash of its own (``benchmarks.stencil``). How many documents a patient has is as in
``documents_each``; they come in submissions of one to three, over ten years.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from benchmarks import messages
from benchmarks.documents_each import documents_each
from benchmarks.stencil import Stencil, cut
from ihe.datatypes import Code
from ihe.identifiers import PatientKey, UniqueId, new_entry_uuid
from xds.acceptance import accept
from xds.ebrim_writing import fragment
from xds.model import Association, DocumentEntry, MetadataObject, RegistryObject, SubmissionSet
from xds.row_ids import RANDOM_BITS
from xds.rows import row
from xds.tables import association, document_entry, submission_set

Values = tuple[Any, ...]
EXAMPLES = 24
TYPES = ("11502-2", "18725-2", "11488-4", "18842-5", "34117-2", "60591-5")
"""LOINC codes of laboratory, microbiology, consultation, discharge, history, summary."""
DECADE_ENDS, DECADE = 1_767_225_600_000, 10 * 365 * 86_400_000
"""Milliseconds since 1970 of the last registration, and over how many they spread."""
TABLES = {DocumentEntry: document_entry, SubmissionSet: submission_set, Association: association}
COLUMNS = {kind: tuple(each.name for each in table.columns) for kind, table in TABLES.items()}
KINDS = {
    DocumentEntry: MetadataObject.DOCUMENT_ENTRY.name,
    SubmissionSet: MetadataObject.SUBMISSION_SET.name,
    Association: MetadataObject.ASSOCIATION.name,
}
OWN = ("entry_uuid", "unique_id", "hash", "source_object", "target_object")
"""What no two objects have in common, as far as they have it."""
OBJECT = ("entry_uuid", "kind", "patient_key", "id", "unique_id", "hash", "size")
"""What finds an object, from which the locators, the ledger and the repository's table are made."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Of some patients: by table, and what finds each object."""

    tables: dict[type[RegistryObject], list[Values]] = field(default_factory=lambda: {kind: [] for kind in TABLES})
    objects: list[Values] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Example:
    """One object as it is stored, in the order of its columns; what of it is another object's own, and a stencil."""

    kind: type[RegistryObject]
    size: int | None
    row: Values
    places: Mapping[str, int]
    stencil: Stencil

    def under(self, own: dict[str, Any]) -> Values:
        """The same under other values."""
        made, places = [*self.row], self.places
        for name, value in own.items():
            made[places[name]] = value
        made[places["logical_id"]] = own["entry_uuid"]
        made[places["fragment"]] = self.stencil.under(own)
        return tuple(made)


@dataclass(frozen=True, slots=True)
class _Examples:
    set: _Example
    entry: _Example
    member: _Example


def rows(documents: int, seed: int = 1, share: tuple[int, int] = (0, 1), batch: int = 2000) -> Iterator[Rows]:
    """All rows of so many documents in the order of patient and registration; ``share`` is (which, of how many)."""
    number, shares = share
    examples, made, left = _examples(), Rows(), documents
    for key, count in enumerate(documents_each(seed), start=1):
        if key % shares == number:
            _patient(key, min(count, left), examples, made)
        left -= min(count, left)
        if len(made.objects) >= batch or not left:
            yield made
            made = Rows()
        if not left:
            return


def patients(documents: int, seed: int = 1) -> int:
    """How many patients have so many documents together."""
    left = documents
    for key, count in enumerate(documents_each(seed), start=1):
        left -= count
        if left <= 0:
            return key
    raise AssertionError("there is no last patient")


def patient_id(key: int) -> str:
    """The id of the patient with this key."""
    return f"BULK{key}"


def _patient(key: int, count: int, examples: Sequence[_Examples], made: Rows) -> None:
    random = Random(key)
    sizes = []
    while sum(sizes) < count:
        sizes.append(min(random.choice((1, 1, 2, 3)), count - sum(sizes)))
    moments = sorted(DECADE_ENDS - random.randrange(DECADE) for _ in sizes)
    for size, moment in zip(sizes, moments, strict=True):
        _submission(key, moment << RANDOM_BITS | random.getrandbits(RANDOM_BITS - 2), size, examples, random, made)


def _submission(key: int, id: int, size: int, examples: Sequence[_Examples], random: Random, made: Rows) -> None:
    like = random.choice(examples)
    packing_slip = _uuid(random)
    own = {"patient_key": key, "id": id, "entry_uuid": packing_slip, "unique_id": _oid(random)}
    _add(like.set, own, made)
    for number in range(size):
        entry = {"patient_key": key, "id": id + 1 + 2 * number, "entry_uuid": _uuid(random), "unique_id": _oid(random)}
        _add(like.entry, entry | {"hash": f"{random.getrandbits(160):040x}"}, made)
        member = {"patient_key": key, "id": id + 2 + 2 * number, "entry_uuid": _uuid(random)}
        _add(like.member, member | {"source_object": packing_slip, "target_object": entry["entry_uuid"]}, made)


def _add(like: _Example, own: dict[str, Any], made: Rows) -> None:
    made.tables[like.kind].append(like.under(own))
    found = (own["entry_uuid"], KINDS[like.kind], own["patient_key"], own["id"])
    made.objects.append((*found, own.get("unique_id"), own.get("hash"), like.size))


def _uuid(random: Random) -> str:
    hex = f"{random.getrandbits(128):032x}"
    return f"urn:uuid:{hex[:8]}-{hex[8:12]}-{hex[12:16]}-{hex[16:20]}-{hex[20:]}"


def _oid(random: Random) -> str:
    """With as many digits as any other."""
    return f"2.25.{random.randrange(10**37, 10**38)}"


def _examples() -> tuple[_Examples, ...]:
    return tuple(_example(Random(number)) for number in range(EXAMPLES))


def _example(random: Random) -> _Examples:
    described = messages.described_submission("EXAMPLE", 1)
    (entry,) = described.document_entries
    start = f"20{random.randrange(16, 26)}{random.randrange(1, 13):02}{random.randrange(1, 29):02}0830"
    entry = replace(
        entry,
        hash=f"{random.getrandbits(160):040x}",
        size=random.randrange(2_000, 200_000),
        type_code=Code(random.choice(TYPES), "2.16.840.1.113883.6.1", "Document"),
        creation_time=f"{start}00",
        service_start_time=f"{start}00",
        service_stop_time=f"{start}59",
        repository_unique_id=messages.DOMAIN.repository_unique_id,
    )
    entry = replace(entry, unique_id=UniqueId(_oid(random)))
    described = replace(described, submission_set=replace(described.submission_set, unique_id=UniqueId(_oid(random))))
    accepted = accept(replace(described, document_entries=(entry,)), "20260401120000", new_entry_uuid)
    ((entry,), (member,)) = accepted.document_entries, accepted.associations
    return _Examples(_stored(accepted.submission_set), _stored(entry), _stored(member))


def _stored(each: RegistryObject) -> _Example:
    found, columns = row(each, PatientKey(0), 0, fragment(each)), COLUMNS[type(each)]
    return _Example(
        kind=type(each),
        size=found.get("size"),
        row=tuple(found[name] for name in columns),
        places={name: place for place, name in enumerate(columns)},
        stencil=cut(found["fragment"], {name: found[name] for name in OWN if name in found}),
    )
