"""A transaction that runs again, after a lost race or a lost connection, sees by what is said of the patient then."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from sqlalchemy import Connection

from affinity.database import Database
from affinity.works import Result, Work
from consent import recording
from ihe.errors import ErrorCode, Rejected
from tests.consent import shelf
from tests.consent.test_enforced import ACT, DOCTOR, LEA, documents, index, node, report, shows
from tests.consent.test_indistinguishable import Node, replacement
from xds.model import AssociationType
from xds.removal import remove

__all__ = ["index", "node"]


class Lost(Exception):
    """The connection."""


@dataclass
class Again:
    """A database on which each work comes to nothing at first; before it runs again, ``meanwhile`` happens, once."""

    database: Database
    meanwhile: list[Callable[[Connection], object]] = field(default_factory=list)

    def read(self, work: Work[Result]) -> Result:
        self.database.read(work)
        self._go_on()
        return self.database.read(work)

    def write(self, work: Work[Result]) -> Result:
        def lost(connection: Connection) -> None:
            work(connection)
            raise Lost

        with pytest.raises(Lost):
            self.database.write(lost)
        self._go_on()
        return self.database.write(work)

    def _go_on(self) -> None:
        while self.meanwhile:
            self.database.write(self.meanwhile.pop())


def suspend(connection: Connection) -> None:
    recording.suspend_record(connection, LEA, ACT)


@pytest.fixture
def again(database: Database, node: Node) -> Node:
    """A node that has just lost its connection to the database, and whose patient then closes the record."""
    return replace(node, registry=replace(node.registry, database=Again(database, [suspend])))


def test_a_query_shows_nothing_of_a_record_that_was_closed_before_it_ran_again(node: Node, again: Node) -> None:
    assert shows(documents(node, DOCTOR), 1)
    [refused] = documents(again, DOCTOR)
    assert refused.code is ErrorCode.UNKNOWN_PATIENT_ID


def test_nothing_is_added_to_a_record_that_was_closed_before_the_submission_ran_again(again: Node) -> None:
    refused = again.replaces(DOCTOR, replacement(1, "A", report(1).entry_uuid, AssociationType.RPLC))
    assert isinstance(refused, set)
    assert {each.code for each in refused} == {ErrorCode.UNKNOWN_PATIENT_ID, ErrorCode.UNRESOLVED_REFERENCE}


def test_nothing_is_removed_from_a_record_that_was_closed_before_the_removal_ran_again(again: Node) -> None:
    viewer = again.registry.access.viewer(shelf.exchange(DOCTOR))
    with pytest.raises(Rejected) as caught:
        remove(again.registry.database, again.registry.patients, [report(1).entry_uuid], viewer=viewer)
    assert caught.value.codes == {ErrorCode.UNRESOLVED_REFERENCE}
