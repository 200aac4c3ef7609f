"""The rules that each line of a file must keep before the index sees it; they are those of an ADT message."""

from collections.abc import Callable, Iterator

from affinity.bulk.line import PatientLine
from pix.claims import MOST_IDENTIFIERS
from pix.identification import may_feed
from pix.patient_rules import SEXES, YES_OR_NO, is_ts
from pix.text_lengths import LONGEST, long_attributes

Check = Callable[[PatientLine], Iterator[str]]


def source_is_named(line: PatientLine) -> Iterator[str]:
    """The line, or the command, says whose record this is: application|facility."""
    application, bar, facility = line.source.partition("|")
    if not (application and bar and facility):
        yield f"no source application|facility: {line.source or 'none is given'}"


def patient_has_an_identifier(line: PatientLine) -> Iterator[str]:
    """There is at least one identifier, and not more than any patient has."""
    if not line.identifiers:
        yield "a patient identifier is required"
    if len(line.identifiers) > MOST_IDENTIFIERS:
        yield f"{len(line.identifiers)} patient identifiers, more than {MOST_IDENTIFIERS}"


def source_may_feed(line: PatientLine) -> Iterator[str]:
    """The configuration lets the source feed the ids of this authority (ITI TF-2: 3.8.4.1.3.1)."""
    for each in line.identifiers:
        if line.source and not may_feed(each.authority, line.source):
            yield f"{line.source} is no source of ids of {each.authority.namespace_id}"


def patient_has_a_name(line: PatientLine) -> Iterator[str]:
    """There is at least one name (ITI TF-2: Table 3.8-2)."""
    if not any(each.family or each.given for each in line.demographics.names):
        yield "a name is required"


def times_are_times(line: PatientLine) -> Iterator[str]:
    """A time is YYYY[MM[DD[HH[MM[SS]]]]], of a day that exists."""
    for name in ("birth_time", "death_time"):
        text = getattr(line.demographics, name)
        if text and not is_ts(text):
            yield f"{name} is no date: {text}"


def sex_is_of_the_table(line: PatientLine) -> Iterator[str]:
    """The sex is of HL7 table 0001 (ITI TF-2: 3.30.5.3)."""
    if line.demographics.sex and line.demographics.sex not in SEXES:
        yield f"the sex is one of {', '.join(SEXES)}, not {line.demographics.sex}"


def indicators_are_yes_or_no(line: PatientLine) -> Iterator[str]:
    """Multiple birth and death are told by Y or N (HL7 table 0136)."""
    for name in ("multiple_birth", "death_indicator"):
        if (said := getattr(line.demographics, name)) and said not in YES_OR_NO:
            yield f"{name} is Y or N, not {said}"


def birth_order_is_a_number(line: PatientLine) -> Iterator[str]:
    """The birth order is a number."""
    order = line.demographics.birth_order
    if order and not (order.isascii() and order.isdecimal()):
        yield f"birth_order is no number: {order}"


def texts_are_short(line: PatientLine) -> Iterator[str]:
    """No id and no text is longer than any patient has."""
    lengths = (("identifiers", max((len(each.id) for each in line.identifiers), default=0)),)
    for name, length in (*lengths, *long_attributes(line.demographics)):
        if length > LONGEST:
            yield f"{name} holds a text of {length} characters, more than {LONGEST}"


CHECKS: tuple[tuple[str, Check], ...] = (
    ("source", source_is_named),
    ("identifier", patient_has_an_identifier),
    ("foreign-source", source_may_feed),
    ("name", patient_has_a_name),
    ("date", times_are_times),
    ("sex", sex_is_of_the_table),
    ("indicator", indicators_are_yes_or_no),
    ("birth-order", birth_order_is_a_number),
    ("long-text", texts_are_short),
)
"""The name of each rule, as the file of rejects has it."""


def breaches(line: PatientLine) -> list[tuple[str, str]]:
    """Every rule that the line breaks, and how."""
    return [(rule, reason) for rule, check in CHECKS for reason in check(line)]
