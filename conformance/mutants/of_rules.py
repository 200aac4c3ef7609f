"""A server that forgot one of its rules, or refuses by it with the wrong code."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from affinity.catalogue import TRANSACTIONS
from conformance.catalogue import catalogue
from conformance.mutants.mutant import Mutant, changed
from ihe.errors import ErrorCode
from ihe.rules import Rule

Made = Callable[[Rule[Any]], AbstractContextManager[None]]
WRONG = ErrorCode.REGISTRY_ERROR
"""The code with which a mutant refuses instead; no rule has it."""


def mutants() -> tuple[Mutant, ...]:
    """One for each rule that forgets it; one for each ebXML code of a rule that gives another."""
    return tuple(_each("forgets", forgotten)) + tuple(_each("miscodes", miscoded, _ebxml(_rules())))


def forgotten(rule: Rule[Any]) -> AbstractContextManager[None]:
    """The rule finds no offender."""
    return changed(rule, offenders=_nobody)


def miscoded(rule: Rule[Any]) -> AbstractContextManager[None]:
    """The rule refuses with another code."""
    assert isinstance(rule.code, ErrorCode)
    return changed(rule, code=WRONG)


def _each(what: str, made: Made, rules: Iterable[Rule[Any]] | None = None) -> Iterator[Mutant]:
    for rule in _rules() if rules is None else rules:
        breaks = frozenset(each.id for each in catalogue() if each.rule == rule.name)
        if breaks:
            yield Mutant(
                name=f"{what}:{rule.name}",
                sentence=rule.sentence,
                breaks=breaks,
                switched=lambda rule=rule: made(rule),  # type: ignore[misc]
            )


def _rules() -> tuple[Rule[Any], ...]:
    return tuple({rule.name: rule for each in TRANSACTIONS for rule in each.rules}.values())


def _ebxml(rules: Iterable[Rule[Any]]) -> Iterator[Rule[Any]]:
    return (each for each in rules if isinstance(each.code, ErrorCode))


def _nobody(_: object) -> Iterable[str]:
    return ()
