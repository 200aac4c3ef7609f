"""What must hold of acts of consent after kills: each once, whole, in force and recorded; of refused ones nothing."""

from sqlalchemy import Connection, select

from affinity.database import Database
from atna.entries import patient_ids
from consent import log
from consent.projection import PROJECTIONS
from consent.tables import event
from pix.tables import record
from tests.faults.consents import CHAINS, Consents
from tests.faults.oracle import rows, successes
from xds.tables import document, document_entry

EVENTS = {
    "consent": ("consent-taken-up", "relationship-declared"),
    "opposition": ("consent-ended", "relationship-ended", "consent-taken-up", "record-closed"),
    "exclude": ("party-excluded",),
    "encounter": ("relationship-declared",),
    "emergency": ("glass-broken",),
    "refused": (),
}
LETS_IN = {"consent", "encounter", "emergency"}
"""After which the doctor is answered, if it is the last that was done."""
EMERGENCY_OVERRIDE, CONSOLE = "110127", "110141"


def check_consents(database: Database, consents: Consents, known: set[str]) -> None:
    """``known`` are the patients about whom the doctor was answered at last."""
    done = {patient: _acts(patient, story) for patient, story in stories(database).items()}
    for act in EVENTS.keys() - {"refused"}:
        patients = {each for each, acts in done.items() if act in acts}
        assert {*consents.kept[act]} <= patients <= {*consents.sent[act]}, act
    assert known == {patient for patient, acts in done.items() if acts[-1] in LETS_IN}
    _check_documents(database, consents, {f"{act} {patient}" for patient, acts in done.items() for act in acts})
    _check_records(database, done)
    _check_projections(database)


def stories(database: Database) -> dict[str, tuple[str, ...]]:
    """What happened to each patient, in order."""
    names = {key: id for id, key in rows(database, record.c.id, record.c.key)}
    found: dict[str, tuple[str, ...]] = {}
    for _, key, type in sorted(rows(database, event.c.number, event.c.patient_key, event.c.type)):
        found[names[key]] = (*found.get(names[key], ()), type)
    return found


def _acts(patient: str, story: tuple[str, ...]) -> tuple[str, ...]:
    """The acts of which a story is made: whole ones, each once."""
    chain = CHAINS[patient.partition("-")[0]]
    told = {tuple(each for act in chain[:length] for each in EVENTS[act]): chain[:length] for length in (1, 2)}
    assert story in told, (patient, story)
    return told[story]


def _check_documents(database: Database, consents: Consents, done: set[str]) -> None:
    """A consent document is stored and registered if and only if it took effect."""
    effective = {unique_id for name, unique_id in consents.documents.items() if name in done}
    sent = {*consents.documents.values()}
    assert {id for id, _ in rows(database, document.c.unique_id, document.c.removed_at)} & sent == effective
    entries = [id for id, _ in rows(database, document_entry.c.unique_id, document_entry.c.version) if id in sent]
    assert sorted(entries) == sorted(effective)


def _check_records(database: Database, done: dict[str, tuple[str, ...]]) -> None:
    """Each act has one audit record; those of documents are counted with all that were provided."""
    for name, act in ((EMERGENCY_OVERRIDE, "emergency"), ("ITI-31", "encounter")):
        recorded = [each.partition("^")[0] for message in successes(database, name) for each in patient_ids(message)]
        assert sorted(recorded) == sorted(patient for patient, acts in done.items() if act in acts), act
    said = rows(database, event.c.number, event.c.reason, event.c.origin, event.c.actor)
    told = [message.event.outcome_description or "" for message in successes(database, CONSOLE)]
    desk = [f"consent event {number}, decided by {who}: {why}" for number, why, via, who in said if via == "console"]
    desk += [f"consent imported, decided by {who}: {why}" for _, why, via, who in said if via[:8] == "consent:"]
    assert sorted(each for each in told if each.startswith("consent ")) == sorted(desk)


def _check_projections(database: Database) -> None:
    """What is in force is what the events say."""

    def projected(connection: Connection) -> list[list[tuple[object, ...]]]:
        return [sorted(map(tuple, connection.execute(select(each))), key=repr) for each in PROJECTIONS]

    before = database.read(projected)
    database.write(log.rebuild)
    assert database.read(projected) == before
