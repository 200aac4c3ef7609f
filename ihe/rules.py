"""A rule is a sentence, a citation and a generator of offenders; ``check`` collects every breach."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from ihe.citations import Citation
from ihe.errors import Breach, ErrorCode, HL7ErrorCode, Rejected
from ihe.rule_assertions import ASSERTIONS

Subject = TypeVar("Subject")


@dataclass(frozen=True, slots=True)
class Offence:
    """One offender: where it stands, what was found, what the rule wants."""

    location: str
    observed: str | None = None
    expected: str | None = None


Offender = str | Offence


@dataclass(frozen=True, slots=True)
class Rule(Generic[Subject]):
    """A sentence of the standard as code. Calling it yields the breaches of one subject."""

    name: str
    sentence: str
    code: ErrorCode | HL7ErrorCode
    citation: Citation
    offenders: Callable[[Subject], Iterable[Offender]]

    def __call__(self, subject: Subject) -> Iterator[Breach]:
        for offender in self.offenders(subject):
            yield self.breach(offender)

    def breach(self, offender: Offender) -> Breach:
        """What is told of one offender."""
        offence = Offence(offender) if isinstance(offender, str) else offender
        return Breach(
            code=self.code,
            text=self.sentence,
            location=offence.location,
            observed=offence.observed,
            expected=offence.expected,
            citation=self.citation,
            assertions=ASSERTIONS.get(self.name, ()),
        )


def rule(
    code: ErrorCode | HL7ErrorCode, citation: Citation
) -> Callable[[Callable[[Subject], Iterable[Offender]]], Rule[Subject]]:
    """Turn a documented generator of offenders into a Rule; its docstring's first line is the sentence."""

    def declare(offenders: Callable[[Subject], Iterable[Offender]]) -> Rule[Subject]:
        if not offenders.__doc__:
            raise TypeError(f"rule {offenders.__name__} has no sentence")
        sentence = offenders.__doc__.strip().splitlines()[0]
        return Rule(offenders.__name__, sentence, code, citation, offenders)

    return declare


def breaches(subject: Subject, rules: Iterable[Rule[Subject]]) -> Iterator[Breach]:
    """Yield every breach of every rule, in the order of the rules."""
    for each in rules:
        for offender in each.offenders(subject):
            yield each.breach(offender)


def check(subject: Subject, rules: Iterable[Rule[Subject]]) -> None:
    """Raise one ``Rejected`` with all breaches, or return."""
    found = tuple(breaches(subject, rules))
    if found:
        raise Rejected(*found)
