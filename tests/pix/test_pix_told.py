"""Whatever happens to the index: who applies what it was told, in order, knows what a query would answer."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, run_state_machine_as_test

from affinity.database import Database
from affinity.schema import METADATA
from pix import store_notifications as store
from pix.manager import PatientIndex
from pix.model import Demographics, Feed, Identifier
from pix.notifications import Outbox
from pix.tables import receipt
from pix.tables_notifications import listed, notification
from pix.update_notifications import Key, State, Subscription
from tests.pix.test_pix_state import DOMAIN, ONE, PEOPLE, STATE, TWO, Index

SUBSCRIPTIONS = (
    Subscription(name="ALL"),
    Subscription(name="TWO", domains=frozenset({TWO.oid})),
    Subscription(name="ONE AND STATE", domains=frozenset({ONE.oid, STATE.oid})),
)


class Told(Index):
    """The same random life, with subscribers."""

    reached: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[str, tuple[int, set[frozenset[Key]]]] = {}
        self.database.write(
            lambda connection: [connection.execute(table.delete()) for table in (listed, notification, receipt)]
        )
        outbox = Outbox(subscriptions=SUBSCRIPTIONS)
        self.index = PatientIndex(domain=DOMAIN, database=self.database, clock=lambda: datetime.now(UTC), outbox=outbox)

    @initialize(people=st.lists(PEOPLE, min_size=4, max_size=6))
    def fill(self, people: list[Demographics]) -> None:
        """The same house full of people, who are told of one after the other."""
        for number, who in enumerate(people):
            identifier = Identifier(authority=(ONE, TWO)[number % 2], id="123"[number // 2])
            self._register(Feed(identifiers=(identifier,), demographics=who))
            self.what_is_told_is_so_and_was_not_before()

    @invariant()
    def the_last_list_of_an_id_is_its_present_one(self) -> None:
        for subscription in SUBSCRIPTIONS:
            told = self._last_lists(subscription.name)
            for own, others in self._present_lists():
                seen = subscription.sees({own.key, *others})
                if own.key in seen:
                    assert told.get(own.key) == seen, (subscription.name, own.id)

    @invariant()
    def what_is_told_is_so_and_was_not_before(self) -> None:
        """A national id may be of two persons, so lists that may hold nothing else are left out."""
        present = self._present_lists()
        for subscription in SUBSCRIPTIONS[:2]:
            lists = {subscription.sees({own.key, *others}) for own, others in present}
            told = self._lists(subscription.name)
            known, before = self._known.get(subscription.name, (0, set()))
            assert set(told[known:]) <= lists - before
            self._known[subscription.name] = (len(told), lists)

    def _lists(self, subscriber: str) -> list[frozenset[Key]]:
        found = self.database.read(lambda connection: store.in_state(connection, tuple(State), subscriber))
        return [frozenset((cx.authority.universal_id, cx.id) for cx in each.identifiers) for each in found]

    def _last_lists(self, subscriber: str) -> dict[Key, frozenset[Key]]:
        """What a consumer knows that puts each list in place of those with one of its ids."""
        known: dict[Key, frozenset[Key]] = {}
        for each in self._lists(subscriber):
            known |= dict.fromkeys(each, each)
        return known

    def _present_lists(self) -> list[tuple[Identifier, frozenset[Key]]]:
        """What ITI-9 answers about every id that is a record."""
        own = [Identifier(authority=authority, id=id) for authority in (ONE, TWO) for id in "1234"]
        answers = [(each, self.index.corresponding(each)) for each in own]
        return [(each, frozenset(one.key for one in others)) for each, others in answers if others is not None]


@pytest.mark.timeout(300)
def test_any_life_of_the_index_is_told_whole(tmp_path: Path) -> None:
    Told.database = Database(f"sqlite:///{tmp_path / 'told.db'}")
    for metadata in METADATA:
        metadata.create_all(Told.database.engine)
    run_state_machine_as_test(
        Told,
        settings=settings(
            max_examples=20,
            stateful_step_count=10,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    Told.database.close()
