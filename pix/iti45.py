"""PIXV3 Query [ITI-45] (ITI TF-2: 3.45). Cases 1 to 6 of section 3.45.4.2.3 are one table in ``handle``."""

from collections.abc import Iterator
from dataclasses import dataclass

from ihe.audit import transaction_code
from ihe.citations import tf2
from ihe.datatypes import CX
from ihe.domain import AssigningAuthority
from ihe.errors import Breach, HL7ErrorCode, Rejected
from ihe.exchange import Exchange, SOAPReply, SOAPRequest
from ihe.rules import check
from ihe.transactions import Actor, Transaction
from pix.manager import PatientIndex
from pix.model import Identifier, PersonName
from pix.queries import CandidateQuery, Criteria, IdentifierPattern
from pix.v3_answers import (
    Community,
    add_copy,
    add_patient_id,
    add_query_ack,
    add_registration_event,
    query_answer,
    query_response_code,
    repeatable,
)
from pix.v3_auditing import identifiers_queried
from pix.v3_demographics import add_names
from pix.v3_elements import InstanceIdentifier, add, child, instance_identifiers
from pix.v3_queries import IDENTIFIER_QUERY_RULES, PARAMETERS, QUERY, query_id
from pix.v3_registrations import unknown_authorities
from pix.v3_wrappers import BOUNDS, WRAPPER_RULES, binding
from soap.xml import serialize

QUERIED, ANSWERED = "PRPA_IN201309UV02", "PRPA_IN201310UV02"


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifiersQuery:
    """Whose ids are asked for, and of which domains; none means all."""

    patient: InstanceIdentifier
    domains: tuple[InstanceIdentifier, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrespondingIdentifiers:
    """The ids that correspond to the one asked for, and the patient's names to verify them by."""

    identifiers: tuple[Identifier, ...]
    names: tuple[PersonName, ...]
    community: Community


def decode(wire: SOAPRequest) -> IdentifiersQuery:
    """Check the message and read what it asks."""
    check(wire.body, BOUNDS)
    check(wire.body, (*WRAPPER_RULES, *IDENTIFIER_QUERY_RULES))
    return IdentifiersQuery(
        patient=instance_identifiers(wire.body, f"{PARAMETERS}/patientIdentifier/value")[0],
        domains=instance_identifiers(wire.body, f"{PARAMETERS}/dataSource/value"),
    )


def handle(query: IdentifiersQuery, index: PatientIndex, _: Exchange) -> CorrespondingIdentifiers:
    """Find the ids. Rejected: the patient (case 4) or a requested domain (case 5) is not known."""
    breaches = unknown_authorities(index.domain, (query.patient, *query.domains))
    patient = index.domain.authority(query.patient.hd)
    if patient is None:
        raise Rejected(*breaches)
    asked = Identifier(authority=patient, id=query.patient.extension, location=query.patient.location)
    found = index.corresponding(asked, tuple(_known(query.domains, index)))
    if found is None:
        breaches = (_unknown_patient(query.patient), *breaches)
    if found is None or breaches:
        raise Rejected(*breaches)
    names = _names(index, asked) if found else ()
    return CorrespondingIdentifiers(identifiers=found, names=names, community=Community.of(index.domain))


def encode(wire: SOAPRequest, found: CorrespondingIdentifiers, exchange: Exchange) -> SOAPReply:
    """Answer OK with one patient (cases 1, 2, 6), or NF (case 3)."""
    query = child(wire.body, QUERY)
    answer, act = query_answer(wire.body, ANSWERED, exchange, query)
    if found.identifiers:
        patient = add_registration_event(act, found.community)
        for each in found.identifiers:
            add_patient_id(patient, each)
        add(patient, "statusCode", code="active")
        add_names(add(patient, "patientPerson", classCode="PSN", determinerCode="INSTANCE"), found.names)
    add_query_ack(act, query_id(wire.body), query_response_code((), len(found.identifiers)))
    add_copy(act, query)
    return SOAPReply((serialize(answer),))


def refuse(wire: SOAPRequest, rejected: Rejected, exchange: Exchange) -> SOAPReply:
    """Answer AE or QE with a detail for every breach."""
    query = repeatable(child(wire.body, QUERY), rejected.breaches)
    answer, act = query_answer(wire.body, ANSWERED, exchange, query, rejected.breaches)
    add_query_ack(act, query_id(wire.body), query_response_code(rejected.breaches, 0))
    add_copy(act, query)
    return SOAPReply((serialize(answer),))


def _known(domains: tuple[InstanceIdentifier, ...], index: PatientIndex) -> Iterator[AssigningAuthority]:
    for each in domains:
        if authority := index.domain.authority(each.hd):
            yield authority


def _names(index: PatientIndex, patient: Identifier) -> tuple[PersonName, ...]:
    pattern = IdentifierPattern(id=patient.id, authority=patient.authority)
    page = index.find(CandidateQuery(criteria=Criteria(identifiers=(pattern,))))
    return next((each.demographics.names for each in page.candidates), ())


def _unknown_patient(asked: InstanceIdentifier) -> Breach:
    return Breach(
        code=HL7ErrorCode.UNKNOWN_KEY_IDENTIFIER,
        text="No patient is known by this id",
        location=asked.location,
        citation=tf2("3.45.4.2.3"),
        remedy="A Patient Identity Feed (ITI-8, ITI-30 or ITI-44) must announce the id first",
    )


ITI_45 = Transaction(
    id="ITI-45",
    name="PIXV3 Query",
    citation=tf2("3.45"),
    initiator=Actor.PIX_CONSUMER,
    responder=Actor.PIX_MANAGER,
    bindings=(binding("PIXManager", QUERIED, ANSWERED),),
    decode=decode,
    handle=handle,
    encode=encode,
    refuse=refuse,
    audit=identifiers_queried(tf2("3.45.5.1.2"), transaction_code("ITI-45", "PIX Query")),
    rules=(*BOUNDS, *WRAPPER_RULES, *IDENTIFIER_QUERY_RULES),
    patients=lambda query: (CX(query.patient.extension, query.patient.hd),),
)
