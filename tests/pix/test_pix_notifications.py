"""What the outbox holds after a change: whom it concerns, which ids, and what waits for what (ITI TF-2: 3.10.4.1)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affinity.database import Database
from ihe.datatypes import CX, HD
from ihe.domain import AffinityDomain, AssigningAuthority
from ihe.errors import Rejected
from ihe.identifiers import PatientKey
from pix import store_notifications as store
from pix.manager import PatientIndex
from pix.model import Demographics, Identifier, IdentifierList, Origin
from pix.notifications import Outbox, in_turn, news, send_again
from pix.unmerging import unmerge
from pix.update_notifications import Attempt, Notification, State, Subscription
from tests.pix.scene import ANNA, MATRICULE, Scene, person

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


class Told:
    """A scene with subscribers, and what they are to be told since one looked last."""

    def __init__(self, scene: Scene, database: Database) -> None:
        self.scene = scene
        self.wakes = 0
        self._database = database
        self._seen = 0

    def wake(self) -> None:
        self.wakes += 1

    def all(self) -> list[Notification]:
        return list(self._database.read(lambda connection: store.in_state(connection, (State.PENDING,))))

    def new(self) -> list[str]:
        """Each as ``subscriber: ids``."""
        fresh = [each for each in self.all() if each.number > self._seen]
        self._seen = max([self._seen, *(each.number for each in fresh)])
        return [f"{each.subscriber}: {' '.join(map(spelled, each.identifiers))}" for each in fresh]


def spelled(cx: CX) -> str:
    return f"{cx.authority.namespace_id}:{cx.id}"


Subscribed = Callable[..., Told]


@pytest.fixture
def subscribed(
    database: Database,
    domain: AffinityDomain,
    clock: Callable[[], datetime],
    origin: Callable[..., Origin],
) -> Subscribed:
    """An index with subscribers: ``subscribed(ALL=(), LABS=("LAB",))``."""

    def make(**domains: tuple[str, ...]) -> Told:
        oids = {each.namespace_id: each.oid for each in domain.assigning_authorities}
        subscriptions = tuple(
            Subscription(name=name, domains=frozenset(oids[each] for each in wanted), with_name=name == "NAMED")
            for name, wanted in domains.items()
        )
        wakes: list[Told] = []
        outbox = Outbox(subscriptions=subscriptions, wake=lambda: wakes[0].wake())
        index = PatientIndex(domain=domain, database=database, clock=clock, outbox=outbox)
        wakes.append(Told(Scene(index, origin, domain.assigning_authorities), database))
        return wakes[0]

    return make


@pytest.fixture
def told(subscribed: Subscribed) -> Told:
    """One subscriber that wants everything."""
    return subscribed(ALL=())


def test_the_example_of_the_framework(subscribed: Subscribed) -> None:
    """ITI TF-2: 3.10.4.1.2: DOM_A, then DOM_AD cross-referenced with it, then no longer the same patient."""
    told = subscribed(CON_A=("HOSP", "CLINIC"))
    told.scene.feed("HOSP:1", f"NAT:{MATRICULE}")
    assert told.new() == ["CON_A: HOSP:1"]
    told.scene.feed("CLINIC:7", f"NAT:{MATRICULE}")
    assert told.new() == ["CON_A: HOSP:1 CLINIC:7"]
    told.scene.feed("CLINIC:7", f"NAT:{MATRICULE}", who=person("Marc", "Schmit", "19991231"))
    assert told.new() == ["CON_A: HOSP:1", "CON_A: CLINIC:7"]


def test_a_link_and_an_unlink_are_told_with_every_list_that_they_make(told: Told) -> None:
    told.scene.feed("HOSP:1")
    told.scene.feed("CLINIC:7")
    assert told.new() == ["ALL: HOSP:1", "ALL: CLINIC:7"]
    told.scene.link("HOSP:1", "CLINIC:7")
    assert told.new() == ["ALL: HOSP:1 CLINIC:7"]
    told.scene.unlink("HOSP:1", "CLINIC:7")
    assert told.new() == ["ALL: HOSP:1", "ALL: CLINIC:7"]


def test_an_update_of_demographics_alone_is_told_to_nobody(told: Told) -> None:
    told.scene.feed("HOSP:1", f"NAT:{MATRICULE}")
    told.new()
    told.scene.feed("HOSP:1", f"NAT:{MATRICULE}", who=replace(ANNA, sex="M"))
    told.scene.feed("HOSP:1", f"NAT:{MATRICULE}", who=replace(ANNA, sex="M"))
    assert told.new() == []
    assert told.wakes == 1


def test_a_message_that_is_sent_again_is_told_once(told: Told) -> None:
    again = told.scene.origin()
    for _ in range(2):
        told.scene.origin = lambda *_: again
        told.scene.feed("HOSP:1")
    assert told.new() == ["ALL: HOSP:1"]


def test_a_refused_message_is_told_to_nobody(told: Told) -> None:
    told.scene.feed("HOSP:1")
    told.new()
    with pytest.raises(Rejected):
        told.scene.merge("HOSP:9", "HOSP:1")
    assert told.new() == []


def test_a_merge_is_told_with_the_list_of_those_that_the_subsumed_id_was_listed_with(told: Told) -> None:
    for each in ("HOSP:1", "HOSP:2", "CLINIC:7"):
        told.scene.feed(each)
    told.scene.link("HOSP:1", "CLINIC:7")
    told.new()
    told.scene.merge("HOSP:1", "HOSP:2")
    assert told.new() == ["ALL: HOSP:2 CLINIC:7"]


def test_a_merge_of_an_id_that_leaves_its_person_is_told_to_those_who_stay(told: Told) -> None:
    """No link of the one that stays is touched: only the subsumed one's has ended."""
    told.scene.feed("HOSP:1", f"NAT:{MATRICULE}")
    told.scene.feed("HOSP:2", f"NAT:{MATRICULE}")
    told.scene.feed("HOSP:3", who=person("Zoe", "Schmit", "20010101"))
    told.new()
    told.scene.merge("HOSP:2", "HOSP:3")
    assert f"ALL: HOSP:1 NAT:{MATRICULE}" in told.new()


