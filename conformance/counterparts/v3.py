"""Patient Identity Source, PIX and PD Consumer on HL7 v3 (ITI TF-2: 3.44, 3.45, 3.47, Appendix O)."""

import re
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lxml import etree
from lxml.etree import _Element

from affinity.client import v3, v3_answers
from affinity.client.patients import Found, Sought
from conformance.counterparts.patients import Person
from conformance.counterparts.soap import Called, SOAPCaller
from conformance.counterparts.v3_continuation import going_on
from conformance.counterparts.v3_feeds import merge, record
from conformance.system import System
from ihe.datatypes import CX, HD
from ihe.transactions import SOAPBinding, Transaction
from pix.iti44 import ADDED, ITI_44
from pix.iti45 import ITI_45
from pix.iti47 import CANCELLED, CONTINUED, ITI_47
from pix.v3_elements import name_of
from soap.xml import parse, serialize

AnyTransaction = Transaction[Any, Any, Any, Any, Any]
PREFIX = re.compile(r"\b[A-Za-z_][\w.-]*:(?=[A-Za-z_])")
"""A namespace prefix of a step of an XPath."""


@dataclass(frozen=True)
class V3Answered:
    """What came of an HL7 v3 message. Its readers raise AssertionError if no message came back."""

    called: Called
    question: _Element

    @property
    def number(self) -> int:
        """Of the exchange."""
        return self.called.exchange.number

    @property
    def name(self) -> str:
        """The interaction that came."""
        return name_of(self.called.body)

    @cached_property
    def found(self) -> Found:
        """The acknowledgement, the outcome of a query, patients, remarks."""
        return v3_answers.found(self.called.body)

    @property
    def ids(self) -> list[str]:
        """The ids of all patients, in their order."""
        return [each.id for patient in self.found.patients for each in patient.identifiers]

    def selected(self, xpath: str) -> list[dict[str, str]]:
        """The attributes of what an XPath of the answer selects in the question, whatever its prefixes."""
        question = deepcopy(self.question)
        for each in question.iter("*"):
            each.tag = name_of(each)
        try:
            chosen = question.xpath(PREFIX.sub("", xpath))
        except etree.XPathError as error:
            raise AssertionError(f"exchange {self.number}: {xpath!r} is no XPath: {error}") from error
        return [{str(key): str(value) for key, value in each.attrib.items()} for each in chosen]  # type: ignore[union-attr]


@dataclass(frozen=True, slots=True, kw_only=True)
class V3Actors:
    """The counterparts of PIX Manager, PD Supplier and of a registry's patient feed."""

    system: System
    caller: SOAPCaller

    @property
    def devices(self) -> v3.Devices:
        """Who sends and who receives; only where the declaration says so."""
        declared = self.system.hl7v3
        assert declared is not None
        return v3.Devices(sender=declared.sender, receiver=declared.receiver)

    def send(self, transaction: AnyTransaction, body: _Element) -> V3Answered:
        """Any message, also a wrong one, to the responder of the transaction."""
        bindings = [each for each in transaction.bindings if isinstance(each, SOAPBinding)]
        binding = next(each for each in bindings if each.request == body.tag)
        url = self.system.url(transaction.responder)
        return V3Answered(self.caller.call(transaction, binding, url, (serialize(body),)), body)

    def record(self, person: Person, interaction: str = ADDED, others: Iterable[CX] = ()) -> _Element:
        """A new patient, or a revised one; ``others`` are ids beside the person's own."""
        return record(self.devices, person, interaction, others)

    def feed(self, person: Person, interaction: str = ADDED, transaction: AnyTransaction = ITI_44) -> V3Answered:
        """ITI-44 about one person."""
        return self.send(transaction, self.record(person, interaction))

    def merge(self, survivor: Person, subsumed: CX, transaction: AnyTransaction = ITI_44) -> V3Answered:
        """ITI-44: ``subsumed`` is given up."""
        return self.send(transaction, merge(self.devices, survivor, subsumed))

    def identifiers_query(self, patient: CX, domains: Iterable[HD] = ()) -> _Element:
        """PRPA_IN201309UV02."""
        return parse(v3.identifiers_query(patient, domains, self.devices))

    def cross_references(self, patient: CX, domains: Iterable[HD] = ()) -> V3Answered:
        """ITI-45."""
        return self.send(ITI_45, self.identifiers_query(patient, domains))

    def demographics_query(self, sought: Sought, domains: Iterable[HD] = (), quantity: int | None = None) -> _Element:
        """PRPA_IN201305UV02."""
        return parse(v3.demographics_query(sought, self.devices, domains, quantity))

    def demographics(self, sought: Sought, domains: Iterable[HD] = (), quantity: int | None = None) -> V3Answered:
        """ITI-47."""
        return self.send(ITI_47, self.demographics_query(sought, domains, quantity))

    def continuation(self, asked: V3Answered, **numbers: int) -> _Element:
        """QUQI_IN000003UV01 about a query; ``numbers`` are startResultNumber and continuationQuantity."""
        return going_on(self.devices, CONTINUED, asked.question, "waitContinuedQueryResponse", numbers)

    def cancellation(self, asked: V3Answered, status: str = "aborted", **numbers: int) -> _Element:
        """The same to end the query: aborted, or continued with no more patients (O.2.4)."""
        return going_on(self.devices, CANCELLED, asked.question, status, numbers)
