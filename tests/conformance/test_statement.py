"""The integration statement and the README claim what the catalogue holds, no more and no less."""

import re
from pathlib import Path

from affinity.catalogue import INITIATED, TRANSACTIONS
from conformance.statement import statement

ALL = {each.id for each in TRANSACTIONS} | {each.id for each in INITIATED}
ROOT = Path(__file__).parents[2]


def test_the_published_statement_is_the_one_of_this_version() -> None:
    assert (ROOT / "docs" / "conformance-statement.md").read_text() == statement()


def test_every_transaction_module_is_in_the_catalogue() -> None:
    modules = {
        f"ITI-{re.sub('[^0-9]', '', path.stem)}"
        for folder in ("xds", "pix")
        for path in (ROOT / folder).glob("iti*.py")
    }
    assert modules == ALL


def test_every_transaction_has_its_page() -> None:
    pages = {path.stem for path in (ROOT / "docs" / "transactions").glob("*.md")}
    assert {each.lower() for each in ALL} <= pages


def test_the_readme_lists_just_what_works() -> None:
    listed = set(re.findall(r"^\| (ITI-\d+) \|", (ROOT / "README.md").read_text(), flags=re.MULTILINE))
    assert listed == ALL | {"ITI-40"}
