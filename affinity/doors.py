"""What settings and domain say together about who is let in."""

import ipaddress
from pathlib import Path

from affinity.domain_model import LoadedDomain
from affinity.issuers import Check, Issuers, configured_issuers, trusted_files
from affinity.settings import Settings
from xua.authentication import XUAMode
from xua.trust import TrustedIssuer


def xua_mode(settings: Settings, loaded: LoadedDomain) -> XUAMode:
    """The configured mode, else the domain's."""
    return settings.xua.mode or loaded.policy.xua


def audiences(settings: Settings, loaded: LoadedDomain) -> tuple[str, ...]:
    """The configured audiences, else the domain's home community id (ITI TF-2: 3.40.4.1.2)."""
    return settings.xua.audience or (loaded.affinity_domain.home_community_id,)


def anything(files: tuple[Path, ...]) -> None:
    """Every certificate will do."""


def issuers(settings: Settings, loaded: LoadedDomain, *own: TrustedIssuer, check: Check = anything) -> Issuers:
    """The issuers of the settings and ``own``. ValueError or OSError names a certificate that cannot be trusted."""

    def read() -> tuple[TrustedIssuer, ...]:
        return (*own, *configured_issuers(settings.xua, loaded.token_profiles))

    return Issuers(trusted_files(settings.xua), read, check)


def opens_plain_ports(settings: Settings, loaded: LoadedDomain) -> bool:
    """Claim that the ports without TLS may be opened: asked for, or on loopback in a domain that allows it."""
    if settings.listen.plain is not None:
        return settings.listen.plain
    return loaded.policy.plain_loopback and is_loopback(settings.listen.host)


def is_loopback(host: str) -> bool:
    """Claim that nobody but this machine reaches ``host``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
