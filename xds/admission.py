"""Whether somebody may add documents to a patient's record, and of which kinds (ITI TF-2: 3.42.4.1.3.3.2)."""

from collections.abc import Iterator

from sqlalchemy import Connection

from ihe.errors import Breach, ErrorCode
from xds.attributes import locate
from xds.model import MetadataObject, Submission
from xds.patients import Patient
from xds.visibility import Viewer


def admits(connection: Connection, viewer: Viewer | None, patient: Patient) -> bool:
    """Claim that the person may add something; to others the patient is as unknown as one whom no feed announced."""
    return viewer is None or bool(viewer.admission(connection, patient.keys).categories)


def refused(
    connection: Connection, viewer: Viewer | None, patient: Patient, submission: Submission
) -> Iterator[Breach]:
    """The documents of kinds that the person may not add: the same for every patient, so it tells nothing of one."""
    if viewer is None:
        return
    admission = viewer.admission(connection, patient.keys)
    kinds = {
        (str(entry.class_code) if entry.class_code else None, str(entry.type_code) if entry.type_code else None): entry
        for entry in submission.document_entries
    }
    for kind in admission.breaking(tuple(kinds)):
        entry = kinds[kind]
        yield Breach(
            code=ErrorCode.REGISTRY_ERROR,
            text=f"The access policy of this domain lets {_either(admission.categories)} add no document of this kind",
            location=locate(MetadataObject.DOCUMENT_ENTRY, entry.entry_uuid, "classCode"),
            observed=", ".join(each for each in kind if each),
            remedy="Who may add what is in access.toml of the domain",
        )


def _either(names: object) -> str:
    return " or ".join(sorted(map(str, names)))  # type: ignore[call-overload]
