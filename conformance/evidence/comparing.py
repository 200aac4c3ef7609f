"""What differs between two runs: verdicts on assertions, and outcomes of tests."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from conformance.evidence.record import RunFile, WrittenResult
from conformance.results import Outcome

Key = TypeVar("Key")
GOOD = Outcome.PASSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One assertion, or one test, whose outcome is another one. None: the run does not have it."""

    what: str
    sentence: str
    before: Outcome | None
    after: Outcome | None

    @property
    def is_worse(self) -> bool:
        """Claim that something passed before and does not any more."""
        return self.before is GOOD and self.after is not GOOD


def differences(before: RunFile, after: RunFile) -> tuple[Difference, ...]:
    """Of assertions first, then of tests; what is the same in both is left out."""
    texts = {each.id: each.text for file in (before, after) for each in file.verdicts}
    verdicts = _differing(
        {each.id: each.outcome for each in before.verdicts}, {each.id: each.outcome for each in after.verdicts}
    )
    sentences = {_name(each): each.sentence for file in (before, after) for each in file.results}
    tests = _differing(_outcomes(before.results), _outcomes(after.results))
    return (
        *(Difference(what=id, sentence=texts[id], before=old, after=new) for id, old, new in verdicts),
        *(Difference(what=name, sentence=sentences[name], before=old, after=new) for name, old, new in tests),
    )


def _outcomes(results: Iterable[WrittenResult]) -> dict[str, Outcome]:
    return {_name(each): each.outcome for each in results}


def _name(result: WrittenResult) -> str:
    return f"{result.module}::{result.name}"


def _differing(
    before: Mapping[str, Outcome], after: Mapping[str, Outcome]
) -> list[tuple[str, Outcome | None, Outcome | None]]:
    names = dict.fromkeys((*before, *after))
    pairs = ((name, before.get(name), after.get(name)) for name in names)
    return [each for each in pairs if each[1] is not each[2]]
