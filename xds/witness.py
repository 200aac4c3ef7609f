"""Who is told that registered metadata changed, in the transaction of the change: consents take effect by it."""

from collections.abc import Collection
from typing import Protocol

from sqlalchemy import Connection

from ihe.identifiers import PatientKey
from xds.model import DocumentEntry
from xds.patients import Patient


class Witness(Protocol):
    """Told within the transaction, which it stops by raising Rejected."""

    def registered(self, connection: Connection, patient: Patient, entries: tuple[DocumentEntry, ...]) -> None:
        """Told of new entries, once their documents are stored with them, and of what they replace by it."""

    def changed(self, connection: Connection, keys: Collection[PatientKey]) -> None:
        """Told that something else of these patients changed: updated, deprecated, removed, moved."""


class Nobody:
    """Nobody wants to know."""

    def registered(self, connection: Connection, patient: Patient, entries: tuple[DocumentEntry, ...]) -> None:
        """Nothing depends on it."""

    def changed(self, connection: Connection, keys: Collection[PatientKey]) -> None:
        """Nothing depends on it."""


NOBODY = Nobody()
