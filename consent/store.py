"""The projections read back as values; every function runs inside the caller's transaction."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, Select, Table, bindparam, select

from consent.events import moment
from consent.facts import Facts
from consent.model import Emergency, Exclusion, Given, Mask, Party, Record, RecordState, Relationship, RelationshipKind
from consent.tables import document, emergency, exclusion, mask, record, relationship
from ihe.identifiers import PatientKey, UniqueId


def _of_patients(table: Table, *conditions: Any) -> Select[Any]:
    keys: BindParameter[list[int]] = bindparam("keys", expanding=True)
    order = list(table.primary_key)
    return select(table).where(table.c.patient_key.in_(keys), *conditions).order_by(*order)


RECORDS = _of_patients(record)
RELATIONSHIPS = _of_patients(relationship, relationship.c.ended_by.is_(None))
EXCLUSIONS = _of_patients(exclusion)
MASKS = _of_patients(mask)
EMERGENCIES = _of_patients(emergency)
GIVEN = _of_patients(document, document.c.ended_by.is_(None))
BY_SOURCE = (
    select(relationship)
    .where(relationship.c.source == bindparam("source"), relationship.c.ended_by.is_(None))
    .order_by(relationship.c.number)
)
UNREVIEWED = select(emergency).where(emergency.c.reviewed_by.is_(None)).order_by(emergency.c.number)


def facts(connection: Connection, keys: Collection[PatientKey]) -> Facts:
    """Everything that was said of these patient ids."""
    these = {"keys": sorted(keys)}
    return Facts(
        records=tuple(map(_record, connection.execute(RECORDS, these))),
        relationships=tuple(map(_relationship, connection.execute(RELATIONSHIPS, these))),
        exclusions=tuple(map(_exclusion, connection.execute(EXCLUSIONS, these))),
        masks=tuple(map(_mask, connection.execute(MASKS, these))),
        emergencies=tuple(map(_emergency, connection.execute(EMERGENCIES, these))),
    )


def relationships_from(connection: Connection, source: str) -> Sequence[Relationship]:
    """The relationships in force that were derived from one source, such as an encounter."""
    return tuple(map(_relationship, connection.execute(BY_SOURCE, {"source": source})))


def consents_given(connection: Connection, keys: Collection[PatientKey]) -> Sequence[Given]:
    """The consent documents of a patient that are in effect."""
    found = connection.execute(GIVEN, {"keys": sorted(keys)})
    return tuple(
        Given(number=each.number, key=PatientKey(each.patient_key), unique_id=UniqueId(each.unique_id))
        for each in found
    )


def unreviewed_emergencies(connection: Connection, most: int = 1000) -> Sequence[Emergency]:
    """Access in emergencies at which nobody has looked yet, oldest first: the review list."""
    return tuple(map(_emergency, connection.execute(UNREVIEWED.limit(most))))


def _record(row: Row[Any]) -> Record:
    return Record(
        key=PatientKey(row.patient_key),
        under=PatientKey(row.under),
        state=RecordState(row.state),
        since=moment(row.since),
        opens_at=moment(row.opens_at) if row.opens_at else None,
        delete_at=moment(row.delete_at) if row.delete_at else None,
        event=row.event,
    )


def _relationship(row: Row[Any]) -> Relationship:
    return Relationship(
        number=row.number,
        key=PatientKey(row.patient_key),
        party=Party(row.party),
        kind=RelationshipKind(row.kind),
        since=moment(row.since),
        until=moment(row.until) if row.until else None,
        source=row.source,
    )


def _exclusion(row: Row[Any]) -> Exclusion:
    return Exclusion(
        number=row.number, key=PatientKey(row.patient_key), party=Party(row.party), lifted_under=row.lifted_under
    )


def _mask(row: Row[Any]) -> Mask:
    return Mask(
        number=row.number,
        key=PatientKey(row.patient_key),
        unique_id=UniqueId(row.unique_id),
        profession=row.profession,
        lifted_under=row.lifted_under,
    )


def _emergency(row: Row[Any]) -> Emergency:
    return Emergency(
        number=row.number,
        key=PatientKey(row.patient_key),
        party=Party(row.party),
        since=moment(row.since),
        until=moment(row.until),
        level=row.level,
        reason=row.reason,
        reviewed=row.reviewed_by is not None,
    )
