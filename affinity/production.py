"""``affinity serve``: real certificates, assertions required, no development keys."""

from pathlib import Path

from affinity import logs
from affinity.catalogue import TRANSACTIONS
from affinity.domain import LoadedDomain, load
from affinity.doors import audiences, opens_plain_ports, trust_store
from affinity.issuers import trusted_files
from affinity.lifecycle import run
from affinity.node import open_node
from affinity.pki import development_certificates
from affinity.server import Doors, Server
from affinity.settings import Settings
from tls.files import TLS
from xua.authentication import XUAMode
from xua.verifier import Verifier


class NotForProduction(Exception):
    """The settings describe a node that must not hold real patients; the text says what to change."""


def run_production(settings: Settings) -> int:
    """Serve until SIGTERM. Raises NotForProduction, or DomainError, before anything is opened."""
    logs.configure(as_json=settings.log.format == "json", level=settings.log.level)
    loaded = load(settings.domain)
    tls = _certificates(settings, loaded)
    doors = Doors(
        tls=tls,
        calling=tls,
        mode=settings.xua.mode or XUAMode.REQUIRED,
        verifier=Verifier(trust_store(settings, loaded), audiences(settings, loaded)),
        plain=opens_plain_ports(settings, loaded),
    )
    _check(settings, doors)
    node = open_node(settings, loaded)

    async def stay(server: Server) -> None:
        return None

    return run(lambda reactor: Server(reactor, settings, node, doors, TRANSACTIONS), stay)


def _certificates(settings: Settings, loaded: LoadedDomain) -> TLS | None:
    files = settings.certificates
    if files.certificate is None and files.key is None and files.client_authorities is None:
        return None
    if files.certificate is None or files.key is None or files.client_authorities is None:
        raise NotForProduction("certificates: certificate, key and client_authorities belong together (ITI TF-2: 3.19)")
    _refuse_development(files.certificate, files.client_authorities)
    return TLS(
        certificate=files.certificate,
        key=files.key,
        authorities=files.client_authorities,
        revocation_lists=files.revocation_lists,
        pinned=loaded.partners.pinned,
    )


def _refuse_development(*files: Path) -> None:
    for file in development_certificates(files):
        raise NotForProduction(f"{file} holds a development certificate; `affinity up` is for those")


def _check(settings: Settings, doors: Doors) -> None:
    _refuse_development(*trusted_files(settings.xua))
    if doors.tls is None and not doors.plain:
        raise NotForProduction("no certificates are set and no plain port may be opened: nobody could connect")
    if doors.mode is XUAMode.REQUIRED and not trusted_files(settings.xua):
        raise NotForProduction(
            "assertions are required but no issuer is trusted: give --trust ISSUER=CERT.pem, or --xua off"
        )
