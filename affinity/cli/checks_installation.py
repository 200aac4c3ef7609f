"""What ``affinity doctor`` looks at on this machine: domain, directories, database, keys, certificates."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from affinity.cli.checks_audit import audit_repositories
from affinity.cli.checks_database import database
from affinity.cli.checks_issuers import issuers
from affinity.cli.checks_partners import lists, partners
from affinity.cli.finding import Finding, failed, ok, skipped, warning
from affinity.domain import DomainError, load
from affinity.matching_files import MatchingFiles
from affinity.seal_files import KEY, ROOT
from affinity.settings import Settings
from atna.signing import UnusableKey, kept_key
from pix.matching.mode import Mode
from xds.encryption import HEADER, key_id
from xds.key_file import load_keys

SCARCE = 2**30
"""Bytes of free space below which documents will soon find no place."""
SOON = timedelta(days=30)


def installation(settings: Settings) -> Iterator[Finding]:
    """Every check that needs no running server."""
    yield from _domain(settings)
    yield _directory("data directory", settings.data)
    yield _directory("document store", settings.data / "documents" / "spool")
    yield _document_key(settings)
    yield _seal_key(settings)
    yield from database(settings)
    yield from _certificates(settings)
    yield from audit_repositories(settings)


def _domain(settings: Settings) -> Iterator[Finding]:
    try:
        loaded = load(settings.domain)
    except DomainError as error:
        yield failed("domain", "; ".join(map(str, error.faults)), "mend the files that are named")
        return
    domain = loaded.affinity_domain
    lists, authorities = len(domain.codes), len(domain.assigning_authorities)
    yield ok("domain", f"{domain.name}: {authorities} assigning authorities, {lists} code lists")
    yield _matching(settings.matching.mode, loaded.matching)
    yield from partners(loaded.agreements, datetime.now(UTC).date())
    yield from issuers(settings.xua, loaded, _dates)


def _matching(mode: Mode, files: MatchingFiles) -> Finding:
    trial = f", {files.shadow.version} on trial beside them" if files.shadow else ""
    if mode is Mode.OFF:
        return warning("matching", "off: no records are linked by likeness", 'set matching.mode = "on"')
    return ok("matching", f"with the weights of {files.active.version}{trial}")


def _directory(check: str, directory: Path) -> Finding:
    if not directory.is_dir():
        return skipped(check, f"{directory} is not there yet: the first start makes it")
    try:
        with tempfile.TemporaryFile(dir=directory):
            free = shutil.disk_usage(directory).free
    except OSError as error:
        return failed(check, f"{directory}: {error.strerror}", f"let user {os.geteuid()} write there, or choose --data")
    if free < SCARCE:
        return warning(check, f"{directory}: {free // 2**20} MiB are free", "make room before documents are refused")
    return ok(check, f"{directory}: writable, {free / 2**30:.0f} GiB free")


def _document_key(settings: Settings) -> Finding:
    check, file = "document key", settings.master_key or settings.data / "documents.key"
    if not settings.encrypt_documents:
        return warning(check, "documents are stored without encryption", "set encrypt_documents = true")
    if not file.is_file():
        made = settings.master_key is None and not (settings.data / "documents").is_dir()
        if made:
            return skipped(check, f"{file} is not there yet: the first start makes it")
        return failed(
            check, f"{file} is missing", "bring it back from a backup: stored documents cannot be read without"
        )
    if file.stat().st_mode & 0o077:
        return warning(check, f"{file} can be read by others", f"chmod 600 {file}")
    return _opening(check, file, settings.data / "documents" / "content")


def _opening(check: str, file: Path, content: Path) -> Finding:
    """Whether the keys are keys, and open a document that is sealed."""
    try:
        ids = load_keys(file).ids()
    except OSError as error:
        return failed(check, f"{file}: {error.strerror}", f"let user {os.geteuid()} read it")
    except ValueError as error:
        return failed(check, f"{file} holds no usable keys: {error}", "bring it back from a backup")
    sealed = next(content.glob("*/*/*.sealed"), None)
    if sealed is not None and key_id(sealed.read_bytes()[:HEADER]) not in ids:
        return failed(check, f"{sealed.name} is not sealed with the keys of {file}", "bring back the file with its key")
    return ok(check, str(file))


def _seal_key(settings: Settings) -> Finding:
    """Without it the next start is refused, once anything is sealed."""
    check, file = "seal key", settings.data / KEY
    if not file.is_file():
        if not (settings.data / ROOT).is_file():
            return skipped(check, f"{file} is not there yet: the first start makes it")
        return failed(check, f"{file} is missing", "bring it back from a backup: the audit trail is sealed with it")
    try:
        kept_key(file)
    except OSError as error:
        return failed(check, f"{file}: {error.strerror}", f"let user {os.geteuid()} read it")
    except UnusableKey as error:
        return failed(check, str(error), "bring it back from a backup")
    return ok(check, str(file))


def _certificates(settings: Settings) -> Iterator[Finding]:
    """Dates of every certificate that the server shows or trusts, and whether its own one has its key."""
    own = settings.certificates
    yield from lists(own.revocation_lists, datetime.now(UTC))
    if own.certificate and own.client_authorities:
        yield _dates("client authorities", own.client_authorities)
        yield _pair("server certificate", own.certificate, own.key)
        return
    pki = settings.data / "pki"
    if not pki.is_dir():
        yield skipped("certificates", "none are configured, and no development ones are made yet")
        return
    yield _dates("development CA", pki / "ca.crt.pem")
    for stem in ("server", "client", "sts"):
        yield _pair(f"development {stem}", pki / f"{stem}.crt.pem", pki / f"{stem}.key.pem")


def _pair(check: str, certificate: Path, key: Path | None) -> Finding:
    found = _dates(check, certificate)
    if found.state != "ok" or key is None:
        return found
    try:
        public = load_pem_private_key(key.read_bytes(), password=None).public_key()
    except (OSError, ValueError, TypeError) as error:
        return failed(check, f"{key} cannot be used: {error}", "give the PEM private key, without a password")
    if public != x509.load_pem_x509_certificates(certificate.read_bytes())[0].public_key():
        return failed(check, f"{key} is the key of another certificate", f"give the key that belongs to {certificate}")
    return found


def _dates(check: str, file: Path) -> Finding:
    try:
        certificates = x509.load_pem_x509_certificates(file.read_bytes())
    except OSError as error:
        return failed(check, f"{file}: {error.strerror}", "name a file that is there")
    except ValueError:
        return failed(
            check, f"{file} holds no PEM certificate", "convert it: openssl x509 -inform der -in ... -out ..."
        )
    now, first = datetime.now(UTC), min(certificates, key=lambda each: each.not_valid_after_utc)
    end = first.not_valid_after_utc
    shown = f"{first.subject.rfc4514_string()}, until {end:%Y-%m-%d}"
    if end <= now:
        return failed(check, f"expired: {shown}", f"put a new certificate into {file}")
    if any(each.not_valid_before_utc > now for each in certificates):
        return failed(check, f"not valid yet: {shown}", "compare this machine's clock with the certificate")
    return warning(check, shown, "renew it soon") if end - now < SOON else ok(check, shown)
