"""Patient Identity Source, PIX and PD Consumer on HL7 v2 (ITI TF-2: 3.8, 3.9, 3.21, 3.30)."""

import random
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

from affinity.client import hl7
from affinity.client.hl7_answers import Acknowledgement, acknowledgement, found
from affinity.client.patients import Found
from conformance.counterparts.wires import Call, MLLPWire
from conformance.exchanges import Exchange
from conformance.system import System
from hl7v2.compose import FieldValue, compose, segment
from hl7v2.er7 import parse, serialize
from hl7v2.message import Message, Segment
from ihe.datatypes import CX, HD
from ihe.errors import Rejected
from ihe.transactions import Actor

FAMILIES = ("Probst", "Tester", "Versuch", "Essai", "Prova", "Ensaio")
GIVEN = ("Ada", "Bruno", "Clara", "Dario", "Elena", "Felix", "Greta", "Hugo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An invented patient. ``birth_date`` is YYYYMMDD, ``sex`` of HL7 table 0001."""

    id: CX
    family: str
    given: str
    birth_date: str
    sex: str
    street: str = "1, rue de l'Essai"
    postal_code: str = "L-1234"
    city: str = "Luxembourg"


@dataclass(frozen=True)
class Answered:
    """What came of an HL7 v2 message. Its readers raise AssertionError if no message came back."""

    exchange: Exchange

    @cached_property
    def question(self) -> Message:
        """What was sent; only for messages that can be read."""
        return parse(self.exchange.request.content)

    @cached_property
    def message(self) -> Message:
        """The answer, parsed."""
        answer = self.exchange.answer
        assert answer is not None, f"exchange {self.exchange.number}: no answer: {self.exchange.failure}"
        try:
            return parse(answer.content)
        except Rejected as error:
            raise AssertionError(f"exchange {self.exchange.number}: not HL7 v2: {error}") from error

    @cached_property
    def acknowledgement(self) -> Acknowledgement:
        """MSA and every ERR."""
        try:
            return acknowledgement(self.message)
        except Rejected as error:
            raise AssertionError(f"exchange {self.exchange.number}: no MSA: {error}") from error

    @cached_property
    def found(self) -> Found:
        """The patients of a query's answer."""
        assert self.acknowledgement
        return found(self.message)


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientActors:
    """The counterparts of PIX Manager, PD Supplier and of a registry's patient feed."""

    system: System
    mllp: MLLPWire
    dice: random.Random

    def person(self, domain: HD | None = None, **changes: str) -> Person:
        """Somebody whom nobody knows yet."""
        authority = domain or self.system.patients.domain
        values = {
            "family": f"{self.dice.choice(FAMILIES)}{_letters(uuid.uuid4().int)}",
            "given": self.dice.choice(GIVEN),
            "birth_date": (date(1930, 1, 1) + timedelta(days=self.dice.randrange(30_000))).strftime("%Y%m%d"),
            "sex": self.dice.choice("MF"),
            "street": f"{self.dice.randrange(1, 500)}, rue de l'Essai",
            "postal_code": f"L-{self.dice.randrange(1000, 9999)}",
        }
        return Person(id=CX(f"CT{uuid.uuid4().hex[:16].upper()}", authority), **{**values, **changes})

    def same_person(self, person: Person, domain: HD) -> Person:
        """The same person under a new id, of this domain."""
        return replace(person, id=CX(f"CT{uuid.uuid4().hex[:16].upper()}", domain))

    def send(self, transaction: str, responder: Actor, message: Message | bytes) -> Answered:
        """Any HL7 v2 message, also a wrong one."""
        call = Call(transaction=transaction, initiator=Actor.PATIENT_IDENTITY_SOURCE, responder=responder)
        content = message if isinstance(message, bytes) else serialize(message)
        return Answered(self.mllp.send(call, self.system.mllp_address(responder), content))

    def feed(self, responder: Actor, event: str, person: Person, merged: CX | None = None) -> Answered:
        """ITI-8: A01, A04, A05, A08, or A40 with the id that goes (ITI TF-2: 3.8.4.1.2, 3.8.4.2.2)."""
        return self.send("ITI-8", responder, self.identity_feed(event, person, merged))

    def announce(self, person: Person) -> Answered:
        """ITI-30: A28 to the PIX Manager (ITI TF-2: 3.30.5.1)."""
        return self.send("ITI-30", Actor.PIX_MANAGER, hl7.announce(self.route, announced(person)))

    def cross_references(self, patient: CX, domains: Iterable[HD] = ()) -> Answered:
        """ITI-9."""
        return self.send("ITI-9", Actor.PIX_MANAGER, hl7.pix_query(self.route, patient, domains))

    def demographics(
        self, criteria: Mapping[str, str], domains: Iterable[HD] = (), quantity: int | None = None
    ) -> Answered:
        """ITI-21."""
        query = hl7.demographics_query(self.route, criteria, domains, quantity)
        return self.send("ITI-21", Actor.PATIENT_DEMOGRAPHICS_SUPPLIER, query)

    @property
    def route(self) -> hl7.Route:
        """MSH-3 to MSH-6."""
        sender = self.system.hl7v2
        return hl7.Route(
            application=sender.application,
            facility=sender.facility,
            receiving_application=sender.receiving_application,
            receiving_facility=sender.receiving_facility,
        )

    def identity_feed(self, event: str, person: Person, merged: CX | None = None) -> Message:
        """The message of ITI-8, in HL7 2.3.1."""
        patient = segment(
            "PID",
            {
                3: [cx(person.id)],
                5: (person.family, person.given, None, None, None, None, "L"),
                7: person.birth_date,
                8: person.sex,
                11: (person.street, None, person.city, None, person.postal_code),
            },
        )
        rest = segment("MRG", {1: [cx(merged)]}) if merged else segment("PV1", {2: "O"})
        structure = "ADT_A39" if event == "A40" else "ADT_A01"
        return self._message(("ADT", event, structure), (segment("EVN", {1: event, 2: _now()}), patient, rest))

    def _message(self, message_type: tuple[str, ...], segments: tuple[Segment, ...]) -> Message:
        sender = self.system.hl7v2
        header: dict[int, FieldValue] = {
            3: sender.application,
            4: sender.facility,
            5: sender.receiving_application,
            6: sender.receiving_facility,
            7: _now(),
            9: message_type,
            10: uuid.uuid4().hex[:20],
            11: "P",
            12: "2.3.1",
        }
        return compose(header, segments)


def announced(person: Person) -> hl7.Announced:
    """A person as the client announces it."""
    return hl7.Announced(
        identifiers=(person.id,),
        family=person.family,
        given=person.given,
        birth_date=person.birth_date,
        sex=person.sex,
        street=person.street,
        postal_code=person.postal_code,
        city=person.city,
    )


def cx(identifier: CX) -> tuple[str | tuple[str | None, ...] | None, ...]:
    """An identifier as a field has it."""
    authority = identifier.authority
    named = (authority.namespace_id or None, authority.universal_id or None, authority.universal_id_type or None)
    return (identifier.id, None, None, named)


def _letters(number: int) -> str:
    """Six letters: names with digits are refused by some systems."""
    return "".join(chr(ord("a") + number // 26**place % 26) for place in range(6))


def _now() -> str:
    return datetime.now(UTC).strftime("%Y%m%d%H%M%S")
