"""Any sequence of feeds, merges, links, unlinks and changes keeps what must hold of the index."""

import contextlib
import json
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import combinations, count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Connection, and_, func, or_, select

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
from pix.model import (
    Address,
    Demographics,
    Feed,
    Identifier,
    IdentifierList,
    Merge,
    Origin,
    PersonName,
    Telecom,
)
from pix.moving import Move
from pix.replay import PROJECTIONS, rebuild
from pix.stewardship import Stewardship
from pix.store_records import by_keys
from pix.store_worklist import TaskFilter
from pix.tables import card, decision, event, link, national, receipt, record, task, token
from pix.worklist import Worklist

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
HOME = (Address(street="3, rue de la Gare", city="Exempelduerf", postal_code="L-9999"),)
PEOPLE = st.builds(
    lambda given, birth, home, order, telephone: Demographics(
        names=(PersonName(family="Weber", given=given),),
        birth_time=birth,
        addresses=home,
        birth_order=order,
        home_phones=(Telecom(number=telephone),) if telephone else (),
    ),
    st.sampled_from(["Anna", "Anna", "Anna", "Ana", "Marc"]),
    st.sampled_from(["19800515", "19800515", "19800515", "19750101", None]),
    st.sampled_from([HOME, HOME, ()]),
    st.sampled_from([None, "1", "2"]),
    st.sampled_from(["+352 621 000 111", "+352 621 000 111", None]),
)
"""One household: most of them are alike, some only nearly, and two are twins."""


