"""The rules in ``docs/transactions`` as tables, made from the code: ``python -m conformance.rules`` renews them."""

import re
from pathlib import Path

from affinity.catalogue import TRANSACTIONS, AnyTransaction
from conformance.catalogue import catalogue
from ihe.errors import ErrorCode
from ihe.transactions import Initiated

PAGES = Path(__file__).resolve().parent.parent / "docs/transactions"
IDS = Path(__file__).resolve().parent.parent / "ihe/rule_assertions.py"
FEW = 3
"""Most ids that a refusal names: a rule with more of them is told by its section."""
HEAD = '''"""Which assertions of the catalogue a rule checks, so that a refusal names them.

Made from ``conformance/assertions`` by ``python -m conformance.rules``; a test keeps it true.
"""

from collections.abc import Mapping
'''
TABLE = re.compile(r"\| rule \| code \| section \|\n\|---\|---\|---\|\n(?:\|.*\|\n)*")
"""The table of a page that has one; other pages link to one that has."""


def page_of(transaction: AnyTransaction | Initiated) -> Path:
    """Where a transaction is described."""
    return PAGES / f"{transaction.id.lower()}.md"


def table(transaction: AnyTransaction) -> str:
    """Every rule of a transaction once: sentence, code, section."""
    rows = dict.fromkeys(
        f"| {_cell(rule.sentence)} | {_code(rule.code)} | {_cell(str(rule.citation))} |\n" for rule in transaction.rules
    )
    return "| rule | code | section |\n|---|---|---|\n" + "".join(rows)


def renewed(page: str, transaction: AnyTransaction) -> str:
    """The text of a page with the present table in place of the one that stands there, if one does."""
    return TABLE.sub(lambda _: table(transaction), page)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _code(code: int | str) -> str:
    return f"`{code.value}`" if isinstance(code, ErrorCode) else str(int(code))


def told() -> dict[str, tuple[str, ...]]:
    """The ids of the assertions of each rule that has few of them, by its name."""
    rules = dict.fromkeys(rule.name for each in TRANSACTIONS for rule in each.rules)
    named = {rule: tuple(each.id for each in catalogue() if each.rule == rule) for rule in sorted(rules)}
    return {rule: ids for rule, ids in named.items() if 0 < len(ids) <= FEW}


def assertions() -> str:
    """The text of ``ihe/rule_assertions.py``, before it is formatted."""
    lines = (f'    "{rule}": ({"".join(f"{_quoted(id)}, " for id in ids)}),\n' for rule, ids in told().items())
    return f"{HEAD}\nASSERTIONS: Mapping[str, tuple[str, ...]] = {{\n{''.join(lines)}}}\n"


def _quoted(text: str) -> str:
    return f'"{text}"'


if __name__ == "__main__":
    IDS.write_text(assertions(), encoding="utf-8")
    for each in TRANSACTIONS:
        file = page_of(each)
        file.write_text(renewed(file.read_text(encoding="utf-8"), each), encoding="utf-8")
