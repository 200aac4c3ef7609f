"""Patients as the registry knows them: through the identity feed alone (ITI TF-2: 3.42.4.1.3.3.2, 3.8.4.1.3)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection

from ihe.datatypes import CX
from ihe.identifiers import PatientKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """A patient that the feed announced.

    ``id`` is the surviving XDS patient id, ``key`` the key of that id: new objects are stored under it. ``keys`` also
    holds the keys of ids that were merged into it: their objects belong to this patient (ITI TF-2: 3.8.4.2.4).
    """

    key: PatientKey
    keys: tuple[PatientKey, ...]
    id: CX


class Patients(Protocol):
    """The patient index as the registry sees it, inside the registry's own transaction."""

    def resolve(self, connection: Connection, patient_id: CX) -> Patient | None:
        """Find the patient; None when the id is unknown, was merged into another, or is not an XDS patient id."""

    def current(self, connection: Connection, keys: Collection[PatientKey]) -> Mapping[PatientKey, CX]:
        """The surviving id of each key, for answers: stored objects hold only the key."""
