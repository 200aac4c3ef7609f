"""All rules of a submission, in the order in which a sender reads them (ITI TF-3: 4.2, 4.3; ITI TF-2: 3.42.4.1.3)."""

from collections.abc import Iterator
from typing import Any

from ihe.domain import AffinityDomain
from ihe.errors import Breach, Severity
from ihe.rules import Rule, breaches
from xds.attributes import Sender
from xds.ebrim import Decoded
from xds.model import Submission
from xds.rules_domain import DOMAIN_RULES, InDomain
from xds.rules_registry import REGISTRY_RULES
from xds.rules_sender import SENDER_RULES, Sent
from xds.rules_structure import STRUCTURE_RULES, structure
from xds.rules_unique_ids import UNIQUE_ID_RULES
from xds.rules_values import VALUE_RULES

SUBMISSION_RULES: tuple[Rule[Any], ...] = (
    *STRUCTURE_RULES,
    *SENDER_RULES,
    *VALUE_RULES,
    *DOMAIN_RULES,
    *REGISTRY_RULES,
    *UNIQUE_ID_RULES,
)
"""Every rule that ITI-41, ITI-42 and ITI-61 obey, for the catalogue; the last two look into the registry."""


def all_breaches(decoded: Decoded, sender: Sender, domain: AffinityDomain) -> Iterator[Breach]:
    """Everything that is wrong with a submission by itself, from this sender, in this domain; warnings included.

    What could not be read is told once: a value that is there but unreadable is not also missing.
    """
    yield from decoded.breaches
    told = {breach.location for breach in decoded.breaches if breach.severity is Severity.ERROR}
    if decoded.submission is not None:
        yield from (each for each in _broken(decoded.submission, sender, domain) if each.location not in told)


def _broken(submission: Submission, sender: Sender, domain: AffinityDomain) -> Iterator[Breach]:
    yield from breaches(structure(submission), STRUCTURE_RULES)
    yield from breaches(Sent(submission, sender), SENDER_RULES)
    yield from breaches(submission, VALUE_RULES)
    yield from breaches(InDomain(submission, domain), DOMAIN_RULES)
