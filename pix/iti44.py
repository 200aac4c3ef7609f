"""Patient Identity Feed HL7 V3 [ITI-44] (ITI TF-2: 3.44).

The acknowledgement is an accept acknowledgement, so its codes are CA, CE and CR (ITI TF-2: Table O.1.2-1). It is stored
with the change: a resend of the same message gets the same answer and changes nothing.
"""

from copy import deepcopy
from dataclasses import dataclass
from hashlib import sha256

from lxml import etree
from lxml.etree import _Element

from ihe.audit import transaction_code
from ihe.citations import tf2
from ihe.errors import Breach, HL7ErrorCode, Rejected
from ihe.exchange import Exchange, SOAPReply, SOAPRequest
from ihe.rules import check
from ihe.transactions import Actor, Transaction
from pix.manager import PatientIndex
from pix.model import Demographics, Feed, Merge, Origin
from pix.v3_answers import (
    ACCEPT_ACKNOWLEDGEMENT,
    accept_acknowledgement,
)
from pix.v3_auditing import fed
from pix.v3_demographics import demographics
from pix.v3_elements import InstanceIdentifier, child, children, instance_identifiers, name_of
from pix.v3_registrations import (
    DUPLICATE_RULES,
    PATIENT,
    PRIOR_ID,
    RECORD_RULES,
    FedIdentifiers,
    message_is_about_one_patient,
    one_obsolete_id_is_replaced,
    one_surviving_id_is_of_the_subsumed_ids_domain,
    patient_ids,
)
from pix.v3_wrappers import (
    BOUNDS,
    WRAPPER_RULES,
    binding,
    message_id,
    party,
)
from soap.xml import serialize

INTERACTIONS = ADDED, REVISED, DUPLICATES_RESOLVED = ("PRPA_IN201301UV02", "PRPA_IN201302UV02", "PRPA_IN201304UV02")
RULES = (
    *BOUNDS,
    message_is_about_one_patient,
    *WRAPPER_RULES,
    *RECORD_RULES,
    one_obsolete_id_is_replaced,
    one_surviving_id_is_of_the_subsumed_ids_domain,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientRecord:
    """A record added or revised, as sent."""

    body: _Element
    ids: tuple[InstanceIdentifier, ...]
    demographics: Demographics
    sent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicatesResolved:
    """``subsumed`` was found to be the patient who has one of the ids ``surviving``."""

    body: _Element
    surviving: tuple[InstanceIdentifier, ...]
    subsumed: InstanceIdentifier


def decode(wire: SOAPRequest) -> PatientRecord | DuplicatesResolved:
    """Check the message and read what it says."""
    body = wire.body
    check(body, (*BOUNDS, message_is_about_one_patient))
    resolves = name_of(body) == DUPLICATES_RESOLVED
    check(body, (*WRAPPER_RULES, *(DUPLICATE_RULES if resolves else RECORD_RULES)))
    patient = child(body, PATIENT)
    assert patient is not None  # message_is_about_one_patient
    if resolves:
        subsumed = instance_identifiers(body, PRIOR_ID)[0]
        return DuplicatesResolved(body=body, surviving=instance_identifiers(patient, "id"), subsumed=subsumed)
    return PatientRecord(
        body=body,
        ids=patient_ids(patient),
        demographics=demographics(patient),
        sent=serialize(patient).decode(),
    )


def handle(request: PatientRecord | DuplicatesResolved, index: PatientIndex, exchange: Exchange) -> bytes:
    """Apply the change and return the stored acknowledgement."""
    reader = FedIdentifiers(index.domain, str(party(request.body, "sender")), exchange.forgive)
    if isinstance(request, DuplicatesResolved):
        return index.merge(merges(request, reader), origin(request.body, exchange, reader.warnings))
    known = reader.read(request.ids)
    feed = Feed(identifiers=known, demographics=request.demographics, sent=request.sent)
    return index.register(feed, origin(request.body, exchange, reader.warnings))


def encode(_: SOAPRequest, acknowledgement: bytes, __: Exchange) -> SOAPReply:
    """Send the acknowledgement that was stored with the change."""
    return SOAPReply((acknowledgement,))


def refuse(wire: SOAPRequest, rejected: Rejected, exchange: Exchange) -> SOAPReply:
    """CE or CR with a detail for every breach."""
    return SOAPReply((serialize(accept_acknowledgement(wire.body, exchange, rejected.breaches)),))


def origin(body: _Element, exchange: Exchange, warnings: tuple[Breach, ...] = ()) -> Origin:
    """Who sent the message, what it is known by, and the answer that says "accepted"."""
    return Origin(
        source=str(party(body, "sender")),
        message_id=str(message_id(body)),
        digest=digest(body),
        answer=serialize(accept_acknowledgement(body, exchange, warnings)),
        transaction=f"ITI-44 {name_of(body)}",
    )


def digest(body: _Element) -> str:
    """SHA-256 of the content: all but the time of creation, which may change when a message is sent again."""
    copied = deepcopy(body)
    for element in children(copied, "creationTime"):
        copied.remove(element)
    return sha256(etree.tostring(copied, method="c14n", exclusive=True)).hexdigest()


def merges(request: DuplicatesResolved, reader: FedIdentifiers) -> tuple[Merge, ...]:
    """A merge is within one domain: the surviving id is the patient's id of the subsumed id's authority."""
    for each in request.surviving:
        if each.root == request.subsumed.root:
            (surviving,), (subsumed,) = reader.read((each,)), reader.read((request.subsumed,))
            return (Merge(surviving=surviving, subsumed=subsumed),)
    raise Rejected(
        Breach(
            code=HL7ErrorCode.UNKNOWN_KEY_IDENTIFIER,
            text="The patient has no id of the assigning authority that issued the subsumed id",
            location=request.subsumed.location,
            observed=request.subsumed.root,
            expected=", ".join(each.root for each in request.surviving),
            citation=tf2("3.44.4.2.1"),
        )
    )


ITI_44 = Transaction(
    id="ITI-44",
    name="Patient Identity Feed HL7 V3",
    citation=tf2("3.44"),
    initiator=Actor.PATIENT_IDENTITY_SOURCE,
    responder=Actor.PIX_MANAGER,
    bindings=tuple(binding("PIXManager", each, ACCEPT_ACKNOWLEDGEMENT) for each in INTERACTIONS),
    decode=decode,
    handle=handle,
    encode=encode,
    refuse=refuse,
    audit=fed(tf2("3.44.5.1.2"), transaction_code("ITI-44", "Patient Identity Feed")),
    rules=RULES,
)
