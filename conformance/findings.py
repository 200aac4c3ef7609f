"""What a validator says of a message: the claim that it breaks, where, what was found, how to mend it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch, translate
from functools import cache
from typing import Any

from affinity.catalogue import TRANSACTIONS
from conformance.catalogue import Level, catalogue
from conformance.validators.ebxml_answers import STATUS_ADVICE, STATUS_RULES, submissions_succeed_or_fail
from conformance.validators.query_answers import QUERY_ANSWER_RULES
from conformance.validators.retrieved import RETRIEVAL_RULES
from conformance.validators.v3_rules import EVERY_RULE
from ihe.citations import Citation
from ihe.errors import Breach, ErrorCode, HL7ErrorCode, Severity
from ihe.rules import Rule

OBJECT_ID = re.compile(r"\([^)]*\)")
INDEX = re.compile(r"\[\d+\]")
VALIDATOR_RULES: tuple[Rule[Any], ...] = (
    *EVERY_RULE,
    *STATUS_RULES,
    *STATUS_ADVICE,
    submissions_succeed_or_fail,
    *QUERY_ANSWER_RULES,
    *RETRIEVAL_RULES,
)
"""What the validators ask beyond the rules of the server."""
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
        assertions=tuple(_broken(breach, transaction)),
    )


def _spelled(code: ErrorCode | HL7ErrorCode) -> str:
    return code.value if isinstance(code, ErrorCode) else str(int(code))


def _broken(breach: Breach, transaction: str | None) -> Iterator[str]:
    """The assertions of the rule that has this sentence, of the transaction and of the chapters, on this message."""
    rule, message = _rules().get(breach.text), OBJECT_ID.sub("", breach.location).lstrip("/").partition("/")[0]
    for each in catalogue() if rule else ():
        meant = not each.messages or any(fnmatch(message, pattern) for pattern in each.messages)
        if each.rule == rule and each.transaction in (None, transaction) and meant:
            yield each.id


@cache
def _rules() -> dict[str, str]:
    served = (rule for each in TRANSACTIONS for rule in each.rules)
    return {rule.sentence: rule.name for rule in (*served, *VALIDATOR_RULES)}


def broken_by_content(location: str) -> tuple[str, ...]:
    """The assertions that a deviation from the content model breaks at a place (``/MESSAGE/id[2]/@root``)."""
    path = INDEX.sub("", location).lstrip("/")
    return tuple(dict.fromkeys(name for pattern, name in _places() if pattern.match(path)))


@cache
def _places() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(translate(path)), each.id) for each in catalogue() for path in each.content)
