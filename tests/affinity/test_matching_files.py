"""``matching.toml`` of a domain: the weights in force, others on trial, and what is said about a wrong file."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from affinity.domain import SHIPPED, DomainError, load
from affinity.matching_files import ACTIVE, SHADOW
from affinity.node import open_node
from affinity.settings import Settings
from affinity.tunings import ShippedDomain, put_in_force, to_be_replaced
from ihe.transactions import Actor
from pix.matching.configuration import default
from pix.matching.mode import Mode

DEFAULT = Path("pix/matching/default.toml").read_text(encoding="utf-8")
Write = Callable[..., Path]


@pytest.fixture
def domain(tmp_path: Path) -> Path:
    directory = tmp_path / "domain"
    shutil.copytree(SHIPPED / "demo", directory)
    return directory


def text(version: str, *changes: tuple[str, str]) -> str:
    written = DEFAULT.replace(f'version = "{default().version}"', f'version = "{version}"')
    for old, new in changes:
        assert old in written
        written = written.replace(old, new, 1)
    return written


def faults(domain: Path) -> list[str]:
    with pytest.raises(DomainError) as caught:
        load(domain)
    return [str(each) for each in caught.value.faults]


def test_a_domain_without_the_file_has_the_shipped_weights(domain: Path) -> None:
    matching = load(domain).matching
    assert matching.active is default() and matching.shadow is None


def test_a_node_matches_with_the_weights_of_its_domain(domain: Path, tmp_path: Path) -> None:
    (domain / ACTIVE).write_text(text("ours"), encoding="utf-8")
    (domain / SHADOW).write_text(text("tried"), encoding="utf-8")
    settings = Settings(domain=str(domain), data=tmp_path / "data", matching={"mode": "off"})  # type: ignore[arg-type]
    node = open_node(settings, load(domain))
    index = node.ports[Actor.PIX_MANAGER]
    node.close()
    assert (index.matching.version, index.shadow.version, index.mode) == ("ours", "tried", Mode.OFF)


def test_every_fault_of_the_file_is_told_with_its_key(domain: Path) -> None:
    (domain / ACTIVE).write_text(text("ours", ("household = ", "houshold = ")), encoding="utf-8")
    assert faults(domain) == [
        "matching.toml: caps.household must be a number of bits",
        "matching.toml: caps.houshold is no key of this file",
    ]


@pytest.mark.parametrize(
    "line", ["caps = 5", "levels = []", "levels.sex = 7", "frequencies = 'none'", "frequencies.city = 1"]
)
def test_something_else_in_place_of_a_table_is_told_with_its_key(domain: Path, line: str) -> None:
    (domain / ACTIVE).write_text(line, encoding="utf-8")
    assert faults(domain) == [f"matching.toml: {line.partition(' ')[0]} must be a table"]


def test_a_file_that_is_no_toml_is_told(domain: Path) -> None:
    (domain / ACTIVE).write_text("version =", encoding="utf-8")
    assert faults(domain)[0].startswith("matching.toml: Invalid value")
    (domain / ACTIVE).write_bytes(b'version = "\xff"')
    assert faults(domain)[0].startswith("matching.toml: is not TOML in UTF-8")


def test_a_trial_needs_a_version_of_its_own(domain: Path) -> None:
    (domain / SHADOW).write_text(DEFAULT, encoding="utf-8")
    (fault,) = faults(domain)
    assert fault.startswith("matching.shadow.toml: version:") and "give the one on trial its own" in fault


def test_a_proposal_replaces_the_file_and_keeps_the_one_before(domain: Path, tmp_path: Path) -> None:
    for version in ("first", "second"):
        proposed = tmp_path / "proposed.toml"
        proposed.write_text(text(version), encoding="utf-8")
        put_in_force(proposed, to_be_replaced(str(domain)))
    assert load(domain).matching.active.version == "second"
    assert 'version = "first"' in (domain / "matching.toml.before").read_text(encoding="utf-8")


def test_a_shipped_domain_is_not_changed() -> None:
    with pytest.raises(ShippedDomain, match="affinity init"):
        to_be_replaced("demo")
