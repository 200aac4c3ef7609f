"""Every parser that reads what others send, as a function of bytes that raises nothing but the refusals it declares."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from hypothesis.strategies import SearchStrategy, nothing

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
from consent.effects import deeds
from consent.statements import ConsentDocument, Definitions, Effect, PolicyId, Statement
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
from tests.fuzzing import messages, wires
from tests.fuzzing.interfaces import Interfaces
from tests.fuzzing.plain import plain, requests
from tests.fuzzing.trees import trees
from tests.xua.stage import AUDIENCE, ISSUER, NOW, Stage, make_certificate
from xua.errors import AssertionRefused
from xua.keys import make_stranger
from xua.sts import DevelopmentSTS
from xua.trust import TrustedIssuer, TrustStore
from xua.verifier import Verifier

NOTHING: SearchStrategy[bytes] = nothing()
EXCHANGE = Exchange(correlation_id="0" * 32, received_at=NOW)
POLICIES = ((PolicyId("share", "2.25.46"), (Statement(rule=Effect.PERMIT),)),)
DEFINITIONS = Definitions(POLICIES, "2.25.700")
V2 = hl7v2_transactions(TRANSACTIONS)
SOAP = tuple(
    (binding.request, transaction)
    for transaction in TRANSACTIONS
    for binding in transaction.bindings
    if isinstance(binding, SOAPBinding)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is tried: ``run`` takes any bytes and may raise ``refusals`` alone.

    ``seeds`` are good messages, of whose bytes mutants are made; ``grown`` are others near them, made by who knows the
    format.
    """

    name: str
    run: Callable[[bytes], object]
    seeds: tuple[bytes, ...]
    grown: SearchStrategy[bytes] = NOTHING
    refusals: tuple[type[Exception], ...] = ()


class Actors:
    """The actors of a node on an empty database below ``directory``, as they are behind its wires."""

    def __init__(self, directory: Path) -> None:
        self._node = open_node(Settings(domain="connectathon", data=directory), load("connectathon"))
        self._ports = self._node.ports
        self.interfaces = Interfaces(self._node)
        for each in (messages.V2[0], *messages.RESEMBLING):
            self.take_message(each)

    def take_message(self, data: bytes) -> None:
        """An HL7 v2 message, from its bytes to the bytes of its answer."""
        message = parse(data)
        reply = answer(choose(message, V2), message, self._ports, EXCHANGE)
        if reply is not None and not isinstance(reply, bytes):
            parse(serialize(reply))

    def take_body(self, data: bytes) -> None:
        """The body of a SOAP request, from its bytes to well-formed bytes of the answer's body."""
        self._take(SOAPRequest(xml.parse(data)))

    def _take(self, request: SOAPRequest) -> None:
        for transaction in (each for name, each in SOAP if name == request.body.tag):
            reply = answer(transaction, request, self._ports, EXCHANGE)
            xml.parse(b"".join(reply.body))

    def take_package(self, data: bytes) -> None:
        """A request in one part or several, after a line with its media type, to the answer's body."""
        media_type, _, body = data.partition(b"\n")
        media = accept(media_type.decode("latin-1"), "")
        reader = (MTOMReader if media.name.startswith("multipart/") else SimpleReader)(
            media, self._ports[Actor.DOCUMENT_REPOSITORY].store.create, SOAPLimits(inline=100)
        )
        try:
            for chunk in (body[at : at + 97] for at in range(0, len(body), 97)):
                reader.feed(chunk)
            package = reader.close()
            self._take(SOAPRequest(open_envelope(xml.parse(package.envelope)).body, package.parts))
        finally:
            reader.discard()

    def close(self) -> None:
        """Let go of its data."""
        self._node.close()


def write_again(data: bytes) -> None:
    """An HL7 v2 message, parsed and serialized: what was written reads the same, and is written the same."""
    written = serialize(parse(data))
    assert serialize(parse(written)) == written


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


def agreed(read: Callable[[bytes], ConsentDocument]) -> Callable[[bytes], object]:
    """A consent document, from its bytes to what it does to a record."""
    return lambda data: deeds(read(data), DEFINITIONS, NOW, bppc.RULE)


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
    """A verifier that trusts one issuer, and a message with its assertion: who is let in is who was vouched for."""
    key, _ = make_stranger(NOW)
    sts = DevelopmentSTS(ISSUER, key, make_certificate(key))
    trust = TrustStore([TrustedIssuer(entity_id=ISSUER, certificates=(sts.certificate,))])
    stage = Stage(sts, trust, Verifier(trust, [AUDIENCE]))
    message = stage.message(stage.issue())
    genuine = stage.verify(message)

    def verify(data: bytes) -> None:
        assert stage.verify(data) == genuine

    return verify, (message,)


