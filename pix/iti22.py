"""Patient Demographics and Visit Query [ITI-22] (ITI TF-2: 3.22): QBP^ZV1 and RSP^ZV2, and continuation.

QCN^J01, which cancels a query of either kind by its tag, is answered by ITI-21.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hl7v2.ack import ack, outcome
from hl7v2.compose import segment
from hl7v2.encoding import STANDARD
from hl7v2.message import Message, Segment
from ihe.audit import transaction_code
from ihe.citations import tf2
from ihe.errors import Rejected
from ihe.exchange import Exchange
from ihe.identifiers import PatientKey
from ihe.transactions import Actor, HL7v2Binding, Transaction
from pix import visits
from pix.adt import source
from pix.auditing import demographics_queried
from pix.domains_returned import domains_returned
from pix.encounters import Encounter, Fields
from pix.immediate import check_priority
from pix.iti21 import (
    DOMAINS,
    acknowledgement,
    as_asked,
    continuation_pointer,
    decode,
    go_on,
    quantity_limit,
    respond,
    truncation,
)
from pix.manager import PatientIndex
from pix.pid import write_pid
from pix.queries import CandidateQuery, Page
from pix.visit_fields import read_both

RESPONSE = ("RSP", "ZV2", "RSP_ZV2")
NO_VISIT = segment("PV1", {2: "N"})
"""The visit was cancelled after the query that froze the result (table 0004: not applicable)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitPage:
    """A part of the result, with the visit that each patient is shown with."""

    page: Page
    visits: Mapping[PatientKey, Encounter]


def handle(message: Message, index: PatientIndex, exchange: Exchange) -> VisitPage:
    """Search for patients by what is known of them and of a visit (ITI TF-2: 3.22.4.1.3, 3.22.4.2.2.11)."""
    check_priority(message)
    qpd, owner = message["QPD"], source(message)
    criteria, visit = read_both(qpd, index.domain)
    domains, unknown = domains_returned(qpd, DOMAINS, index.domain, tf2("3.22.4.2.2.11, case 3"))
    if unknown:
        raise Rejected(*unknown)
    pointer, quantity = continuation_pointer(message), quantity_limit(message)
    query = CandidateQuery(
        criteria=criteria, domains=domains, quantity=quantity, owner=owner, tag=qpd.text(2), asked=as_asked(message)
    )
    page = go_on(index, message, pointer, quantity) if pointer else visits.find(index, query, visit)
    keys = [each.key for each in page.candidates]
    return VisitPage(page=page, visits=index.database.read(lambda each: visits.shown(each, keys, visit)))


def encode(message: Message, found: VisitPage, exchange: Exchange) -> Message | None:
    """AA with PID and PV1 for each patient, and DSC if there are more; NF without (cases 1 and 2)."""
    page = found.page
    payload = tuple(_payload(found))
    return respond(message, exchange, RESPONSE, "AA", acknowledgement(page), truncation(page), payload)


def refuse(message: Message, rejected: Rejected, exchange: Exchange) -> Message | None:
    """AE in MSA and QAK and an ERR for each breach (case 3)."""
    if "QPD" not in message:
        return ack(message, rejected, exchange)
    code = f"A{outcome(rejected).value}"
    return respond(message, exchange, RESPONSE, code, {2: code}, rejected)


def _payload(found: VisitPage) -> Iterator[Segment]:
    page = found.page
    for number, each in enumerate(page.candidates, page.start):
        yield write_pid(number, (identifier.cx for identifier in each.identifiers), each.demographics)
        visit = found.visits.get(each.key)
        yield _segment("PV1", visit.pv1) if visit else NO_VISIT
        if visit and visit.pv2:
            yield _segment("PV2", visit.pv2)
    if page.pointer:
        yield segment("DSC", {1: page.pointer, 2: "I"})


def _segment(name: str, fields: Fields) -> Segment:
    """The fields as they are kept, in the standard's delimiters."""
    return Segment(name, tuple(fields.get(number, "") for number in range(1, max(fields) + 1)), STANDARD)


ITI_22 = Transaction(
    id="ITI-22",
    name="Patient Demographics and Visit Query",
    citation=tf2("3.22"),
    initiator=Actor.PATIENT_DEMOGRAPHICS_CONSUMER,
    responder=Actor.PATIENT_DEMOGRAPHICS_SUPPLIER,
    bindings=(HL7v2Binding(triggers=frozenset({"QBP^ZV1"})),),
    decode=decode,
    handle=handle,
    encode=encode,
    refuse=refuse,
    audit=demographics_queried(tf2("3.22.5.1.2"), transaction_code("ITI-22", "Patient Demographics and Visit Query")),
)
