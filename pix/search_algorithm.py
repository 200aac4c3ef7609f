"""QPD-4 to QPD-6: which algorithm searches, and how good a match must be (ITI TF-2: 3.21.4.1.2.3; HL7 v2.5: 3.3.56).

The algorithm of a message that names none is exact: what merely sounds like the names is for people who ask for it.
"""

from collections.abc import Iterator

from hl7v2.message import Segment
from ihe.citations import tf2
from ihe.errors import Breach, HL7ErrorCode, Rejected
from pix.queries import SearchMode

THRESHOLD, ALGORITHM, VERSION = 4, 5, 6
"""Search Confidence Threshold, Algorithm Name, Algorithm Version."""
VERSIONS = ("1",)


def is_named(qpd: Segment) -> bool:
    """Claim that the query says how to search, so that the answer says how well each patient matches."""
    return bool(qpd.text(THRESHOLD) or qpd.text(ALGORITHM))


def search_mode(qpd: Segment) -> SearchMode:
    """The algorithm that QPD-5 names."""
    return SearchMode(qpd.text(ALGORITHM).casefold() or SearchMode.EXACT)


def minimum_degree(qpd: Segment) -> int | None:
    """The percentage below which a match is not wanted."""
    text = qpd.text(THRESHOLD)
    return int(text) if text else None


def check_algorithm(qpd: Segment) -> None:
    """Rejected with a breach at each field that names nothing known here: the sender relies on what it asked for."""
    breaches = tuple(_breaches(qpd))
    if breaches:
        raise Rejected(*breaches)


def _breaches(qpd: Segment) -> Iterator[Breach]:
    threshold, name, version = (qpd.text(field) for field in (THRESHOLD, ALGORITHM, VERSION))
    if threshold and not (threshold.isascii() and threshold.isdecimal() and int(threshold[:4]) <= 100):
        yield _breach(qpd, THRESHOLD, HL7ErrorCode.DATA_TYPE_ERROR, "a whole number from 0 to 100")
    names = list(SearchMode)
    if name and name.casefold() not in names:
        yield _breach(qpd, ALGORITHM, HL7ErrorCode.TABLE_VALUE_NOT_FOUND, ", ".join(names))
    if version and version not in VERSIONS:
        yield _breach(qpd, VERSION, HL7ErrorCode.TABLE_VALUE_NOT_FOUND, ", ".join(VERSIONS))


def _breach(qpd: Segment, field: int, code: HL7ErrorCode, expected: str) -> Breach:
    return Breach(
        code=code,
        text="This search algorithm is not known here",
        location=qpd.location(field),
        observed=qpd.text(field),
        expected=expected,
        citation=tf2("3.21.4.1.2.3"),
    )
