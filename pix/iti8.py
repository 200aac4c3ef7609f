"""Patient Identity Feed [ITI-8] (ITI TF-2: 3.8), HL7 v2.3.1."""

from hl7v2.ack import Mode, ack
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
from pix.patient_rules import EVENT_RULES, PATIENT_RULES


def register(admission: adt.Admission) -> bytes:
    """Add the patient or update it; what the message does not mention stays (ITI TF-2: 3.8.4.1).

    A08 for an unknown patient adds it, as A31 must (3.30.6.3.4): the feed may have begun in mid-life.
    """
    return adt.register(admission, "ITI-8", PATIENT_RULES, IdentifierList.PARTIAL)


def merge(admission: adt.Admission) -> bytes:
    """Merge MRG-1 into PID-3; both must be known and in use (ITI TF-2: 3.8.4.2.3, 3.8.4.2.4)."""
    return admission.index.merge(adt.read_merges(admission), admission.origin("ITI-8"))


HANDLERS: dict[str, adt.Apply] = {"A01": register, "A04": register, "A05": register, "A08": register, "A40": merge}


def handle(message: Message, index: PatientIndex, exchange: Exchange) -> bytes:
    """Apply the event once and return the acknowledgement stored with it; original mode (ITI TF-2: C.2.3)."""
    admission = adt.Admission(message=message, index=index, exchange=exchange, mode=Mode.ORIGINAL)
    return adt.apply(HANDLERS, admission)


def encode(message: Message, stored: bytes, exchange: Exchange) -> bytes | None:
    """The acknowledgement, the same bytes each time a message is sent again."""
    return adt.encode(stored)


def refuse(message: Message, rejected: Rejected, exchange: Exchange) -> Message | None:
    """AE or AR with one ERR for each breach."""
    return ack(message, rejected, exchange, Mode.ORIGINAL)


ITI_8 = Transaction(
    id="ITI-8",
    name="Patient Identity Feed",
    citation=tf2("3.8"),
    initiator=Actor.PATIENT_IDENTITY_SOURCE,
    responder=Actor.PIX_MANAGER,
    bindings=(HL7v2Binding(triggers=frozenset(f"ADT^{event}" for event in HANDLERS), versions=("2.1", "2.2", "2.3")),),
    decode=adt.decode,
    handle=handle,
    encode=encode,
    refuse=refuse,
    audit=fed(tf2("3.8.5.1.2"), transaction_code("ITI-8", "Patient Identity Feed")),
    rules=(*PATIENT_RULES, *EVENT_RULES),
)
