"""What ``affinity doctor`` says of the partners: quirks that end, certificates that nobody can show."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

from cryptography import x509

from affinity.certificates import LISTS_SOON
from affinity.cli.finding import Finding, failed, ok, skipped, warning
from affinity.partners import Agreement
from tls.files import revocation_lists

SOON = timedelta(days=30)


def partners(agreements: Iterable[Agreement], today: date) -> Iterator[Finding]:
    """The agreements of a domain."""
    known = tuple(agreements)
    if not known:
        yield skipped("partners", "the domain names none: every node that TLS lets in may send")
        return
    yield ok("partners", ", ".join(each.partner.name for each in known))
    for each in known:
        yield from _partner(each, today)


def _partner(agreement: Agreement, today: date) -> Iterator[Finding]:
    check = f"partner {agreement.partner.name}"
    if not (agreement.fingerprints or agreement.names):
        yield warning(check, "it has no certificate, so that over TLS nobody is it", "add a [[certificate]]")
    for quirk, until in agreement.partner.quirks.items():
        if until < today:
            yield failed(check, f"its quirk {quirk} has ended on {until}: it is refused", "mend it, or agree anew")
        elif until - today < SOON:
            yield warning(check, f"its quirk {quirk} ends on {until}", "is the partner ready?")


def lists(files: Iterable[Path], now: datetime) -> Iterator[Finding]:
    """The revocation lists, and whether they are still good."""
    for file in files:
        try:
            yield from (_list(file, each, now) for each in list(revocation_lists(file)))
        except (OSError, ValueError) as error:
            yield failed("revocation list", f"{file} cannot be read: {error}", "fetch it again")


def _list(file: Path, found: x509.CertificateRevocationList, now: datetime) -> Finding:
    end, shown = found.next_update_utc, f"{file} of {found.issuer.rfc4514_string()}"
    if end is None:
        return ok("revocation list", f"{shown}, without an end")
    if end <= now:
        return failed("revocation list", f"{shown} is out of date: its clients are refused", "fetch the new one")
    dated = f"{shown}, good until {end:%Y-%m-%d %H:%M}"
    return (
        warning("revocation list", dated, "fetch the next one")
        if end - now < LISTS_SOON
        else ok("revocation list", dated)
    )
