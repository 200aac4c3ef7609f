"""A Patient Identity Source, or a PAM supplier, over HL7 v2 (ITI TF-2: 3.8, 3.30, C.2.3)."""

from dataclasses import replace

from conformance.clients.judging import accepted, sent, sent_again
from conformance.clients.messages import another_message, ids, same_message, segment, triggered
from conformance.clients.steps import ClientSuite, Judged, Step
from conformance.clients.wires import HEADER, has_a_header
from conformance.clients.world import World
from conformance.simulators.faults import Fault, FaultKind, at_first
from conformance.simulators.simulator import DoorName
from ihe.transactions import Actor

FED = triggered("ADT^A01", "ADT^A04", "ADT^A05", "ADT^A28")
UPDATED = triggered("ADT^A08", "ADT^A31")
MERGED = triggered("ADT^A40")
ANY = triggered("ADT^A01", "ADT^A04", "ADT^A05", "ADT^A28", "ADT^A08", "ADT^A31", "ADT^A40")
FEEDS = ("ITI-8", "ITI-30")
AGAIN = "the client sends the same message again, with the same MSH-10."


def suite(delay: float) -> ClientSuite:
    """The suite; ``delay`` is for how many seconds the answer keeps away that the client must not wait for."""
    return ClientSuite(
        actor=Actor.PATIENT_IDENTITY_SOURCE,
        name="patient-identity-source",
        doors=(DoorName.MLLP, DoorName.MLLPS),
        steps=(*_feeding(), *_unanswered(delay), *_refused(), _merging()),
    )


def known_to_the_domain(each: Judged, world: World) -> str:
    """The patient has an id of the authority of the domain."""
    wanted = {world.authority.oid, world.authority.namespace_id}
    issued = {authority for _, authority in ids(each)}
    return "" if wanted & issued else f"PID-3 has no id of {world.authority.namespace_id} ({world.authority.oid})"


def declares_its_characters(each: Judged, _: World) -> str:
    """MSH-18 names the character set of what is not ASCII (C.2.2)."""
    content = each.seen.read.payload.content
    header = segment(each, "MSH")
    if content.isascii():
        return "the message is plain ASCII: the name was to have a letter beyond it"
    return "" if header is not None and header.text(18) else "MSH-18 does not say in which character set it is"


def gives_up_an_id(each: Judged, _: World) -> str:
    """MRG-1 has the id that is given up, PID-3 another one of the same authority."""
    given_up, kept = ids(each, "MRG", 1), ids(each)
    if not given_up:
        return "MRG-1 names no id"
    if given_up & kept:
        return "the id that is given up in MRG-1 stands in PID-3, too"
    same = {authority for _, authority in given_up} <= {authority for _, authority in kept}
    return "" if same else "the authority of MRG-1 is not the one of PID-3"


def _feeding() -> tuple[Step, ...]:
    return (
        Step(
            name="feed",
            ask="Announce a new patient (A01, A04, A05 or A28) with an id of authority {authority}.",
            judge=sent(FED, has_a_header, known_to_the_domain, accepted),
            covers=HEADER,
        ),
        Step(
            name="characters",
            ask="Announce a patient whose name has letters beyond ASCII, such as Zoë Müller.",
            judge=sent(FED, has_a_header, declares_its_characters, accepted),
            covers=(*HEADER, "TF2-C-029"),
        ),
        Step(
            name="update",
            ask="Change the address of one of them (A08 or A31).",
            judge=sent(UPDATED, has_a_header, known_to_the_domain, accepted),
            covers=HEADER,
        ),
    )


def _unanswered(delay: float) -> tuple[Step, ...]:
    late = at_first(FaultKind.DELAY, *FEEDS, detail=f"{delay:g}")
    return (
        _fed_again("late-acknowledgement", f"The acknowledgement keeps away for {delay:g} s", late),
        replace(
            _fed_again(
                "lost-acknowledgement",
                "The connection ends before the acknowledgement comes",
                at_first(FaultKind.CLOSE, *FEEDS),
            ),
            covers=(*HEADER, "TF2-C-024"),
        ),
        _fed_again(
            "foreign-acknowledgement",
            "The acknowledgement is one of another message (MSA-2), so this one is not acknowledged",
            at_first(FaultKind.WRONG_MSA_2, *FEEDS),
        ),
        _fed_again("no-msa", "The acknowledgement has no MSA", at_first(FaultKind.NO_MSA, *FEEDS)),
    )


def _fed_again(name: str, told: str, faults: tuple[Fault, ...]) -> Step:
    return Step(
        name=name,
        ask=f"Announce another patient. {told}: {AGAIN}",
        judge=sent_again(FED, same_message, has_a_header, accepted),
        covers=HEADER,
        faults=faults,
    )


def _refused() -> tuple[Step, ...]:
    return (
        Step(
            name="refused-with-error",
            ask="Announce another patient. The answer is AE: the client tells a person, and does not send it again as "
            "it was. Correct something and send it.",
            judge=sent_again(ANY, another_message, has_a_header, accepted),
            covers=(*HEADER, "TF2-C-062"),
            faults=at_first(FaultKind.REFUSE, *FEEDS, detail="AE"),
        ),
        Step(
            name="rejected",
            ask="Announce another patient. The answer is AR with code 207: the receiver cannot now. Send it again.",
            judge=sent_again(FED, _same_patient, has_a_header, accepted),
            covers=(*HEADER, "TF2-C-063"),
            faults=at_first(FaultKind.REFUSE, *FEEDS, detail="AR"),
        ),
    )


def _merging() -> Step:
    return Step(
        name="merge",
        ask="Merge two of the patients (A40): the id of the first is given up for that of the second.",
        judge=sent(MERGED, has_a_header, known_to_the_domain, gives_up_an_id, accepted),
        covers=HEADER,
    )


def _same_patient(first: Judged, second: Judged) -> str:
    return "" if ids(first) & ids(second) else "what came next is about another patient"
