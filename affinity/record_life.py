"""The shared care record lives by what the patient index learns: arrivals create it, encounters let people in.

All of it happens in the transaction of the feed. After each change the relationships that the encounters of the persons
concerned should make are compared with those that there are, so that a cancellation, a discharge, a merge or a record
that turns out to be somebody else's ends what it should end.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from affinity.domain_model import LoadedDomain
from affinity.encounter_relationships import Derived, derived, source
from affinity.record_file import Creation, RecordRules
from consent import recording, store
from consent.model import Act, Relationship, RelationshipKind
from ihe.datatypes import CX, HD
from ihe.identifiers import PatientKey
from ihe.patients import Patient
from pix import store_encounters, store_links, store_records
from pix.encounters import Encounter
from pix.events import EncounterChanged, Linked, Merged, Unmerged
from pix.journal import Change
from pix.manager import PatientIndex, nobody_follows

Follow = Callable[[PatientIndex, Sequence[Change]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLife:
    """``facilities`` are the OIDs of organisations by their name in MSH-4."""

    rules: RecordRules
    facilities: Mapping[str, str]

    def follow(self, index: PatientIndex, changes: Sequence[Change]) -> None:
        """Do what changes of the index, which were made in one transaction, ask for."""
        if self.rules.creation is Creation.OPT_OUT:
            issuing = _issuing(index)
            for change in changes:
                for key, authority, id in change.announced:
                    if authority in issuing:
                        self._create(change, key, CX(id, HD("", authority, "ISO")))
        if self.rules.lets_in:
            for change, persons in _concerned(changes):
                self._compare(index, change, persons)

    def _create(self, change: Change, key: PatientKey, id: CX) -> None:
        """Begin a record that opens by itself: an id that is announced for the first time has none yet."""
        keys = (key, *store_records.subsumed_by(change.connection, key))
        patient = Patient(key=key, keys=keys, id=id)
        if len(keys) > 1 and store.facts(change.connection, keys).of(keys).records:
            return
        act = _act(change, f"arrival of the patient; opens after {self.rules.waiting.days} days unless they object")
        recording.create_record(change.connection, patient, act, change.at + self.rules.waiting)

    def _compare(self, index: PatientIndex, change: Change, persons: Collection[PatientKey]) -> None:
        """Bring the relationships of these persons' encounters up to date, whose ever they were before."""
        connection = change.connection
        for keys in store_links.members(connection, persons).values():
            all_keys = {*keys, *(each for key in keys for each in store_records.subsumed_by(connection, key))}
            patients = _patients(index, connection, keys)
            for encounter in store_encounters.all_of(connection, all_keys):
                self._settle(index, change, encounter, patients)

    def _settle(self, index: PatientIndex, change: Change, encounter: Encounter, patients: Collection[Patient]) -> None:
        wanted = derived(encounter, self.rules, self.facilities, change.at)
        known = store.relationships_from(change.connection, source(encounter))
        act = _act(change, f"encounter: {encounter.status.value}")
        for each in known:
            if not any(each.key in patient.keys for patient in patients):
                _end(index, change.connection, each, act)
        for patient in patients:
            own = [each for each in known if each.key in patient.keys]
            _bring_up_to_date(change.connection, patient, wanted, own, source(encounter), act)


def follower(loaded: LoadedDomain) -> Follow:
    """Who follows the index of a domain."""
    if loaded.record is None:
        return nobody_follows
    facilities = {each.facility: each.oid for each in loaded.organizations}
    return RecordLife(rules=loaded.record, facilities=facilities).follow


def _bring_up_to_date(
    connection: Connection,
    patient: Patient,
    wanted: Iterable[Derived],
    known: Iterable[Relationship],
    source: str,
    act: Act,
) -> None:
    """End what is no longer derived, begin what is new, move the end of what goes on."""
    ends = {each.party: each.until for each in wanted}
    for each in known:
        until = ends.pop(each.party, act.at)
        if until != each.until:
            recording.end_relationship(connection, patient, each.number, act, until)
    for party, until in sorted(ends.items()):
        kind = RelationshipKind.PROFESSIONAL
        recording.relate(connection, patient, party, kind, act, until=until, source=source)


def _end(index: PatientIndex, connection: Connection, relationship: Relationship, act: Act) -> None:
    """End a relationship with a patient whose encounter it turned out not to be."""
    id = index.current(connection, {relationship.key}).get(relationship.key)
    patient = index.resolve(connection, id) if id else None
    if patient is not None:
        recording.end_relationship(connection, patient, relationship.number, act)


def _concerned(changes: Sequence[Change]) -> Iterator[tuple[Change, set[PatientKey]]]:
    """Each change by which encounters of persons may let in others than before, and these persons; few are any."""
    moved = [(change, *_moved(change)) for change in changes]
    records = set[PatientKey]().union(*(some for _, some, _ in moved))
    if not records:
        return
    connection = changes[0].connection
    persons = store_links.current_persons(connection, records)
    every = set(persons.values()).union(*(former for *_, former in moved))
    having = store_encounters.persons_with_any(connection, every)
    for change, some, former in moved:
        if concerned := having & {*former, *(persons[key] for key in some if key in persons)}:
            yield change, concerned


def _moved(change: Change) -> tuple[set[PatientKey], set[PatientKey]]:
    """The records that may be of other persons now, and whose they were; a new record alone has no encounter."""
    kinds = Linked, Merged, Unmerged, EncounterChanged
    events = [event for _, event in change.noted if isinstance(event, kinds)]
    if all(isinstance(event, Linked) and event.before is None and event.person == event.record for event in events):
        return set(), set()
    records = {key for event in events for name in ("record", "other") if (key := getattr(event, name, None))}
    return records, {event.before for event in events if isinstance(event, Linked) and event.before is not None}


def _patients(index: PatientIndex, connection: Connection, keys: Collection[PatientKey]) -> list[Patient]:
    """The patients of the XDS ids among records; a person may have several."""
    issuing = _issuing(index)
    named = store_records.ids(connection, keys)
    ids = [CX(id, HD("", authority, "ISO")) for authority, id, _ in named.values() if authority in issuing]
    found = {id: index.resolve(connection, id) for id in ids}
    return sorted({each.key: each for each in found.values() if each}.values(), key=lambda each: each.key)


def _issuing(index: PatientIndex) -> set[str]:
    """The authorities whose ids are patient ids of the registry."""
    return {each.oid for each in index.domain.assigning_authorities if each.issues_xds_ids}


def _act(change: Change, reason: str) -> Act:
    origin = f"{change.origin.transaction} {change.origin.message_id}".strip()
    return Act(actor=change.origin.source or "patient index", reason=reason, at=change.at, origin=origin)
