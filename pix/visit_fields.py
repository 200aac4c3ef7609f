"""QPD-3 of a visit query: ``@PV1.3.2^389`` beside the parameters of PID (ITI TF-2: 3.22.4.1.2.2.1)."""

import re
from collections.abc import Iterator
from dataclasses import replace

from hl7v2.message import Repetition, Segment
from ihe.citations import tf2
from ihe.domain import AffinityDomain
from ihe.errors import Breach, HL7ErrorCode, Rejected
from pix.demographics_fields import FIELD, read_criteria
from pix.folding import fold
from pix.queries import Criteria
from pix.store_encounters import SEARCHED, position
from pix.visits import EVERYBODY, VisitCriteria

PARAMETER = re.compile(r"@?PV1\.(\d+)(?:\.(\d+))?(?:\.(\d+))?")


def read_both(qpd: Segment, domain: AffinityDomain) -> tuple[Criteria, VisitCriteria]:
    """The criteria of PID and those of PV1; Rejected with a breach at each repetition that cannot be searched by."""
    breaches: list[Breach] = []
    words = tuple(_words(qpd, breaches))
    others = [each for each in qpd.repetitions(FIELD) if each.raw and not _is_visit(each)]
    criteria = EVERYBODY
    if others or not (words or breaches):
        try:
            criteria = read_criteria(_without_visit(qpd), domain)
        except Rejected as rejected:
            breaches.extend(rejected.breaches)
    if breaches:
        raise Rejected(*sorted(breaches, key=lambda each: (len(each.location), each.location)))
    return criteria, VisitCriteria(words)


def _words(qpd: Segment, breaches: list[Breach]) -> Iterator[tuple[str, str]]:
    for count, repetition in enumerate(qpd.repetitions(FIELD), 1):
        if not _is_visit(repetition):
            continue
        matched = PARAMETER.fullmatch(repetition.text(1))
        numbers = [int(each or 1) for each in matched.groups()] if matched else []
        if not numbers or numbers[0] not in SEARCHED:
            breaches.append(_unsupported(qpd.location(FIELD, count), repetition.text(1)))
        elif pattern := fold(repetition.text(2)):
            yield position(*numbers), pattern


def _is_visit(repetition: Repetition) -> bool:
    return repetition.text(1).lstrip("@").startswith("PV1")


def _without_visit(qpd: Segment) -> Segment:
    """QPD with the parameters of PV1 left empty, so that errors of the others keep their places."""
    kept = ["" if _is_visit(each) else each.raw for each in qpd.repetitions(FIELD)]
    fields = list(qpd.fields)
    if kept:
        fields[FIELD - 1] = qpd.encoding.repetition.join(kept)
    return replace(qpd, fields=tuple(fields))


def _unsupported(location: str, name: str) -> Breach:
    return Breach(
        code=HL7ErrorCode.TABLE_VALUE_NOT_FOUND,
        text="This field of the visit cannot be searched by",
        location=location,
        observed=name,
        expected=", ".join(f"@PV1.{number}" for number in SEARCHED),
        citation=tf2("Table 3.22-4"),
    )
