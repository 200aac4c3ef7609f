"""A scene for the index's tests: an index, and short ways to speak to it."""

from collections.abc import Callable, Iterable

from sqlalchemy import Select, or_, select

from ihe.domain import AssigningAuthority
from pix.manager import PatientIndex
from pix.matricule import complete
from pix.model import Demographics, Feed, Identifier, IdentifierList, Merge, Origin, PersonName
from pix.tables import event, record, task

MATRICULE = complete("19800515123")
OTHER_MATRICULE = complete("19800515124")
ANNA = Demographics(names=(PersonName(family="Weber", given="Anna"),), birth_time="19800515", sex="F")


def person(given: str, family: str = "Weber", birth: str | None = "19800515") -> Demographics:
    return Demographics(names=(PersonName(family=family, given=given),), birth_time=birth)


class Scene:
    """An index, and short ways to speak to it."""

    def __init__(
        self,
        index: PatientIndex,
        origin: Callable[..., Origin],
        authorities: Iterable[AssigningAuthority],
    ) -> None:
        self.index = index
        self.origin = origin
        self._authorities = {each.namespace_id: each for each in authorities}

    def id(self, text: str) -> Identifier:
        authority, _, id = text.partition(":")
        return Identifier(authority=self._authorities[authority], id=id, location=text)

    def feed(
        self,
        *ids: str,
        who: Demographics = ANNA,
        source: str = "HIS|HOSP",
        complete: IdentifierList = IdentifierList.PARTIAL,
    ) -> None:
        identifiers = tuple(map(self.id, ids))
        self.index.register(
            Feed(identifiers=identifiers, demographics=who, identifier_list=complete), self.origin(source)
        )

    def merge(self, subsumed: str, surviving: str) -> None:
        self.index.merge((Merge(surviving=self.id(surviving), subsumed=self.id(subsumed)),), self.origin())

    def merge_or_change(self, subsumed: str, surviving: str) -> None:
        self.index.merge_or_change((Merge(surviving=self.id(surviving), subsumed=self.id(subsumed)),), self.origin())

    def change(self, old: str, new: str) -> None:
        self.index.change((Merge(surviving=self.id(new), subsumed=self.id(old)),), self.origin())

    def link(self, one: str, other: str) -> None:
        self.index.link((self.id(one),), (self.id(other),), self.origin())

    def unlink(self, one: str, other: str) -> None:
        self.index.unlink((self.id(one),), (self.id(other),), self.origin())

    def others(self, id: str) -> list[str] | None:
        found = self.index.corresponding(self.id(id))
        return None if found is None else [f"{each.authority.namespace_id}:{each.id}" for each in found]

    def tasks(self) -> list[str]:
        waiting = select(task.c.kind, task.c.reason).where(task.c.closed_by.is_(None)).order_by(task.c.number)
        return self.index.database.read(
            lambda connection: [f"{row.kind}: {row.reason}" for row in connection.execute(waiting)]
        )

    def events(self) -> list[str]:
        types = select(event.c.type).order_by(event.c.number)
        return self.index.database.read(lambda connection: list(connection.scalars(types)))

    def keys(self, *ids: str) -> list[int]:
        """The keys of the records with these ids."""
        named = [(record.c.authority == each.authority.oid) & (record.c.id == each.id) for each in map(self.id, ids)]
        return self._all(select(record.c.key).where(or_(*named)))

    def task_records(self) -> set[int]:
        """The records that wait for a human."""
        waiting = task.c.closed_by.is_(None)
        return {*self._all(select(task.c.low).where(waiting)), *self._all(select(task.c.high).where(waiting))}

    def _all(self, statement: Select[tuple[int]]) -> list[int]:
        return self.index.database.read(lambda connection: list(connection.scalars(statement)))
