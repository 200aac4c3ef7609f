"""Patient Encounter Management [ITI-31] (ITI TF-2: 3.31), HL7 v2.5, with all its options.

ADT^A40 of the option Maintain Demographics is answered by ITI-30, which has the same text (3.31.7.31.4, 3.30.6.4.4).
"""

from datetime import UTC

from hl7v2.ack import mode
from hl7v2.message import Message
from ihe.audit import transaction_code
from ihe.citations import tf2
from ihe.exchange import Exchange
from ihe.transactions import Actor, HL7v2Binding, Transaction
from pix import adt, encounter_reading, iti30
from pix.auditing import fed
from pix.encounter_events import EVENTS
from pix.encounter_requests import CANCEL, INSERT, UPDATE
from pix.encounter_rules import ENCOUNTER_RULES
from pix.manager import PatientIndex
from pix.patient_rules import NAMED_PATIENT_RULES

MOVE_ACCOUNT = "A44"
"""The only event without PV1 (ITI TF-2: Table 3.31-31)."""


def insert(admission: adt.Admission) -> bytes:
    """Record a movement of the patient, and what the message says of the patient (ITI TF-2: 3.31.4)."""
    return _apply(admission, INSERT)


def cancel(admission: adt.Admission) -> bytes:
    """Take a movement back (ITI TF-2: 3.31.4)."""
    return _apply(admission, CANCEL)


def update(admission: adt.Admission) -> bytes:
    """Correct a movement, current or historic (ITI TF-2: 3.31.7.30)."""
    return _apply(admission, UPDATE)


def move_account(admission: adt.Admission) -> bytes:
    """Give accounts, with their encounters, to another patient (ITI TF-2: 3.31.7.25.4)."""
    moves, warnings = encounter_reading.read_account_moves(admission)
    return admission.index.move_accounts(moves, admission.origin("ITI-31", warnings))


HANDLERS: dict[str, adt.Apply] = {
    **{trigger: cancel if event.cancels else insert for trigger, event in EVENTS.items()},
    "Z99": update,
    MOVE_ACCOUNT: move_account,
}


def _apply(admission: adt.Admission, action: str) -> bytes:
    received = admission.exchange.received_at.astimezone(UTC).strftime("%Y%m%d%H%M%S+0000")
    message, warnings = encounter_reading.read(admission, action, received)
    return admission.index.encounter(message, admission.origin("ITI-31", warnings))


def decode(message: Message) -> Message:
    """Take a message that says whom it is about, and of which encounter."""
    adt.decode(message)
    if message.header.text(9, 2) != MOVE_ACCOUNT:
        message["PV1"]
    return message


def handle(message: Message, index: PatientIndex, exchange: Exchange) -> bytes:
    """Apply the event once and return the acknowledgement stored with it, in the mode asked for (3.31.5.7)."""
    admission = adt.Admission(message=message, index=index, exchange=exchange, mode=mode(message))
    return adt.apply(HANDLERS, admission)


ITI_31 = Transaction(
    id="ITI-31",
    name="Patient Encounter Management",
    citation=tf2("3.31"),
    initiator=Actor.PATIENT_ENCOUNTER_SUPPLIER,
    responder=Actor.PATIENT_ENCOUNTER_CONSUMER,
    bindings=(HL7v2Binding(triggers=frozenset(f"ADT^{event}" for event in HANDLERS), versions=("2.4", "2.5", "2.")),),
    decode=decode,
    handle=handle,
    encode=iti30.encode,
    refuse=iti30.refuse,
    audit=fed(tf2("3.20.4.1.1.1"), transaction_code("ITI-31", "Patient Encounter Management")),
    rules=(*NAMED_PATIENT_RULES, *ENCOUNTER_RULES),
)
