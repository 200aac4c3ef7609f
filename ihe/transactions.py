"""A transaction of the Technical Framework as one value: the catalogue, WSDL, routing, audit and docs read it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from ihe.audited import Audit
from ihe.citations import Citation
from ihe.datatypes import CX
from ihe.errors import Breach, Rejected
from ihe.exchange import Exchange
from ihe.rules import Rule

Wire = TypeVar("Wire")
Request = TypeVar("Request")
Response = TypeVar("Response")
Port = TypeVar("Port")
Reply = TypeVar("Reply")


class Actor(StrEnum):
    """Actors of the ITI profiles that Affinity plays or speaks to."""

    DOCUMENT_SOURCE = "Document Source"
    DOCUMENT_CONSUMER = "Document Consumer"
    DOCUMENT_REGISTRY = "Document Registry"
    DOCUMENT_REPOSITORY = "Document Repository"
    DOCUMENT_ADMINISTRATOR = "Document Administrator"
    ON_DEMAND_DOCUMENT_SOURCE = "On-Demand Document Source"
    PATIENT_IDENTITY_SOURCE = "Patient Identity Source"
    PIX_CONSUMER = "Patient Identifier Cross-reference Consumer"
    PIX_MANAGER = "Patient Identifier Cross-reference Manager"
    PATIENT_DEMOGRAPHICS_CONSUMER = "Patient Demographics Consumer"
    PATIENT_DEMOGRAPHICS_SUPPLIER = "Patient Demographics Supplier"
    PATIENT_ENCOUNTER_SUPPLIER = "Patient Encounter Supplier"
    PATIENT_ENCOUNTER_CONSUMER = "Patient Encounter Consumer"
    X_SERVICE_USER = "X-Service User"
    X_ASSERTION_PROVIDER = "X-Assertion Provider"


@dataclass(frozen=True, slots=True, kw_only=True)
class SOAPBinding:
    """One operation of a SOAP transaction. QNames are in Clark notation; ``mtom`` is the profile's demand."""

    operation: str
    action: str
    request: str
    reply_action: str
    reply: str
    mtom: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HL7v2Binding:
    """MSH-9 triggers such as ``ADT^A28``; ``versions`` are prefixes of MSH-12 that prefer this binding on a tie."""

    triggers: frozenset[str]
    versions: tuple[str, ...] = ()


def names_nobody(_request: Any) -> Iterable[CX]:
    """The request names no patient."""
    return ()


def answers_all(_response: Any) -> tuple[Breach, ...]:
    """The answer holds all that was asked for."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction(Generic[Wire, Request, Response, Port, Reply]):
    """One ITI transaction: ``decode`` -> ``handle`` -> ``encode``, or ``refuse``.

    ``handle`` is blocking and gets the responder actor's port. ``encode`` and ``refuse`` see the wire request again,
    because answers name the message they answer. ``patients`` are those whom a request names: an assertion that is
    about one patient (resource-id, ITI TF-2: 3.40.4.1.2.2.1) allows none about another. ``missed`` are the errors that
    an answer holds, in place of a part or of all of what was asked for.
    """

    id: str
    name: str
    citation: Citation
    initiator: Actor
    responder: Actor
    bindings: tuple[SOAPBinding | HL7v2Binding, ...]
    decode: Callable[[Wire], Request]
    handle: Callable[[Request, Port, Exchange], Response]
    encode: Callable[[Wire, Response, Exchange], Reply]
    refuse: Callable[[Wire, Rejected, Exchange], Reply]
    audit: Audit
    rules: tuple[Rule[Any], ...] = ()
    patients: Callable[[Request], Iterable[CX]] = names_nobody
    missed: Callable[[Response], tuple[Breach, ...]] = answers_all


@dataclass(frozen=True, slots=True, kw_only=True)
class Initiated:
    """One ITI transaction that our actors begin: nobody calls us for it, so it has no handler, no path and no WSDL.

    ``audit`` is the record of the initiator.
    """

    id: str
    name: str
    citation: Citation
    initiator: Actor
    responder: Actor
    bindings: tuple[SOAPBinding | HL7v2Binding, ...]
    audit: Audit
