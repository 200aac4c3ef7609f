"""Partners on real ports: the certificate says who sends, and nobody speaks under the id of another."""

import base64
import http.client
import shutil
import signal
import socket
import sqlite3
import ssl
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from typer.testing import CliRunner

from affinity import authority
from affinity.authority import Authority
from affinity.cli import app
from affinity.cli.verbs import ExitCode
from affinity.client import v3, xds
from affinity.client.patients import Sought
from affinity.domain import SHIPPED, load
from affinity.pki import development_pki
from atna.compact import unpack
from hl7v2.er7 import parse
from hl7v2.message import Message
from ihe.transactions import SOAPBinding
from mllp import client as mllp
from pix.iti47 import ITI_47
from soap.client import SOAPClient, client_tls
from tests.end_to_end.conftest import RunningNode, start_node
from tls.files import TLS
from xds.iti43 import ITI_43

ROOT_OID = load("demo").affinity_domain.home_community_id.removeprefix("urn:oid:").removesuffix(".1")
LABORATORY, HOSPITAL = f"{ROOT_OID}.4.21", f"{ROOT_OID}.4.11"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """The demo domain: two partners with certificates of the development authority, anybody else admitted."""
    running = start_node(tmp_path_factory.mktemp("partners"), "--xua", "off")
    yield running
    running.kill()


def credentials(node: RunningNode, partner: str) -> TLS:
    pki = node.data / "pki"
    stem = "client" if partner == "development" else f"partner-{partner}"
    return TLS(certificate=pki / f"{stem}.crt.pem", key=pki / f"{stem}.key.pem", authorities=pki / "ca.crt.pem")


def feed(node: RunningNode, sender: str, partner: str | None, trigger: str = "ADT^A28") -> Message:
    """Send a message as somebody; None: without TLS."""
    facility = sender.partition("|")[2]
    head = f"MSH|^~\\&|{sender}|AFFINITY|AFFINITY|20261126||{trigger}|1|P|2.5"
    message = f"{head}\rEVN||20261126\rPID|||7^^^{facility}||Weber^Tun||19700101|M\rPV1||N\r".encode()
    address = mllp.Address(host="127.0.0.1", port=node.ports["mllp" if partner is None else "mllps"])
    tls = credentials(node, partner) if partner else None
    return parse(mllp.send(replace(address, tls=tls, server_name="localhost"), message))


def find(node: RunningNode, device: str, partner: str) -> str:
    """Ask for patients over HTTPS; returns the code of the acknowledgement."""
    tls = credentials(node, partner)
    context = client_tls(tls.authorities, tls.certificate, tls.key)
    client = SOAPClient(url=f"https://localhost:{node.ports['https']}/pdq", tls=context)
    body = v3.demographics_query(Sought(family="Weber"), v3.Devices(sender=device, receiver=f"{ROOT_OID}.1"))
    (binding,) = (each for each in ITI_47.bindings if isinstance(each, SOAPBinding) and "201305" in each.request)
    answer = client.call(binding, [body]).body
    return next(each.get("code", "") for each in answer.iter("{urn:hl7-org:v3}typeCode"))


def test_a_partner_is_served_under_its_own_id(node: RunningNode) -> None:
    assert feed(node, "GLIMS|LAB-MOSELLE", "lab-moselle")["MSA"].text(1) == "AA"
    assert find(node, LABORATORY, "lab-moselle") == "AA"


def test_a_partner_is_refused_under_the_id_of_another(node: RunningNode) -> None:
    answer = feed(node, "HIS|HOP-PETRUSSE", "lab-moselle")
    assert answer["MSA"].text(1) == "AE"
    assert answer["ERR"].raw(2) == "MSH^1^3"
    assert "not one of those agreed with partner lab-moselle" in answer["ERR"].text(7)
    assert "3.19.6.1.3" in answer["ERR"].text(7)
    assert find(node, HOSPITAL, "lab-moselle") == "AE"


def test_a_transaction_that_is_not_agreed_is_refused(node: RunningNode) -> None:
    answer = feed(node, "GLIMS|LAB-MOSELLE", "lab-moselle", "ADT^A05")
    assert (answer["MSA"].text(1), answer["ERR"].text(3, 1)) == ("AR", "201")
    assert "does not provide for ITI-31" in answer["ERR"].text(7)


def test_without_tls_a_demonstration_knows_partners_by_their_ids(node: RunningNode) -> None:
    answer = feed(node, "GLIMS|LAB-MOSELLE", None, "ADT^A05")
    assert "agreement with partner lab-moselle does not provide" in answer["ERR"].text(7)


