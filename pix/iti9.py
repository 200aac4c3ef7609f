"""PIX Query [ITI-9] (ITI TF-2: 3.9): QBP^Q23 and RSP^K23."""

from dataclasses import dataclass, replace

from hl7v2.ack import ack, errors, msa, outcome
from hl7v2.compose import Value, answer, segment
from hl7v2.message import Message, Segment
from ihe.audit import transaction_code
from ihe.citations import tf2
from ihe.domain import AffinityDomain, AssigningAuthority
from ihe.errors import Breach, HL7ErrorCode, Rejected
from ihe.exchange import Exchange
from ihe.transactions import Actor, HL7v2Binding, Transaction
from pix.auditing import identifiers_queried
from pix.domains_returned import domains_returned
from pix.identification import assigning_authority, missing, unknown_authority
from pix.immediate import check_priority
from pix.manager import PatientIndex
from pix.model import Identifier
from pix.pid import IDENTIFICATION
from pix.text_lengths import refuse_long_fields

RESPONSE = ("RSP", "K23", "RSP_K23")
PERSON, DOMAINS = 3, 4
"""QPD-3 Person Identifier, QPD-4 What Domains Returned (ITI TF-2: Table 3.9-2)."""
PSEUDONYM: list[Value] = [None, (None,) * 6 + ("S",)]
"""PID-5 without a name: an empty repetition, then a coded pseudo-name (ITI TF-2: 3.9.4.2.2.5)."""


@dataclass(frozen=True, slots=True)
class Correspondence:
    """The ids asked for; none of them is no error (case 2)."""

    identifiers: tuple[Identifier, ...]


def decode(message: Message) -> Segment:
    """Take QPD."""
    qpd = message["QPD"]
    if not qpd.text(PERSON):
        raise Rejected(missing(qpd.location(PERSON, 1, 1), "The person identifier", tf2("Table 3.9-2")))
    if len(qpd.repetitions(PERSON)) > 1:
        raise Rejected(_two_patients(qpd))
    check_priority(message)
    refuse_long_fields(message)
    return qpd


def handle(qpd: Segment, index: PatientIndex, exchange: Exchange) -> Correspondence:
    """Answer the six cases of ITI TF-2: 3.9.4.2.2.6."""
    person = _person(qpd, index.domain)
    domains = _domains(qpd, index.domain)
    identifiers = index.corresponding(person, domains)
    if identifiers is None:
        raise Rejected(_unknown_patient(qpd, person))
    return Correspondence(identifiers)


def encode(message: Message, found: Correspondence, exchange: Exchange) -> Message:
    """AA with the ids in one PID, or with NF and no PID (cases 1, 2 and 6)."""
    status = "OK" if found.identifiers else "NF"
    listed = [IDENTIFICATION.write(each.cx) for each in found.identifiers]
    pid = [segment("PID", {3: listed, 5: PSEUDONYM})] if listed else []
    return _response(message, exchange, "AA", status, pid=pid)


def refuse(message: Message, rejected: Rejected, exchange: Exchange) -> Message | None:
    """AE in MSA and QAK and one ERR, for RSP^K23 has room for one (cases 3, 4 and 5)."""
    if "QPD" not in message:
        return ack(message, rejected, exchange)
    code = f"A{outcome(rejected).value}"
    return _response(message, exchange, code, code, rejected=Rejected(*rejected.breaches[:1]))


def _response(
    message: Message,
    exchange: Exchange,
    code: str,
    status: str,
    *,
    pid: list[Segment] | None = None,
    rejected: Rejected | None = None,
) -> Message:
    qpd = message["QPD"]
    qak = segment("QAK", {1: qpd.text(2), 2: status})
    return answer(message, exchange, RESPONSE, (msa(message, code), *errors(message, rejected), qak, qpd, *(pid or ())))


def _person(qpd: Segment, domain: AffinityDomain) -> Identifier:
    repetition = qpd.repetitions(PERSON)[0]
    authority = assigning_authority(repetition)
    known = domain.authority(authority)
    if known is None:
        raise Rejected(unknown_authority(domain, authority, qpd.location(PERSON, 1, 4), tf2("3.9.4.2.2.6, case 4")))
    return Identifier(authority=known, id=repetition.text().strip(" "), location=qpd.location(PERSON, 1, 1))


def _domains(qpd: Segment, domain: AffinityDomain) -> tuple[AssigningAuthority, ...]:
    """The domains asked for; the only ERR names the first one unknown and mentions the others (case 5)."""
    known, unknown = domains_returned(qpd, DOMAINS, domain, tf2("3.9.4.2.2.6, case 5"))
    if unknown:
        others = ", ".join(each.observed or "no authority" for each in unknown)
        raise Rejected(replace(unknown[0], observed=others))
    return known


def _two_patients(qpd: Segment) -> Breach:
    return Breach(
        code=HL7ErrorCode.DATA_TYPE_ERROR,
        text="A query is about a single patient",
        location=qpd.location(PERSON, 2),
        observed=qpd.repetitions(PERSON)[1].text(),
        citation=tf2("3.9.4.1.2.2"),
        remedy="Send a query for each patient",
    )


def _unknown_patient(qpd: Segment, person: Identifier) -> Breach:
    return Breach(
        code=HL7ErrorCode.UNKNOWN_KEY_IDENTIFIER,
        text="The patient identifier is not known in this domain",
        location=person.location,
        observed=person.id,
        citation=tf2("3.9.4.2.2.6, case 3"),
        remedy=f"It is known once an ITI-8, ITI-30 or ITI-44 feed announces it to {person.authority.namespace_id}",
    )


ITI_9 = Transaction(
    id="ITI-9",
    name="PIX Query",
    citation=tf2("3.9"),
    initiator=Actor.PIX_CONSUMER,
    responder=Actor.PIX_MANAGER,
    bindings=(HL7v2Binding(triggers=frozenset({"QBP^Q23"})),),
    decode=decode,
    handle=handle,
    encode=encode,
    refuse=refuse,
    audit=identifiers_queried(tf2("3.9.5.1.2"), transaction_code("ITI-9", "PIX Query")),
)
