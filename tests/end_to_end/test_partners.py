"""Partners on real ports: the certificate says who sends, and nobody speaks under the id of another."""

import urllib.request
from collections.abc import Iterator
from dataclasses import replace

import pytest

from affinity.client import v3
from affinity.client.patients import Sought
from affinity.domain import load
from hl7v2.er7 import parse
from hl7v2.message import Message
from ihe.transactions import SOAPBinding
from mllp import client as mllp
from pix.iti47 import ITI_47
from soap.client import SOAPClient, client_tls
from tests.end_to_end.conftest import RunningNode, start_node
from tls.files import TLS

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
