"""From a SOAP request to its transaction: the partner comes with it, and the issuer is one of those agreed."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from affinity.admission import Admission
from affinity.partners import Agreement, Fingerprint, Partners, SourceId, SourceKind, fingerprint
from affinity.soap_answers import SOAPAnswers
from ihe.exchange import Exchange, Principal, SOAPReply, SOAPRequest
from ihe.partners import Partner, Validation
from ihe.transactions import Actor
from soap.addressing import read_addressing
from soap.context import Connection, SOAPContext
from soap.envelope import open_envelope
from soap.faults import SOAPFault
from soap.xml import parse
from tests.tls.conftest import Stock, stock
from xds.iti42 import ITI_42
from xua.authentication import XUAMode

__all__ = ["stock"]

ENVELOPE = parse(
    b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing">'
    b"<s:Header><a:Action>urn:x</a:Action></s:Header><s:Body><x/></s:Body></s:Envelope>"
)
RIM = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"


class Believing:
    """A verifier that takes everybody for a person whom one issuer vouches for."""

    def verify(self, *_: object) -> Principal:
        return Principal(issuer="urn:sts", assertion_id="_1", name_id="jo")


def submission(source_id: str) -> SOAPRequest:
    scheme = "urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832"
    identifier = f'<r:ExternalIdentifier identificationScheme="{scheme}" value="{source_id}"/>'
    return SOAPRequest(parse(f'<x xmlns:r="{RIM}">{identifier}</x>'.encode()))


class Registry:
    """Keeps the exchanges that reach it."""

    def __init__(self) -> None:
        self.seen: list[Exchange] = []


def handle(_: object, registry: Registry, exchange: Exchange) -> tuple[()]:
    registry.seen.append(exchange)
    return ()


TRANSACTION: Any = replace(ITI_42, decode=lambda wire: wire, handle=handle)


def ask(registry: Registry, certificate: bytes, source_id: str = "1.2.3", **agreed: Any) -> SOAPReply:
    agreement = Agreement(
        partner=Partner(name="lis", validation=Validation.LENIENT),
        fingerprints=frozenset({Fingerprint(fingerprint(certificate))}),
        sources=frozenset({SourceId(SourceKind.DOCUMENTS, "1.2.3")}),
        transactions=None,
        **agreed,
    )
    verifier: Any = Believing()
    answers = SOAPAnswers(
        ports={Actor.DOCUMENT_REGISTRY: registry},
        mode=XUAMode.REQUIRED,
        verifier=verifier,
        clock=lambda: datetime(2026, 11, 26, tzinfo=UTC),
        admission=Admission(partners=Partners((agreement,))),
    )
    envelope = open_envelope(ENVELOPE)
    binding: Any = TRANSACTION.bindings[0]
    context = SOAPContext(
        correlation_id="c",
        endpoint="/xds/registry",
        binding=binding,
        envelope=envelope,
        addressing=read_addressing(envelope.headers),
        connection=Connection(peer="10.0.0.1", certificate=certificate, secure=True),
    )
    return answers(TRANSACTION, submission(source_id), context)


@pytest.fixture
def certificate(stock: Stock) -> bytes:
    return stock.certificate("client").public_bytes(Encoding.DER)


def test_the_partner_and_its_validation_reach_the_transaction(certificate: bytes) -> None:
    registry = Registry()
    assert b"ResponseStatusType:Success" in b"".join(ask(registry, certificate).body)
    (exchange,) = registry.seen
    assert exchange.partner is not None and exchange.partner.name == "lis"
    assert exchange.validation is Validation.LENIENT
    assert exchange.principal is not None and exchange.principal.issuer == "urn:sts"


def test_a_foreign_source_id_is_refused_in_the_transactions_own_words(certificate: bytes) -> None:
    registry = Registry()
    answer = b"".join(ask(registry, certificate, "1.2.9").body)
    assert b"ResponseStatusType:Failure" in answer and b"XDSRegistryMetadataError" in answer
    assert b"not one of those agreed with partner lis" in answer and b"SubmissionSet.sourceId" in answer
    assert registry.seen == []


@pytest.mark.parametrize(("issuers", "let_in"), [((), True), (("urn:sts",), True), (("urn:other",), False)])
def test_an_assertion_is_of_an_issuer_that_was_agreed(
    certificate: bytes, issuers: tuple[str, ...], let_in: bool
) -> None:
    registry = Registry()
    if let_in:
        ask(registry, certificate, issuers=frozenset(issuers))
    else:
        with pytest.raises(SOAPFault) as refused:
            ask(registry, certificate, issuers=frozenset(issuers))
        assert refused.value.subcodes[0].endswith("InvalidSecurityToken")
        assert "urn:" not in refused.value.reason
    assert bool(registry.seen) is let_in