def test_a_merge_of_two_ids_alone_leaves_no_list_that_was_not_there(told: Told) -> None:
    told.scene.feed("HOSP:1")
    told.scene.feed("HOSP:2")
    told.new()
    told.scene.merge("HOSP:1", "HOSP:2")
    assert told.new() == []


def test_a_changed_id_is_told_with_the_ids_that_it_is_listed_with(told: Told) -> None:
    told.scene.feed("HOSP:1")
    told.scene.feed("CLINIC:7")
    told.scene.link("HOSP:1", "CLINIC:7")
    told.new()
    told.scene.change("CLINIC:7", "CLINIC:8")
    assert told.new() == ["ALL: HOSP:1 CLINIC:8"]


def test_a_national_id_that_comes_or_goes_is_told(told: Told) -> None:
    told.scene.feed("HOSP:1")
    told.scene.feed("HOSP:1", f"NAT:{MATRICULE}")
    told.scene.feed("HOSP:1", complete=IdentifierList.COMPLETE)
    assert told.new() == ["ALL: HOSP:1", f"ALL: HOSP:1 NAT:{MATRICULE}", "ALL: HOSP:1"]


def test_domains_of_interest_are_respected(subscribed: Subscribed) -> None:
    told = subscribed(CLINICS=("CLINIC",), REST=("HOSP", "NAT"))
    told.scene.feed("HOSP:1")
    told.scene.feed("CLINIC:7")
    told.new()
    told.scene.link("HOSP:1", "CLINIC:7")
    assert told.new() == [], "what each of them sees is as it was"
    told.scene.change("CLINIC:7", "CLINIC:8")
    assert told.new() == ["CLINICS: CLINIC:8"]


def test_ids_of_one_domain_stand_together(told: Told) -> None:
    told.scene.feed("HOSP:2")
    told.scene.feed("CLINIC:7")
    told.scene.feed("HOSP:1")
    told.scene.link("HOSP:2", "CLINIC:7")
    told.scene.link("CLINIC:7", "HOSP:1")
    assert told.new()[-1] == "ALL: HOSP:1 HOSP:2 CLINIC:7"


def test_a_name_goes_with_the_list_where_the_wire_carries_one(subscribed: Subscribed) -> None:
    told = subscribed(NAMED=(), PLAIN=())
    told.scene.feed("HOSP:1", who=Demographics())
    told.scene.feed("CLINIC:7", who=ANNA)
    told.scene.link("HOSP:1", "CLINIC:7")
    names = {name: [each.names for each in told.all() if each.subscriber == name] for name in ("NAMED", "PLAIN")}
    assert names == {"NAMED": [(), ANNA.names, ANNA.names], "PLAIN": [(), (), ()]}


