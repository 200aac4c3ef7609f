"""What a validator says of a message: the claim that it breaks, where, what was found, how to mend it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from affinity.catalogue import TRANSACTIONS
from conformance.catalogue import Level, catalogue
from ihe.citations import Citation
from ihe.errors import Breach, ErrorCode, HL7ErrorCode, Severity

LEVELS = {Severity.ERROR: Level.SHALL, Severity.WARNING: Level.SHOULD}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One deviation. ``location`` is a segment position (``PID^1^3``), an object id with an attribute, or a path.

    ``assertions`` are the ids of the catalogue that it breaks, where the catalogue names the rule; ``code`` is the
    error with which a receiver answers, where the standard names one. ``line`` is where in the source the element is
    of which something is missing.
    """

    level: Level
    text: str
    location: str = ""
    observed: str | None = None
    expected: str | None = None
    hint: str = ""
    citation: Citation | None = None
    code: str = ""
    assertions: tuple[str, ...] = ()
    line: int | None = None

    @property
    def is_error(self) -> bool:
        """Claim that a receiver may refuse the message for it."""
        return self.level in (Level.SHALL, Level.SHALL_NOT)


def of_breach(breach: Breach, transaction: str | None = None) -> Finding:
    """What a rule of the server says, as a finding; ``transaction`` chooses among assertions of the same rule."""
    return Finding(
        level=LEVELS[breach.severity],
        text=breach.text,
        location=breach.location,
        observed=breach.observed,
        expected=breach.expected,
        hint=breach.remedy,
        citation=breach.citation,
        code=_spelled(breach.code),
        assertions=tuple(_broken(breach.text, transaction)),
    )


def _spelled(code: ErrorCode | HL7ErrorCode) -> str:
    return code.value if isinstance(code, ErrorCode) else str(int(code))


def _broken(sentence: str, transaction: str | None) -> Iterator[str]:
    """The assertions of the rule that has this sentence, of the transaction and of the chapters."""
    rule = _rules().get(sentence)
    for each in catalogue() if rule else ():
        if each.rule == rule and each.transaction in (None, transaction):
            yield each.id


@cache
def _rules() -> dict[str, str]:
    return {rule.sentence: rule.name for each in TRANSACTIONS for rule in each.rules}
