"""Patients as the registry knows them: through the identity feed alone (ITI TF-2: 3.42.4.1.3.3.2, 3.8.4.1.3)."""

from collections.abc import Collection, Mapping
from typing import Protocol

from sqlalchemy import Connection

from ihe.datatypes import CX
from ihe.identifiers import PatientKey
from ihe.patients import Patient

__all__ = ["Patient", "Patients"]


class Patients(Protocol):
    """The patient index as the registry sees it, inside the registry's own transaction."""

    def resolve(self, connection: Connection, patient_id: CX) -> Patient | None:
        """Find the patient; None when the id is unknown, was merged into another, or is not an XDS patient id."""

    def current(self, connection: Connection, keys: Collection[PatientKey]) -> Mapping[PatientKey, CX]:
        """The surviving id of each key, for answers: stored objects hold only the key."""
