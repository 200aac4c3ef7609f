"""The rules in ``docs/transactions`` as tables, made from the code: ``python -m conformance.rules`` renews them."""

import re
from pathlib import Path

from affinity.catalogue import TRANSACTIONS, AnyTransaction
from ihe.errors import ErrorCode
from ihe.transactions import Initiated

PAGES = Path(__file__).resolve().parent.parent / "docs/transactions"
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


if __name__ == "__main__":
    for each in TRANSACTIONS:
        file = page_of(each)
        file.write_text(renewed(file.read_text(encoding="utf-8"), each), encoding="utf-8")
