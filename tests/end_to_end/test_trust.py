"""Who is let in, on real ports: mutual TLS, assertions of a foreign issuer, the development STS, what serve refuses."""

import os
import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from time import monotonic
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from lxml.etree import _Element
from typer.testing import CliRunner

from affinity.catalogue import TRANSACTIONS
from affinity.cli import app
from affinity.client import hl7, xds
from affinity.client.hl7 import Route
from affinity.development import STS_ISSUER
from hl7v2.er7 import parse, serialize
from ihe.datatypes import CX, HD
from ihe.transactions import SOAPBinding
from mllp import client as mllp
from soap.client import ENVELOPE_END, FaultReceived, SOAPClient, client_tls, request_head
from soap.xml import parse as parse_xml
from tests.end_to_end.conftest import ROOT, RunningNode, Start
from tls.files import TLS
from xds.iti18 import ITI_18
from xds.stored_queries import FIND_DOCUMENTS
from xua.assertion import UserAssertion, write
from xua.envelope import security_header
from xua.keys import make_stranger
from xua.people import PEOPLE, DemoRole
from xua.signature import sign
from xua.sts import Defect, DevelopmentSTS, open_sts
from xua.trust13 import ISSUE_TOKEN

AUDIENCE = "https://records.example.lu/xds"
COMMUNITY = "urn:oid:2.25.42973684164496191773403410219424492732.1"
AUTHORITY = "^^^&1.3.6.1.4.1.21367.13.20.1000&ISO"
ISSUER = "https://idp.hospital.example"
WST = "http://docs.oasis-open.org/ws-sx/ws-trust/200512"
QUERY = xds.stored_query(
    FIND_DOCUMENTS.id,
    (
        ("$XDSDocumentEntryPatientId", ("'nobody^^^&1.3.6.1.4.1.21367.13.20.1000&ISO'",)),
        ("$XDSDocumentEntryStatus", ("('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')",)),
    ),
)


def query(client: SOAPClient, security: bytes = b"") -> _Element:
    (binding,) = ITI_18.bindings
    assert isinstance(binding, SOAPBinding)
    return client.call(binding, [QUERY], security=security).body


def registry(node: RunningNode) -> SOAPClient:
    return SOAPClient(url=node.url("/xds/registry"))


def secure_registry(node: RunningNode, tls: ssl.SSLContext) -> SOAPClient:
    return SOAPClient(url=f"https://localhost:{node.ports['https']}/xds/registry", tls=tls)


def answered(body: _Element) -> bool:
    """The registry itself answered: nobody has announced that patient."""
    return any(each.get("errorCode") == "XDSUnknownPatientId" for each in body.iter())


@pytest.fixture
def issuer(tmp_path: Path) -> tuple[DevelopmentSTS, Path]:
    """An identity provider that is not ours, and its certificate as it would be handed over."""
    key, certificate = make_stranger(datetime.now(UTC))
    file = tmp_path / "idp.pem"
    file.write_bytes(certificate.public_bytes(Encoding.PEM))
    return DevelopmentSTS(ISSUER, key, certificate), file


def test_a_foreign_issuer_is_trusted_when_it_is_named(start: Start, issuer: tuple[DevelopmentSTS, Path]) -> None:
    idp, certificate = issuer
    options = ("--xua", "required", "--audience", AUDIENCE, "--trust", f"{ISSUER}={certificate}")
    client = registry(start("--domain", "connectathon", *options))
    now = datetime.now(UTC)
    assert answered(query(client, security_header(idp.issue(DemoRole.NURSE, now, AUDIENCE))))
    refusals = {
        "no assertion": b"",
        "another audience": security_header(idp.issue(DemoRole.NURSE, now, "https://elsewhere.example")),
        "forged": security_header(idp.issue(DemoRole.NURSE, now, AUDIENCE, defect=Defect.FORGED)),
        "expired": security_header(idp.issue(DemoRole.NURSE, now, AUDIENCE, defect=Defect.EXPIRED)),
        "wrapped": security_header(idp.issue(DemoRole.NURSE, now, AUDIENCE, defect=Defect.WRAPPED)),
        "an issuer nobody named": security_header(
            DevelopmentSTS("https://other.example", idp.key, idp.certificate).issue(DemoRole.NURSE, now, AUDIENCE)
        ),
    }
    for name, security in refusals.items():
        with pytest.raises(FaultReceived) as caught:
            query(client, security)
        assert caught.value.code == "Sender", name
        assert caught.value.subcodes, name


