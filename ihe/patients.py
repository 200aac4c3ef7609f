"""A patient as index and registry share it: the index resolves, the registry stores under the key."""

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkChange:
    """A local patient id is another patient's from now on, or took over a second local id (ITI TF-2: 3.64).

    ``previous`` and ``new`` are the patients of the two XAD-PIDs, the same if nothing but ``subsumed`` is to report.
    ``source_id`` is the OID of the system that says so, None if it does not tell (MSH-3). ``earlier`` are ids that the
    local patient had before, or that were merged into it: documents may bear them still.
    """

    local: CX
    previous: Patient
    new: Patient
    subsumed: CX | None = None
    source_id: str | None = None
    earlier: tuple[CX, ...] = ()
