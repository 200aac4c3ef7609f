"""``golden.toml`` of a domain: what it may say, and how it is refused."""

import shutil
from pathlib import Path

import pytest

from affinity.domain import SHIPPED, DomainError, load
from pix.golden import Order


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A copy of the demo domain."""
    return Path(shutil.copytree(SHIPPED / "demo", tmp_path / "domain"))


def test_without_a_file_every_source_is_trusted_alike(directory: Path) -> None:
    survivorship = load(directory).survivorship
    assert survivorship.trusted == ()
    assert survivorship.orders("names") == (Order.PRIORITY, Order.RECENCY, Order.COMPLETENESS)


def test_the_file_names_facilities_and_rules(directory: Path) -> None:
    (directory / "golden.toml").write_text('trusted = ["HOP-SURE"]\n[rules]\naddresses = ["recency"]\n')
    survivorship = load(directory).survivorship
    assert survivorship.trust("HIS|HOP-SURE") > survivorship.trust("HIS|HOP-ALZETTE")
    assert survivorship.orders("addresses") == (Order.RECENCY,)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('trusted = ["HOP-NOWHERE"]', "golden.toml: trusted: HOP-NOWHERE is no facility of organizations.toml"),
        ('default = ["age"]', "golden.toml: default.1: is none of: priority, recency, completeness"),
        ("default = []", "golden.toml: default: Tuple should have at least 1 item"),
        ('[rules]\nshoes = ["recency"]', "golden.toml: rules: shoes is none of: accounts"),
        ("colour = 1", "golden.toml: colour: Extra inputs are not permitted"),
    ],
)
def test_a_wrong_file_is_refused_by_key_and_rule(directory: Path, text: str, fault: str) -> None:
    (directory / "golden.toml").write_text(text)
    with pytest.raises(DomainError) as caught:
        load(directory)
    assert str(caught.value.faults[0]).startswith(fault)
