"""Answers that are made while others change the index, or go on with the same query."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import pytest
from sqlalchemy import Connection

from hl7v2.message import Message
from ihe.identifiers import PatientKey
from ihe.partners import Validation
from pix import store_persons
from pix.locks import Alone, EarlyNames
from pix.manager import PatientIndex
from pix.model import Identifier
from pix.queries import CandidateQuery, Criteria, Page
from pix.store_persons import Described
from tests.pix.conftest import asking
from tests.pix.scene import Scene, person
from tests.pix.ward import Ward

Ask = Callable[[str], Message | None]
Meanwhile = Callable[[Callable[[], object]], None]


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Do something once, when the next page is about to be made."""
    describe = store_persons.described

    def once(work: Callable[[], object]) -> None:
        works = [work]

        def described(connection: Connection, keys: list[PatientKey]) -> Mapping[PatientKey, Described]:
            if works:
                works.pop()()
            return describe(connection, keys)

        monkeypatch.setattr(store_persons, "described", described)

    return once


def names(page: Page | None) -> list[str]:
    return [each.demographics.names[0].given for each in page.candidates] if page else []


def test_of_two_who_go_on_with_one_query_at_once_each_gets_a_page_of_its_own(
    scene: Scene, meanwhile: Meanwhile
) -> None:
    for number, given in enumerate(("Ada", "Berta", "Carla", "Dora")):
        scene.feed(f"HOSP:{number}", who=person(given, "Klein", f"19{50 + number}0101"))
    query = CandidateQuery(criteria=Criteria(family=("Klein",)), quantity=1, owner="O", tag="T", continued_by_tag=True)
    assert names(scene.index.find(query)) == ["Ada"]
    pages: list[Page | None] = []
    meanwhile(lambda: pages.append(scene.index.continued("T", None, None, "O")))
    pages.append(scene.index.continued("T", None, None, "O"))
    assert list(map(names, pages)) == [["Berta"], ["Carla"]]
    assert names(scene.index.continued("T", None, None, "O")) == ["Dora"]


def test_a_search_by_visits_shows_nobody_twice_who_is_merged_meanwhile(
    ask: Ask, index: PatientIndex, meanwhile: Meanwhile
) -> None:
    ward = Ward(ask, index)
    ward.send("A01", "V1^^^HOSP", patient="1^^^HOSP", name="Weber^Anna")
    ward.send("A01", "V2^^^HOSP", patient="2^^^HOSP", name="Weber^Clara")
    meanwhile(lambda: ward.merge("1^^^HOSP", "2^^^HOSP"))
    reply = ask(
        "MSH|^~\\&|PORTAL|HOSP|INDEX|STATE|2026||QBP^ZV1^QBP_Q21|Q1|P|2.5\rQPD|IHE PDQ Query|T|@PV1.2^I\rRCP|I\r"
    )
    assert reply is not None
    ids = [each.text(3) for each in reply.all("PID")]
    assert len(set(ids)) == len(ids) > 0


class Growing(Alone):
    """There is always one more record that is not locked."""

    def __init__(self, connection: Connection, identifiers: Iterable[Identifier], early: EarlyNames) -> None:
        super().__init__(connection, identifiers, early)
        self.are_needed = True

    def adopt(self, key: PatientKey) -> None:
        """It is not locked either."""


def test_what_cannot_be_locked_may_be_sent_again(index: PatientIndex) -> None:
    busy = asking(replace(index, locking=Growing), Validation.STRICT)
    reply = busy(
        "MSH|^~\\&|HIS|HOSP|A|A|2026||ADT^A28^ADT_A05|D|P|2.5\rEVN||2026\rPID|||4^^^HOSP||Weber^Dora\rPV1||N\r"
    )
    assert reply is not None
    assert (reply["MSA"].text(1), reply["ERR"].text(3)) == ("AR", "206")
