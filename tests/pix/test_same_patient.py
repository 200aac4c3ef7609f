"""Whose ids are one person's, as an assertion's resource-id is compared with the patient asked for (ITI-40)."""

from affinity.patient_binding import SamePerson
from ihe.datatypes import CX, HD
from pix.manager import PatientIndex
from tests.pix.scene import Scene


def test_ids_of_one_person_are_the_same_patient(index: PatientIndex, scene: Scene) -> None:
    scene.feed("HOSP:1")
    scene.feed("CLINIC:7")
    scene.feed("HOSP:2")
    scene.link("HOSP:1", "CLINIC:7")
    same = SamePerson(index)
    assert same(cx(index, "HOSP:1"), cx(index, "HOSP:1"))
    assert same(cx(index, "CLINIC:7"), cx(index, "HOSP:1"))
    assert not same(cx(index, "HOSP:1"), cx(index, "HOSP:2"))


def test_an_id_that_nobody_announced_is_nobody_elses(index: PatientIndex, scene: Scene) -> None:
    scene.feed("HOSP:1")
    same = SamePerson(index)
    unknown = cx(index, "HOSP:9")
    foreign = CX("1", HD("", "2.25.4242", "ISO"))
    assert same(unknown, unknown) and same(foreign, foreign)
    assert not same(unknown, cx(index, "HOSP:1")) and not same(cx(index, "HOSP:1"), foreign)
    assert not same(unknown, foreign)


def cx(index: PatientIndex, short: str) -> CX:
    namespace, _, id = short.partition(":")
    (authority,) = (each for each in index.domain.assigning_authorities if each.namespace_id == namespace)
    return CX(id, HD("", authority.oid, "ISO"))
