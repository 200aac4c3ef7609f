"""What the tests of the suites are given: the system as declared, the actors that call it, invented patients."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.counterparts.documents import DocumentActors
from conformance.counterparts.metadata import Inventor
from conformance.counterparts.patients import PatientActors
from conformance.counterparts.v3 import V3Actors
from conformance.harness import HARNESS, Harness
from conformance.refusals import Scene
from conformance.system import System
from ihe.datatypes import CX


@pytest.fixture
def folder() -> Iterator[Path]:
    """A place for files of one test, that goes with it."""
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


@pytest.fixture
def harness(request: pytest.FixtureRequest) -> Harness:
    """The run that is under way."""
    return request.config.stash[HARNESS]


@pytest.fixture
def system(harness: Harness) -> System:
    """The system under test."""
    return harness.system


@pytest.fixture
def documents(harness: Harness) -> DocumentActors:
    """Who submits, queries and retrieves."""
    return harness.documents


@pytest.fixture
def patients(harness: Harness) -> PatientActors:
    """Who feeds and asks for patients."""
    return harness.patients


@pytest.fixture
def v3(harness: Harness) -> V3Actors:
    """The same on HL7 v3."""
    if harness.system.hl7v3 is None:
        pytest.skip("hl7v3 is not declared: the OIDs of the devices of sender and receiver")
    return harness.v3


@pytest.fixture
def invent(harness: Harness) -> Inventor:
    """Who invents documents."""
    return harness.inventor


@pytest.fixture
def patient(harness: Harness) -> CX:
    """A patient whom the registry knows, and who has no documents yet."""
    return harness.known_patient()


@pytest.fixture
def other_patient(harness: Harness) -> CX:
    """Another one."""
    return harness.known_patient()


@pytest.fixture
def scene(documents: DocumentActors, invent: Inventor, patient: CX, other_patient: CX) -> Scene:
    """Where a refusal is played, and the life of documents."""
    return Scene(documents=documents, invent=invent, patient=patient, other_patient=other_patient)