def test_optional_lets_nobody_in_with_a_bad_assertion(connectathon: RunningNode) -> None:
    client = registry(connectathon)
    assert answered(query(client))
    key, certificate = make_stranger(datetime.now(UTC))
    stranger = DevelopmentSTS(ISSUER, key, certificate)
    with pytest.raises(FaultReceived, match="InvalidSecurityToken"):
        query(client, security_header(stranger.issue(DemoRole.NURSE, datetime.now(UTC), AUDIENCE)))


def test_the_development_sts_issues_what_the_registry_accepts(start: Start) -> None:
    node = start("--domain", "connectathon", "--xua", "required", "--audience", AUDIENCE)
    (binding,) = ISSUE_TOKEN.bindings
    assert isinstance(binding, SOAPBinding)
    request = (
        f'<wst:RequestSecurityToken xmlns:wst="{WST}"><wst:RequestType>{WST}/Issue</wst:RequestType>'
        '<wsp:AppliesTo xmlns:wsp="http://schemas.xmlsoap.org/ws/2004/09/policy">'
        '<wsa:EndpointReference xmlns:wsa="http://www.w3.org/2005/08/addressing">'
        f"<wsa:Address>{AUDIENCE}</wsa:Address></wsa:EndpointReference></wsp:AppliesTo></wst:RequestSecurityToken>"
    )
    answer = SOAPClient(url=node.url("/sts")).call(binding, [request.encode()]).body
    (assertion,) = answer.iter("{urn:oasis:names:tc:SAML:2.0:assertion}Assertion")
    assert answered(query(registry(node), security_header(assertion)))


@pytest.fixture
def idp(connectathon: RunningNode) -> DevelopmentSTS:
    """The issuer that the shared node trusts, in the hands of the test."""
    pki = connectathon.data / "pki"
    return open_sts(STS_ISSUER, (pki / "sts.key.pem").read_bytes(), (pki / "sts.crt.pem").read_bytes())


def test_an_assertion_about_one_patient_asks_for_no_other(connectathon: RunningNode, idp: DevelopmentSTS) -> None:
    client, now = registry(connectathon), datetime.now(UTC)

    def about(patient: str) -> bytes:
        return security_header(idp.issue(DemoRole.NURSE, now, COMMUNITY, resource_id=f"{patient}{AUTHORITY}"))

    assert answered(query(client, about("nobody")))
    with pytest.raises(FaultReceived) as caught:
        query(client, about("somebody"))
    assert caught.value.subcodes == ("FailedAuthentication",) and "patient" not in str(caught.value)
    reason = "another patient than the ITI-18 request"
    assert logged(connectathon, "assertion refused", reason)
    found = CliRunner().invoke(app, ["audit", "search", "--data", str(connectathon.data), "--json"])
    assert found.exit_code == 0 and reason in found.stdout, found.output


def test_no_header_of_a_proxy_identifies_anybody(connectathon: RunningNode, idp: DevelopmentSTS) -> None:
    """A holder-of-key assertion is good with the certificate on the TLS connection, not with its copy in headers."""
    pki = connectathon.data / "pki"
    holder = (pki / "client.crt.pem").read_text()
    security = security_header(held(idp, holder))
    ours = client_tls(pki / "ca.crt.pem", pki / "client.crt.pem", pki / "client.key.pem")
    (binding,) = ITI_18.bindings
    assert isinstance(binding, SOAPBinding)
    assert answered(secure_registry(connectathon, ours).call(binding, [QUERY], security=security).body)
    claims = {name: quote(holder) for name in ("X-SSL-Client-Cert", "X-Forwarded-Tls-Client-Cert", "X-Client-Cert")}
    claims |= {"X-SSL-Client-Verify": "SUCCESS", "X-Remote-User": "adele.ternoir", "Forwarded": "for=127.0.0.1"}
    url = connectathon.url("/xds/registry")
    envelope = b"".join((request_head(binding.action, "urn:uuid:1", url, security), QUERY, ENVELOPE_END))
    content = {"Content-Type": "application/soap+xml; charset=UTF-8"}
    with pytest.raises(HTTPError) as caught:
        urlopen(Request(url, envelope, {**content, **claims}))
    assert b"FailedAuthentication" in caught.value.read()
    assert logged(connectathon, "assertion refused", "the TLS client certificate is not that of the holder")


