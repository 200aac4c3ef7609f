"""Patient ID Reconciliation: what an update leaves behind belongs together (XDS Metadata Update: 3.57.4.1.3.4)."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from ihe.citations import supplement
from ihe.datatypes import CX
from ihe.errors import Breach, ErrorCode
from ihe.identifiers import EntryUUID, PatientKey
from xds import store, versions
from xds.model import Association, AvailabilityStatus, MetadataObject
from xds.patients import Patient, Patients
from xds.store import Registered

RULE = supplement("XDS Metadata Update", "3.57.4.1.3.4")


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """What an update touched: objects, and associations with both their ends, after all its changes.

    No consistency is expected where an association or one of its ends is deprecated.
    """

    patient: Patient
    touched: Collection[EntryUUID]
    links: Collection[Association]
    objects: Mapping[EntryUUID, Registered]
    current: Mapping[PatientKey, CX]

    def breaches(self) -> Iterator[Breach]:
        """Approved objects of other patients: linked with each other, or touched by a SubmissionSet of another."""
        for link in self.links:
            source, target = self._patient(link.source_object), self._patient(link.target_object)
            if source and target and source != target:
                yield _breach(link.entry_uuid, f"{link.source_object} and {link.target_object} of two patients")
        for uuid in sorted(self.touched):
            if self._patient(uuid) not in (None, self.patient.id):
                yield _breach(uuid, f"{uuid} of another patient than its SubmissionSet")

    def _patient(self, uuid: EntryUUID) -> CX | None:
        """Whose object it is, if that matters."""
        each = self.objects.get(uuid)
        if each is None or each.kind is MetadataObject.ASSOCIATION or each.status is not AvailabilityStatus.APPROVED:
            return None
        return self.current.get(each.patient_key)


def linked(connection: Connection, patients: Patients, patient: Patient, touched: Collection[EntryUUID]) -> Linked:
    """Read what is linked with the objects and associations that an update brought or approved again."""
    links = versions.approved_links(connection, touched)
    brought = [each for each in links if each.entry_uuid in touched]
    ends = {end for each in brought for end in (each.source_object, each.target_object)}
    others = {end for each in links for end in (each.source_object, each.target_object)}
    objects = store.find(connection, {*touched, *others})
    keys = {each.patient_key for each in objects.values()}
    return Linked(
        patient=patient,
        touched={*touched, *ends},
        links=links,
        objects=objects,
        current=patients.current(connection, keys),
    )


def _breach(location: EntryUUID, observed: str) -> Breach:
    return Breach(
        code=ErrorCode.PATIENT_ID_RECONCILIATION,
        text="Approved objects that approved associations link carry the same patientId",
        location=location,
        observed=observed,
        citation=RULE,
        remedy="deprecate the association or one of its ends in the same update, and propagate no associations",
    )
