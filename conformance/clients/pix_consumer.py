"""A PIX Consumer over HL7 v2: asks for ids, and lives with what a manager answers (ITI TF-2: 3.9)."""

from conformance.clients.judging import Demand, accepted, of, sent, sent_again
from conformance.clients.messages import anything, segment
from conformance.clients.steps import ClientSuite, Judged, Step
from conformance.clients.wires import HEADER, has_a_header
from conformance.clients.world import World
from conformance.simulators.faults import FaultKind, at_first
from conformance.simulators.simulator import DoorName
from ihe.datatypes import CX
from ihe.transactions import Actor

ASKED = of("ITI-9")
QUERY = (
    *HEADER,
    *("ITI-9-001", "ITI-9-004", "ITI-9-005", "ITI-9-006", "ITI-9-007", "ITI-9-008", "ITI-9-009", "ITI-9-011"),
    *("ITI-9-019", "ITI-9-020", "ITI-9-021", "ITI-9-022", "ITI-9-025"),
)
"""What ``is_a_query`` shows, and that the query is about the patient who was asked for."""


def suite() -> ClientSuite:
    """The suite."""
    return ClientSuite(
        actor=Actor.PIX_CONSUMER,
        name="pix-consumer",
        doors=(DoorName.MLLP, DoorName.MLLPS),
        steps=(*_asking(), *_finding_nothing(), *_refused()),
    )


def is_a_query(each: Judged, _: World) -> str:
    """MSH-9, QPD-1 and QPD-2, RCP-1 are as Tables 3.9-1 to 3.9-3 have them."""
    header, qpd, rcp = (segment(each, name) for name in ("MSH", "QPD", "RCP"))
    if header is None or qpd is None or rcp is None:
        return "it lacks QPD or RCP"
    if header.text(9, 3) != "QBP_Q21":
        return f"MSH-9.3 is {header.text(9, 3)!r} instead of 'QBP_Q21'"
    if qpd.text(1) != "IHE PIX Query" or not qpd.text(2):
        return f"QPD-1 is {qpd.text(1)!r} instead of 'IHE PIX Query', or QPD-2 is empty"
    return "" if rcp.text(1) == "I" else f"RCP-1 is {rcp.text(1)!r} instead of 'I'"


def asks_about(pick: str) -> Demand:
    """QPD-3 has the number of that patient of the world."""

    def demand(each: Judged, world: World) -> str:
        wanted: CX = getattr(world, pick)
        qpd = segment(each, "QPD")
        asked = qpd.text(3, 1) if qpd is not None else ""
        return "" if asked == wanted.id else f"QPD-3 asks about {asked!r} instead of {wanted.id!r}"

    return demand


def names_a_domain(each: Judged, world: World) -> str:
    """QPD-4 names the other authority, and it alone."""
    qpd = segment(each, "QPD")
    listed = [one for one in qpd.repetitions(4) if one.text(4, 1) or one.text(4, 2)] if qpd is not None else []
    named = {one.text(4, 2) or one.text(4, 1) for one in listed}
    wanted = {world.other_authority.oid, world.other_authority.namespace_id}
    return "" if named and named <= wanted else f"QPD-4 names {', '.join(sorted(named)) or 'no domain'}"


def _asking() -> tuple[Step, ...]:
    return (
        Step(
            name="query",
            ask="Ask for the other ids of patient {patient} (QBP^Q23).",
            judge=sent(ASKED, has_a_header, is_a_query, asks_about("patient"), accepted),
            covers=QUERY,
        ),
        Step(
            name="query-one-domain",
            ask="Ask for the ids of patient {patient} in the domain of {other_authority} alone (QPD-4).",
            judge=sent(ASKED, has_a_header, is_a_query, asks_about("patient"), names_a_domain, accepted),
            covers=(*QUERY, "ITI-9-015"),
        ),
    )


def _finding_nothing() -> tuple[Step, ...]:
    return (
        Step(
            name="no-other-id",
            ask="Ask for the ids of patient {alone} in the domain of {other_authority}: there are none (NF). "
            "The client says so.",
            judge=sent(ASKED, has_a_header, is_a_query, asks_about("alone"), names_a_domain, accepted),
            covers=(*QUERY, "ITI-9-015"),
        ),
        Step(
            name="unknown-patient",
            ask="Ask for the ids of patient {unknown}, whom nobody has announced: the answer is AE. "
            "The client says so.",
            judge=sent(ASKED, has_a_header, is_a_query, asks_about("unknown")),
            covers=QUERY,
        ),
    )


def _refused() -> tuple[Step, ...]:
    return (
        Step(
            name="foreign-answer",
            ask="Ask about patient {patient}. The answer is one to another query (MSA-2): its ids must not be taken "
            "for those of this patient. Ask again.",
            judge=sent_again(ASKED, anything, has_a_header, is_a_query, asks_about("patient"), accepted),
            covers=QUERY,
            faults=at_first(FaultKind.WRONG_MSA_2, "ITI-9"),
        ),
        Step(
            name="no-answer",
            ask="Ask about patient {patient}. The connection is cut: ask again.",
            judge=sent_again(ASKED, anything, has_a_header, is_a_query, asks_about("patient"), accepted),
            covers=QUERY,
            faults=at_first(FaultKind.DROP, "ITI-9"),
        ),
    )
