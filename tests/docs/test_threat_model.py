"""The threat model names tests that exist, and no threat goes without one."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODEL = (ROOT / "docs/threat-model.md").read_text(encoding="utf-8")
THREATS = MODEL[MODEL.index("## Threats") : MODEL.index("## What is left to the operator")]
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
FILE = re.compile(r"`([\w/.-]+\.(?:py|toml|md))`")
ROW = re.compile(r"^\| (?!threat \||---)(.+?) \| (.+) \| (.+) \|$", re.MULTILINE)


def test_every_test_that_is_named_exists() -> None:
    named = TEST.findall(MODEL)
    assert len(named) > 40
    missing = [f"{file}::{name}" for file, name in named if not is_there(file, name)]
    assert missing == []


def is_there(file: str, name: str) -> bool:
    path = ROOT / file
    return path.is_file() and re.search(rf"^def {name}\(", path.read_text(encoding="utf-8"), re.MULTILINE) is not None


def test_every_threat_has_a_control_and_a_test() -> None:
    rows = [row for row in ROW.findall(THREATS) if not set(row[0]) <= set("-| ")]
    assert len(rows) > 35
    assert [threat for threat, control, shown in rows if not control.strip() or not TEST.search(shown)] == []


def test_every_asset_and_table_that_data_protection_names_exists() -> None:
    from affinity.schema import METADATA

    tables = {table.name for metadata in METADATA for table in metadata.sorted_tables}
    page = (ROOT / "docs/data-protection.md").read_text(encoding="utf-8")
    held = page[page.index("## What is held") : page.index("## Which command")]
    named = {
        name
        for cell in re.findall(r"^\| .+? \| (.+?) \| .+? \|$", held, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", cell)
    }
    assert len(named) > 8
    assert named <= tables


def test_the_security_page_is_linked_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(name in readme for name in ("SECURITY.md", "docs/threat-model.md", "docs/data-protection.md"))


def test_every_key_of_the_record_file_is_in_the_docs_with_its_default() -> None:
    from affinity.record_file import RecordFile

    page = (ROOT / "docs/consent-documents.md").read_text(encoding="utf-8")
    table = page[page.index("## record.toml") :]
    written = RecordFile().model_dump()
    keys = [f"{section}.{key}" for section, inner in written.items() if isinstance(inner, dict) for key in inner]
    assert len(keys) > 8
    assert [key for key in (*keys, "policy.id", "policy.effect") if f"`{key}`" not in table] == []
