"""What the patient hid stays hidden when it is replaced, transformed, or moved to another patient id.

A witness of the registry (``xds.witness``), in the transaction of the change.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from consent import recording, store
from consent.model import Act, Mask
from ihe.identifiers import EntryUUID, PatientKey, UniqueId
from ihe.patients import Patient
from pix.manager import PatientIndex
from xds.model import AssociationType, DocumentEntry
from xds.tables import association, document_entry, object_locator
from xds.witness import Witness

SAME_CONTENT = (
    AssociationType.RPLC,
    AssociationType.XFRM,
    AssociationType.XFRM_RPLC,
    AssociationType.IS_SNAPSHOT_OF,
)
"""Associations whose source says what its target says; an addendum is a document of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenSuccessors:
    """Hides what succeeds a hidden document, from the same professions."""

    index: PatientIndex
    clock: Callable[[], datetime]

    def registered(self, connection: Connection, patient: Patient, entries: tuple[DocumentEntry, ...]) -> None:
        """Hide new documents that say what hidden ones said."""
        originals = dict(_originals(connection, entries))
        if originals:
            masks = store.facts(connection, patient.keys).of(patient.keys).masks
            self._hide(
                connection, patient, ((new, each) for each in masks for new in originals.get(each.unique_id, ()))
            )

    def changed(self, connection: Connection, keys: Collection[PatientKey]) -> None:
        """Hide documents that came from another patient who had hidden them."""
        elsewhere = store.masks_on(connection, _documents(connection, keys))
        if elsewhere:
            named = self.index.current(connection, keys)
            found = {id: self.index.resolve(connection, id) for id in set(named.values())}
            for patient in sorted((each for each in found.values() if each), key=lambda each: each.key):
                held = _documents(connection, patient.keys)
                masks = store.facts(connection, patient.keys).of(patient.keys).masks
                known = {(each.unique_id, each.profession) for each in masks}
                new = (each for each in elsewhere if each.unique_id in held and each.key not in patient.keys)
                lacking = (e for e in new if (e.unique_id, e.profession) not in known)
                self._hide(connection, patient, ((each.unique_id, each) for each in lacking))

    def _hide(self, connection: Connection, patient: Patient, hidden: Iterable[tuple[UniqueId, Mask]]) -> None:
        act = Act(actor="the registry", reason="it succeeds a document that the patient hid", at=self.clock())
        for unique_id, mask in hidden:
            recording.mask(connection, patient, [unique_id], act, mask.profession)


@dataclass(frozen=True, slots=True)
class Witnesses:
    """Several witnesses, told one after the other."""

    each: tuple[Witness, ...]

    def registered(self, connection: Connection, patient: Patient, entries: tuple[DocumentEntry, ...]) -> None:
        """Tell all."""
        for witness in self.each:
            witness.registered(connection, patient, entries)

    def changed(self, connection: Connection, keys: Collection[PatientKey]) -> None:
        """Tell all."""
        for witness in self.each:
            witness.changed(connection, keys)


def _originals(
    connection: Connection, entries: tuple[DocumentEntry, ...]
) -> Iterator[tuple[UniqueId, tuple[UniqueId, ...]]]:
    """The uniqueIds of registered documents, with those of the new ones that say the same."""
    names: dict[EntryUUID, UniqueId] = {each.entry_uuid: each.unique_id for each in entries if each.unique_id}
    place = object_locator.join(
        document_entry,
        (object_locator.c.patient_key == document_entry.c.patient_key) & (object_locator.c.id == document_entry.c.id),
    )
    query = (
        select(document_entry.c.unique_id, association.c.source_object)
        .select_from(place.join(association, association.c.target_object == object_locator.c.entry_uuid))
        .where(association.c.source_object.in_(sorted(names)), association.c.association_type.in_(SAME_CONTENT))
        .order_by(association.c.id)
    )
    found: dict[UniqueId, tuple[UniqueId, ...]] = {}
    for original, new in connection.execute(query) if names else ():
        found[UniqueId(original)] = (*found.get(UniqueId(original), ()), names[EntryUUID(new)])
    yield from found.items()


def _documents(connection: Connection, keys: Collection[PatientKey]) -> frozenset[UniqueId]:
    query = select(document_entry.c.unique_id).where(document_entry.c.patient_key.in_(sorted(keys))).distinct()
    return frozenset(connection.execute(query.order_by(document_entry.c.unique_id)).scalars())
