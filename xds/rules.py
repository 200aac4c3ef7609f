"""All rules of a submission, in the order in which a sender reads them (ITI TF-3: 4.2, 4.3; ITI TF-2: 3.42.4.1.3)."""

from collections.abc import Iterator

from ihe.domain import AffinityDomain
from ihe.errors import Breach, Severity
from ihe.rules import Rule, breaches
from xds.attributes import Sender
from xds.ebrim import Decoded
from xds.model import Submission

SUBMISSION_RULES: tuple[Rule[Submission], ...] = ()


def all_breaches(decoded: Decoded, sender: Sender, domain: AffinityDomain) -> Iterator[Breach]:
    """Everything that is wrong with a submission by itself, from this sender, in this domain; warnings included.

    What could not be read is told once: a value that is there but unreadable is not also missing.
    """
    yield from decoded.breaches
    told = {breach.location for breach in decoded.breaches if breach.severity is Severity.ERROR}
    if decoded.submission is not None:
        for breach in breaches(decoded.submission, SUBMISSION_RULES):
            if breach.location not in told:
                yield breach
