"""Objects found in one snapshot of the registry: where to look, what restricts them, how many at most.

Every statement is ordered and bounded, and built once per shape of what is asked.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection

from ihe.citations import Citation
from ihe.errors import Breach, ErrorCode, Rejected
from ihe.identifiers import EntryUUID, PatientKey
from statements.selections import Selection
from xds import folder_times, visibility
from xds.adhoc_query import AdhocQuery, ReturnType
from xds.model import AvailabilityStatus, MetadataObject
from xds.query_conditions import MANY, Condition, bound_name, conditions
from xds.search_statements import Scope, statement
from xds.seeing import (
    PATIENTS_BY_LOGICAL_ID,
    PATIENTS_BY_UNIQUE_ID,
    PATIENTS_BY_UUID,
    PATIENTS_OF_ENDS,
    look_up,
)
from xds.stored_query import Kind
from xds.tables import TABLE_OF
from xds.visibility import Viewer

ERRORS = Citation("ITI TF-3", "Table 4.2.4.1-2")


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
            return self._run(kind, statement(kind, scope, min(len(keys), MANY), shape, level, leaf), values, keys)
        return self._see(self.viewer, kind, scope, keys, (shape, level, leaf), values)

    def locate(self, kind: MetadataObject, scope: Scope, keys: Collection[object]) -> tuple[Found, ...]:
        """The objects in scope that the query only starts from: no parameter and no level restricts them."""
        if not keys:
            return ()
        if self.viewer is None:
            return self._run(kind, statement(kind, scope, min(len(keys), MANY), (), 2, False), {}, keys)
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
        looked = statement(kind, scope, min(len(keys), MANY), rest, level, leaf, visibility.shape(sight))
        found = self._run(kind, looked, bound | visibility.values(sight), keys)
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


PATIENTS_BY = {
    Scope.ENTRY_UUID: PATIENTS_BY_UUID,
    Scope.UNIQUE_ID: PATIENTS_BY_UNIQUE_ID,
    Scope.MEMBERS_OF: PATIENTS_OF_ENDS,
    Scope.MEMBERSHIPS_OF: PATIENTS_OF_ENDS,
    Scope.EITHER_END: PATIENTS_OF_ENDS,
}
"""What finds the patients of a scope."""
