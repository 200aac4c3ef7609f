"""What an HL7 v2 message of a client says, for those who judge it (ITI TF-2: C)."""

from conformance.clients.judging import Comparison, Fits
from conformance.clients.steps import Judged
from hl7v2.message import Segment

AUTHORITY_PARTS = (1, 2)
"""The subcomponents of CX.4 by which an authority is known: namespace id, universal id."""


def triggered(*triggers: str) -> Fits:
    """Claim that a message has one of these types and events."""
    return lambda each: _trigger(each) in triggers


def _trigger(each: Judged) -> str:
    message = each.seen.read.message
    return message.trigger if message is not None else ""


def segment(each: Judged, name: str) -> Segment | None:
    """The first segment of that name."""
    message = each.seen.read.message
    return message.find(name) if message is not None else None


def ids(each: Judged, name: str = "PID", field: int = 3) -> frozenset[tuple[str, str]]:
    """The identifiers of a field: number, and universal id of the authority or else its namespace id."""
    found = segment(each, name)
    listed = found.repetitions(field) if found is not None else ()
    return frozenset((one.text(1), one.text(4, 2) or one.text(4, 1)) for one in listed if one.text(1))


def control_id(each: Judged) -> str:
    """MSH-10."""
    message = each.seen.read.message
    return message.control_id if message is not None else ""


def same_message(first: Judged, second: Judged) -> str:
    """A message whose fate is unknown comes again as it was, so that its receiver knows it by MSH-10."""
    if control_id(first) == control_id(second):
        return ""
    return f"what came next has another MSH-10 ({control_id(second)}): a receiver takes it for another message"


def another_message(first: Judged, second: Judged) -> str:
    """What was refused with AE does not come again unchanged (Table C.2.3.1-2)."""
    same = _without_header(first) == _without_header(second)
    return "the message that was answered AE came again unchanged" if same else ""


def anything(_: Judged, __: Judged) -> str:
    """Whatever comes."""
    return ""


def about_the_same(fits: Comparison = anything) -> Comparison:
    """The patients of both messages have an id in common, and ``fits`` holds."""

    def compare(first: Judged, second: Judged) -> str:
        common = ids(first) & ids(second)
        return fits(first, second) if common else "it is about another patient: they have no id of PID-3 in common"

    return compare


def _without_header(each: Judged) -> tuple[tuple[str, ...], ...]:
    """All but MSH and EVN, which differ each time."""
    message = each.seen.read.message
    kept = (one for one in message or () if one.name not in ("MSH", "EVN"))
    return tuple(tuple(one.fields) for one in kept)
