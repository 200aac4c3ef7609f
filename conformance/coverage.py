"""Which assertions the suites cover: what of the standard a passed run says something about, and what it does not.

``python -m conformance.coverage`` renews ``docs/coverage.md``; a test keeps it true, and lets no SHALL lose its test.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import FunctionType, ModuleType

from conformance.catalogue import Assertion, Level, Shown, catalogue
from conformance.covering import Case, Covering, Suite, covering
from conformance.running import MODULES
from ihe.transactions import Actor

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "coverage.md"
COVERED = ROOT / "tests" / "conformance" / "covered.txt"
"""The ids of every SHALL that a test covers, one a line: what is in it may not lose its test unseen."""
HEAD = """# What the suites cover

Made by `python -m conformance.coverage`; a test keeps it true. Of the assertions that a test from outside can show
(`wire`, `state`), for each actor whom `affinity conform run` can ask: how many SHALL and SHALL NOT there are, how many
of them a test covers. A test that sends what a sender may not send covers the receiver's assertion, and names the
sender's.
"""


@cache
def covered() -> frozenset[str]:
    """The assertions that stand above a test, of any suite."""
    return frozenset(each for found in _coverings() for each in found.assertions)


def _coverings() -> Iterator[Covering]:
    for name in MODULES:
        module = import_module(f"conformance.suites.{name}")
        for test in _tests(module):
            yield covering(test)
            yield from (case.covering for case in _cases(test))


def actors() -> tuple[Actor, ...]:
    """Whom the suites ask."""
    suites: list[Suite] = [import_module(f"conformance.suites.{name}").SUITE for name in MODULES]
    return tuple(dict.fromkeys(each.actor for each in suites))


def binding(actor: Actor) -> tuple[Assertion, ...]:
    """What an actor must do and a test can show."""
    return tuple(
        each
        for each in catalogue()
        if each.actor == actor
        and each.level in (Level.SHALL, Level.SHALL_NOT)
        and each.test in (Shown.WIRE, Shown.STATE)
    )


def page() -> str:
    """The tables of ``docs/coverage.md``."""
    return "\n".join([HEAD, *(line for actor in actors() for line in _table(actor))])


def _table(actor: Actor) -> Iterator[str]:
    every = binding(actor)
    total, shown = (Counter(each.group for each in every if wanted(each)) for wanted in (_any, _is_covered))
    yield f"## {actor}\n"
    yield "| transaction or chapter | SHALL and SHALL NOT | covered |"
    yield "|---|---|---|"
    yield from (f"| {group} | {number} | {shown[group]} |" for group, number in total.items())
    yield f"| all | {sum(total.values())} | {sum(shown.values())} |\n"


def _any(_: Assertion) -> bool:
    return True


def _is_covered(each: Assertion) -> bool:
    return each.id in covered()


def _tests(module: ModuleType) -> Iterator[Callable[..., object]]:
    for name, value in vars(module).items():
        if name.startswith("test_") and isinstance(value, FunctionType):
            yield value


def _cases(test: Callable[..., object]) -> Iterator[Case]:
    for mark in getattr(test, "pytestmark", ()):
        if mark.name == "parametrize" and mark.args[0] == "case":
            yield from (each for each in mark.args[1] if isinstance(each, Case))


def ids() -> str:
    """The lines of ``tests/conformance/covered.txt``."""
    return "".join(f"{each.id}\n" for actor in actors() for each in binding(actor) if _is_covered(each))


if __name__ == "__main__":
    PAGE.write_text(page())
    COVERED.write_text(ids())
