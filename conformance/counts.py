"""The table of ``docs/assertions.md``, made from the catalogue: ``python -m conformance.counts`` renews it.

It also prints of how many assertions a validator names the id.
"""

import re
from collections import Counter
from pathlib import Path

from conformance.catalogue import Assertion, Level, Shown, catalogue

PAGE = Path(__file__).resolve().parent.parent / "docs/assertions.md"
HEAD = "| transaction or chapter | SHALL (NOT) | SHOULD (NOT) | MAY | for review | all |\n|---|---|---|---|---|---|\n"
TABLE = re.compile(re.escape(HEAD) + r"(?:\|.*\|\n)*")


def table(assertions: tuple[Assertion, ...]) -> str:
    """How many assertions each transaction and chapter has; ``for review`` are those no test can show."""
    groups = {group: [each for each in assertions if each.group == group] for group in _groups(assertions)}
    rows = [_row(group, those) for group, those in groups.items()]
    return HEAD + "".join(rows) + _row("**all**", list(assertions))


def renewed(page: str, assertions: tuple[Assertion, ...]) -> str:
    """The text of the page with the present table in place of the one that stands there."""
    return TABLE.sub(lambda _: table(assertions), page)


def _groups(assertions: tuple[Assertion, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.group for each in assertions))


def _row(group: str, assertions: list[Assertion]) -> str:
    levels = Counter(each.level for each in assertions)
    shall, should = levels[Level.SHALL] + levels[Level.SHALL_NOT], levels[Level.SHOULD] + levels[Level.SHOULD_NOT]
    review = sum(each.test is Shown.REVIEW for each in assertions)
    return f"| {group} | {shall} | {should} | {levels[Level.MAY]} | {review} | {len(assertions)} |\n"


def named(assertions: tuple[Assertion, ...]) -> str:
    """How many of the assertions that show in messages have a rule or a content model that names them."""
    shown = [each for each in assertions if each.test is Shown.WIRE]
    with_rule = sum(bool(each.rule or each.content) for each in shown)
    return f"{with_rule} of {len(shown)} assertions about messages are named by a validator"


if __name__ == "__main__":
    print(named(catalogue()))
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8"), catalogue()), encoding="utf-8")
