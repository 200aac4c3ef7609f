"""Every parser that reads what others send, as a function of bytes that raises nothing but the refusals it declares."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from affinity.catalogue import TRANSACTIONS, hl7v2_transactions
from affinity.dispatch import answer
from affinity.domain import load
from affinity.hl7_answers import choose
from affinity.node import open_node
from affinity.settings import Settings
from atna import dicom, syslog
from atna.framing import Framer as SyslogFramer
from atna.reception import Arrival, Transport, receive
from consent import appc, bppc, fhir_reading
from hl7v2.er7 import Malformed, NotHL7, parse, serialize
from ihe.errors import Rejected
from ihe.exchange import Exchange, SOAPRequest
from ihe.transactions import Actor, SOAPBinding
from mllp.framing import Framer, Received
from soap import xml
from soap.addressing import read_addressing
from soap.envelope import open_envelope
from soap.faults import SOAPFault
from soap.limits import SOAPLimits
from soap.media import accept
from soap.mtom import MTOMReader, SimpleReader
from tests.atna.test_atna_dicom import GOOD as AUDIT_MESSAGE
from tests.atna.test_reception import NODE
from tests.fuzzing import messages
from tests.xua.stage import AUDIENCE, ISSUER, NOW, Stage, make_certificate
from xua.errors import AssertionRefused
from xua.keys import make_stranger
from xua.sts import DevelopmentSTS
from xua.trust import TrustedIssuer, TrustStore
from xua.verifier import Verifier

EXCHANGE = Exchange(correlation_id="0" * 32, received_at=NOW)
V2 = hl7v2_transactions(TRANSACTIONS)
SOAP = tuple(
    (binding.request, transaction)
    for transaction in TRANSACTIONS
    for binding in transaction.bindings
    if isinstance(binding, SOAPBinding)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is tried: ``run`` takes any bytes and may raise ``refusals`` alone; ``seeds`` are good messages."""

    name: str
    run: Callable[[bytes], object]
    seeds: tuple[bytes, ...]
    refusals: tuple[type[Exception], ...] = ()


class Actors:
    """The actors of a node on an empty database below ``directory``, as they are behind its wires."""

    def __init__(self, directory: Path) -> None:
        self._node = open_node(Settings(domain="connectathon", data=directory), load("connectathon"))
        self._ports = self._node.ports
        self.take_message(messages.V2[0])

    def take_message(self, data: bytes) -> None:
        """An HL7 v2 message, from its bytes to the bytes of its answer."""
        message = parse(data)
        reply = answer(choose(message, V2), message, self._ports, EXCHANGE)
        if reply is not None and not isinstance(reply, bytes):
            parse(serialize(reply))

    def take_body(self, data: bytes) -> None:
        """The body of a SOAP request, from its bytes to well-formed bytes of the answer's body."""
        body = xml.parse(data)
        for transaction in (each for name, each in SOAP if name == body.tag):
            reply = answer(transaction, SOAPRequest(body), self._ports, EXCHANGE)
            xml.parse(b"".join(reply.body))

    def take_package(self, data: bytes) -> None:
        """A request in one part or several, after a line with its media type."""
        media_type, _, body = data.partition(b"\n")
        media = accept(media_type.decode("latin-1"), "")
        reader = (MTOMReader if media.name.startswith("multipart/") else SimpleReader)(
            media, self._ports[Actor.DOCUMENT_REPOSITORY].store.create, SOAPLimits(inline=100)
        )
        try:
            for chunk in (body[at : at + 97] for at in range(0, len(body), 97)):
                reader.feed(chunk)
            reader.close()
        finally:
            reader.discard()

    def close(self) -> None:
        """Let go of its data."""
        self._node.close()


def take_frames(data: bytes) -> None:
    """Bytes of an MLLP connection: whatever the pieces, the same messages."""

    def received(size: int) -> list[Received]:
        framer = Framer(2000)
        pieces = (data[at : at + size] for at in range(0, len(data), size))
        return [event for piece in pieces for event in framer.feed(piece) if isinstance(event, Received)]

    assert received(7) == received(len(data) or 1)


def take_envelope(data: bytes) -> None:
    """A SOAP envelope with its addressing."""
    read_addressing(open_envelope(xml.parse(data)).headers)


def take_audit_frames(data: bytes) -> None:
    """Bytes of a connection of syslog over TLS."""
    framer = SyslogFramer(2000)
    for at in range(0, len(data), 7):
        framer.feed(data[at : at + 7])


def take_audit_record(data: bytes) -> None:
    """One message of syslog: kept whatever it is; only what is foreseen may be unreadable."""
    arrived = Arrival(data=data, at=NOW, peer="CN=x", address="10.0.0.1", transport=Transport.TLS, complaint=None)
    reception = receive(arrived, NODE)
    assert "cannot be read" not in (reception.complaint or ""), reception.complaint


def verifying() -> tuple[Callable[[bytes], object], tuple[bytes, ...]]:
    """A verifier that trusts one issuer, and a message with an assertion of it."""
    key, _ = make_stranger(NOW)
    sts = DevelopmentSTS(ISSUER, key, make_certificate(key))
    trust = TrustStore([TrustedIssuer(entity_id=ISSUER, certificates=(sts.certificate,))])
    stage = Stage(sts, trust, Verifier(trust, [AUDIENCE]))
    return stage.verify, (stage.message(stage.issue()),)


def targets(actors: Actors) -> Iterable[Target]:
    """All that is fuzzed."""
    verify, assertions = verifying()
    return (
        Target(name="er7", run=lambda data: serialize(parse(data)), seeds=messages.V2, refusals=(NotHL7, Malformed)),
        Target(name="mllp", run=take_frames, seeds=messages.FRAMED),
        Target(name="hl7v2", run=actors.take_message, seeds=messages.V2, refusals=(NotHL7, Rejected)),
        Target(name="multipart", run=actors.take_package, seeds=messages.PACKAGES, refusals=(SOAPFault,)),
        Target(name="envelope", run=take_envelope, seeds=messages.ENVELOPES, refusals=(xml.XMLRefused, SOAPFault)),
        Target(name="ebrim", run=actors.take_body, seeds=messages.EBRIM, refusals=(xml.XMLRefused, SOAPFault)),
        Target(name="queries", run=actors.take_body, seeds=messages.ASKED, refusals=(xml.XMLRefused,)),
        Target(name="v3", run=actors.take_body, seeds=messages.V3, refusals=(xml.XMLRefused,)),
        Target(name="saml", run=verify, seeds=assertions, refusals=(xml.XMLRefused, AssertionRefused)),
        Target(name="syslog", run=syslog.decode, seeds=(messages.SYSLOG,), refusals=(syslog.NotSyslog,)),
        Target(name="syslog-tls", run=take_audit_frames, seeds=(b"%d " % len(messages.SYSLOG) + messages.SYSLOG,)),
        Target(name="audit", run=take_audit_record, seeds=(messages.SYSLOG,)),
        Target(name="dicom", run=dicom.read, seeds=(AUDIT_MESSAGE,), refusals=(dicom.NotAnAuditMessage,)),
        Target(name="bppc", run=bppc.read, seeds=messages.CONSENTS, refusals=(Rejected,)),
        Target(name="appc", run=appc.read, seeds=messages.CONSENTS, refusals=(Rejected,)),
        Target(name="fhir-consent", run=fhir_reading.read, seeds=messages.FHIR_CONSENTS, refusals=(Rejected,)),
    )
