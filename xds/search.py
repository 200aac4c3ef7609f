"""Objects found in one snapshot of the registry: where to look, what restricts them, how many at most.

Every statement is ordered and bounded, and built once per shape of what is asked.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
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

from ihe.citations import Citation
from ihe.errors import Breach, ErrorCode, Rejected
from ihe.identifiers import EntryUUID, PatientKey
from ihe.vocabulary import Vocabulary
from statements.selections import Selection
from xds import folder_times, visibility
from xds.adhoc_query import AdhocQuery, ReturnType
from xds.model import TRIGGERS, AssociationType, AvailabilityStatus, DocumentAvailability, MetadataObject
from xds.query_conditions import MANY, ONE, Comparison, Condition, among, bound_name, conditions, equals, predicates
from xds.seeing import (
    PATIENTS_BY_LOGICAL_ID,
    PATIENTS_BY_UNIQUE_ID,
    PATIENTS_BY_UUID,
    PATIENTS_OF_ENDS,
    look_up,
)
from xds.stored_query import Kind
from xds.tables import TABLE_OF, association, document_entry, folder, object_locator, unique_id_locator
from xds.visibility import Shape, Viewer, visible

ERRORS = Citation("ITI TF-3", "Table 4.2.4.1-2")


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


class Found(NamedTuple):
    """One object of the answer, read as it stands: there may be thousands.

    ``fragment`` is None where only a reference is asked for.
    """

    kind: MetadataObject
    patient_key: PatientKey
    entry_uuid: EntryUUID
    status: AvailabilityStatus
    home: str | None
    version: int
    last_update_time: str | None
    source_object: EntryUUID | None
    target_object: EntryUUID | None
    fragment: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """One query on one snapshot; ``limit`` is the most objects an answer may hold, ``viewer`` sees what it may hold."""

    connection: Connection
    asked: AdhocQuery
    viewer: Viewer | None
    limit: int

    def find(self, kind: MetadataObject, scope: Scope, keys: Collection[object] = ()) -> tuple[Found, ...]:
        """The objects in scope that match the query's parameters and that its metadata level may see."""
        if not keys and scope is not Scope.EVERYBODY:
            return ()
        shape, values = conditions(self.asked.query, self.asked.parameters, kind)
        level = self.asked.parameters.one("$MetadataLevel", int) or 1
        leaf = self.asked.return_type is ReturnType.LEAF_CLASS
        if self.viewer is None:
            return self._run(kind, _statement(kind, scope, min(len(keys), MANY), shape, level, leaf), values, keys)
        return self._see(self.viewer, kind, scope, keys, (shape, level, leaf), values)

    def locate(self, kind: MetadataObject, scope: Scope, keys: Collection[object]) -> tuple[Found, ...]:
        """The objects in scope that the query only starts from: no parameter and no level restricts them."""
        if not keys:
            return ()
        if self.viewer is None:
            return self._run(kind, _statement(kind, scope, min(len(keys), MANY), (), 2, False), {}, keys)
        return self._see(self.viewer, kind, scope, keys, ((), 2, False), {})

    def _see(
        self,
        viewer: Viewer,
        kind: MetadataObject,
        scope: Scope,
        keys: Collection[object],
        asked: tuple[tuple[Condition, ...], int, bool],
        bound: dict[str, object],
    ) -> tuple[Found, ...]:
        """The same, as far as the person may see it. What a Folder's time is depends on what is seen in it."""
        sight = viewer.sight(self.connection, self._patients(viewer, kind, scope, keys))
        shape, level, leaf = asked
        timed = tuple(each for each in shape if each.parameter.attribute == LAST_UPDATE)
        rest = tuple(each for each in shape if each not in timed)
        statement = _statement(kind, scope, min(len(keys), MANY), rest, level, leaf, visibility.shape(sight))
        found = self._run(kind, statement, bound | visibility.values(sight), keys)
        if kind is not MetadataObject.FOLDER or not found:
            return found
        times = folder_times.seen(self.connection, sight, (each.entry_uuid for each in found))
        dated = (each._replace(last_update_time=times[each.entry_uuid]) for each in found)
        return tuple(each for each in dated if _is_within(each.last_update_time, timed, bound))

    def _patients(
        self, viewer: Viewer, kind: MetadataObject, scope: Scope, keys: Collection[object]
    ) -> Collection[PatientKey]:
        """Whose documents decide what is seen. An object in which another patient's are is not seen for their sake."""
        if scope is Scope.PATIENTS:
            return tuple(PatientKey(int(str(key))) for key in keys)
        if scope is Scope.EVERYBODY:
            related = viewer.related(self.connection, RELATED)
            if len(related) > RELATED:
                raise too_many(self.limit)
            return related
        if scope is Scope.LOGICAL_ID:
            return look_up(self.connection, PATIENTS_BY_LOGICAL_ID[TABLE_OF[kind]], keys)
        return look_up(self.connection, PATIENTS_BY[scope], keys)

    def _run(
        self, kind: MetadataObject, statement: Selection, values: dict[str, object], keys: Collection[object]
    ) -> tuple[Found, ...]:
        values["scope"] = next(iter(keys)) if len(keys) == 1 else list(keys)
        values["bound"] = self.limit + 1
        rows = statement.rows(self.connection, values)
        found = [
            _FOUND((kind, key, uuid, _STATUS[status], home, version, time, source, target, fragment))
            for key, uuid, status, home, version, time, source, target, fragment in rows
        ]
        if len(found) > self.limit:
            raise too_many(self.limit)
        return tuple(found)


_STATUS: Mapping[str, AvailabilityStatus] = AvailabilityStatus.__members__.copy()
"""By their names, as they are stored: read here, where each row is made anew in any case."""
_FOUND = partial(tuple.__new__, Found)
"""What ``Found._make`` does, without a call of Python for each object."""
LAST_UPDATE = "Folder.lastUpdateTime"
RELATED = 1000
"""Most patients of one person among whom a query looks that names none; not the limit of an answer, which would tell
of patients in whose records nothing is seen."""


def _is_within(time: str | None, timed: tuple[Condition, ...], bound: Mapping[str, object]) -> bool:
    """Claim that $XDSFolderLastUpdateTimeFrom and To, as far as they are given, hold of this time."""
    for each in timed:
        for number in range(len(each.sizes)):
            limit = str(bound[bound_name(each.parameter, number)])
            is_from = each.parameter.kind is Kind.TIME_FROM
            if time is None or (time < limit if is_from else time >= limit):
                return False
    return True


def too_many(limit: int) -> Rejected:
    """The refusal of an answer that would be larger than this registry sends."""
    return Rejected(
        Breach(
            code=ErrorCode.TOO_MANY_RESULTS,
            text="The query matches more objects than this registry returns",
            expected=f"at most {limit}",
            citation=ERRORS,
            remedy="narrow the query, for example by time or class code",
        )
    )


@lru_cache(maxsize=4096)
def _statement(
    kind: MetadataObject,
    scope: Scope,
    keys: int,
    shape: tuple[Condition, ...],
    level: int,
    leaf: bool,
    sight: Shape | None = None,
) -> Selection:
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
PATIENTS_BY = {
    Scope.ENTRY_UUID: PATIENTS_BY_UUID,
    Scope.UNIQUE_ID: PATIENTS_BY_UNIQUE_ID,
    Scope.MEMBERS_OF: PATIENTS_OF_ENDS,
    Scope.MEMBERSHIPS_OF: PATIENTS_OF_ENDS,
    Scope.EITHER_END: PATIENTS_OF_ENDS,
}
"""What finds the patients of a scope."""