def test_the_development_client_speaks_as_anybody(node: RunningNode) -> None:
    assert feed(node, "HIS|HOP-ALZETTE", "development")["MSA"].text(1) == "AA"


def test_what_was_refused_is_counted(node: RunningNode) -> None:
    with urllib.request.urlopen(node.url("/metrics")) as answer:
        text = answer.read().decode()
    assert 'affinity_not_admitted_total{partner="lab-moselle",reason="source of another"}' in text


LIS = """
transactions = ["ITI-8", "ITI-30", "ITI-18"]
[[certificate]]
subject = "CN=lis,O=Affinity development"
authority = "CN=Affinity development CA,O=Affinity development"
[sources]
hl7v2 = ["LIS|LAB"]
[limits]
requests_per_second = 0.01
burst = 2
"""
READER = """
transactions = ["ITI-43"]
[[certificate]]
subject = "CN=reader,O=Affinity development"
authority = "CN=Affinity development CA,O=Affinity development"
[[quirk]]
name = "oid-prefix"
until = 2099-12-31
reason = "a test"
"""
GATE = """
transactions = []
[[certificate]]
subject = "CN=gate,O=Affinity development"
authority = "CN=Affinity development CA,O=Affinity development"
[proxy]
"""
WATCH = """
transactions = []
monitoring = true
[[certificate]]
subject = "CN=watch,O=Affinity development"
authority = "CN=Affinity development CA,O=Affinity development"
"""


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """A domain with a slow partner and a proxy; who is no partner is refused, and so is who shows no certificate."""
    domain = shutil.copytree(SHIPPED / "connectathon", tmp_path_factory.mktemp("domain") / "strict")
    (domain / "partners").mkdir()
    (domain / "partners" / "lis.toml").write_text(LIS)
    (domain / "partners" / "gate.toml").write_text(GATE)
    (domain / "partners" / "reader.toml").write_text(READER)
    (domain / "partners" / "watch.toml").write_text(WATCH)
    running = start_node(tmp_path_factory.mktemp("strict"), "--domain", str(domain), "--xua", "off")
    yield running
    running.kill()


def context(node: RunningNode, partner: str) -> ssl.SSLContext:
    tls = credentials(node, partner)
    return client_tls(tls.authorities, tls.certificate, tls.key)


def post(node: RunningNode, partner: str, **headers: str) -> tuple[int, str, str | None]:
    """Ask the registry something that nobody understands; who asks is looked at first."""
    body = (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing">'
        '<s:Header><a:Action s:mustUnderstand="1">urn:ihe:iti:2007:RegistryStoredQuery</a:Action></s:Header><s:Body>'
        '<q:AdhocQueryRequest xmlns:q="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"/></s:Body></s:Envelope>'
    )
    port = node.ports["https"]
    connection = http.client.HTTPSConnection("localhost", port, timeout=30, context=context(node, partner))
    connection.request("POST", "/xds/registry", body, {"Content-Type": "application/soap+xml", **headers})
    answer = connection.getresponse()
    return answer.status, answer.read().decode(), answer.getheader("Retry-After")


def test_who_is_no_partner_is_refused_on_both_wires(strict: RunningNode) -> None:
    answer = feed(strict, "LIS|LAB", "development")
    assert (answer["MSA"].text(1), answer["ERR"].text(3, 1)) == ("AE", "103")
    assert "No partner of this domain has the certificate" in answer["ERR"].text(7)
    status, text, _ = post(strict, "development")
    assert status == 403
    assert "No partner of this domain has the certificate" in text and "3.19.6.1.3" in text


def test_without_tls_nobody_is_a_partner(strict: RunningNode) -> None:
    answer = feed(strict, "LIS|LAB", None)
    assert answer["MSA"].text(1) == "AE"
    assert "use the port with TLS" in answer["ERR"].text(7)


def test_a_header_from_a_proxy_names_its_client_and_from_others_nobody(strict: RunningNode) -> None:
    client = x509.load_pem_x509_certificate(credentials(strict, "lis").certificate.read_bytes())
    forwarded = f":{base64.b64encode(client.public_bytes(Encoding.DER)).decode()}:"
    status, text, _ = post(strict, "gate")
    assert status == 403 and "agreement with partner gate does not provide for ITI-18" in text
    status, text, _ = post(strict, "development", **{"Client-Cert": forwarded})
    assert status == 403 and "No partner of this domain" in text
    assert post(strict, "gate", **{"Client-Cert": forwarded})[0] == 200
    assert "more than once" not in text


