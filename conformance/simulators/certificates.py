"""What a simulator shows: a good certificate, one that is over, one of an authority that nobody trusts."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from affinity.authority import LOOPBACK, Authority, Wanted, client, server
from tls.files import TLS

CLIENT = "Client under test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """Files for the doors; ``client`` is what a client may show that has no certificate of its own."""

    valid: TLS
    expired: TLS
    stranger: TLS
    client: TLS


def development_certificates(folder: Path, names: Iterable[str] = LOOPBACK, given: TLS | None = None) -> Certificates:
    """Make, or find, the certificates of a folder. ``given`` takes the place of the good one and says whom to trust."""
    now = datetime.now(UTC)
    hosts = tuple(dict.fromkeys((*names, *LOOPBACK)))
    ours = Authority(folder, now, "Affinity simulator CA")
    other = Authority(folder / "stranger", now, "Affinity unknown CA")
    good, over = ours.issue("server", server(hosts)), ours.issue("expired", _over(hosts))
    unknown, partner = other.issue("server", server(hosts)), ours.issue("client", client(CLIENT))
    valid = given or TLS(certificate=good.certificate, key=good.key, authorities=ours.credential.certificate)
    return Certificates(
        valid=valid,
        expired=replace(valid, certificate=over.certificate, key=over.key),
        stranger=replace(valid, certificate=unknown.certificate, key=unknown.key),
        client=replace(valid, certificate=partner.certificate, key=partner.key),
    )


def _over(hosts: tuple[str, ...]) -> Wanted:
    return replace(server(hosts), lifetime=timedelta(days=-1))
