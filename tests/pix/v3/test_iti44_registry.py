"""Patient Identity Feed HL7 V3 at the Document Registry: ids of other domains are ignored, merges move patients."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from affinity.dispatch import answer
from ihe.datatypes import CX, HD
from ihe.domain import AssigningAuthority
from ihe.exchange import Exchange, SOAPRequest
from ihe.patients import Patient
from ihe.transactions import Actor
from pix.iti44_registry import ITI_44_REGISTRY
from pix.manager import PatientIndex
from soap.xml import parse
from tests.pix.v3.desk import Answered, Desk, complaints

PATIENT_ID = "/PRPA_IN201301UV02/controlActProcess/subject/registrationEvent/subject1/patient/id"
PRIOR_ID = (
    "/PRPA_IN201304UV02/controlActProcess/subject/registrationEvent/replacementOf/priorRegistration"
    "/subject1/priorRegisteredRole/id"
)
GIVEN_NAMES = ("", "Anna", "Berta", "Clara", "Dora", "Emma")
IN_THE_CLINIC = ('root="2.25.999.1" extension="H-', 'root="2.25.999.2" extension="H-')


@dataclass(frozen=True)
class Registry:
    patients: PatientIndex


@dataclass(frozen=True)
class RegistryDesk:
    """Takes v3 messages to the registry; its domain shares documents under ids of the hospital alone."""

    desk: Desk
    hospital: AssigningAuthority

    def feed(self, name: str, *changes: tuple[str, str]) -> Answered:
        exchange = Exchange(correlation_id="c", received_at=datetime(2026, 11, 23, 9, tzinfo=UTC))
        wire = SOAPRequest(parse(self.desk.golden(name, *changes)))
        ports = {Actor.DOCUMENT_REGISTRY: Registry(self.desk.index)}
        element = parse(b"".join(answer(ITI_44_REGISTRY, wire, ports, exchange).body))
        assert complaints(element) == []
        return Answered(element)

    def announce(self, number: int) -> None:
        own = (('extension="1"/>', f'extension="a{number}"/>'), ('"H-1"', f'"H-{number}"'))
        given = ("<given>Anna</given>", f"<given>{GIVEN_NAMES[number]}</given>")
        assert self.feed("iti44_added", *own, given, ("1980051512305", f"X{number}")).verdict == "CA"

    def merge(self, subsumed: str, surviving: str, *changes: tuple[str, str]) -> Answered:
        message_id = ('extension="3"/>', f'extension="m-{subsumed}-{surviving}"/>')
        return self.feed(
            "iti44_duplicates_resolved", message_id, ('"H-1"', f'"{surviving}!"'), ('"H-2"', f'"{subsumed}"'),
            (f'"{surviving}!"', f'"{surviving}"'), *changes
        )  # fmt: skip

    def patient(self, id: str) -> Patient | None:
        named = CX(id, HD("", self.hospital.oid, "ISO"))
        return self.desk.index.database.read(lambda connection: self.desk.index.resolve(connection, named))


@pytest.fixture
def registry(desk: Desk, hospital: AssigningAuthority) -> RegistryDesk:
    return RegistryDesk(desk, hospital)


@pytest.mark.parametrize("message", ["iti44_added", "iti44_revised"])
def test_a_patient_that_is_fed_to_the_registry_may_have_documents(registry: RegistryDesk, message: str) -> None:
    assert registry.feed(message).verdict == "CA"
    assert registry.patient("H-1") is not None


def test_ids_of_other_domains_are_ignored(registry: RegistryDesk) -> None:
    assert registry.feed("iti44_added").verdict == "CA"
    asked = registry.desk.ask("iti47_query")
    assert asked.all("patient/id", "extension") == ["H-1"]
    assert asked.all("asOtherIDs/id", "extension") == []


def test_ids_of_domains_that_nobody_here_knows_are_ignored(registry: RegistryDesk) -> None:
    elsewhere = '<id root="2.25.999.1" extension="H-1"/><id root="2.25.998" extension="X-1"/>'
    fed = registry.feed("iti44_added", ('<id root="2.25.999.1" extension="H-1"/>', elsewhere))
    assert (fed.verdict, fed.locations) == ("CA", [])


def test_a_message_without_any_id_of_the_sharing_domain_is_refused(registry: RegistryDesk) -> None:
    refused = registry.feed("iti44_added", IN_THE_CLINIC)
    assert refused.verdict == "CE 204"
    assert PATIENT_ID in refused.locations


def test_the_same_message_to_the_pix_manager_adds_what_the_registry_ignored(registry: RegistryDesk) -> None:
    assert registry.feed("iti44_added").verdict == "CA"
    assert registry.desk.ask("iti44_added").verdict == "CA"
    assert registry.desk.ask("iti47_query").all("asOtherIDs/id", "extension") == ["1980051512305"]


def test_a_message_sent_to_the_registry_again_gets_the_very_same_answer(registry: RegistryDesk) -> None:
    first, second = (registry.feed("iti44_added").all("id", "root") for _ in range(2))
    assert first == second


def test_a_merge_moves_the_patient_to_the_surviving_id(registry: RegistryDesk) -> None:
    for number in (1, 2, 3):
        registry.announce(number)
    assert registry.merge("H-2", "H-1").verdict == "CA"
    assert registry.merge("H-1", "H-3").verdict == "CA"
    survivor = registry.patient("H-3")
    assert survivor is not None
    assert len(survivor.keys) == 3
    assert (registry.patient("H-1"), registry.patient("H-2")) == (None, None)


@pytest.mark.parametrize(
    ("subsumed", "surviving", "changes", "verdict"),
    [
        ("H-2", "H-1", (('root="2.25.999.1" extension="H-2"', 'root="2.25.999.2" extension="H-2"'),), "CE 204"),
        ("H-2", "H-1", (IN_THE_CLINIC,), "CE 204"),
        ("H-1", "H-1", (), "CE 205"),
        ("H-5", "H-1", (), "CE 204"),
        ("H-1", "H-5", (), "CE 204"),
        ("H-9", "H-1", (), "CE 204"),
    ],
    ids=[
        "the subsumed id is of another authority",
        "both ids are of another authority",
        "the ids are the same",
        "the subsumed id was subsumed already",
        "the surviving id was subsumed already",
        "nobody knows the subsumed id",
    ],
)
def test_what_the_registry_must_detect_changes_nothing(
    registry: RegistryDesk, subsumed: str, surviving: str, changes: tuple[tuple[str, str], ...], verdict: str
) -> None:
    for number in (1, 2, 4, 5):
        registry.announce(number)
    assert registry.merge("H-5", "H-4").verdict == "CA"
    assert registry.merge(subsumed, surviving, *changes).verdict == verdict
    known = {id: registry.patient(id) for id in ("H-1", "H-2", "H-4", "H-5")}
    assert {id: len(patient.keys) for id, patient in known.items() if patient} == {"H-1": 1, "H-2": 1, "H-4": 2}
