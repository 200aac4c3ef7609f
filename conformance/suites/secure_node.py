"""A Secure Node lets in whom it can authenticate, over TLS 1.2 or later [ITI-19] (ITI TF-2: 3.19.6)."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from affinity.pki import development_pki
from conformance.counterparts.wires import Call, HTTPWire, MLLPWire
from conformance.covering import Covering, Suite, covers
from conformance.exchanges import Exchange
from conformance.harness import Harness
from conformance.system import Trust
from ihe.transactions import Actor
from mllp.client import Address
from soap.client import client_tls
from tls.files import TLS

SUITE = Suite(actor=Actor.DOCUMENT_REGISTRY, profile="ATNA", option="Secure Node")
MESSAGE = b"MSH|^~\\&|CT|CT|SUT|SUT|2026||QBP^Q23^QBP_Q21|1|P|2.5\rQPD|IHE PIX Query|1|1^^^X\rRCP|I\r"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranger:
    """A client that is not to be let in."""

    id: str
    sentence: str
    covering: Covering
    context: Callable[[Trust, Path], ssl.SSLContext]


def _without_certificate(trust: Trust, _folder: Path) -> ssl.SSLContext:
    return client_tls(trust.authorities)


def _of_another_authority(trust: Trust, folder: Path) -> ssl.SSLContext:
    pki = development_pki(folder / "stranger")
    return client_tls(trust.authorities, pki.client.certificate, pki.client.key)


def _too_old(trust: Trust, _folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.load_verify_locations(trust.authorities)
    context.load_cert_chain(trust.certificate, trust.key)
    return context


STRANGERS = (
    Stranger(
        id="no-certificate",
        sentence="A client without certificate is not answered.",
        covering=Covering(("ITI-19-001", "ITI-19-002", "ITI-19-003")),
        context=_without_certificate,
    ),
    Stranger(
        id="another-authority",
        sentence="A client whose certificate nobody trusts is not answered.",
        covering=Covering(("ITI-19-014",)),
        context=_of_another_authority,
    ),
    Stranger(
        id="old-tls",
        sentence="A client that speaks TLS 1.1 is not answered.",
        covering=Covering(("ITI-19-029",)),
        context=_too_old,
    ),
)


@pytest.fixture
def trust(harness: Harness) -> Trust:
    """The files of the declaration."""
    if harness.system.trust is None:
        pytest.skip("[trust] of the declaration names no certificates")
    return harness.system.trust


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("case", STRANGERS, ids=lambda case: case.id)
def test_it_is_not_let_in(case: Stranger, harness: Harness, trust: Trust, folder: Path) -> None:
    exchange = _get(harness, case.context(trust, folder))
    assert exchange.answer is None, f"exchange {exchange.number}: answered with {exchange.answer.start_line}"


@covers("ITI-19-013", "ITI-19-027")
def test_a_partner_is_let_in(harness: Harness, trust: Trust) -> None:
    """A client with a certificate of a trusted authority is answered, over TLS 1.2 and over what is newer."""
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = trust.context
        context.minimum_version = context.maximum_version = version
        exchange = _get(harness, context)
        assert exchange.answer is not None, f"exchange {exchange.number}: {exchange.failure}"


@covers("ITI-19-003", "ITI-19-014")
def test_hl7_is_for_partners(harness: Harness, trust: Trust, folder: Path) -> None:
    """HL7 v2 of a client whose certificate nobody trusts is not answered."""
    pki = development_pki(folder / "stranger")
    address = harness.system.mllp_address(Actor.DOCUMENT_REGISTRY)
    tls = TLS(certificate=pki.client.certificate, key=pki.client.key, authorities=trust.authorities)
    stranger = Address(host=address.host, port=address.port, tls=tls)
    call = Call(transaction="ITI-9", initiator=Actor.PIX_CONSUMER, responder=Actor.PIX_MANAGER)
    exchange = MLLPWire(transcript=harness.transcript).send(call, stranger, MESSAGE)
    assert exchange.answer is None, f"exchange {exchange.number}: answered"


def _get(harness: Harness, context: ssl.SSLContext) -> Exchange:
    """Something that every web service answers in some way, once it answers at all."""
    wire = HTTPWire(transcript=harness.transcript, tls=context)
    call = Call(transaction="ITI-18", initiator=Actor.DOCUMENT_CONSUMER, responder=Actor.DOCUMENT_REGISTRY)
    url = harness.system.url(Actor.DOCUMENT_REGISTRY)
    return wire.post(call, url, (("Content-Type", "application/soap+xml"),), b"<nothing/>")