def test_without_subscribers_nothing_is_written(scene: Scene, database: Database) -> None:
    scene.feed("HOSP:1")
    scene.feed("CLINIC:7")
    scene.link("HOSP:1", "CLINIC:7")
    assert database.read(lambda connection: store.in_state(connection, tuple(State))) == ()
    assert database.read(lambda connection: store.listed(connection, (PatientKey(1), PatientKey(2)))) == {}


def test_who_subscribes_late_is_told_of_the_first_change_and_of_no_update_before(
    scene: Scene, subscribed: Subscribed
) -> None:
    scene.feed("HOSP:1")
    scene.feed("CLINIC:7")
    told = subscribed(ALL=())
    told.scene.origin = scene.origin
    told.scene.feed("HOSP:1", who=replace(ANNA, sex="M"))
    assert told.new() == []
    told.scene.link("HOSP:1", "CLINIC:7")
    assert told.new() == ["ALL: HOSP:1 CLINIC:7"]


def notification(number: int, *ids: str, person: int = 0, due: datetime = NOW) -> Notification:
    return Notification(
        number=number,
        subscriber="ALL",
        person=PatientKey(person or 100 + number),
        identifiers=tuple(CX(each, HD("HOSP", "2.25.1", "ISO")) for each in ids),
        message_id=f"{number:032x}",
        at=NOW,
        state=State.PENDING,
        attempts=0,
        due=due,
        error=None,
    )


def turn(*pending: Notification) -> list[int]:
    return [each.number for each in in_turn(pending, NOW, LONGEST)]


LATER, LONGEST = NOW + timedelta(seconds=1), timedelta(seconds=300)


def test_a_later_list_of_the_same_patient_waits_and_others_overtake() -> None:
    assert turn(notification(1, "A", due=LATER), notification(2, "A", "B"), notification(3, "C")) == [3]
    assert turn(notification(1, "A", "B"), notification(2, "A"), notification(3, "B")) == [1]


def test_what_waits_for_one_that_waits_waits_too() -> None:
    assert turn(notification(1, "A", due=LATER), notification(2, "A", "B"), notification(3, "B")) == []


def test_a_person_whose_only_id_changed_is_the_same_patient() -> None:
    assert turn(notification(1, "A", person=1, due=LATER), notification(2, "B", person=1)) == []


def test_a_clock_that_is_set_back_holds_nobody_up() -> None:
    before_it = NOW + timedelta(hours=1)
    assert turn(notification(1, "A", due=before_it), notification(2, "B", due=NOW + LONGEST)) == [1]


lists = st.lists(st.sampled_from("ABCDE"), min_size=1, max_size=3, unique=True)


@given(st.lists(st.tuples(lists, st.booleans()), max_size=12))
def test_nobody_overtakes_the_same_patient_and_nobody_waits_in_vain(drawn: list[tuple[list[str], bool]]) -> None:
    pending = [
        notification(number, *ids, due=NOW if due else LATER) for number, (ids, due) in enumerate(drawn, start=1)
    ]
    ids = [set(each) for each, _ in drawn]
    for position, (each, (_, due)) in enumerate(zip(pending, drawn, strict=True)):
        blocked = any(ids[position] & earlier for earlier in ids[:position])
        assert (each.number in turn(*pending)) == (due and not blocked)


keys = st.frozensets(st.sampled_from([("1", "a"), ("1", "b"), ("2", "c"), ("3", "d")]), max_size=4)


@given(keys, st.frozensets(st.sampled_from(["1", "2"])))
def test_what_was_before_is_no_news(listed: frozenset[tuple[str, str]], domains: frozenset[str]) -> None:
    identifiers = tuple(identifier(AssigningAuthority(namespace_id=oid, oid=oid), id) for oid, id in sorted(listed))
    subscription = Subscription(name="S", domains=domains)
    assert not news(subscription, [listed], identifiers)
    seen = [each for each in listed if not domains or each[0] in domains]
    assert news(subscription, [], identifiers) == bool(seen)


def identifier(authority: AssigningAuthority, id: str) -> Identifier:
    return Identifier(authority=authority, id=id)


