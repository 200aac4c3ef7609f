"""``affinity doctor --connect``: one TLS handshake, looked at from all sides (ITI TF-2: 3.19)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise

from cryptography import x509

from affinity.cli.finding import Finding, failed, ok, skipped, warning
from affinity.cli.options import Security
from affinity.client.connecting import explain_connection
from affinity.partners import alternative_names
from tls.files import certificates
from tls.probe import Credentials, Probed, chain_faults, name_fault, probe


def handshake(host: str, port: int, security: Security) -> Iterator[Finding]:
    """Everything that is right or wrong between us and a server that speaks TLS."""
    shown = Credentials(authorities=security.tls_ca, certificate=security.cert, key=security.key)
    where = f"{host}:{port}"
    try:
        found = probe(host, port, shown, security.timeout)
    except OSError as error:
        yield failed(where, explain_connection(error), "look at address, port and firewall")
        return
    yield ok(where, "accepts connections")
    if found.chain:
        yield _chain(found)
        yield _trust(found, security)
        yield _name(found.chain[0], host)
    yield from _ours(found, security)
    yield _end(found, security)


def _chain(found: Probed) -> Finding:
    """What the server has sent, in its order."""
    names = " <- ".join(each.subject.rfc4514_string() for each in found.chain)
    issuer = found.chain[-1].issuer.rfc4514_string()
    for lower, upper in pairwise(found.chain):
        if lower.issuer != upper.subject:
            detail = f"{names}: {upper.subject.rfc4514_string()} has not issued the one before it"
            return failed("server's chain", detail, "the server must send its certificate first, then who issued each")
    return ok("server's chain", f"{names}, issued by {issuer}")


def _trust(found: Probed, security: Security) -> Finding:
    faults = chain_faults(found)
    if not faults:
        end = found.chain[0].not_valid_after_utc
        return ok("server's certificate", f"trusted, until {end:%Y-%m-%d}")
    believed = _names(security) if security.tls_ca else "the authorities of this system (--tls-ca names others)"
    return failed("server's certificate", "we refuse it: " + "; ".join(faults), f"we trust: {believed}")


def _names(security: Security) -> str:
    if security.tls_ca is None:
        return ""
    return ", ".join(each.subject.rfc4514_string() for each in certificates(security.tls_ca))


def _name(certificate: x509.Certificate, host: str) -> Finding:
    names = ", ".join(sorted(alternative_names(certificate))) or "no name at all"
    if not name_fault(certificate, host):
        return ok("server's name", f"{host} is one of: {names}")
    remedy = "call it by one of these names, or have it certified for this one (subjectAltName)"
    return failed("server's name", f"we called {host}; the certificate is for {names}", remedy)


def _ours(found: Probed, security: Security) -> Iterator[Finding]:
    """Our own certificate, beside what the server says it takes."""
    wanted = ", ".join(found.accepted)
    if security.cert is None:
        if wanted:
            yield warning("our certificate", f"we show none; the server takes those of {wanted}", "--cert and --key")
        else:
            yield skipped("our certificate", "we show none, and the server does not say whose it takes")
        return
    own, *chain = certificates(security.cert)
    issuers = [each.issuer.rfc4514_string() for each in (own, *chain)]
    now = datetime.now(UTC)
    if not own.not_valid_before_utc <= now <= own.not_valid_after_utc:
        dates = f"{own.not_valid_before_utc:%Y-%m-%d} to {own.not_valid_after_utc:%Y-%m-%d}"
        yield failed("our certificate", f"it is good from {dates}, now is {now:%Y-%m-%d}", "renew it, or set the clock")
    elif wanted and not set(issuers) & set(found.accepted):
        detail = f"issued by {issuers[0]}; the server says that it takes those of {wanted}"
        yield warning("our certificate", detail, "it may be pinned there; else get one of these, or send the chain")
    else:
        yield ok("our certificate", f"{own.subject.rfc4514_string()}, issued by {issuers[0]}")


def _end(found: Probed, security: Security) -> Finding:
    if not found.ended:
        return ok("handshake", f"{found.version}, {found.suite}")
    remedy = "its log says more (`tls handshake failed`)" if "the server" in found.ended else ""
    if "client certificate" in found.ended and security.cert is None:
        remedy = "show one with --cert and --key"
    return failed("handshake", found.ended, remedy)
