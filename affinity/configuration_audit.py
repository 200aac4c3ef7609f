"""Changes of how a node is set up, told by comparison with what it was set up with before (ITI TF-2: 3.20.4.1.1).

Files are edited by other programs, so nobody tells the node: what it reads is compared with digests that it kept. The
record names what changed, never what it holds.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import structlog
from twisted.python.failure import Failure

from affinity.console import operator
from affinity.domain import locate
from affinity.settings import Settings
from atna.events import NETWORK_CONFIGURATION, SECURITY_CONFIGURATION, SOFTWARE_CONFIGURATION, configuration_changed
from atna.trail import AuditTrail
from ihe.datatypes import Code
from ihe.durable import write_whole

log = structlog.get_logger()

KEPT = "configuration.json"
"""File of the data directory: the digest of each part of the configuration, by name."""
KINDS: Mapping[str, Code] = {
    **dict.fromkeys(("settings listen", "settings limits", "settings audit"), NETWORK_CONFIGURATION),
    **dict.fromkeys(
        ("settings xua", "settings certificates", "settings stewards", "settings validation", "file"),
        SECURITY_CONFIGURATION,
    ),
    **dict.fromkeys(
        ("access.toml", "record.toml", "domain.toml", "partners", "token-profiles", "repositories.toml"),
        SECURITY_CONFIGURATION,
    ),
}
"""What a part is, by its name or by how it begins; every other one is configuration of the software."""


class ConfigurationAudit:
    """Records that something is not as it was when this was asked last."""

    def __init__(self, settings: Settings, trail: AuditTrail, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._trail = trail
        self._clock = clock
        self._file = settings.data / KEPT

    def note_changes(self) -> int:
        """Record what changed, one record of each kind; how many parts changed. At the first start nothing did."""
        now, before = dict(_parts(self._settings)), self._before()
        known = now if before is None else before
        changed = sorted(name for name in {*now, *known} if known.get(name) != now.get(name))
        for kind in dict.fromkeys(map(_kind, changed)):
            names = ", ".join(each for each in changed if _kind(each) == kind)
            what = f"changed since it was looked at last: {names}"
            self._trail.record(configuration_changed(self._trail.node, self._clock(), kind, operator(), what))
        if changed or before is None:
            self._keep(now)
        return len(changed)

    def _before(self) -> dict[str, str] | None:
        try:
            known: dict[str, str] = json.loads(self._file.read_text())
        except (FileNotFoundError, ValueError):
            return None
        return known

    def _keep(self, parts: Mapping[str, str]) -> None:
        write_whole(self._file, f"{json.dumps(parts, indent=1, sort_keys=True)}\n".encode())


def tell_changes(changed: int) -> None:
    """Say how many parts are others now."""
    if changed:
        log.info("configuration changed", what=changed)


def complain_of_changes(failure: Failure) -> None:
    """What was not recorded is found again at the next look."""
    log.error("configuration not compared", error=failure.type.__name__)


def _parts(settings: Settings) -> Iterator[tuple[str, str]]:
    """Each section of the settings, each file of the domain, each file of certificates, with its digest."""
    for name, value in settings.model_dump(mode="json", fallback=str).items():
        yield f"settings {name}", _digest(json.dumps(value, sort_keys=True).encode())
    domain = locate(settings.domain)
    for file in sorted(each for each in domain.rglob("*") if each.is_file()):
        yield str(file.relative_to(domain)), _digest(file.read_bytes())
    for file in sorted(filter(Path.is_file, _trusted(settings))):
        yield f"file {file}", _digest(file.read_bytes())


def _trusted(settings: Settings) -> set[Path]:
    """The files of certificates and of the key; not revocation lists, which are others every day."""
    files = {*settings.certificates.model_dump().values(), *settings.xua.trust.values()}
    files |= {file for each in settings.xua.issuers.values() for file in (each.certificates, each.authorities)}
    return {each for each in files if isinstance(each, Path)}


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def _kind(name: str) -> Code:
    return next((kind for start, kind in KINDS.items() if name.startswith(start)), SOFTWARE_CONFIGURATION)
