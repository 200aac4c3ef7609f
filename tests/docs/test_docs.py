"""The documentation tells the truth about the code: links, modules, error codes, rules, settings, verbs."""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from affinity.catalogue import INITIATED, TRANSACTIONS, AnyTransaction
from affinity.cli import app
from affinity.domain_files import SubscribersFile
from affinity.metrics import exposition
from affinity.settings import Settings, load
from conformance.rules import page_of, renewed, table, told
from ihe.errors import ErrorCode, HL7ErrorCode
from ihe.rule_assertions import ASSERTIONS
from ihe.transactions import HL7v2Binding, Initiated, SOAPBinding

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md")))
TRANSACTION_PAGES = sorted((ROOT / "docs/transactions").glob("iti-*.md"))
PACKAGES = (
    "ihe",
    "hl7v2",
    "tls",
    "mllp",
    "soap",
    "statements",
    "xds",
    "pix",
    "xua",
    "atna",
    "consent",
    "affinity",
    "conformance",
)

FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
CODE = re.compile(r"`([^`\n]+)`")
MODULE = re.compile(rf"(?<![\w/])(?:{'|'.join(PACKAGES)})/[\w/*]+\.py")
EBXML = re.compile(r"XDS[A-Z]\w+|[A-Z]\w+(?:Exception|Content)")
ROW = re.compile(r"^\|(.+)\|$", re.MULTILINE)
VERB = re.compile(r"^affinity ([a-z]+)\b")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
each_transaction = pytest.mark.parametrize("transaction", TRANSACTIONS, ids=lambda transaction: transaction.id)
each_or_begun = pytest.mark.parametrize(
    "transaction", (*TRANSACTIONS, *INITIATED), ids=lambda transaction: transaction.id
)


@cache
def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@cache
def prose(page: Path) -> str:
    return FENCE.sub("", text(page))


def rows(section: str) -> Iterator[list[str]]:
    """The cells of every row of a table; a bar that belongs to a cell is written with a backslash."""
    for row in ROW.findall(section):
        yield [cell.replace("\\|", "|").strip() for cell in re.split(r"(?<!\\)\|", row)]


def slug(heading: str) -> str:
    """An anchor as the web front ends of git make it."""
    return re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).replace(" ", "-")


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(prose(page)):
        found = (page.parent / target).resolve() if target else page
        assert found.exists(), f"{target} of {page.name} is not there"
        if anchor:
            assert anchor in map(slug, HEADING.findall(prose(found))), f"{target}#{anchor} of {page.name} is no heading"


@each_page
def test_modules_that_are_named_exist(page: Path) -> None:
    for name in MODULE.findall(prose(page)):
        assert list(ROOT.glob(name)), f"{page.name} names {name}"


@each_page
def test_error_codes_that_are_named_exist(page: Path) -> None:
    known = {code.value for code in ErrorCode}
    for name in CODE.findall(prose(page)):
        if EBXML.fullmatch(name):
            assert name in known, f"{page.name} names {name}"


@each_page
def test_verbs_that_are_named_exist(page: Path) -> None:
    known = {command.name for command in app.registered_commands} | {group.name for group in app.registered_groups}
    fenced = (line.strip() for _, block in FENCE.findall(text(page)) for line in block.splitlines())
    for line in (*CODE.findall(prose(page)), *fenced):
        for verb in VERB.findall(line):
            assert verb in known, f"{page.name} says `{line}`"


@pytest.mark.parametrize("page", TRANSACTION_PAGES, ids=lambda page: page.stem)
def test_hl7_codes_of_a_page_exist(page: Path) -> None:
    for first, *_ in rows(prose(page)):
        for code in re.findall(r"\b\d{3}\b", first) if re.fullmatch(r"[\d, ]+", first) else ():
            assert int(code) in set(HL7ErrorCode)


@each_or_begun
def test_a_transaction_has_a_page_that_names_its_wire_and_its_module(transaction: AnyTransaction | Initiated) -> None:
    page = text(page_of(transaction))
    assert str(transaction.citation.section) in page
    assert f"/{transaction.id.replace('-', '').lower()}.py" in page
    for binding in transaction.bindings:
        if isinstance(binding, SOAPBinding):
            assert binding.action in page
        if isinstance(binding, HL7v2Binding):
            assert all(trigger.split("^")[1] in page for trigger in binding.triggers)


