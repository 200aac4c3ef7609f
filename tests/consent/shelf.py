"""A registry whose objects are put there one by one, seen through the eyes of a policy."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

from sqlalchemy import Connection

from affinity.database import Database
from consent.policy import Policy
from consent.viewing import Eyes
from ihe.datatypes import CX, HD
from ihe.domain import AffinityDomain
from ihe.exchange import Exchange, Principal
from ihe.identifiers import EntryUUID, PatientKey
from ihe.patients import Patient
from tests.consent.cases import NOW
from xds import store
from xds.ebrim_writing import KINDS, fragment
from xds.model import AvailabilityStatus, DocumentEntry, Folder, RegistryObject
from xds.registry import DocumentRegistry
from xds.rows import row

DOMAIN = AffinityDomain(
    name="test", home_community_id="urn:oid:2.25.9", repository_unique_id="2.25.5", assigning_authorities=()
)


def patient_id(extension: str) -> CX:
    return CX(extension, HD("", "2.25.7001", "ISO"))


@dataclass
class Index:
    """Patients by id; the first key is the surviving one."""

    patients: dict[CX, tuple[PatientKey, ...]] = field(default_factory=dict)

    def resolve(self, _connection: Connection, patient_id: CX) -> Patient | None:
        keys = self.patients.get(patient_id)
        return Patient(key=keys[0], keys=keys, id=patient_id) if keys else None

    def current(self, _connection: Connection, keys: Collection[PatientKey]) -> Mapping[PatientKey, CX]:
        return {key: id for id, known in self.patients.items() for key in known if key in keys}

    def together(self, _connection: Connection, keys: Collection[PatientKey]) -> Sequence[tuple[PatientKey, ...]]:
        groups = [*self.patients.values()]
        alone = [(key,) for key in sorted(keys) if not any(key in group for group in groups)]
        return [group for group in groups if set(group) & set(keys)] + alone


@dataclass
class PolicyAccess:
    """Everybody is seen through one policy."""

    policy: Policy
    index: Index

    def viewer(self, exchange: Exchange) -> Eyes:
        return Eyes(policy=self.policy, exchange=exchange, together=self.index.together)

    def enter(self, exchange: Exchange, patients: Collection[object]) -> None:
        pass


def registry(database: Database, policy: Policy, index: Index, most: int = 2000) -> DocumentRegistry:
    """A registry that makes the same ids whenever it is asked the same."""
    uuids, rows = count(1), count(10_000)
    return DocumentRegistry(
        domain=replace(DOMAIN, max_results=most),
        database=database,
        patients=index,
        clock=lambda: datetime(2026, 11, 26, tzinfo=UTC),
        new_uuid=lambda: EntryUUID(f"urn:uuid:ffffffff-0000-4000-8000-{next(uuids):012}"),
        new_row_id=lambda: next(rows) << 21,
        access=PolicyAccess(policy, index),
    )


def exchange(principal: Principal | None) -> Exchange:
    return Exchange(correlation_id="test", received_at=NOW, principal=principal)


def put(database: Database, placed: Sequence[tuple[int, PatientKey, RegistryObject, bool]]) -> None:
    """Store objects: the number of the row, whose, what, and whether a newer version replaced it."""

    def work(connection: Connection) -> None:
        for number, key, each, superseded in placed:
            _put(connection, number << 21, key, (each, superseded))

    database.write(work)


def _put(connection: Connection, number: int, key: PatientKey, said: tuple[RegistryObject, bool]) -> None:
    each, superseded = said
    kind = KINDS[type(each)]
    status = each.availability_status or AvailabilityStatus.APPROVED
    accepted = replace(
        each, logical_id=each.logical_id or each.entry_uuid, version=each.version or 1, availability_status=status
    )
    stored: dict[str, Any] = row(accepted, key, number, fragment(accepted))
    if isinstance(each, DocumentEntry | Folder):
        stored["superseded"] = superseded
    store.locate(connection, {kind: [stored]})
    store.add(connection, {kind: [stored]})