class Index(RuleBasedStateMachine):
    """Random life of an index of six ids in two domains and three national ids.

    ``acknowledged`` are the ids that must be found in some record, ``apart`` the records of which a steward said that
    they are never one person. ``reached`` counts what the lives came across.
    """

    database: Database
    reached: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        self._numbers = count()
        self._looks = count()
        self.index = PatientIndex(domain=DOMAIN, database=self.database, clock=lambda: datetime.now(UTC))
        self.database.write(_clear)
        self.acknowledged: set[tuple[str, str]] = set()
        self.apart: set[frozenset[PatientKey]] = set()

    def _origin(self) -> Origin:
        number = str(next(self._numbers))
        return Origin(source=f"S|{int(number) % 2}", message_id=number, digest=number, answer=b"", transaction="test")

    @initialize(people=st.lists(PEOPLE, min_size=4, max_size=6))
    def fill(self, people: list[Demographics]) -> None:
        """Begin with a house full of people who resemble each other."""
        for number, who in enumerate(people):
            identifier = Identifier(authority=(ONE, TWO)[number % 2], id="123"[number // 2])
            self._register(Feed(identifiers=(identifier,), demographics=who))

    @rule(
        ids=st.lists(IDS, min_size=1, max_size=3),
        nationals=st.lists(NATIONALS, max_size=2),
        who=PEOPLE,
        listed=st.sampled_from(IdentifierList),
    )
    def feed(self, ids: list[Identifier], nationals: list[str], who: Demographics, listed: IdentifierList) -> None:
        identifiers = (*ids, *(Identifier(authority=STATE, id=each) for each in nationals))
        feed = Feed(identifiers=identifiers, demographics=who, identifier_list=listed)
        self._register(feed)

    @rule(one=IDS, deleted=st.sets(st.sampled_from(["names", "birth_time", "addresses", "birth_order"]), min_size=1))
    def empty(self, one: Identifier, deleted: set[str]) -> None:
        feed = Feed(identifiers=(one,), demographics=Demographics(sex="F"), deleted=frozenset(deleted))
        self._register(feed)

    @rule(one=IDS, id=st.sampled_from("123"))
    def merge(self, one: Identifier, id: str) -> None:
        merges = (Merge(subsumed=one, surviving=Identifier(authority=one.authority, id=id)),)
        _tolerate(lambda: self.index.merge(merges, self._origin()))

    @rule(one=IDS, id=st.sampled_from("1234"))
    def merge_or_change(self, one: Identifier, id: str) -> None:
        merges = (Merge(subsumed=one, surviving=Identifier(authority=one.authority, id=id)),)
        _tolerate(lambda: self.index.merge_or_change(merges, self._origin()))
        self._follow(one, merges[0].surviving)

    @rule(one=IDS, id=st.sampled_from("1234"))
    def change(self, one: Identifier, id: str) -> None:
        changes = (Merge(subsumed=one, surviving=Identifier(authority=one.authority, id=id)),)
        _tolerate(lambda: self.index.change(changes, self._origin()))
        self._follow(one, changes[0].surviving)

    @rule(local=st.sampled_from("123"), previous=st.sampled_from("123"), new=st.sampled_from("123"))
    def move(self, local: str, previous: str, new: str) -> None:
        move = Move(
            local=Identifier(authority=TWO, id=local),
            previous=Identifier(authority=ONE, id=previous),
            new=Identifier(authority=ONE, id=new),
        )
        _tolerate(lambda: self.index.move(move, None, lambda connection, change: None, self._origin()))

    @rule(one=IDS, other=IDS)
    def link(self, one: Identifier, other: Identifier) -> None:
        _tolerate(lambda: self.index.link((one,), (other,), self._origin()))

    @rule(one=IDS, other=IDS)
    def unlink(self, one: Identifier, other: Identifier) -> None:
        _tolerate(lambda: self.index.unlink((one,), (other,), self._origin()))
        keys = sorted(self._keys(one, other))
        linked = select(decision.c.low).where(
            decision.c.low.in_(keys[:1]), decision.c.high.in_(keys[-1:]), decision.c.same, decision.c.basis == "steward"
        )
        # The two whom a steward linked are not parted by a source: that opens a task.
        if one != other and not self._all(linked) and self.index.corresponding(one) is not None:
            assert other not in (self.index.corresponding(one) or ())

    @rule(data=st.data())
    def unmerge(self, data: st.DataObject) -> None:
        merged = select(record.c.authority, record.c.id).where(record.c.survivor.is_not(None)).order_by(record.c.key)
        rows = self.database.read(lambda connection: connection.execute(merged).all())
        if rows:
            chosen = data.draw(st.sampled_from(rows))
            one = Identifier(authority=ONE if chosen.authority == ONE.oid else TWO, id=chosen.id)
            Stewardship(index=self.index).unmerge(one, self._origin())

    @rule(one=IDS, other=IDS, same=st.booleans())
    def declare(self, one: Identifier, other: Identifier, *, same: bool) -> None:
        """What a steward says is refused, or is so."""
        with contextlib.suppress(Rejected, NotPossible):
            Stewardship(index=self.index).declare(one, other, self._origin(), same=same)
            assert (other in (self.index.corresponding(one) or ())) is same
            self._said(self._keys(one, other), same=same)

    @rule(one=IDS, other=IDS)
    def withdraw(self, one: Identifier, other: Identifier) -> None:
        with contextlib.suppress(Rejected, NotPossible):
            Stewardship(index=self.index).withdraw(one, other, self._origin())
            self._said(self._keys(one, other), same=True)

    @rule(one=IDS)
    def split(self, one: Identifier) -> None:
        """Who leaves may join others, from whom those left behind had kept it, but never those."""
        before = {each for each in self.index.corresponding(one) or () if not each.authority.national}
        with contextlib.suppress(Rejected, NotPossible):
            Stewardship(index=self.index).split(one, self._origin())
            assert before.isdisjoint(self.index.corresponding(one) or ())

    @rule(data=st.data())
    def decide(self, data: st.DataObject) -> None:
        waiting = Worklist(index=self.index).tasks(TaskFilter()).tasks
        if waiting:
            chosen = data.draw(st.sampled_from([each.task for each in waiting]))
            choice = data.draw(st.sampled_from(Choice))
            with contextlib.suppress(NotPossible):
                Stewardship(index=self.index).decide(
                    chosen.number, chosen.version, Ruling(choice=choice), self._origin()
                )
                if choice in (Choice.LINK, Choice.MERGE, Choice.NEVER_LINK):
                    self._said(chosen.pair, same=choice is not Choice.NEVER_LINK)

    @invariant()
    def the_log_tells_all(self) -> None:
        """The tables made anew from it are the very same; a look after every third rule finds as much."""
        if next(self._looks) % 3:
            return
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
    def a_card_says_what_record_and_link_say(self) -> None:
        copied = [record.c[each] for each in ("family", "given", "birth", "sex", "updated")]
        linked = and_(link.c.record == record.c.key, link.c.ended_by.is_(None))
        said = select(record.c.key, link.c.person, *copied).join(link, linked).where(record.c.survivor.is_(None))
        rows = self.database.read(lambda each: [{*each.execute(some).all()} for some in (said, select(card))])
        assert rows[0] == rows[1]

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
    def every_id_that_was_acknowledged_is_found(self) -> None:
        assert self.acknowledged <= self._named()

    @invariant()
    def what_a_steward_keeps_apart_is_never_one_person(self) -> None:
        now, persons = self._now(), self._persons()
        for one, other in map(tuple, self.apart):
            assert now[one] != now[other]
            assert persons[now[one]] != persons[now[other]]

    @invariant()
    def what_was_said_once_is_kept_once(self) -> None:
        events = self._all(select(decision.c.event))
        assert len(events) == len(set(events))

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

    def teardown(self) -> None:
        kinds = select(task.c.kind)
        reasons = select(link.c.reason).where(link.c.ended_by.is_(None))
        types = select(event.c.type)
        self.reached.update({str(each) for kind in (kinds, reasons, types) for each in self._all(kind)})

    def _register(self, feed: Feed) -> None:
        with contextlib.suppress(Rejected):
            self.index.register(feed, self._origin())
            self.acknowledged.update(each.key for each in feed.identifiers if not each.authority.national)

    def _follow(self, old: Identifier, new: Identifier) -> None:
        """An id that was changed is found under the new one."""
        if old.key in self.acknowledged and old.key not in self._named():
            self.acknowledged.remove(old.key)
            self.acknowledged.add(new.key)

    def _said(self, keys: Iterable[int], *, same: bool) -> None:
        two = frozenset(map(PatientKey, keys))
        if same:
            now = self._now()
            self.apart = {each for each in self.apart if {now[key] for key in each} != {now[key] for key in two}}
        elif len(two) > 1:
            self.apart.add(two)

    def _keys(self, *identifiers: Identifier) -> list[int]:
        named = [and_(record.c.authority == each.authority.oid, record.c.id == each.id) for each in identifiers]
        return self._all(select(record.c.key).where(or_(*named)))

    def _named(self) -> set[tuple[str, str]]:
        ids = select(record.c.authority, record.c.id)
        return self.database.read(lambda connection: {(row.authority, row.id) for row in connection.execute(ids)})

    def _now(self) -> dict[PatientKey, PatientKey]:
        survivors = select(record.c.key, record.c.survivor)
        return self.database.read(
            lambda connection: {row.key: row.survivor or row.key for row in connection.execute(survivors)}
        )

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
    reached: Counter[str] = Counter()
    machine = type("Life", (Index,), {"database": database, "reached": reached})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=60,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    database.close()
    assert reached.keys() >= {"match", "veto", "low margin", "potential duplicate", "overlay", "unmerged"}
