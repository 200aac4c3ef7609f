"""How a query wants to be matched: MatchAlgorithm and MinimumDegreeMatch (ITI TF-2: 3.47.4.1.2.1)."""

from collections.abc import Iterator

from lxml.etree import _Element

from ihe.citations import tf2
from ihe.errors import HL7ErrorCode
from ihe.rules import Offence, rule
from pix.queries import SearchMode
from pix.v3_elements import attribute, children, location, words
from pix.v3_queries import QUERY

ALGORITHM = f"{QUERY}/matchCriterionList/matchAlgorithm/value"
DEGREE = f"{QUERY}/matchCriterionList/minimumDegreeMatch/value"


@rule(HL7ErrorCode.TABLE_VALUE_NOT_FOUND, tf2("3.47.4.1.2.1"))
def match_algorithm_is_agreed_on(body: _Element) -> Iterator[Offence]:
    """MatchAlgorithm is exact or approximate; another one would be a promise that nobody here keeps."""
    for value in children(body, ALGORITHM):
        if words(value).lower() not in set(SearchMode):
            yield Offence(location(value), words(value), " or ".join(SearchMode))


def search_mode(body: _Element) -> SearchMode:
    """The algorithm that a query asks for; exact, if it asks for none."""
    return next((SearchMode(words(value).lower()) for value in children(body, ALGORITHM)), SearchMode.EXACT)


def minimum_degree(body: _Element) -> int | None:
    """The least degree of match, in percent, that a patient in the answer may have."""
    text = attribute(body, DEGREE)
    return int(text) if text else None
