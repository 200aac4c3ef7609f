"""PIX Update Notification [ITI-10] (ITI TF-2: 3.10): ADT^A31 with the ids that a person has now."""

from dataclasses import dataclass
from datetime import UTC

from hl7v2.compose import FieldValue, compose, segment
from hl7v2.message import Message
from ihe.audit import transaction_code
from ihe.citations import tf2
from ihe.transactions import Actor, HL7v2Binding, Initiated
from pix.auditing import notified
from pix.pid import IDENTIFICATION
from pix.update_notifications import Notification

NO_NAME = " "
"""PID-5 is "a single space character": domains have several names for one patient (ITI TF-2: 3.10.4.1.2.3)."""
LONGEST_CONTROL_ID = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """MSH-3 to MSH-6: the PIX Manager, and the PIX Consumer that is told."""

    application: str
    facility: str
    receiving_application: str
    receiving_facility: str


def update_person_information(told: Notification, route: Route) -> Message:
    """The whole message. The same at every attempt, so that a receiver may know it again by MSH-10."""
    at = told.at.astimezone(UTC).strftime("%Y%m%d%H%M%S+0000")
    header: dict[int, FieldValue] = {
        3: route.application,
        4: route.facility,
        5: route.receiving_application,
        6: route.receiving_facility,
        7: at,
        9: ("ADT", "A31", "ADT_A05"),
        10: control_id(told),
        11: "P",
        12: "2.5",
    }
    pid = segment("PID", {3: [IDENTIFICATION.write(each) for each in told.identifiers], 5: NO_NAME})
    return compose(header, (segment("EVN", {2: at}), pid, segment("PV1", {2: "N"})))


def control_id(told: Notification) -> str:
    """MSH-10, of at most 20 characters (ITI TF-2: Table C.2.2-1)."""
    return told.message_id[:LONGEST_CONTROL_ID]


ITI_10 = Initiated(
    id="ITI-10",
    name="PIX Update Notification",
    citation=tf2("3.10"),
    initiator=Actor.PIX_MANAGER,
    responder=Actor.PIX_CONSUMER,
    bindings=(HL7v2Binding(triggers=frozenset({"ADT^A31"})),),
    audit=notified(tf2("3.10.5.1.1"), transaction_code("ITI-10", "PIX Update Notification"), "MSH-10", control_id),
)