@each_or_begun
def test_the_readme_and_the_index_list_a_transaction(transaction: AnyTransaction | Initiated) -> None:
    listed = {cells[0]: cells[1:3] for cells in rows(text(ROOT / "README.md"))}
    name, responder = listed[transaction.id]
    assert name == transaction.name
    assert transaction.responder.replace("Patient Identifier Cross-reference", "PIX") in responder
    assert ("we call" in responder) == isinstance(transaction, Initiated)
    assert f"[{transaction.id}]({transaction.id.lower()}.md) {transaction.name} " in text(
        ROOT / "docs/transactions/README.md"
    )


@each_transaction
def test_the_rules_of_a_transaction_are_on_its_page_or_on_one_that_it_links(transaction: AnyTransaction) -> None:
    page = page_of(transaction)
    linked = [page.parent / target for target, _ in LINK.findall(prose(page)) if target.startswith("iti-")]
    told = "".join(text(each) for each in (page, *linked))
    missing = [row for row in table(transaction).splitlines(keepends=True)[2:] if row not in told]
    assert not missing, "python -m conformance.rules renews:\n" + "".join(missing)


@each_transaction
def test_the_table_of_rules_on_a_page_is_that_of_the_code(transaction: AnyTransaction) -> None:
    page = text(page_of(transaction))
    assert renewed(page, transaction) == page, "python -m conformance.rules renews it"


def leaves(table: dict[str, Any], *above: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in table.items():
        if isinstance(value, dict) and (*above, key) not in (("xua", "trust"), ("stewards",), ("audit_consumers",)):
            yield from leaves(value, *above, key)
        else:
            yield (*above, key), value


OPERATING = ROOT / "docs/operating.md"
EXAMPLES = [block for language, block in FENCE.findall(text(OPERATING)) if language == "toml"]


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_the_settings_of_an_example_are_understood(example: str, tmp_path: Path) -> None:
    file = tmp_path / "affinity.toml"
    file.write_text(example, encoding="utf-8")
    settings = load(file, {})
    for path, written in leaves(tomllib.loads(example)):
        read: Any = settings
        for step in path:
            read = getattr(read, step)
        assert plain(read) == written, ".".join(path)


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return list(value) if isinstance(value, tuple) else str(value) if isinstance(value, Path) else value


def test_the_subscribers_of_the_example_are_understood() -> None:
    (example,) = (block for _, block in FENCE.findall(text(OPERATING)) if "[[subscriber]]" in block)
    shipped = (ROOT / "domains/demo/subscribers.toml").read_text(encoding="utf-8")
    explained = "\n".join(line.removeprefix("#   ") for line in shipped.splitlines() if line.startswith("#   "))
    for each in (example, explained):
        assert len(SubscribersFile.model_validate(tomllib.loads(each)).subscriber) == 2


def test_a_mistyped_key_is_refused_at_any_depth(tmp_path: Path) -> None:
    file = tmp_path / "affinity.toml"
    file.write_text('[xua]\nmodus = "off"\n')
    with pytest.raises(ValidationError, match=r"xua\.modus"):
        load(file, {})


def settings_keys() -> Iterator[tuple[str, Any]]:
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from ((f"{name}.{key}", each.default) for key, each in field.annotation.model_fields.items())
        else:
            yield name, field.default


def test_every_setting_is_explained_with_its_default() -> None:
    told = {cells[0].strip("`"): cells[1] for cells in rows(prose(OPERATING)) if cells[0].startswith("`")}
    for key, default in settings_keys():
        assert key in told, f"docs/operating.md does not explain {key}"
        if isinstance(default, bool | int | str):
            shown = f'"{default}"' if isinstance(default, str) else str(default).lower()
            assert told[key] == f"`{shown}`", key


def test_metrics_and_events_that_an_operator_shall_watch_exist() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for each in PACKAGES for path in (ROOT / each).rglob("*.py"))
    section = prose(OPERATING).split("## Health, metrics, log")[1].split("## When it stops")[0]
    named = [name for cells in rows(section) for name in CODE.findall(cells[0])]
    metrics = exposition().decode()
    assert len(named) > 10
    for name in named:
        plain_name = name.partition("{")[0]
        found = f"# TYPE {plain_name} " in metrics or f'"{plain_name}"' in sources
        assert found, f"docs/operating.md names {name}"


def test_a_refusal_names_the_assertions_of_its_rule() -> None:
    assert told() == ASSERTIONS, "python -m conformance.rules renews ihe/rule_assertions.py; format it then"
    assert ASSERTIONS["repeated_entries_have_the_same_hash"] == ("ITI-42-030",)
