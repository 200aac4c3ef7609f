"""Patient Identity Management [ITI-30] (ITI TF-2: 3.30), HL7 v2.5, with the options Merge and Link/Unlink."""

from hl7v2.ack import ack, mode
from hl7v2.message import Message
from ihe.audit import transaction_code
from ihe.citations import tf2
from ihe.errors import Rejected
from ihe.exchange import Exchange
from ihe.transactions import Actor, HL7v2Binding, Transaction
from pix import adt
from pix.auditing import fed
from pix.manager import PatientIndex
from pix.model import IdentifierList
from pix.patient_rules import EVENT_RULES, NAMED_PATIENT_RULES


def register(admission: adt.Admission) -> bytes:
    """Add the patient or update it; the message has the complete demographics (ITI TF-2: 3.30.6.2, 3.30.6.3.3)."""
    return adt.register(admission, "ITI-30", NAMED_PATIENT_RULES, IdentifierList.COMPLETE)


def merge(admission: adt.Admission) -> bytes:
    """Merge MRG-1 into PID-3; ids that are not recognized are no error (ITI TF-2: 3.30.6.4.4)."""
    return admission.index.merge_or_change(adt.read_merges(admission), admission.origin("ITI-30"))


def change(admission: adt.Admission) -> bytes:
    """Give the patient of MRG-1 the id in PID-3 (ITI TF-2: 3.30.6.5)."""
    return admission.index.change(adt.read_merges(admission), admission.origin("ITI-30"))


def link(admission: adt.Admission) -> bytes:
    """Record that both PID name one person (ITI TF-2: 3.30.6.6)."""
    return admission.index.link(*adt.read_two_patients(admission), admission.origin("ITI-30"))


def unlink(admission: adt.Admission) -> bytes:
    """Record that the PID name two persons (ITI TF-2: 3.30.6.7)."""
    return admission.index.unlink(*adt.read_two_patients(admission), admission.origin("ITI-30"))


HANDLERS: dict[str, adt.Apply] = {
    "A28": register,
    "A31": register,
    "A40": merge,
    "A47": change,
    "A24": link,
    "A37": unlink,
}


def handle(message: Message, index: PatientIndex, exchange: Exchange) -> bytes:
    """Apply the event once and return the acknowledgement stored with it, in the mode asked for (3.30.4.4)."""
    admission = adt.Admission(message=message, index=index, exchange=exchange, mode=mode(message))
    return adt.apply(HANDLERS, admission)


def encode(message: Message, stored: bytes, exchange: Exchange) -> bytes | None:
    """The acknowledgement, the same bytes each time a message is sent again."""
    return adt.encode(stored)


def refuse(message: Message, rejected: Rejected, exchange: Exchange) -> Message | None:
    """AE or AR with one ERR for each breach; in enhanced mode what MSH-15 and MSH-16 ask for."""
    return ack(message, rejected, exchange, mode(message))


ITI_30 = Transaction(
    id="ITI-30",
    name="Patient Identity Management",
    citation=tf2("3.30"),
    initiator=Actor.PATIENT_IDENTITY_SOURCE,
    responder=Actor.PIX_MANAGER,
    bindings=(HL7v2Binding(triggers=frozenset(f"ADT^{event}" for event in HANDLERS), versions=("2.4", "2.5", "2.")),),
    decode=adt.decode,
    handle=handle,
    encode=encode,
    refuse=refuse,
    audit=fed(tf2("3.20.4.1.1.1"), transaction_code("ITI-30", "Patient Identity Management")),
    rules=(*NAMED_PATIENT_RULES, *EVENT_RULES),
)
