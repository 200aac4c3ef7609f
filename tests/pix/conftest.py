"""A patient index over an empty database; an invented domain of two hospitals, a laboratory and a national register."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, cast

import pytest

from affinity.database import Database
from affinity.dispatch import answer
from affinity.hl7_answers import choose
from hl7v2.ack import ack
from hl7v2.er7 import parse, serialize
from hl7v2.message import Message
from ihe.domain import AffinityDomain, AssigningAuthority
from ihe.errors import Rejected
from ihe.exchange import Exchange
from ihe.partners import Validation
from ihe.transactions import Actor
from pix import arrivals
from pix.iti8 import ITI_8
from pix.iti9 import ITI_9
from pix.iti21 import ITI_21
from pix.iti22 import ITI_22
from pix.iti30 import ITI_30
from pix.iti31 import ITI_31
from pix.manager import PatientIndex
from pix.model import Origin
from tests.pix.scene import Scene

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


@pytest.fixture
def scene(index: PatientIndex, origin: Callable[..., Origin]) -> Scene:
    return Scene(index, origin, index.domain.assigning_authorities)


Ask = Callable[[str], Message | None]


def asking(index: PatientIndex, validation: Validation) -> Ask:
    played = (Actor.PIX_MANAGER, Actor.PATIENT_DEMOGRAPHICS_SUPPLIER, Actor.PATIENT_ENCOUNTER_CONSUMER)
    ports = dict.fromkeys(played, index)

    def ask(text: str) -> Message | None:
        message = parse(text.encode())
        exchange = Exchange(correlation_id=secrets.token_hex(8), received_at=datetime.now(UTC), validation=validation)
        try:
            transaction = choose(message, (ITI_8, ITI_30, ITI_9, ITI_21, ITI_22, ITI_31))
        except Rejected as rejected:
            return ack(message, rejected, exchange)
        reply = answer(transaction, message, ports, exchange)
        return parse(reply) if isinstance(reply, bytes) else cast("Message | None", reply)

    return ask


@pytest.fixture
def ask(index: PatientIndex) -> Ask:
    """Send an ER7 text through the door that its trigger opens; the answer, or None."""
    return asking(index, Validation.STRICT)


@pytest.fixture
def ask_leniently(index: PatientIndex) -> Ask:
    return asking(index, Validation.LENIENT)


@pytest.fixture
def answer_bytes(ask: Ask) -> Callable[[str], bytes]:
    def answered(text: str) -> bytes:
        reply = ask(text)
        return serialize(reply) if reply else b""

    return answered


@pytest.fixture
def pix(ask: Ask) -> Callable[[str], str]:
    """Ask ITI-9 for one id: PID-3, or NF, or where and how it failed."""

    def query(person: str) -> str:
        reply = ask(f"MSH|^~\\&|C|C|A|A|2026||QBP^Q23^QBP_Q21|1|P|2.5\rQPD|IHE PIX Query|T|{person}\rRCP|I\r")
        assert reply is not None
        if "ERR" in reply:
            return f"{reply['ERR'].raw(2)} {reply['ERR'].text(3)}"
        return reply["PID"].raw(3) if "PID" in reply else reply["QAK"].text(2)

    return query


@pytest.fixture
def pdq(ask: Ask) -> Callable[[str], list[str]]:
    """Ask ITI-21 with QPD-3: the PID segments, or where and how it failed."""

    def query(fields: str) -> list[str]:
        reply = ask(f"MSH|^~\\&|C|C|A|A|2026||QBP^Q22^QBP_Q21|1|P|2.5\rQPD|IHE PDQ Query|T|{fields}\rRCP|I\r")
        assert reply is not None
        failures = [f"{each.raw(2)} {each.text(3)}" for each in reply.all("ERR")]
        return failures or ["|".join(("PID", *each.fields)) for each in reply.all("PID")]

    return query


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many of each group were registered together."""
    found: list[int] = []

    def register(*arguments: Any) -> list[arrivals.Arrival]:
        done = usual(*arguments)
        found.append(len(done))
        return done

    usual = arrivals._register
    monkeypatch.setattr(arrivals, "_register", register)
    return found
