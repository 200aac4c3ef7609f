"""What must hold of a node's database after kills: every change once, whole, and recorded; every record of a change."""

from collections import Counter
from pathlib import Path
from typing import Any

from sqlalchemy import select

from affinity.database import Database
from affinity.seal_files import KEY
from atna import store
from atna.entries import patient_ids
from atna.logs import DatabaseLog
from atna.model import AuditMessage, EventActionCode
from atna.signing import sealing_key
from atna.store import Search
from atna.verifying import verify
from pix.tables import event, record
from tests.faults.writers import Writers
from xds.tables import TABLE_OF, document, document_entry, object_locator

FEEDS = ("ITI-8", "ITI-30", "ITI-44")


def check_patients(database: Database, data: Path, acknowledged: set[str]) -> None:
    """Who was acknowledged is there, who is there was announced and is recorded; all seals hold."""
    fed = [each for event in FEEDS for each in successes(database, event)]
    report = database.read(lambda connection: verify(DatabaseLog(connection), sealing_key(data / KEY).verifier))
    patients = [id for id, _ in rows(database, record.c.id, record.c.key)]
    announced = {each.partition("^")[0] for message in fed for each in patient_ids(message)}
    assert acknowledged <= announced
    assert sorted(announced | {each for each in patients if each.startswith("NAT-")}) == sorted(patients)
    assert report.findings == []
    assert report.sealed


def check_documents(database: Database, visible: set[str]) -> None:
    """What is visible was provided, and each submission that provided a document is recorded."""
    provided = {id for id, _ in rows(database, document.c.unique_id, document.c.removed_at)}
    assert visible <= provided
    assert len(successes(database, "ITI-41")) == len(provided)  # one document each


def check_merges(database: Database, writers: Writers) -> None:
    """A merge that was acknowledged is done; what is done is done once and recorded once."""
    names = {key: id for id, key in rows(database, record.c.id, record.c.key)}
    subsumed = {id for id, survivor in rows(database, record.c.id, record.c.survivor) if survivor}
    events = [names[key] for kind, key in rows(database, event.c.type, event.c.record) if kind == "merged"]
    recorded = [
        each.partition("^")[0]
        for message in successes(database, "ITI-30")
        if message.event.action is EventActionCode.DELETE
        for each in patient_ids(message)
    ]
    assert {*writers.kept["A40"]} <= subsumed <= {*writers.sent["A40"]}
    assert sorted(subsumed) == sorted(events) == sorted(recorded)


def check_objects(database: Database, writers: Writers) -> None:
    """Of every transaction on metadata: what was acknowledged is done, and what is done is done and recorded once."""
    entries = Counter(id for id, _ in rows(database, document_entry.c.unique_id, document_entry.c.version))
    objects = sum(len(rows(database, each.c.entry_uuid, each.c.id)) for each in TABLE_OF.values())
    assert objects == len(rows(database, object_locator.c.entry_uuid, object_locator.c.id))
    gone = {*writers.sent["ITI-62"]} - {*entries}
    done = {
        "ITI-42": {*writers.sent["ITI-42"]} & ({*entries} | gone),
        "ITI-57": {id for id, versions in entries.items() if versions > 1},
        "ITI-61": {*writers.sent["ITI-61"]} & {*entries},
        "ITI-62": gone,
        "ITI-86": {id for id, at in rows(database, document.c.unique_id, document.c.removed_at) if at},
    }
    for transaction, ids in done.items():
        assert {*writers.kept[transaction]} <= ids <= {*writers.sent[transaction]}, transaction
        assert len(successes(database, transaction)) == len(ids), transaction
    assert max(entries.values()) == 2


def rows(database: Database, *columns: Any) -> list[tuple[Any, ...]]:
    return [tuple(each) for each in database.read(lambda connection: connection.execute(select(*columns)).all())]


def successes(database: Database, event: str) -> list[AuditMessage]:
    wanted = Search(events=(event,), outcomes=(0,), limit=100_000)
    return [each.message for each in database.read(lambda connection: store.search(connection, wanted))]
