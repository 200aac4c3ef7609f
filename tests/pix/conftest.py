"""A patient index over an empty database; an invented domain of two hospitals, a laboratory and a national register."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from affinity.database import Database
from ihe.domain import AffinityDomain, AssigningAuthority
from pix.manager import PatientIndex
from pix.model import Origin

ROOT = "2.25.999"
HOSPITAL = AssigningAuthority(namespace_id="HOSP", oid=f"{ROOT}.1", issues_xds_ids=True)
CLINIC = AssigningAuthority(namespace_id="CLINIC", oid=f"{ROOT}.2")
LABORATORY = AssigningAuthority(namespace_id="LAB", oid=f"{ROOT}.3", sources=("LIS|LABO",))
NATIONAL = AssigningAuthority(namespace_id="NAT", oid=f"{ROOT}.9", national=True)
DOMAIN = AffinityDomain(
    name="test",
    home_community_id=f"urn:oid:{ROOT}",
    repository_unique_id=f"{ROOT}.7",
    assigning_authorities=(HOSPITAL, CLINIC, LABORATORY, NATIONAL),
)


@pytest.fixture
def domain() -> AffinityDomain:
    """Three authorities with ids of their own, and a national one."""
    return DOMAIN


@pytest.fixture
def hospital() -> AssigningAuthority:
    return HOSPITAL


@pytest.fixture
def clinic() -> AssigningAuthority:
    return CLINIC


@pytest.fixture
def laboratory() -> AssigningAuthority:
    return LABORATORY


@pytest.fixture
def national() -> AssigningAuthority:
    return NATIONAL


@pytest.fixture
def clock() -> Callable[[], datetime]:
    """A clock that moves one second each time it is read."""
    seconds = count()
    return lambda: datetime(2026, 11, 23, 8, tzinfo=UTC) + timedelta(seconds=next(seconds))


@pytest.fixture
def index(database: Database, domain: AffinityDomain, clock: Callable[[], datetime]) -> PatientIndex:
    return PatientIndex(domain=domain, database=database, clock=clock)


@pytest.fixture
def origin() -> Callable[..., Origin]:
    """Make the origin of a new message each time."""
    numbers = count(1)

    def make(source: str = "HIS|HOSP", answer: bytes = b"AA") -> Origin:
        number = next(numbers)
        return Origin(source=source, message_id=f"M{number}", digest=f"d{number}", answer=answer, transaction="test")

    return make
