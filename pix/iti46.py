"""PIXV3 Update Notification [ITI-46] (ITI TF-2: 3.46): Patient Registry Record Revised with a person's ids."""

from dataclasses import dataclass
from datetime import UTC

from lxml.etree import _Element

from ihe.audit import transaction_code
from ihe.citations import tf2
from ihe.transactions import Actor, Initiated
from pix.auditing import notified
from pix.update_notifications import Notification
from pix.v3_answers import ACCEPT_ACKNOWLEDGEMENT, Community, add_registration_event
from pix.v3_demographics import add_names
from pix.v3_elements import add, message
from pix.v3_wrappers import INTERACTIONS, binding
from soap.xml import serialize

REVISED, TRIGGER = "PRPA_IN201302UV02", "PRPA_TE201302UV02"


@dataclass(frozen=True, slots=True, kw_only=True)
class Devices:
    """Who sends and who receives, as OIDs of their devices; and the community that keeps the index."""

    sender: str
    receiver: str
    community: Community


def record_revised(told: Notification, devices: Devices) -> bytes:
    """The whole message. The same at every attempt, so that a receiver may know it again by its id."""
    revised = _begin(told, devices)
    act = add(revised, "controlActProcess", classCode="CACT", moodCode="EVN")
    add(act, "code", code=TRIGGER, codeSystem=INTERACTIONS)
    patient = add_registration_event(act, devices.community)
    for each in told.identifiers:
        root, name = each.authority.universal_id, each.authority.namespace_id
        add(patient, "id", root=root, extension=each.id, assigningAuthorityName=name)
    add(patient, "statusCode", code="active")
    add_names(add(patient, "patientPerson", classCode="PSN", determinerCode="INSTANCE"), told.names)
    return serialize(revised)


def message_root(told: Notification) -> str:
    """message.id: the same at every attempt."""
    return f"2.25.{int(told.message_id, 16)}"


def _begin(told: Notification, devices: Devices) -> _Element:
    """The transmission wrapper (ITI TF-2: Table 3.46.4.1.3-1)."""
    revised = message(REVISED)
    add(revised, "id", root=message_root(told))
    add(revised, "creationTime", value=told.at.astimezone(UTC).strftime("%Y%m%d%H%M%S+0000"))
    add(revised, "interactionId", root=INTERACTIONS, extension=REVISED)
    for name, code in (("processingCode", "P"), ("processingModeCode", "T"), ("acceptAckCode", "AL")):
        add(revised, name, code=code)
    for role, type_code, device in (("receiver", "RCV", devices.receiver), ("sender", "SND", devices.sender)):
        party = add(revised, role, typeCode=type_code)
        add(add(party, "device", classCode="DEV", determinerCode="INSTANCE"), "id", root=device)
    return revised


ITI_46 = Initiated(
    id="ITI-46",
    name="PIXV3 Update Notification",
    citation=tf2("3.46"),
    initiator=Actor.PIX_MANAGER,
    responder=Actor.PIX_CONSUMER,
    bindings=(binding("PIXConsumer", REVISED, ACCEPT_ACKNOWLEDGEMENT),),
    audit=notified(tf2("3.46.5.1.1"), transaction_code("ITI-46", "PIX Update Notification"), "II", message_root),
)
