"""How often a feed waits for PostgreSQL: what does not depend on an answer is asked together."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import Connection, create_engine, select

from affinity.database import Database
from affinity.migrations import upgrade
from affinity.terms import Terms
from benchmarks.exchanges import Relay
from ihe.datatypes import CX, HD
from ihe.domain import AffinityDomain
from ihe.patients import Patient
from pix.manager import PatientIndex
from pix.model import Demographics, IdentifierList, Origin, PersonName
from pix.tables import event
from tests.pix.scene import ANNA, MATRICULE, Scene, person

COUNT = Callable[[Callable[[], None]], int]


@pytest.fixture
def relay(empty_postgresql: str) -> Iterator[Relay]:
    engine = create_engine(empty_postgresql)
    upgrade(engine)
    engine.dispose()
    made = Relay(empty_postgresql)
    yield made
    made.close()


@pytest.fixture
def scene(
    relay: Relay, domain: AffinityDomain, clock: Callable[[], datetime], origin: Callable[..., Origin]
) -> Iterator[Scene]:
    database = Database(relay.url, Terms(connections=2, prepare_threshold=None))
    yield Scene(PatientIndex(domain=domain, database=database, clock=clock), origin, domain.assigning_authorities)
    database.close()


@pytest.fixture
def exchanges(relay: Relay, scene: Scene) -> COUNT:
    def count(work: Callable[[], None]) -> int:
        before = relay.exchanges
        work()
        return relay.exchanges - before

    scene.feed("LAB:first", who=person("Zoé", "Quinn", "19310203"))  # so that it is connected
    return count


def test_of_somebody_new(scene: Scene, exchanges: COUNT) -> None:
    # who shares a key, and an id; locks, the receipt and the rest; what is written
    assert exchanges(lambda: scene.feed("HOSP:1", f"NAT:{MATRICULE}")) == 3


def test_of_somebody_known_of_whom_nothing_new_is_said(scene: Scene, exchanges: COUNT) -> None:
    scene.feed("HOSP:1", f"NAT:{MATRICULE}")
    # as of somebody new, and between them who is connected with the record
    assert exchanges(lambda: scene.feed("HOSP:1", f"NAT:{MATRICULE}")) == 4
    # and, once it is written, which ids the source listed before
    assert exchanges(lambda: scene.feed("HOSP:1", f"NAT:{MATRICULE}", complete=IdentifierList.COMPLETE)) == 5


def test_of_a_namesake_who_is_compared(scene: Scene, exchanges: COUNT) -> None:
    scene.feed("HOSP:1", who=person("Anna"))
    assert exchanges(lambda: scene.feed("CLINIC:1", who=person("Anna", "Kremer"))) == 4


def test_of_a_sister_whose_name_tells_her_apart(scene: Scene, exchanges: COUNT) -> None:
    scene.feed("HOSP:1", who=person("Anna"))
    assert exchanges(lambda: scene.feed("CLINIC:1", who=person("Berta"))) == 3


def test_of_somebody_who_is_linked(scene: Scene, exchanges: COUNT) -> None:
    scene.feed("HOSP:1", f"NAT:{MATRICULE}")
    assert exchanges(lambda: scene.feed("CLINIC:1", f"NAT:{MATRICULE}")) == 9


def test_of_a_patient_id_in_a_document_with_all_that_were_merged_into_it(scene: Scene, exchanges: COUNT) -> None:
    for number in "1234":
        scene.feed(f"HOSP:{number}", who=person("Zoé", f"Quinn{number}", f"193{number}0203"))
    scene.merge("HOSP:3", "HOSP:2")
    scene.merge("HOSP:4", "HOSP:2")
    found: list[Patient | None] = []
    named = CX("2", HD("", scene.id("HOSP:2").authority.oid, "ISO"))

    def resolve(connection: Connection) -> None:
        found.append(scene.index.resolve(connection, named))

    assert exchanges(lambda: scene.index.database.read(resolve)) == 1
    [patient] = found
    assert patient is not None
    assert patient.keys == (patient.key, patient.key + 1, patient.key + 2)


def test_events_are_numbered_in_the_order_in_which_they_are_written(scene: Scene) -> None:
    married = Demographics(names=(PersonName(family="Klein", given="Anna"),), birth_time=ANNA.birth_time, sex="F")
    scene.feed("HOSP:1", f"NAT:{MATRICULE}")
    scene.feed("CLINIC:1", f"NAT:{MATRICULE}")
    scene.feed("CLINIC:1", who=replace(married, sex="F"))
    ordered = select(event.c.type).order_by(event.c.number)
    types = scene.index.database.read(lambda connection: connection.execute(ordered).scalars().all())
    assert types[:4] == ["announced", "announced", "matched", "linked"]
    assert types[4] == "updated"
