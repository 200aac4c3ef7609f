"""Any sequence of feeds, merges, links, unlinks and changes keeps what must hold of the index."""

import contextlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import combinations, count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import Connection, func, select

from affinity.database import Database
from affinity.schema import METADATA
from ihe.domain import AffinityDomain, AssigningAuthority
from ihe.errors import Rejected
from ihe.identifiers import PatientKey
from pix.choices import Choice, NotPossible, Ruling
from pix.manager import PatientIndex
from pix.matching.scoring import vetoes
from pix.matching.subject import subject
from pix.matricule import complete
from pix.model import Demographics, Feed, Identifier, IdentifierList, Merge, Origin, PersonName
from pix.replay import PROJECTIONS, rebuild
from pix.stewardship import Stewardship
from pix.store_records import by_keys
from pix.tables import decision, event, link, national, receipt, record, task, token

ONE = AssigningAuthority(namespace_id="ONE", oid="2.25.1", issues_xds_ids=True)
TWO = AssigningAuthority(namespace_id="TWO", oid="2.25.2")
STATE = AssigningAuthority(namespace_id="STATE", oid="2.25.9", national=True)
DOMAIN = AffinityDomain(
    name="state", home_community_id="", repository_unique_id="", assigning_authorities=(ONE, TWO, STATE)
)
IDS = st.builds(
    lambda authority, id: Identifier(authority=authority, id=id), st.sampled_from([ONE, TWO]), st.sampled_from("123")
)
NATIONALS = st.sampled_from([complete("19800515123"), complete("19750101007"), "1980051512300"])
PEOPLE = st.builds(
    lambda given, birth: Demographics(names=(PersonName(family="Weber", given=given),), birth_time=birth),
    st.sampled_from(["Anna", "Ana", "Marc"]),
    st.sampled_from(["19800515", "19750101", None]),
)


