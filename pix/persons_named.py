"""Whether an id, of whatever authority, is one of a patient's: what a document says beside what the index knows."""

from enum import Enum

from sqlalchemy import Connection

from ihe.datatypes import CX
from ihe.domain import AffinityDomain
from ihe.patients import Patient
from pix import store_links, store_records
from pix.model import Identifier


class Sameness(Enum):
    """What the index has to say of an id and a patient."""

    SAME = "same"
    ANOTHER = "another"
    UNKNOWN = "unknown"


def sameness(connection: Connection, domain: AffinityDomain, id: CX, patient: Patient) -> Sameness:
    """Compare the person of an id with the patient's."""
    authority = domain.authority(id.authority)
    if authority is None:
        return Sameness.UNKNOWN
    found = store_records.by_identifiers(connection, [Identifier(authority=authority, id=id.id)])
    keys = {each.key for each in found.values()}
    if not keys:
        return Sameness.UNKNOWN
    persons = store_links.current_persons(connection, keys | {patient.key})
    return Sameness.SAME if {persons.get(key) for key in keys} == {persons.get(patient.key)} else Sameness.ANOTHER
