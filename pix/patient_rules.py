"""What an ADT message must say of its patient and of the event, field by field (ITI TF-2: 3.8.4.1.2, 3.30.5, N.5)."""

import re
from collections.abc import Iterator

from hl7v2.message import Message, Presence, Segment
from ihe.citations import tf2
from ihe.datatypes import is_time
from ihe.errors import HL7ErrorCode
from ihe.rules import Offence, Rule, rule
from pix.pid import read_demographics

SEXES = ("F", "M", "O", "U", "A", "N")
"""User-defined table 0001 as IHE has it (ITI TF-2: 3.30.5.3)."""
YES_OR_NO = ("Y", "N")
"""HL7 table 0136."""
FRACTION_AND_ZONE = re.compile(r"(\.\d{1,4})?([+-]\d{4})?$")


def is_ts(text: str) -> bool:
    """Claim that ``text`` is a TS: a time of a day that exists, perhaps with a fraction of a second and a zone."""
    return is_time(text) or is_time(FRACTION_AND_ZONE.sub("", text))


@rule(HL7ErrorCode.REQUIRED_FIELD_MISSING, tf2("Table 3.8-2"))
def patient_has_a_name(pid: Segment) -> Iterator[str]:
    """PID-5 holds at least one name."""
    if not any([name.family or name.given for name in read_demographics(pid).names]):
        yield pid.location(5)


@rule(HL7ErrorCode.DATA_TYPE_ERROR, tf2("N.5"))
def times_are_times(pid: Segment) -> Iterator[Offence]:
    """A date and time is YYYY[MM[DD[HH[MM[SS[.S]]]]]][+-ZZZZ], of a day that exists."""
    for number in (7, 29, 33):
        if pid.presence(number) is Presence.VALUED and not is_ts(text := pid.text(number)):
            yield Offence(pid.location(number), observed=text, expected="for example 19800515 or 1980")


@rule(HL7ErrorCode.DATA_TYPE_ERROR, tf2("N.5"))
def event_was_recorded_at_a_time(message: Message) -> Iterator[Offence]:
    """EVN-2, where it is valued, is YYYY[MM[DD[HH[MM[SS[.S]]]]]][+-ZZZZ], of a day that exists."""
    for evn in message.all("EVN")[:1]:
        if evn.presence(2) is Presence.VALUED and not is_ts(evn.text(2)):
            yield Offence(evn.location(2), observed=evn.text(2), expected="for example 202611230815")


@rule(HL7ErrorCode.TABLE_VALUE_NOT_FOUND, tf2("3.30.5.3"))
def sex_is_of_the_table(pid: Segment) -> Iterator[Offence]:
    """PID-8 holds a value of user-defined table 0001."""
    if pid.presence(8) is Presence.VALUED and pid.text(8) not in SEXES:
        yield Offence(pid.location(8), observed=pid.text(8), expected=", ".join(SEXES))


@rule(HL7ErrorCode.TABLE_VALUE_NOT_FOUND, tf2("Table 3.30-3"))
def indicators_are_yes_or_no(pid: Segment) -> Iterator[Offence]:
    """PID-24 (multiple birth), PID-30 (death) and PID-31 (identity unknown) hold a value of HL7 table 0136."""
    for number in (24, 30, 31):
        if pid.presence(number) is Presence.VALUED and pid.text(number) not in YES_OR_NO:
            yield Offence(pid.location(number), observed=pid.text(number), expected="Y or N")


@rule(HL7ErrorCode.DATA_TYPE_ERROR, tf2("Table 3.30-3"))
def birth_order_is_a_number(pid: Segment) -> Iterator[Offence]:
    """PID-25, the birth order, is a number."""
    text = pid.text(25)
    if pid.presence(25) is Presence.VALUED and not (text.isascii() and text.isdecimal()):
        yield Offence(pid.location(25), observed=text, expected="for example 2")


@rule(HL7ErrorCode.REQUIRED_FIELD_MISSING, tf2("3.30.5.3"))
def names_have_a_family_name(pid: Segment) -> Iterator[str]:
    """At least one name in PID-5 has its first component, the family name."""
    names = read_demographics(pid).names
    if names and not any([name.family for name in names]):
        yield pid.location(5, 1, 1)


PatientRules = tuple[Rule[Segment], ...]
PATIENT_RULES: PatientRules = (
    patient_has_a_name,
    times_are_times,
    sex_is_of_the_table,
    indicators_are_yes_or_no,
    birth_order_is_a_number,
)
NAMED_PATIENT_RULES: PatientRules = (*PATIENT_RULES, names_have_a_family_name)
EVENT_RULES: tuple[Rule[Message], ...] = (event_was_recorded_at_a_time,)
