"""Certificates while serving: read again when told to or when a file changes, and watched for their end."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from cryptography import x509
from twisted.internet.task import LoopingCall

from affinity.measures import Measure
from tls.files import TLS, certificates, revocation_lists
from tls.server import Certificates

log = structlog.get_logger()

LOOK_SECONDS = 10
"""How often the files are looked at."""
DAY = timedelta(days=1)
SOON = timedelta(days=30)
LISTS_SOON = timedelta(days=2)
"""Revocation lists live for days, and nobody is let in after their end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """When something that is in use ends."""

    file: Path
    subject: str
    at: datetime
    soon: timedelta = SOON


def ends(tls: TLS) -> Iterator[End]:
    """The ends of every certificate and revocation list of a node."""
    for file in (tls.certificate, tls.authorities):
        for each in certificates(file):
            yield End(file=file, subject=each.subject.rfc4514_string(), at=each.not_valid_after_utc)
    for file in tls.revocation_lists:
        for found in revocation_lists(file):
            yield from _next(file, found)


def _next(file: Path, found: x509.CertificateRevocationList) -> Iterator[End]:
    if found.next_update_utc is not None:
        issuer = f"revocation list of {found.issuer.rfc4514_string()}"
        yield End(file=file, subject=issuer, at=found.next_update_utc, soon=LISTS_SOON)


class CertificateWatch:
    """Looks at the files of a node every few seconds, and at what ends soon once a day and in the moment it ends."""

    def __init__(self, reactor: Any, certificates: Certificates, now: Callable[[], datetime]) -> None:
        self._certificates = certificates
        self._now = now
        self._due: datetime | None = None
        self._look = LoopingCall(self.look)
        self._look.clock = reactor

    def start(self) -> None:
        """Begin to look."""
        self._look.start(LOOK_SECONDS)

    def stop(self) -> None:
        """Look no more."""
        if self._look.running:
            self._look.stop()

    def look(self) -> None:
        """Read what has changed; once a day, and when something ends, warn."""
        if self._certificates.changed:
            self.reload()
        elif self._due is None or self._now() >= self._due:
            self._warn()

    def reload(self) -> None:
        """Read every file again; where one cannot be used, all stays as it was."""
        try:
            self._certificates.reload()
        except (OSError, ValueError) as error:
            log.error("certificates not reloaded", reason=str(error))
            return
        log.info("certificates reloaded")
        self._warn()

    def measure(self) -> Iterator[Measure]:
        """When what is in use ends, for ``/metrics``."""
        yield Measure(
            name="affinity_certificate_end_seconds",
            help="When a certificate or a revocation list that is in use ends, in Unix time",
            labels=("file", "subject"),
            values={(each.file.name, each.subject): each.at.timestamp() for each in ends(self._certificates.tls)},
        )

    def _warn(self) -> None:
        now, found = self._now(), tuple(ends(self._certificates.tls))
        self._due = min((now + DAY, *(each.at for each in found if each.at > now)))
        for each in found:
            told = {"file": str(each.file), "certificate": each.subject}
            if each.at <= now:
                log.error("certificate has ended", **told)
            elif each.at - now < each.soon:
                log.warning("certificate ends soon", **told, days=(each.at - now).days)
