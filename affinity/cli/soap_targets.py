"""From options to a SOAP endpoint: TLS as asked for, and the assertion that says who asks (ITI TF-2: 3.40)."""

import ssl
from pathlib import Path

from affinity.cli.options import Identity, Security
from affinity.cli.targets import LocalNode
from affinity.cli.verbs import wrong_use
from affinity.client.sts import Wanted, request_assertion
from affinity.domain import load as load_domain
from ihe.exchange import Spool
from soap.client import NoAnswer, SOAPClient, client_tls
from soap.xml import XMLRefused, parse
from xua.envelope import ASSERTION, security_header
from xua.people import DemoRole

STS_PATH = "/sts"
"""Where a development node issues assertions."""


def soap_client(url: str, security: Security, spool: Spool | None = None) -> SOAPClient:
    """A client of one endpoint: over TLS where the URL says https."""
    if not url.startswith(("http://", "https://")):
        raise wrong_use(f"{url!r} is no http or https URL")
    return SOAPClient(url=url, tls=client_context(security), timeout=security.timeout, spool=spool)


def header(identity: Identity, security: Security, node: LocalNode, url: str) -> bytes:
    """The security header with the assertion that was given or asked for; empty where there is none.

    At a node on this machine its development STS, if it has one, is asked without being named.
    """
    if identity.assertion is not None:
        return _from_file(identity.assertion)
    if identity.sts is not None:
        service = soap_client(identity.sts, security)
        return security_header(request_assertion(service, _wanted(identity, node)))
    local = "http" in node.ports and url.startswith(node.url("/"))
    return _from_local_sts(identity, security, node) if local else b""


def _from_file(file: Path) -> bytes:
    try:
        found = next(iter(parse(file.read_bytes()).iter(ASSERTION)), None)
    except XMLRefused as refused:
        raise wrong_use(f"{file} is no XML: {refused}") from refused
    if found is None:
        raise wrong_use(f"{file} holds no SAML 2.0 assertion")
    return security_header(found)


def _from_local_sts(identity: Identity, security: Security, node: LocalNode) -> bytes:
    try:
        client = soap_client(node.url(STS_PATH), security)
        return security_header(request_assertion(client, _wanted(identity, node)))
    except NoAnswer:
        return b""


def _wanted(identity: Identity, node: LocalNode) -> Wanted:
    return Wanted(role=demo_role(identity.role), audience=_audience(identity, node))


def demo_role(written: str) -> DemoRole:
    """The role that the development STS knows by that name."""
    try:
        return DemoRole(written)
    except ValueError:
        raise wrong_use(f"--role is one of {', '.join(DemoRole)}, not {written!r}") from None


def _audience(identity: Identity, node: LocalNode) -> str:
    return identity.audience or load_domain(node.domain).affinity_domain.home_community_id


def client_context(security: Security) -> ssl.SSLContext | None:
    """What to trust and to show; None where nothing is said."""
    if (security.cert is None) != (security.key is None):
        raise wrong_use("--cert and --key belong together")
    if security.tls_ca is None and security.cert is None:
        return None
    if security.tls_ca is None:
        raise wrong_use("--cert and --key are for servers whose authority you trust: name it with --tls-ca")
    try:
        return client_tls(security.tls_ca, security.cert, security.key)
    except ssl.SSLError as error:
        raise wrong_use(f"--tls-ca, --cert or --key is no usable PEM file: {error.reason}") from error
