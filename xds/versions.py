"""Versions of logical objects in the registry's tables (XDS Metadata Update: 4.1.5), in the caller's transaction."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import Connection, and_, false, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from ihe.identifiers import EntryUUID
from soap.xml import parse
from xds.ebrim import decode_objects
from xds.fragments import RIM_DECLARATION, splice
from xds.model import Association, AvailabilityStatus, MetadataObject, SubmissionSetStatus
from xds.rules_structure import HAS_MEMBER, RELATIONSHIPS
from xds.store import Registered, held
from xds.tables import TABLE_OF, association

LINKS = (HAS_MEMBER, *sorted(RELATIONSHIPS, key=lambda each: each.value))
"""The associations that link objects; the others are triggers of updates."""


def latest(
    connection: Connection, kind: MetadataObject, logical_ids: Iterable[EntryUUID]
) -> Mapping[EntryUUID, Registered]:
    """The latest version of each logical object, held until the transaction ends."""
    wanted = sorted(set(logical_ids))
    if not wanted:
        return {}
    table = TABLE_OF[kind]
    query = (
        select(*held(kind))
        .where(table.c.logical_id.in_(wanted))
        .order_by(table.c.logical_id, table.c.version)
        .with_for_update(of=table)
    )
    return {row.logical_id: Registered(kind=kind, **row._mapping) for row in connection.execute(query)}


def supersede(connection: Connection, previous: Registered) -> bool:
    """Make a version a previous one: superseded and deprecated. False if somebody changed it first."""
    table = TABLE_OF[previous.kind]
    changed = connection.execute(
        update(table)
        .where(_place(previous), table.c.version == previous.version)
        .where(table.c.status == previous.status, table.c.superseded == false())
        .values(status=AvailabilityStatus.DEPRECATED, superseded=True)
    )
    return changed.rowcount == 1


def change_status(connection: Connection, each: Registered, new_status: AvailabilityStatus) -> bool:
    """Change the status of an object, without a new version. False if somebody changed it first."""
    table = TABLE_OF[each.kind]
    changed = connection.execute(
        update(table).where(_place(each), table.c.status == each.status).values(status=new_status)
    )
    return changed.rowcount == 1


def _place(each: Registered) -> ColumnElement[bool]:
    table = TABLE_OF[each.kind]
    return and_(table.c.patient_key == each.patient_key, table.c.id == each.id)


def approved_links(connection: Connection, uuids: Collection[EntryUUID]) -> Sequence[Association]:
    """The approved associations that are or touch one of these; inclusion by reference is no link of patients."""
    if not uuids:
        return ()
    column = association.c
    touching = or_(column.source_object.in_(uuids), column.target_object.in_(uuids), column.entry_uuid.in_(uuids))
    by_reference = column.submission_set_status == SubmissionSetStatus.REFERENCE
    query = (
        select(column.fragment, column.version, column.home)
        .where(touching, column.status == AvailabilityStatus.APPROVED, column.association_type.in_(LINKS))
        .where(or_(column.submission_set_status.is_(None), ~by_reference))
        .order_by(column.patient_key, column.id)
    )
    elements = b"".join(
        splice(row.fragment, status=AvailabilityStatus.APPROVED, home=row.home, version=row.version)
        for row in connection.execute(query)
    )
    listed = parse(b"<rim:RegistryObjectList %s>%s</rim:RegistryObjectList>" % (RIM_DECLARATION, elements))
    return tuple(each for each in decode_objects(listed)[0] if isinstance(each, Association))
