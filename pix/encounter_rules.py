"""What a message of ITI-31 must say of the encounter and of the movement (ITI TF-2: 3.30.5.4, 3.31.6.1)."""

from collections.abc import Iterator

from hl7v2.message import Message, Presence, Segment
from ihe.citations import tf2
from ihe.errors import HL7ErrorCode
from ihe.rules import Offence, Rule, rule
from pix.encounter_events import EVENTS
from pix.encounter_requests import CANCEL, CHANGES_OF_CLASS, INSERT, UPDATE
from pix.patient_rules import EVENT_RULES, is_ts


@rule(HL7ErrorCode.REQUIRED_FIELD_MISSING, tf2("3.30.5.4"))
def patient_class_is_valued(message: Message) -> Iterator[str]:
    """PV1-2 holds the patient class."""
    if message["PV1"].presence(2) is not Presence.VALUED:
        yield message["PV1"].location(2)


@rule(HL7ErrorCode.REQUIRED_FIELD_MISSING, tf2("3.30.5.4"))
def visit_or_account_is_valued(message: Message) -> Iterator[str]:
    """PV1-19 holds the visit number, or PID-18 the account number."""
    fields = ((message["PV1"], 19), (message["PID"], 18))
    if not any(segment.presence(number) is Presence.VALUED for segment, number in fields):
        yield message["PV1"].location(19)


@rule(HL7ErrorCode.DATA_TYPE_ERROR, tf2("N.5"))
def times_of_the_visit_are_times(message: Message) -> Iterator[Offence]:
    """A date and time of the visit is YYYY[MM[DD[HH[MM[SS[.S]]]]]][+-ZZZZ], of a day that exists."""
    fields = [(message["PV1"], 44), (message["PV1"], 45)]
    fields += [(each, 6) for each in message.all("EVN")[:1]] + [
        (each, n) for each in _movement(message) for n in (2, 3)
    ]
    for segment, number in fields:
        text = segment.text(number)
        if segment.presence(number) is Presence.VALUED and not is_ts(text):
            yield Offence(segment.location(number), observed=text, expected="for example 202611230815")


@rule(HL7ErrorCode.REQUIRED_FIELD_MISSING, tf2("3.31.6.1"))
def movement_is_complete(message: Message) -> Iterator[str]:
    """ZBE holds the movement's id (1), start (2), action (4) and historical indicator (5)."""
    for zbe in _movement(message):
        yield from (zbe.location(number) for number in (1, 2, 4, 5) if zbe.presence(number) is not Presence.VALUED)


@rule(HL7ErrorCode.TABLE_VALUE_NOT_FOUND, tf2("3.31.6.1"))
def action_fits_the_event(message: Message) -> Iterator[Offence]:
    """ZBE-4 is INSERT for events that insert, CANCEL for those that cancel, UPDATE for Z99."""
    trigger = message.header.text(9, 2)
    for zbe in _movement(message):
        expected = _actions(trigger)
        if zbe.presence(4) is Presence.VALUED and zbe.text(4) not in expected:
            yield Offence(zbe.location(4), observed=zbe.text(4), expected=" or ".join(expected))


@rule(HL7ErrorCode.TABLE_VALUE_NOT_FOUND, tf2("3.31.6.1"))
def only_updates_are_historic(message: Message) -> Iterator[Offence]:
    """ZBE-5 is Y or N, and Y only with the action UPDATE."""
    for zbe in _movement(message):
        expected = ("Y", "N") if zbe.text(4) == UPDATE else ("N",)
        if zbe.presence(5) is Presence.VALUED and zbe.text(5) not in expected:
            yield Offence(zbe.location(5), observed=zbe.text(5), expected=" or ".join(expected))


@rule(HL7ErrorCode.REQUIRED_FIELD_MISSING, tf2("3.31.6.1"))
def original_event_is_named(message: Message) -> Iterator[str]:
    """ZBE-6 holds the event that inserted the movement, if the action is UPDATE or CANCEL."""
    for zbe in _movement(message):
        if zbe.text(4) in (UPDATE, CANCEL) and zbe.presence(6) is not Presence.VALUED:
            yield zbe.location(6)


ENCOUNTER_RULES: tuple[Rule[Message], ...] = (
    patient_class_is_valued,
    visit_or_account_is_valued,
    times_of_the_visit_are_times,
    *EVENT_RULES,
    movement_is_complete,
    action_fits_the_event,
    only_updates_are_historic,
    original_event_is_named,
)


def _movement(message: Message) -> tuple[Segment, ...]:
    """ZBE, if it is there; a message tells of one movement."""
    return message.all("ZBE")[:1]


def _actions(trigger: str) -> tuple[str, ...]:
    if trigger == "Z99":
        return (UPDATE,)
    if trigger in CHANGES_OF_CLASS:
        return (INSERT, CANCEL)
    return (CANCEL,) if trigger in EVENTS and EVENTS[trigger].cancels else (INSERT,)
