"""A registry made without submissions: as many documents as asked, spread as in a registry, in rows that it reads."""

import sqlite3
from itertools import islice
from pathlib import Path
from statistics import mean, quantiles

import pytest

from affinity.database import Database
from benchmarks.bulk import FILE
from benchmarks.documents_bulk import patients, rows
from benchmarks.documents_each import MEAN, MOST, P99, documents_each
from benchmarks.documents_filling import fill_sqlite
from benchmarks.documents_growth import parse_sizes
from ihe.identifiers import EntryUUID
from soap.xml import parse
from xds import store
from xds.fragments import RIM_DECLARATION, splice
from xds.model import AvailabilityStatus, DocumentEntry, MetadataObject

DOCUMENTS = 300


def test_patients_have_documents_as_in_a_registry() -> None:
    counts = list(islice(documents_each(seed=3), 100_000))
    assert mean(counts) == pytest.approx(MEAN, rel=0.03)
    assert quantiles(counts, n=100)[98] == pytest.approx(P99, rel=0.06)
    assert min(counts) == 1 and 1000 < max(counts) <= MOST


def test_shares_are_the_whole() -> None:
    def entries(share: tuple[int, int]) -> list[tuple[object, ...]]:
        return [each[:2] for made in rows(DOCUMENTS, share=share, batch=50) for each in made.tables[DocumentEntry]]

    whole = entries((0, 1))
    assert len(whole) == len(set(whole)) == DOCUMENTS
    assert sorted(entries((0, 2)) + entries((1, 2))) == whole
    assert max(key for key, _ in whole) == patients(DOCUMENTS)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("documents") / FILE
    fill_sqlite(file, DOCUMENTS)
    return file


def test_every_object_is_found_as_the_registry_finds_it(filled: Path) -> None:
    connection = sqlite3.connect(filled)
    uuids = [EntryUUID(uuid) for (uuid,) in connection.execute("SELECT entry_uuid FROM object_locator")]
    ((claimed, ledger),) = connection.execute(
        "SELECT (SELECT count(*) FROM unique_id_locator), (SELECT count(*) FROM uid_ledger)"
    )
    ((stored,),) = connection.execute("SELECT count(*) FROM document JOIN document_entry USING (unique_id)")
    connection.close()
    database = Database(f"sqlite:///{filled}")
    found = database.read(lambda open: store.find(open, uuids))
    database.close()
    kinds = [each.kind for each in found.values()]
    entries, sets = (kinds.count(kind) for kind in (MetadataObject.DOCUMENT_ENTRY, MetadataObject.SUBMISSION_SET))
    assert found.keys() == set(uuids)
    assert entries == kinds.count(MetadataObject.ASSOCIATION) == stored == DOCUMENTS
    assert claimed == ledger == entries + sets
    assert {each.status for each in found.values()} == {AvailabilityStatus.APPROVED}


def test_a_fragment_is_about_its_own_row(filled: Path) -> None:
    connection = sqlite3.connect(filled)
    asked = "SELECT entry_uuid, unique_id, hash, fragment FROM document_entry ORDER BY id DESC LIMIT 20"
    for uuid, unique_id, hash, stored in connection.execute(asked):
        spliced = splice(stored, status=AvailabilityStatus.APPROVED, home=None, version=1)
        element = parse(b"<x %b>%b</x>" % (RIM_DECLARATION, spliced))[0]
        assert element.get("id") == uuid
        assert f'value="{unique_id}"'.encode() in spliced and hash.encode() in spliced
        assert {each.get("registryObject") or each.get("classifiedObject") for each in element if each.get("id")} <= {
            uuid,
            None,
        }
    connection.close()


def test_sizes_are_read_as_people_write_them() -> None:
    assert parse_sizes("10k,100k,1M,1.5m,7") == [10_000, 100_000, 1_000_000, 1_500_000, 7]
