"""A header names a client only where an authenticated proxy with an agreement sends it; else it is a claim."""

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from structlog.testing import capture_logs
from twisted.web.http_headers import Headers

from affinity import authority
from affinity.authority import Authority
from affinity.partners import Agreement, Fingerprint, Partners, Proxy
from affinity.proxies import Proxies
from ihe.partners import Partner
from soap.context import Connection
from soap.faults import SOAPFault
from tests.tls.conftest import NOW, Stock, stock
from tls.server import Certificates

__all__ = ["stock"]


def der(stock: Stock, name: str) -> bytes:
    return stock.certificate(name).public_bytes(Encoding.DER)


def rfc9440(certificate: x509.Certificate) -> str:
    return f":{base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()}:"


def nginx(certificate: x509.Certificate) -> str:
    return quote(certificate.public_bytes(Encoding.PEM).decode(), safe="")


def proxies(stock: Stock, encoding: str = "rfc9440", header: str = "Client-Cert") -> Proxies:
    """The node whose certificate is ``client`` is a proxy, ``other/client`` is pinned as one, too."""
    agreements = (
        Agreement(
            partner=Partner(name="gate"),
            fingerprints=frozenset({Fingerprint(stock.fingerprint("client"))}),
            proxy=Proxy(header=header, encoding=encoding),
        ),
        Agreement(
            partner=Partner(name="other-gate"),
            fingerprints=frozenset({Fingerprint(stock.fingerprint("other/client"))}),
            proxy=Proxy(header=header, encoding=encoding),
        ),
    )
    partners = Partners(agreements)
    trusted = stock.tls("server", pinned=partners.pinned, revocation_lists=(stock.lists,))
    return Proxies(partners=partners, verify=Certificates(trusted).verify)


@pytest.fixture
def partner(stock: Stock) -> x509.Certificate:
    """The certificate of a client that stands behind the proxy."""
    Authority(stock.directory, NOW).issue("behind", authority.client("behind.example.org"))
    return stock.certificate("behind")


@pytest.mark.parametrize(
    ("encoding", "spell", "header"), [("rfc9440", rfc9440, "Client-Cert"), ("url-pem", nginx, "X-SSL-Client-Cert")]
)
def test_a_proxy_with_an_agreement_is_believed(
    stock: Stock, partner: x509.Certificate, encoding: str, spell: Callable[[x509.Certificate], str], header: str
) -> None:
    gate = Connection(peer="10.0.0.1", certificate=der(stock, "client"), secure=True)
    found = proxies(stock, encoding, header)(gate, Headers({header: [spell(partner)]}))
    assert found.certificate == partner.public_bytes(Encoding.DER)
    assert found.peer == "10.0.0.1"


@pytest.mark.parametrize("shown", [None, "expired"])
def test_from_anybody_else_a_header_identifies_nobody(
    stock: Stock, partner: x509.Certificate, shown: str | None
) -> None:
    connection = Connection(peer="10.0.0.1", certificate=der(stock, shown) if shown else None, secure=bool(shown))
    assert proxies(stock)(connection, Headers({"Client-Cert": [rfc9440(partner)]})) is connection


def test_another_header_than_the_one_agreed_is_not_read(stock: Stock, partner: x509.Certificate) -> None:
    gate = Connection(peer="10.0.0.1", certificate=der(stock, "client"), secure=True)
    headers = Headers({"X-SSL-Client-Cert": [nginx(partner)], "X-Forwarded-For": ["10.9.9.9"], "Client-Cert": [""]})
    assert proxies(stock)(gate, headers) is gate


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("expired", "it has expired"),
        ("not-yet", "it is not valid yet"),
        ("revoked", "it is revoked"),
        ("server", "it was issued for another purpose"),
        ("self-signed", "it is self-signed"),
        ("other/server", "another purpose"),
        ("other/client", "a proxy does not speak for another proxy"),
    ],
)
def test_a_forwarded_certificate_is_verified_as_if_it_had_been_shown_here(stock: Stock, name: str, reason: str) -> None:
    refused = refusal(stock, [rfc9440(stock.certificate(name))])
    assert refused.status == 403
    assert reason in refused.reason


@pytest.mark.parametrize("value", ["nonsense", ":%%%:", ":bm9uc2Vuc2U=:", "-----BEGIN CERTIFICATE-----"])
def test_what_is_no_certificate_is_refused(stock: Stock, value: str) -> None:
    assert "holds no certificate in the form rfc9440" in refusal(stock, [value]).reason


def test_a_header_that_stands_twice_is_refused(stock: Stock, partner: x509.Certificate) -> None:
    assert "more than once" in refusal(stock, [rfc9440(partner), rfc9440(partner)]).reason


def refusal(stock: Stock, values: list[str]) -> Any:
    gate = Connection(peer="10.0.0.1", certificate=der(stock, "client"), secure=True)
    with capture_logs() as logs, pytest.raises(SOAPFault) as caught:
        proxies(stock)(gate, Headers({"Client-Cert": values}))
    assert [each["event"] for each in logs] == ["forwarded certificate refused"]
    assert logs[0]["partner"] == "gate"
    return caught.value
