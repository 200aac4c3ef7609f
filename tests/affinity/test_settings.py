"""Settings: what stands above what, and what is refused."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from affinity import settings
from affinity.domain import load
from affinity.node import open_node
from ihe.transactions import Actor
from pix.found import Limits


@pytest.fixture
def file(tmp_path: Path) -> Path:
    written = tmp_path / "affinity.toml"
    written.write_text('domain = "connectathon"\n[listen]\nhttp_port = 9080\nmllp_port = "off"\n')
    return written


def test_environment_stands_above_the_file_and_options_above_both(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFFINITY__LISTEN__HTTP_PORT", "9081")
    monkeypatch.setenv("AFFINITY__LISTEN__HTTPS_PORT", "9444")
    listen = settings.load(file, {"listen": {"https_port": 9445}}).listen
    assert (listen.http_port, listen.https_port) == (9081, 9445)


def test_off_closes_a_listener(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFFINITY__LISTEN__HTTPS_PORT", "off")
    listen = settings.load(file, {}).listen
    assert (listen.mllp_port, listen.https_port, listen.http_port) == (None, None, 9080)


@pytest.mark.parametrize("port", ["-1", "65536", "none"])
def test_what_is_no_port_is_refused(port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFFINITY__LISTEN__HTTP_PORT", port)
    with pytest.raises(ValidationError, match="http_port"):
        settings.load(None, {})


def test_the_data_directory_is_named_after_the_domain(file: Path) -> None:
    assert settings.load(file, {}).data == Path("var/connectathon")


def test_a_search_may_take_as_long_and_find_as_many_as_the_settings_say(tmp_path: Path) -> None:
    searching = {"seconds": 2, "listed": 800}
    configured = settings.load(None, {"domain": "connectathon", "data": tmp_path, "searching": searching})
    node = open_node(configured, load("connectathon"))
    assert node.ports[Actor.PATIENT_DEMOGRAPHICS_SUPPLIER].search_limits == Limits(2, 800)
    node.close()
