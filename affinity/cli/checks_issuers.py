"""What ``affinity doctor`` says of the issuers of assertions: dates, revocation lists, SHA-1, wrong settings."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from affinity.cli.checks_partners import lists
from affinity.cli.finding import Finding, failed, ok, warning
from affinity.domain_model import LoadedDomain
from affinity.issuers import configured_issuers
from affinity.settings import XUA, Issuer

SOON = timedelta(days=30)
Dates = Callable[[str, Path], Finding]
"""Looks at the dates of the certificates of a file."""


def issuers(xua: XUA, loaded: LoadedDomain, dates: Dates) -> Iterator[Finding]:
    """Every issuer that the settings trust."""
    for entity_id, file in xua.trust.items():
        yield dates(f"issuer {entity_id}", file)
    for entity_id, written in xua.issuers.items():
        yield from _issuer(f"issuer {entity_id}", written, dates)
        alone = xua.model_copy(update={"trust": {}, "issuers": {entity_id: written}})
        try:
            tuple(configured_issuers(alone, loaded.token_profiles))
        except (OSError, ValueError) as error:
            yield failed(f"issuer {entity_id}", str(error), "mend its table in xua.issuers, or the file that is named")


def _issuer(check: str, written: Issuer, dates: Dates) -> Iterator[Finding]:
    for file in (written.certificates, written.authorities):
        if file is not None:
            yield dates(check, file)
    yield from lists(written.crls, datetime.now(UTC))
    today = datetime.now(UTC).date()
    if written.sha1_until is None:
        return
    if written.sha1_until < today:
        yield ok(check, f"SHA-1 is refused since {written.sha1_until}")
    elif written.sha1_until - today < SOON:
        yield warning(check, f"SHA-1 is refused after {written.sha1_until}", "does it sign with SHA-2 by now?")
