"""A PIX Manager that tells a PIX Consumer of changes (ITI TF-2: 3.10, 3.46)."""

from conformance.clients.judging import accepted, of, sent, sent_again
from conformance.clients.messages import ids, same_message, segment
from conformance.clients.steps import ClientSuite, Judged, Step
from conformance.clients.wires import HEADER, SOAP, has_a_header, has_its_action
from conformance.clients.world import World
from conformance.simulators.faults import FaultKind, at_first
from conformance.simulators.simulator import CONSUMER_PATH, DoorName
from ihe.transactions import Actor

TOLD, TOLD_V3 = of("ITI-10"), of("ITI-46")
NOTIFIED = (*HEADER, "ITI-10-005", "ITI-10-018", "ITI-10-019", "ITI-10-020", "ITI-10-016", "ITI-10-024", "ITI-10-027")


def suite() -> ClientSuite:
    """The suite."""
    return ClientSuite(
        actor=Actor.PIX_MANAGER,
        name="pix-manager-notifications",
        doors=(DoorName.CONSUMER, DoorName.HTTP, DoorName.HTTPS),
        paths=(CONSUMER_PATH,),
        steps=_steps(),
    )


def is_a_notification(each: Judged, _: World) -> str:
    """ADT^A31^ADT_A05 whose PID has ids, a name of one space, and a PV1 that says N (Table 3.10-2)."""
    header, pid, pv1 = (segment(each, name) for name in ("MSH", "PID", "PV1"))
    if header is None or pid is None or pv1 is None:
        return "it lacks PID or PV1"
    if header.text(9, 3) != "ADT_A05":
        return f"MSH-9.3 is {header.text(9, 3)!r} instead of 'ADT_A05'"
    if not ids(each):
        return "PID-3 has no id"
    if pid.text(5) != " ":
        return "PID-5 is not one space"
    return "" if pv1.text(2) == "N" else f"PV1-2 is {pv1.text(2)!r} instead of 'N'"


def _steps() -> tuple[Step, ...]:
    return (
        Step(
            name="notify",
            ask="Link two records, or change a link: the manager tells the consumer by ADT^A31.",
            judge=sent(TOLD, has_a_header, is_a_notification, accepted),
            covers=NOTIFIED,
        ),
        Step(
            name="lost-acknowledgement",
            ask="Do it again. The connection ends before the acknowledgement comes: the manager tells it again, with "
            "the same MSH-10.",
            judge=sent_again(TOLD, same_message, has_a_header, is_a_notification, accepted),
            covers=NOTIFIED,
            faults=at_first(FaultKind.CLOSE, "ITI-10"),
        ),
        Step(
            name="notify-v3",
            ask="Do it again, with a consumer that is told by HL7 v3 (PRPA_IN201302UV02).",
            judge=sent(TOLD_V3, has_its_action, accepted),
            covers=(*SOAP, "TF2-V-007", "ITI-46-036"),
        ),
    )