def test_attempts_are_written_down_and_the_message_id_stays(told: Told, database: Database) -> None:
    told.scene.feed("HOSP:1")
    (before,) = told.all()
    tried = Attempt(number=before.number, state=State.PENDING, attempts=1, due=LATER, error="nobody there")
    database.write(lambda connection: store.note_attempts(connection, [tried]))
    (after,) = told.all()
    assert (after.attempts, after.due, after.error) == (1, LATER, "nobody there")
    assert (after.message_id, after.identifiers, after.at) == (before.message_id, before.identifiers, before.at)


def test_the_backlog_counts_what_waits_and_what_is_dead(told: Told, database: Database) -> None:
    for each in ("HOSP:1", "HOSP:2", "HOSP:3"):
        told.scene.feed(each)
    first, second, third = told.all()
    dead = Attempt(number=first.number, state=State.DEAD, attempts=1, due=NOW, error="AE")
    sent = Attempt(number=second.number, state=State.SENT, attempts=1, due=NOW, error=None)
    database.write(lambda connection: store.note_attempts(connection, [dead, sent]))
    found = database.read(lambda connection: store.backlog(connection, "ALL"))
    assert (found.pending, found.dead, found.oldest) == (1, 1, third.at)
    database.write(lambda connection: store.drop_sent(connection, "ALL", NOW + timedelta(days=1)))
    left = database.read(lambda connection: store.in_state(connection, tuple(State)))
    assert [each.number for each in left] == [first.number, third.number]


def test_a_dead_letter_is_sent_again_as_a_new_message_unless_its_list_has_changed(
    told: Told, database: Database, domain: AffinityDomain
) -> None:
    told.scene.feed("HOSP:1")
    told.scene.feed("CLINIC:7")
    alone, other = told.all()
    dead = [Attempt(number=each.number, state=State.DEAD, attempts=1, due=NOW, error="AE") for each in (alone, other)]
    database.write(lambda connection: store.note_attempts(connection, dead))
    told.scene.change("CLINIC:7", "CLINIC:8")
    letters = database.read(lambda connection: store.in_state(connection, (State.DEAD,)))
    everybody = [Subscription(name="ALL")]
    ends = database.write(lambda connection: send_again(connection, domain, everybody, letters, NOW))
    assert ends == {alone.number: State.PENDING, other.number: State.OUTDATED}
    again = told.all()[0]
    assert (again.number, again.attempts, again.due) == (alone.number, 0, NOW)
    assert again.message_id != alone.message_id


def test_a_dead_letter_is_sent_again_though_its_person_goes_by_another_record_now(
    subscribed: Subscribed, database: Database, domain: AffinityDomain
) -> None:
    """For whom knows ids of one domain alone the list is the same, so nothing was told after it."""
    told = subscribed(CLINIC=("CLINIC",))
    told.scene.feed("HOSP:1")
    told.scene.feed("CLINIC:7")
    (letter,) = told.all()
    dead = Attempt(number=letter.number, state=State.DEAD, attempts=1, due=NOW, error="AE")
    database.write(lambda connection: store.note_attempts(connection, [dead]))
    told.scene.link("HOSP:1", "CLINIC:7")
    assert told.new() == []
    subscription = Subscription(name="CLINIC", domains=frozenset({told.scene.id("CLINIC:7").authority.oid}))
    ends = database.write(lambda connection: send_again(connection, domain, [subscription], [letter], NOW))
    assert ends == {letter.number: State.PENDING}


def test_a_dead_letter_to_nobody_stays(told: Told, database: Database, domain: AffinityDomain) -> None:
    told.scene.feed("HOSP:1")
    (each,) = told.all()
    ends = database.write(lambda connection: send_again(connection, domain, [], [each], NOW))
    assert ends == {each.number: State.DEAD}


def test_a_merge_that_is_taken_back_is_told_with_both_lists(told: Told) -> None:
    for each in ("HOSP:1", "HOSP:2", "CLINIC:7"):
        told.scene.feed(each)
    told.scene.link("HOSP:1", "CLINIC:7")
    told.scene.merge("HOSP:1", "HOSP:2")
    told.new()
    subsumed = told.scene.id("HOSP:1")
    told.scene.index.apply(told.scene.origin(), (subsumed,), lambda change: unmerge(change, subsumed))
    assert sorted(told.new()) == ["ALL: HOSP:1 CLINIC:7", "ALL: HOSP:2"]
