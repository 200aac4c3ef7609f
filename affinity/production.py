"""``affinity serve``: real certificates, assertions required, no development keys."""

from affinity import logs
from affinity.catalogue import TRANSACTIONS
from affinity.domain import load
from affinity.domain_model import LoadedDomain
from affinity.doors import audiences, issuers, opens_plain_ports
from affinity.issuers import trusted_files
from affinity.lifecycle import run
from affinity.node import open_node
from affinity.processors import chosen
from affinity.server import Doors, Server
from affinity.settings import Settings
from affinity.station import alone
from affinity.unfit import refuse_development, unfitness
from tls.files import TLS
from xua.authentication import XUAMode
from xua.verifier import Verifier


class NotForProduction(Exception):
    """The settings describe a node that must not hold real patients; the text says all that is to be changed."""

    def __init__(self, *reasons: str) -> None:
        super().__init__("; ".join(reasons))


def run_production(settings: Settings) -> int:
    """Serve until SIGTERM. Raises NotForProduction, or DomainError, before anything is opened."""
    logs.configure(as_json=settings.log.format == "json", level=settings.log.level)
    loaded, doors = checked(settings)
    node = open_node(settings, loaded)
    station = alone(settings, plain=doors.plain, secured=doors.tls is not None)
    return run(lambda reactor: Server(reactor, settings, node, doors, TRANSACTIONS, station), stay, chosen(settings))


async def stay(_server: Server) -> None:
    """Serve until told to stop."""


def checked(settings: Settings) -> tuple[LoadedDomain, Doors]:
    """The domain, and who is let in. Raises NotForProduction or DomainError."""
    loaded = load(settings.domain)
    tls = _certificates(settings, loaded)
    trusted = issuers(settings, loaded, check=refuse_development)
    doors = Doors(
        tls=tls,
        calling=tls,
        mode=settings.xua.mode or XUAMode.REQUIRED,
        verifier=Verifier(trusted.store, audiences(settings, loaded), profiles=loaded.token_profiles),
        issuers=trusted,
        plain=opens_plain_ports(settings, loaded),
    )
    _check(settings, loaded, doors)
    return loaded, doors


def _certificates(settings: Settings, loaded: LoadedDomain) -> TLS | None:
    files = settings.certificates
    if files.certificate is None and files.key is None and files.client_authorities is None:
        return None
    if files.certificate is None or files.key is None or files.client_authorities is None:
        raise NotForProduction("certificates: certificate, key and client_authorities belong together (ITI TF-2: 3.19)")
    return TLS(
        certificate=files.certificate,
        key=files.key,
        authorities=files.client_authorities,
        revocation_lists=files.revocation_lists,
        pinned=loaded.partners.pinned,
    )


def _check(settings: Settings, loaded: LoadedDomain, doors: Doors) -> None:
    reasons = list(unfitness(settings, loaded, plain=doors.plain))
    if doors.tls is None and not doors.plain:
        reasons.append("no certificates are set and no plain port may be opened: nobody could connect")
    if doors.mode is XUAMode.REQUIRED and not trusted_files(settings.xua):
        reasons.append("assertions are required but no issuer is trusted: give --trust ISSUER=CERT.pem, or --xua off")
    if reasons:
        raise NotForProduction(*reasons)