class Index(RuleBasedStateMachine):
    """Random life of an index of six ids in two domains and three national ids."""

    database: Database

    def __init__(self) -> None:
        super().__init__()
        self._numbers = count()
        self.index = PatientIndex(domain=DOMAIN, database=self.database, clock=lambda: datetime.now(UTC))
        self.database.write(_clear)

    def _origin(self) -> Origin:
        number = str(next(self._numbers))
        return Origin(source=f"S|{int(number) % 2}", message_id=number, digest=number, answer=b"", transaction="test")

    @rule(
        ids=st.lists(IDS, min_size=1, max_size=3),
        nationals=st.lists(NATIONALS, max_size=2),
        who=PEOPLE,
        listed=st.sampled_from(IdentifierList),
    )
    def feed(self, ids: list[Identifier], nationals: list[str], who: Demographics, listed: IdentifierList) -> None:
        identifiers = (*ids, *(Identifier(authority=STATE, id=each) for each in nationals))
        feed = Feed(identifiers=identifiers, demographics=who, identifier_list=listed)
        _tolerate(lambda: self.index.register(feed, self._origin()))

    @rule(one=IDS, id=st.sampled_from("123"))
    def merge(self, one: Identifier, id: str) -> None:
        merges = (Merge(subsumed=one, surviving=Identifier(authority=one.authority, id=id)),)
        _tolerate(lambda: self.index.merge(merges, self._origin()))

    @rule(one=IDS, id=st.sampled_from("1234"))
    def merge_or_change(self, one: Identifier, id: str) -> None:
        merges = (Merge(subsumed=one, surviving=Identifier(authority=one.authority, id=id)),)
        _tolerate(lambda: self.index.merge_or_change(merges, self._origin()))

    @rule(one=IDS, id=st.sampled_from("1234"))
    def change(self, one: Identifier, id: str) -> None:
        changes = (Merge(subsumed=one, surviving=Identifier(authority=one.authority, id=id)),)
        _tolerate(lambda: self.index.change(changes, self._origin()))

    @rule(one=IDS, other=IDS)
    def link(self, one: Identifier, other: Identifier) -> None:
        _tolerate(lambda: self.index.link((one,), (other,), self._origin()))

    @rule(one=IDS, other=IDS)
    def unlink(self, one: Identifier, other: Identifier) -> None:
        _tolerate(lambda: self.index.unlink((one,), (other,), self._origin()))
        if one != other and self.index.corresponding(one) is not None:
            assert other not in (self.index.corresponding(one) or ())

    @rule(one=IDS)
    def unmerge(self, one: Identifier) -> None:
        _tolerate(lambda: Stewardship(index=self.index).unmerge(one, self._origin()))

    @rule(one=IDS, other=IDS, same=st.booleans())
    def declare(self, one: Identifier, other: Identifier, *, same: bool) -> None:
        """What a steward says is refused, or is so."""
        with contextlib.suppress(Rejected, NotPossible):
            Stewardship(index=self.index).declare(one, other, self._origin(), same=same)
            assert (other in (self.index.corresponding(one) or ())) is same

    @rule(one=IDS, other=IDS)
    def withdraw(self, one: Identifier, other: Identifier) -> None:
        _tolerate(lambda: Stewardship(index=self.index).withdraw(one, other, self._origin()))

    @rule(one=IDS)
    def split(self, one: Identifier) -> None:
        with contextlib.suppress(Rejected, NotPossible):
            Stewardship(index=self.index).split(one, self._origin())
            others = self.index.corresponding(one) or ()
            assert not [each for each in others if not each.authority.national]

    @rule(data=st.data())
    def decide(self, data: st.DataObject) -> None:
        waiting = self.database.read(
            lambda connection: connection.execute(
                select(task.c.number, task.c.version).where(task.c.closed_by.is_(None)).order_by(task.c.number)
            ).all()
        )
        if waiting:
            chosen = data.draw(st.sampled_from(waiting))
            choice = data.draw(st.sampled_from(Choice))
            with contextlib.suppress(NotPossible):
                Stewardship(index=self.index).decide(
                    chosen.number, chosen.version, Ruling(choice=choice), self._origin()
                )

    @rule()
    def rebuild(self) -> None:
        """The log tells all: the tables made anew from it are the very same."""
        assert self.database.write(lambda connection: rebuild(connection, lambda _: None)).differing == ()

    @invariant()
    def every_record_in_use_is_one_person(self) -> None:
        in_use = select(record.c.key).where(record.c.survivor.is_(None), record.c.announced)
        linked = select(link.c.record).where(link.c.ended_by.is_(None))
        assert sorted(self._all(in_use)) == sorted(self._all(linked))

    @invariant()
    def a_person_is_named_by_its_first_record(self) -> None:
        first = select(func.min(link.c.record)).where(link.c.ended_by.is_(None)).group_by(link.c.person)
        persons = select(link.c.person).where(link.c.ended_by.is_(None))
        assert set(self._all(first)) == set(self._all(persons))

    @invariant()
    def survivors_are_in_use(self) -> None:
        survivors = select(record.c.survivor).where(record.c.survivor.is_not(None))
        in_use = select(record.c.key).where(record.c.survivor.is_(None))
        assert set(self._all(survivors)) <= set(self._all(in_use))

    @invariant()
    def nothing_is_known_of_the_subsumed(self) -> None:
        gone = set(self._all(select(record.c.key).where(record.c.survivor.is_not(None))))
        for column in (national.c.record, token.c.record, decision.c.low, decision.c.high):
            assert not gone & set(self._all(select(column)))

    @invariant()
    def nobody_who_was_kept_apart_is_one_person(self) -> None:
        persons = self._persons()
        apart = select(decision.c.low, decision.c.high).where(decision.c.same.is_(False))
        for low, high in self.database.read(lambda connection: connection.execute(apart).all()):
            assert low not in persons or persons[low] != persons.get(high)

    @invariant()
    def who_contradicts_another_is_one_person_with_him_only_by_a_deliberate_link(self) -> None:
        persons = self._persons()
        deliberate = select(decision.c.low).where(decision.c.same, decision.c.basis != "listed")
        linked = {persons[PatientKey(key)] for key in self._all(deliberate) if key in persons}
        known = self.database.read(lambda connection: by_keys(connection, persons.keys()))
        for one, other in combinations(known, 2):
            if persons[one] == persons[other] and persons[one] not in linked:
                assert vetoes(subject(known[one].demographics), subject(known[other].demographics)) == ()

    @invariant()
    def no_task_waits_for_the_subsumed(self) -> None:
        gone = set(self._all(select(record.c.key).where(record.c.survivor.is_not(None))))
        for column in (task.c.low, task.c.high):
            assert not gone & set(self._all(select(column).where(task.c.closed_by.is_(None))))

    @invariant()
    def links_are_symmetric(self) -> None:
        known = select(record.c.authority, record.c.id).where(record.c.survivor.is_(None), record.c.announced)
        rows = self.database.read(lambda connection: connection.execute(known).all())
        for row in rows:
            mine = Identifier(authority=ONE if row.authority == ONE.oid else TWO, id=row.id)
            for other in self.index.corresponding(mine) or ():
                assert other.authority is STATE or mine in (self.index.corresponding(other) or ())

    @invariant()
    def events_tell_every_link(self) -> None:
        told: dict[int, int] = {}
        rows = select(event.c.type, event.c.record, event.c.after).order_by(event.c.number)
        for row in self.database.read(lambda connection: connection.execute(rows).all()):
            if row.type == "linked":
                told[row.record] = json.loads(row.after)["person"]
            elif row.type == "announced" and json.loads(row.after)["alone"]:
                told[row.record] = row.record
            elif row.type == "merged":
                told.pop(row.record, None)
        assert told == self._persons()

    def _persons(self) -> dict[PatientKey, PatientKey]:
        active = select(link.c.record, link.c.person).where(link.c.ended_by.is_(None))
        return self.database.read(lambda connection: {row.record: row.person for row in connection.execute(active)})

    def _all(self, statement: object) -> list[int]:
        return self.database.read(lambda connection: list(connection.scalars(statement)))  # type: ignore[call-overload]


def _tolerate(work: Callable[[], object]) -> None:
    """A refusal is an answer too; what matters is that it leaves the index as it must be."""
    with contextlib.suppress(Rejected, NotPossible):
        work()


def _clear(connection: Connection) -> None:
    for table in (*PROJECTIONS, event, receipt):
        connection.execute(table.delete())


@pytest.mark.timeout(300)
def test_any_life_of_the_index_keeps_what_must_hold(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'state.db'}")
    for metadata in METADATA:
        metadata.create_all(database.engine)
    machine = type("Life", (Index,), {"database": database})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
    database.close()
