"""Of which domain a node's data is, for verbs that ask no server."""

from pathlib import Path

import pytest

from affinity.cli.places import Place


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory that was last used with a domain of its own."""
    (tmp_path / "domain.txt").write_text("/srv/my-domain\n")
    return tmp_path


def test_the_domain_is_the_one_that_the_data_was_last_used_with(data: Path) -> None:
    assert Place(data=data).settings().domain == "/srv/my-domain"


def test_a_domain_that_is_named_counts_before_the_last_one(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = data / "affinity.toml"
    file.write_text('domain = "/etc/affinity/domain"\n')
    assert Place(data=data, config=file).settings().domain == "/etc/affinity/domain"
    assert Place(data=data, domain="demo").settings().domain == "demo"
    monkeypatch.setenv("AFFINITY__DOMAIN", "connectathon")
    assert Place(data=data).settings().domain == "connectathon"
