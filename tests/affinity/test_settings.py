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


@pytest.mark.parametrize(
    "wrong",
    [
        {"limits": {"threads": 0}},
        {"limits": {"connections": 0}},
        {"limits": {"idle_seconds": -1}},
        {"limits": {"drain_seconds": -1}},
        {"limits": {"hl7_message": 0}},
        {"log": {"level": "verbose"}},
        {"log": {"format": "xml"}},
        {"listen": {"public_url": "record.example.org"}},
        {"xua": {"clock_skew_seconds": 86400}},
    ],
)
def test_what_would_let_nobody_in_or_cannot_be_meant_is_refused_by_name(wrong: dict[str, dict[str, object]]) -> None:
    [(section, named)] = wrong.items()
    with pytest.raises(ValidationError, match=f"{section}.{next(iter(named))}"):
        settings.load(None, wrong)


def test_a_level_may_be_in_capitals() -> None:
    assert settings.load(None, {"log": {"level": "WARNING"}}).log.level == "warning"


@pytest.mark.parametrize("content", [b"[limits", b'domain = "d\xe9mo"', b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "affinity.toml").write_bytes(content)
    with pytest.raises(settings.UnreadableSettings, match=r"affinity\.toml is not TOML in UTF-8"):
        settings.load(tmp_path / "affinity.toml", {})


def test_a_variable_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFFINITY__STEWARDS", "{anna")
    with pytest.raises(settings.UnreadableSettings, match='field "stewards"'):
        settings.load(None, {})