def test_a_quirk_is_taken_from_the_partner_that_has_it_and_counted(strict: RunningNode) -> None:
    """A repositoryUniqueId with a prefix (ITI TF-3: Table 4.2.3.2-1)."""
    (binding,) = (each for each in ITI_43.bindings if isinstance(each, SOAPBinding))
    here = load("connectathon").affinity_domain.repository_unique_id
    client = SOAPClient(url=f"https://localhost:{strict.ports['https']}/xds/repository", tls=context(strict, "reader"))
    answer = client.call(binding, [xds.retrieve([(f"urn:oid:{here}", "1.2.3")])]).body
    assert [each.get("errorCode") for each in answer.iter() if each.get("errorCode")] == ["XDSDocumentUniqueIdError"]
    with urllib.request.urlopen(strict.url("/metrics")) as page:
        assert 'affinity_forgiven_total{deviation="oid-prefix",partner="reader"} 1.0' in page.read().decode()


@pytest.mark.parametrize(
    ("partner", "page", "status"),
    [
        ("watch", "/metrics", 200),
        ("lis", "/metrics", 403),
        ("gate", "/metrics", 403),
        ("development", "/metrics", 403),
        ("lis", "/health/ready", 200),
    ],
)
def test_over_tls_what_a_node_tells_of_itself_is_for_those_who_watch_it(
    strict: RunningNode, partner: str, page: str, status: int
) -> None:
    tls = context(strict, partner)
    connection = http.client.HTTPSConnection("localhost", strict.ports["https"], timeout=30, context=tls)
    connection.request("GET", page)
    answer = connection.getresponse()
    said = answer.read()
    assert answer.status == status
    assert (b"monitoring = true" in said) is (status == 403) and (b"affinity_" in said) is (partner == "watch")


def test_status_says_who_may_ask_for_it(strict: RunningNode) -> None:
    url, tls = f"https://localhost:{strict.ports['https']}", credentials(strict, "lis")
    files = ("--tls-ca", str(tls.authorities), "--cert", str(tls.certificate), "--key", str(tls.key))
    ended = CliRunner().invoke(app, ["status", "--url", url, *files])
    assert ended.exit_code == ExitCode.REFUSED and "monitoring = true" in ended.output


def test_more_than_agreed_is_refused_with_the_time_to_wait_on_both_wires(strict: RunningNode) -> None:
    for _ in range(2):
        post(strict, "lis")
    status, text, wait = post(strict, "lis")
    assert status == 429 and wait is not None and int(wait) > 1
    assert "requests per second agreed; send again after" in text
    answer = feed(strict, "LIS|LAB", "lis")
    assert (answer["MSA"].text(1), answer["ERR"].text(3, 1)) == ("AR", "207")
    assert "send again after" in answer["ERR"].text(7)


def test_sighup_takes_new_certificates(strict: RunningNode) -> None:
    before = shown(strict)
    made = Authority(strict.data / "pki", datetime.now(UTC)).renew("server", authority.server())
    assert made.certificate == strict.data / "pki" / "server.crt.pem"
    strict.process.send_signal(signal.SIGHUP)
    until(lambda: any('"certificates reloaded"' in line for line in strict.log))
    assert shown(strict) != before


def shown(node: RunningNode) -> bytes | None:
    with (
        socket.create_connection(("127.0.0.1", node.ports["https"]), 20) as plain,
        context(node, "lis").wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        return secured.getpeercert(binary_form=True)


def until(holds: Callable[[], bool]) -> None:
    for _ in range(500):
        if holds():
            return
        Event().wait(0.02)
    pytest.fail("it did not happen")


def test_a_failed_handshake_is_told_counted_and_in_the_audit_trail(strict: RunningNode, tmp_path: Path) -> None:
    stranger = development_pki(tmp_path / "stranger").client
    known = credentials(strict, "lis")
    with pytest.raises(OSError):
        tls = client_tls(known.authorities, stranger.certificate, stranger.key)
        http.client.HTTPSConnection("localhost", strict.ports["https"], timeout=20, context=tls).request("GET", "/")
        raise ConnectionError("TLS 1.3 tells a client only when it reads")
    until(lambda: any('"tls handshake failed"' in line for line in strict.log))
    until(lambda: b"no authority that is trusted has issued it" in recorded(strict))
    with urllib.request.urlopen(strict.url("/metrics")) as answer:
        assert 'affinity_tls_handshakes_failed_total{side="we refused"}' in answer.read().decode()


def recorded(node: RunningNode) -> bytes:
    """Every audit record."""
    with closing(sqlite3.connect(node.data / "affinity.db")) as database:
        return b"".join(unpack(message) for (message,) in database.execute("SELECT message FROM audit_event"))