def targets(actors: Actors) -> Iterable[Target]:
    """All that is fuzzed."""
    verify, assertions = verifying()
    return (*_of_hl7(actors), *_of_soap(actors, verify, assertions), *_of_audit(), *_of_consents(), *_of_json(actors))


def _of_hl7(actors: Actors) -> Iterable[Target]:
    spelled = wires.er7(messages.V2)
    refused = NotHL7, Malformed
    return (
        Target(name="er7", run=write_again, seeds=messages.V2, grown=spelled, refusals=refused),
        Target(name="mllp", run=take_frames, seeds=messages.FRAMED),
        Target(name="hl7v2", run=actors.take_message, seeds=messages.V2, grown=spelled, refusals=(NotHL7, Rejected)),
    )


def _of_soap(actors: Actors, verify: Callable[[bytes], object], assertions: tuple[bytes, ...]) -> Iterable[Target]:
    packages, asked = wires.packages(messages.ENVELOPES[0]), wires.asked(messages.QUERIES) | trees(messages.ASKED)
    refused = (xml.XMLRefused, SOAPFault)
    return (
        Target(name="multipart", run=actors.take_package, seeds=messages.PACKAGES, grown=packages, refusals=refused),
        Target(
            name="envelope",
            run=take_envelope,
            seeds=messages.ENVELOPES,
            grown=trees(messages.ENVELOPES),
            refusals=refused,
        ),
        Target(name="ebrim", run=actors.take_body, seeds=messages.EBRIM, grown=trees(messages.EBRIM), refusals=refused),
        Target(name="queries", run=actors.take_body, seeds=messages.ASKED, grown=asked, refusals=(xml.XMLRefused,)),
        Target(
            name="v3", run=actors.take_body, seeds=messages.V3, grown=trees(messages.V3), refusals=(xml.XMLRefused,)
        ),
        Target(
            name="saml",
            run=verify,
            seeds=assertions,
            grown=trees(assertions),
            refusals=(xml.XMLRefused, AssertionRefused),
        ),
    )


def _of_audit() -> Iterable[Target]:
    told, refused = trees((AUDIT_MESSAGE,)), (dicom.NotAnAuditMessage,)
    return (
        Target(name="syslog", run=syslog.decode, seeds=(messages.SYSLOG,), refusals=(syslog.NotSyslog,)),
        Target(name="syslog-tls", run=take_audit_frames, seeds=(b"%d " % len(messages.SYSLOG) + messages.SYSLOG,)),
        Target(name="audit", run=take_audit_record, seeds=(messages.SYSLOG,)),
        Target(name="dicom", run=dicom.read, seeds=(AUDIT_MESSAGE,), grown=told, refusals=refused),
    )


def _of_consents() -> Iterable[Target]:
    bppcs, appcs = messages.CONSENTS[:1], messages.CONSENTS[1:]
    others = plain(messages.FHIR_CONSENTS)
    return (
        Target(name="bppc", run=agreed(bppc.read), seeds=messages.CONSENTS, grown=trees(bppcs), refusals=(Rejected,)),
        Target(name="appc", run=agreed(appc.read), seeds=messages.CONSENTS, grown=trees(appcs), refusals=(Rejected,)),
        Target(
            name="fhir-consent",
            run=agreed(fhir_reading.read),
            seeds=messages.FHIR_CONSENTS,
            grown=others,
            refusals=(Rejected,),
        ),
    )


def _of_json(actors: Actors) -> Iterable[Target]:
    those = actors.interfaces
    asked = messages.stewardship(those.task)
    audited, shown = requests(messages.AUDIT_REQUESTS), requests(messages.ACCESSES)
    return (
        Target(name="stewardship", run=those.steward, seeds=asked, grown=requests(asked)),
        Target(name="accesses", run=those.show_accesses, seeds=messages.ACCESSES, grown=shown),
        Target(name="audit-fhir", run=those.audit, seeds=messages.AUDIT_REQUESTS, grown=audited),
        Target(name="load-csv", run=those.load_csv, seeds=messages.CSV),
        Target(name="load-fhir", run=those.load_fhir, seeds=messages.PATIENTS, grown=plain(messages.PATIENTS)),
    )
