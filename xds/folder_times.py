"""lastUpdateTime of Folders as somebody sees them who does not see all that they hold (ITI TF-3: 4.2.3.4.6).

The stored time tells when the last entry came, and would tell that a hidden one came. So it is the time at which the
Folder was registered, or the last of its visible entries.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from sqlalchemy import Connection, func, select

from ihe.access import Sight
from ihe.identifiers import EntryUUID
from statements.selections import Selection
from xds.model import AssociationType
from xds.row_ids import registered_at
from xds.seeing import BATCH, KEYS
from xds.tables import association, object_locator
from xds.visibility import Shape, links_visible, shape, values


def seen(connection: Connection, sight: Sight, folders: Iterable[EntryUUID]) -> Mapping[EntryUUID, str]:
    """The time of each Folder, as it is seen."""
    wanted, ids = sorted(folders), dict[EntryUUID, int]()
    for start in range(0, len(wanted), BATCH):
        some = wanted[start : start + BATCH]
        members = _members(shape(sight)).rows(connection, {"keys": some, **values(sight)})
        rows = [*OWN.rows(connection, {"keys": some}), *members]
        for uuid, id in rows:
            ids[uuid] = max(id, ids.get(uuid, 0))
    return {uuid: registered_at(id) for uuid, id in ids.items()}


OWN = Selection(select(object_locator.c.entry_uuid, object_locator.c.id).where(object_locator.c.entry_uuid.in_(KEYS)))


@lru_cache(maxsize=256)
def _members(shown: Shape) -> Selection:
    """When the last visible member of each Folder came."""
    return Selection(
        select(association.c.source_object, func.max(association.c.id))
        .where(association.c.source_object.in_(KEYS), association.c.association_type == AssociationType.HAS_MEMBER)
        .where(links_visible(association, shown))
        .group_by(association.c.source_object)
    )
