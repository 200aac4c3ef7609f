"""One run's actors and what they need: the system, the transcript, tokens, patients that the system knows."""

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from lxml.etree import _Element

from affinity.client.sts import Wanted, request_assertion
from conformance.counterparts.documents import DocumentActors
from conformance.counterparts.metadata import Inventor
from conformance.counterparts.patients import PatientActors, Person
from conformance.counterparts.soap import SOAPCaller
from conformance.counterparts.v3 import V3Actors
from conformance.counterparts.wires import HTTPWire, MLLPWire
from conformance.exchanges import Transcript
from conformance.system import DeclarationFault, System, Tokens
from ihe.datatypes import CX
from ihe.transactions import Actor
from mllp.client import client_context
from soap.client import SOAPClient
from xua.envelope import security_header
from xua.sts import Defect

NEVER = datetime.min.replace(tzinfo=UTC)
TOKEN_LIFE = timedelta(minutes=2)
"""How long one assertion serves; a system may take it for less time, but seldom does."""


@dataclass(slots=True)
class TokenPurse:
    """Fetches assertions from the STS, and keeps one while it is fresh."""

    system: System
    _kept: bytes = b""
    _fetched: datetime = NEVER

    def header(self, _url: str) -> bytes:
        """The wsse:Security block; empty where no tokens are declared."""
        tokens = self.system.tokens
        if tokens is None:
            return b""
        if datetime.now(UTC) - self._fetched > TOKEN_LIFE:
            self._kept, self._fetched = security_header(fetched(self.system, tokens)), datetime.now(UTC)
        return self._kept


def fetched(system: System, tokens: Tokens, defect: Defect | None = None) -> _Element:
    """A new assertion of the declared STS. Raises what SOAPClient raises."""
    service = SOAPClient(url=tokens.sts, tls=system.trust.context if system.trust else None)
    return request_assertion(service, Wanted(role=tokens.role, audience=tokens.audience, defect=defect))


@dataclass(slots=True)
class Harness:
    """Everything that a test of a suite can use."""

    system: System
    seed: int
    transcript: Transcript = field(default_factory=Transcript)
    dice: random.Random = field(init=False)
    documents: DocumentActors = field(init=False)
    patients: PatientActors = field(init=False)
    v3: V3Actors = field(init=False)
    inventor: Inventor = field(init=False)
    announced: list[CX] = field(default_factory=list)
    """Patients whom this run made known, for their documents to be taken away again."""
    _known: deque[CX] = field(init=False)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        trust = self.system.trust
        wire = HTTPWire(transcript=self.transcript, tls=trust.context if trust else None)
        purse = TokenPurse(self.system)
        self.documents = DocumentActors(system=self.system, caller=_caller(wire, Actor.DOCUMENT_CONSUMER, purse.header))
        mllp = MLLPWire(transcript=self.transcript, tls=client_context(trust.tls) if trust else None)
        self.patients = PatientActors(system=self.system, mllp=mllp, dice=self.dice)
        self.v3 = V3Actors(system=self.system, caller=_caller(wire, Actor.PATIENT_IDENTITY_SOURCE, purse.header))
        self.inventor = Inventor(system=self.system, dice=self.dice)
        self._known = deque(self.system.patients.known)

    def assertion(self, defect: Defect | None = None) -> _Element:
        """A new assertion; with a defect only where the STS makes such. DeclarationFault: no STS is declared."""
        if self.system.tokens is None:
            raise DeclarationFault("[tokens] is missing: where assertions come from")
        return fetched(self.system, self.system.tokens, defect)

    def known_patient(self) -> CX:
        """A patient whom the registry knows: fed to it, or one of those declared. Skips the test if there is none."""
        return self._known.popleft() if self._known else self.announced_patient().id

    def announced_patient(self) -> Person:
        """Somebody who was just fed to the system. Skips the test if nobody takes a feed."""
        person = self.patients.person(self.system.patients.affinity_domain)
        told = self.patients.feed(self.feed_receiver(), "A04", person).acknowledgement
        assert told.accepted, f"the patient feed was not taken: {told.code} {told.text} {told.errors}"
        self.announced.append(person.id)
        return person

    def feed_receiver(self) -> Actor:
        """Who is told of patients. Skips the test if nobody is."""
        fed = next((each for each in FEEDS if (actor := self.system.actors.get(each)) and actor.mllp), None)
        if fed is None:
            pytest.skip("no patient is known: declare patients.known, or the mllp address that takes the patient feed")
        return fed


HARNESS = pytest.StashKey[Harness]()
FEEDS = (Actor.DOCUMENT_REGISTRY, Actor.PIX_MANAGER)
"""Who may be told of new patients, in this order."""


def _caller(wire: HTTPWire, initiator: Actor, security: Callable[[str], bytes]) -> SOAPCaller:
    return SOAPCaller(wire=wire, initiator=initiator, security=security)