def held(idp: DevelopmentSTS, holder: str) -> _Element:
    """An assertion that only the holder of that certificate may show."""
    now = datetime.now(UTC)
    user = UserAssertion(
        id="_held",
        issuer=STS_ISSUER,
        issue_instant=now,
        not_before=now,
        not_on_or_after=now + timedelta(minutes=5),
        audience=COMMUNITY,
        person=PEOPLE[DemoRole.NURSE],
    )
    assertion = write(user)
    (confirmation,) = assertion.iter("{urn:oasis:names:tc:SAML:2.0:assertion}SubjectConfirmation")
    confirmation.set("Method", "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key")
    base64 = "".join(holder.strip().splitlines()[1:-1])
    key_info = '<KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>'
    confirmation[0].append(parse_xml(f"{key_info}{base64}</X509Certificate></X509Data></KeyInfo>".encode()))
    return sign(assertion, idp.key, idp.certificate)


def logged(node: RunningNode, event: str, reason: str) -> bool:
    """Claim that the node wrote that event for that reason; what it writes may take a moment to come."""
    deadline = monotonic() + 20
    while monotonic() < deadline:
        if any(event in line and reason in line for line in node.log):
            return True
        Event().wait(0.02)
    return False


def test_serve_has_no_token_service() -> None:
    """Serve plays the catalogue; only ``affinity up`` adds ``/sts`` to it."""
    assert ISSUE_TOKEN.id not in {each.id for each in TRANSACTIONS}


def test_https_wants_a_client_certificate_of_our_authority(connectathon: RunningNode) -> None:
    pki = connectathon.data / "pki"
    ours = client_tls(pki / "ca.crt.pem", pki / "client.crt.pem", pki / "client.key.pem")
    assert answered(query(secure_registry(connectathon, ours)))
    with pytest.raises(OSError):  # the handshake ends without a word of HTTP
        query(secure_registry(connectathon, client_tls(pki / "ca.crt.pem")))


def test_mllp_over_tls_wants_one_too(connectathon: RunningNode) -> None:
    pki = connectathon.data / "pki"
    tls = TLS(certificate=pki / "client.crt.pem", key=pki / "client.key.pem", authorities=pki / "ca.crt.pem")
    message = serialize(hl7.pix_query(Route(), CX("nobody", HD("IHERED", "1.3.6.1.4.1.21367.13.20.1000", "ISO"))))
    address = mllp.Address(host="localhost", port=connectathon.ports["mllps"], tls=tls)
    assert parse(mllp.send(address, message))["MSA"].text(1) == "AE"
    with pytest.raises(mllp.MLLPError):
        mllp.send(mllp.Address(host="localhost", port=connectathon.ports["mllps"]), message)


def test_serve_refuses_development_certificates(connectathon: RunningNode, tmp_path: Path) -> None:
    pki = connectathon.data / "pki"
    environment = {
        "AFFINITY__CERTIFICATES__CERTIFICATE": str(pki / "server.crt.pem"),
        "AFFINITY__CERTIFICATES__KEY": str(pki / "server.key.pem"),
        "AFFINITY__CERTIFICATES__CLIENT_AUTHORITIES": str(pki / "ca.crt.pem"),
    }
    done = serve(tmp_path, environment, "--xua", "off")
    assert done.returncode != 0
    assert "development certificate" in done.stderr


def test_serve_refuses_to_require_assertions_of_nobody(tmp_path: Path) -> None:
    done = serve(tmp_path, {})
    assert done.returncode != 0
    assert "--trust ISSUER=CERT.pem" in done.stderr


def serve(tmp_path: Path, environment: dict[str, str], *options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "affinity", "serve", "--data", str(tmp_path / "served"), *options],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
