"""A Patient Demographics Consumer over HL7 v2 (ITI TF-2: 3.21)."""

from conformance.clients.judging import accepted, sent, sent_again
from conformance.clients.messages import anything, control_id, segment, triggered
from conformance.clients.steps import ClientSuite, Judged, Step
from conformance.clients.wires import HEADER, has_a_header
from conformance.clients.world import World
from conformance.simulators.faults import FaultKind, at_first
from conformance.simulators.simulator import DoorName
from hl7v2.er7 import Malformed, NotHL7, parse
from hl7v2.message import Message
from ihe.transactions import Actor

ASKED = triggered("QBP^Q22")
QUERY = (*HEADER, "ITI-21-019", "ITI-21-021", "ITI-21-022", "ITI-21-023", "ITI-21-053", "ITI-21-055")
"""What ``is_a_query`` shows, and that QPD-3 has what was asked for."""


def suite() -> ClientSuite:
    """The suite."""
    return ClientSuite(
        actor=Actor.PATIENT_DEMOGRAPHICS_CONSUMER,
        name="pdq-consumer",
        doors=(DoorName.MLLP, DoorName.MLLPS),
        steps=(*_searching(), _paging(), *_refused()),
    )


def is_a_query(each: Judged, _: World) -> str:
    """QPD-1 and QPD-2, RCP-1 are as Tables 3.21-2 and 3.21-4 have them."""
    qpd, rcp = segment(each, "QPD"), segment(each, "RCP")
    if qpd is None or rcp is None:
        return "it lacks QPD or RCP"
    if qpd.text(1) != "IHE PDQ Query" or not qpd.text(2):
        return f"QPD-1 is {qpd.text(1)!r} instead of 'IHE PDQ Query', or QPD-2 is empty"
    return "" if rcp.text(1) == "I" else f"RCP-1 is {rcp.text(1)!r} instead of 'I'"


def criteria(each: Judged) -> dict[str, str]:
    """QPD-3 as the client has filled it."""
    qpd = segment(each, "QPD")
    return {one.text(1): one.text(2) for one in qpd.repetitions(3)} if qpd is not None else {}


def names_the_patient(each: Judged, world: World) -> str:
    """@PID.5.1.1 is the family name of the patient who was announced."""
    asked = criteria(each).get("@PID.5.1.1", "")
    return "" if asked.casefold().startswith(world.family.casefold()) else f"@PID.5.1.1 is {asked!r}"


def names_the_id(each: Judged, world: World) -> str:
    """@PID.3.1 is the number of the patient."""
    asked = criteria(each).get("@PID.3.1", "")
    return "" if asked == world.patient.id else f"@PID.3.1 is {asked!r} instead of {world.patient.id!r}"


def names_the_crowd(each: Judged, world: World) -> str:
    """The family name of many, and RCP-2 with how many are wanted at once."""
    asked, rcp = criteria(each).get("@PID.5.1.1", ""), segment(each, "RCP")
    if asked.casefold() != world.crowd.casefold():
        return f"@PID.5.1.1 is {asked!r} instead of {world.crowd!r}"
    quantity = rcp.text(2, 1) if rcp is not None else ""
    few = quantity.isdecimal() and 0 < int(quantity) < world.crowd_size
    return "" if few and rcp is not None and rcp.text(2, 2) == "RD" else f"RCP-2 is {quantity!r}, not a few RD"


def continues(first: Judged, second: Judged) -> str:
    """DSC-1 is the one of the answer, DSC-2 is I, MSH-10 is another one (3.21.4.1.2.3)."""
    told, dsc = _answered(first), segment(second, "DSC")
    pointer = told.find("DSC") if told is not None else None
    if pointer is None:
        return "the first query did not ask for a few at once: its answer holds all there are"
    if dsc is None:
        return "it has no DSC: the search begins anew"
    if dsc.text(1) != pointer.text(1) or dsc.text(2) != "I":
        return f"DSC is {dsc.text(1)!r}, {dsc.text(2)!r} instead of {pointer.text(1)!r}, 'I'"
    return "it has the MSH-10 of the first query" if control_id(first) == control_id(second) else ""


def _answered(each: Judged) -> Message | None:
    answer = each.seen.exchange.answer
    try:
        return parse(answer.content) if answer is not None else None
    except (NotHL7, Malformed):
        return None


def _searching() -> tuple[Step, ...]:
    return (
        Step(
            name="search-by-name",
            ask="Search for a patient of the family name {family} (QBP^Q22).",
            judge=sent(ASKED, has_a_header, is_a_query, names_the_patient, accepted),
            covers=QUERY,
        ),
        Step(
            name="search-by-id",
            ask="Search for patient {patient} by id.",
            judge=sent(ASKED, has_a_header, is_a_query, names_the_id, accepted),
            covers=QUERY,
        ),
    )


def _paging() -> Step:
    return Step(
        name="next-page",
        ask="Search for the {crowd_size} persons of the family name {crowd}, a few at once (RCP-2), and get the next "
        "of them (DSC).",
        judge=sent_again(ASKED, continues, has_a_header, is_a_query, names_the_crowd, accepted),
        covers=(*QUERY, "ITI-21-058", "ITI-21-059", "ITI-21-062", "ITI-21-063", "ITI-21-125"),
    )


def _refused() -> tuple[Step, ...]:
    return (
        Step(
            name="foreign-answer",
            ask="Search for {family}. The answer is one to another query (MSA-2): none of its patients may be shown. "
            "Search again.",
            judge=sent_again(ASKED, anything, has_a_header, is_a_query, names_the_patient, accepted),
            covers=QUERY,
            faults=at_first(FaultKind.WRONG_MSA_2, "ITI-21"),
        ),
    )
