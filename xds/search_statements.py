"""Statements that find objects, built once per shape of what is asked: ordered, and bounded by ``bound``."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    String,
    Table,
    and_,
    bindparam,
    false,
    null,
    or_,
    select,
    true,
    type_coerce,
)

from ihe.vocabulary import Vocabulary
from statements.selections import Selection
from xds.model import TRIGGERS, AssociationType, AvailabilityStatus, DocumentAvailability, MetadataObject
from xds.query_conditions import ONE, Comparison, Condition, among, equals, predicates
from xds.tables import TABLE_OF, association, document_entry, folder, object_locator, unique_id_locator
from xds.visibility import Shape, visible


class Scope(Vocabulary):
    """Where a statement looks before parameters restrict it further; the keys are patients, ids or uuids."""

    PATIENTS = "objects of the patients"
    EVERYBODY = "objects of any patient"
    ENTRY_UUID = "objects with the entryUUID"
    UNIQUE_ID = "objects with the uniqueId"
    LOGICAL_ID = "all versions with the logicalID"
    MEMBERS_OF = "HasMember associations from the objects"
    MEMBERSHIPS_OF = "HasMember associations to the objects"
    EITHER_END = "associations from or to the objects"


@lru_cache(maxsize=4096)
def statement(
    kind: MetadataObject,
    scope: Scope,
    keys: int,
    shape: tuple[Condition, ...],
    level: int,
    leaf: bool,
    sight: Shape | None = None,
) -> Selection:
    """Find objects; ``keys`` is ``ONE`` or ``MANY``, ``leaf``: with fragments, ``sight``: what the asker may see."""
    table = TABLE_OF[kind]
    source, within = SCOPES[scope](table, equals if keys == ONE else among)
    restrictions = [predicate for condition in shape for predicate in predicates(condition)]
    if level == 1:
        restrictions.extend(_level_one(kind, shape))
    if sight is not None:
        restrictions.append(visible(kind, sight))
    return Selection(
        select(*_columns(table, leaf))
        .select_from(source)
        .where(within, *restrictions)
        .order_by(table.c.patient_key, table.c.id)
        .limit(bindparam("bound"))
    )


def _columns(table: Table, leaf: bool) -> tuple[ColumnElement[Any], ...]:
    shared = (
        table.c.patient_key,
        table.c.entry_uuid,
        type_coerce(table.c.status, String),
        table.c.home,
        table.c.version,
    )
    own = (table.c[name] if name in table.c else _nothing(name) for name in OWN)
    return (*shared, *own, table.c.fragment if leaf else _nothing("fragment"))


OWN = ("last_update_time", "source_object", "target_object")


def _nothing(name: str) -> ColumnElement[Any]:
    return null().label(name)


def _level_one(kind: MetadataObject, shape: tuple[Condition, ...]) -> tuple[ColumnElement[bool], ...]:
    """What a consumer that does not know metadata update must not see (Metadata Update: 3.18.4.1.2.3.5.1.1)."""
    if kind is MetadataObject.DOCUMENT_ENTRY:
        offline = document_entry.c.document_availability == DocumentAvailability.OFFLINE
        return (document_entry.c.superseded == false(), ~offline)
    if kind is MetadataObject.FOLDER:
        current = folder.c.superseded == false()
        # "This is controlled only by $XDSFolderStatus", where a query has it (Metadata Update: 3.18.4.1.2.3.7.2).
        asked = any(condition.parameter.attribute == "Folder.availabilityStatus" for condition in shape)
        return (current,) if asked else (current, folder.c.status == AvailabilityStatus.APPROVED)
    if kind is MetadataObject.ASSOCIATION:
        return (association.c.status == AvailabilityStatus.APPROVED, association.c.association_type.not_in(TRIGGERS))
    return ()


Looking = tuple[FromClause, ColumnElement[bool]]


def _of_patients(table: Table, test: Comparison) -> Looking:
    return table, test(table.c.patient_key, "scope")


def _of_everybody(table: Table, _test: Comparison) -> Looking:
    return table, true()


def _with_entry_uuid(table: Table, test: Comparison) -> Looking:
    return _located(table, object_locator, test(object_locator.c.entry_uuid, "scope"))


def _with_unique_id(table: Table, test: Comparison) -> Looking:
    return _located(table, unique_id_locator, test(unique_id_locator.c.unique_id, "scope"))


def _located(table: Table, place: Table, named: ColumnElement[bool]) -> Looking:
    at = and_(table.c.patient_key == place.c.patient_key, table.c.id == place.c.id)
    return place.join(table, at), and_(named, place.c.kind == _kind_of(table))


def _with_logical_id(table: Table, test: Comparison) -> Looking:
    return table, test(table.c.logical_id, "scope")


def _members_of(table: Table, test: Comparison) -> Looking:
    return table, and_(test(table.c.source_object, "scope"), _has_member(table))


def _memberships_of(table: Table, test: Comparison) -> Looking:
    return table, and_(test(table.c.target_object, "scope"), _has_member(table))


def _either_end(table: Table, test: Comparison) -> Looking:
    return table, or_(test(table.c.source_object, "scope"), test(table.c.target_object, "scope"))


def _has_member(table: Table) -> ColumnElement[bool]:
    return table.c.association_type == AssociationType.HAS_MEMBER


def _kind_of(table: Table) -> MetadataObject:
    return next(kind for kind, known in TABLE_OF.items() if known is table)


SCOPES: Mapping[Scope, Callable[[Table, Comparison], Looking]] = {
    Scope.PATIENTS: _of_patients,
    Scope.EVERYBODY: _of_everybody,
    Scope.ENTRY_UUID: _with_entry_uuid,
    Scope.UNIQUE_ID: _with_unique_id,
    Scope.LOGICAL_ID: _with_logical_id,
    Scope.MEMBERS_OF: _members_of,
    Scope.MEMBERSHIPS_OF: _memberships_of,
    Scope.EITHER_END: _either_end,
}
