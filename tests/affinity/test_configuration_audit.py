"""What changed since a node was looked at last is a record of its own, which names it and not what it holds."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from affinity.auditing import this_node
from affinity.configuration_audit import KEPT, ConfigurationAudit
from affinity.database import Database
from affinity.domain import SHIPPED
from affinity.settings import Settings, load
from atna.events import NETWORK_CONFIGURATION, SECURITY_CONFIGURATION, SOFTWARE_CONFIGURATION
from atna.model import AuditMessage
from atna.trail import AuditTrail

NOW = datetime(2026, 11, 26, tzinfo=UTC)


class Kept(AuditTrail):
    """A trail that a test can read."""

    messages: list[AuditMessage]

    def record(self, *messages: AuditMessage) -> None:
        """Keep it."""
        self.messages.extend(messages)


@pytest.fixture
def trail(database: Database) -> Kept:
    made = Kept(database=database, node=this_node("node"))
    object.__setattr__(made, "messages", [])
    return made


@pytest.fixture
def configured(tmp_path: Path) -> Callable[..., Settings]:
    shutil.copytree(SHIPPED / "demo", tmp_path / "domain")
    (tmp_path / "data").mkdir()

    def configure(**options: Any) -> Settings:
        return load(None, {"domain": str(tmp_path / "domain"), "data": tmp_path / "data", **options})

    return configure


def noted(settings: Settings, trail: Kept) -> list[tuple[str, str]]:
    """The kind of each record, and what it says."""
    trail.messages.clear()
    ConfigurationAudit(settings, trail, lambda: NOW).note_changes()
    return [(each.event.types[0].code, " ".join(_texts(each))) for each in trail.messages]


def _texts(message: AuditMessage) -> list[str]:
    return [detail.value.decode() for each in message.objects for detail in each.details] + [
        message.event.outcome_description or ""
    ]


def test_the_first_start_changes_nothing_and_the_next_neither(configured: Callable[..., Settings], trail: Kept) -> None:
    assert noted(configured(), trail) == []
    assert noted(configured(), trail) == []


def test_a_file_of_the_domain_that_is_another_is_named(configured: Callable[..., Settings], trail: Kept) -> None:
    settings = configured()
    noted(settings, trail)
    access = Path(settings.domain) / "access.toml"
    access.write_text(access.read_text().replace("without_record = false", "without_record = true"))
    ((kind, words),) = noted(settings, trail)
    assert kind == SECURITY_CONFIGURATION.code
    assert "access.toml" in words and "without_record" not in words
    assert noted(settings, trail) == []


def test_each_kind_of_change_is_a_record_of_its_own(configured: Callable[..., Settings], trail: Kept) -> None:
    noted(configured(), trail)
    kinds = {kind for kind, _ in noted(configured(listen={"host": "::1"}, matching={"mode": "off"}), trail)}
    assert kinds == {NETWORK_CONFIGURATION.code, SOFTWARE_CONFIGURATION.code}


def test_what_is_kept_holds_digests_for_its_owner_alone(configured: Callable[..., Settings], trail: Kept) -> None:
    settings = configured(database_url="postgresql+psycopg://affinity:secret@localhost/affinity")
    noted(settings, trail)
    kept = settings.data / KEPT
    assert "secret" not in kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0
