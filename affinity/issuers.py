"""The issuers of assertions that the settings trust, each with its certificates, revocation lists and token profile."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import structlog

from affinity.settings import DEFAULT_PROFILE, XUA, Issuer
from xua.keys import Certificate
from xua.profiles import SignerRule, TokenProfile
from xua.revocation import RevocationList
from xua.trust import TrustedIssuer, TrustStore, read_certificates, trusted_issuers

log = structlog.get_logger()


Read = Callable[[], Iterable[TrustedIssuer]]
"""Makes the issuers of what their files say now. ValueError or OSError says which cannot be trusted."""


Check = Callable[[tuple[Path, ...]], None]
"""Raises ValueError for a file that must not be used, whatever it holds."""


class Issuers:
    """The issuers that a node trusts, read again when their files change or when told to."""

    def __init__(self, files: tuple[Path, ...], read: Read, check: Check) -> None:
        """ValueError or OSError for an issuer that cannot be trusted. ``check`` is asked when files are read again."""
        self._files = files
        self._read = read
        self._check = check
        self._stamps = self._look()
        self.store = TrustStore(read())

    def reload_if_changed(self) -> None:
        """Read again if a file is another one than before."""
        if self._look() != self._stamps:
            self.reload()

    def reload(self) -> None:
        """Read every file again; where one cannot be used, everybody stays trusted as before."""
        self._stamps = self._look()
        try:
            self._check(self._files)
            self.store.trust_only(self._read())
        except (OSError, ValueError) as error:
            log.error("issuers not reloaded", reason=str(error))
            return
        log.info("issuers reloaded")

    def _look(self) -> tuple[tuple[int, int, int] | None, ...]:
        return tuple(map(_stamp, self._files))


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def configured_issuers(xua: XUA, profiles: Mapping[str, TokenProfile]) -> Iterator[TrustedIssuer]:
    """Every issuer of ``xua.trust`` and ``xua.issuers``. ValueError or OSError says what cannot be trusted."""
    pairs = (f"{issuer}={file}" for issuer, file in xua.trust.items())
    yield from trusted_issuers(pairs, timedelta(seconds=xua.clock_skew_seconds), profiles[DEFAULT_PROFILE])
    for entity_id, written in xua.issuers.items():
        if entity_id in xua.trust:
            raise ValueError(f"xua: {entity_id} stands in trust and in issuers")
        yield _issuer(entity_id, written, xua, profiles)


def trusted_files(xua: XUA) -> tuple[Path, ...]:
    """Every certificate file by which an issuer is trusted."""
    named = (file for each in xua.issuers.values() for file in (each.certificates, each.authorities))
    return (*xua.trust.values(), *(file for file in named if file is not None))


def _issuer(entity_id: str, written: Issuer, xua: XUA, profiles: Mapping[str, TokenProfile]) -> TrustedIssuer:
    profile = profiles.get(written.profile)
    if profile is None:
        raise ValueError(f"{entity_id}: there is no token profile {written.profile!r}, but {sorted(profiles)}")
    authorities = _certificates(written.authorities, entity_id)
    skew = xua.clock_skew_seconds if written.clock_skew_seconds is None else written.clock_skew_seconds
    certificates = _certificates(written.certificates, entity_id)
    # With certificates pinned, the authority only signs the lists that may take them back.
    lists_only = bool(certificates) and not (written.extended_key_usages or written.subject)
    return TrustedIssuer(
        entity_id=entity_id,
        certificates=certificates,
        authorities=() if lists_only else authorities,
        signer=SignerRule(
            extended_key_usages=frozenset(written.extended_key_usages), subject=frozenset(written.subject)
        ),
        crls=tuple(RevocationList(file, authorities, written.stale_crl) for file in written.crls),
        profile=profile,
        clock_skew=timedelta(seconds=skew),
        sha1_until=_end_of(written.sha1_until),
    )


def _end_of(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), UTC) + timedelta(days=1)


def _certificates(file: Path | None, entity_id: str) -> tuple[Certificate, ...]:
    return () if file is None else read_certificates(file, entity_id)
