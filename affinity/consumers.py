"""How one PIX Consumer is told over its wire, and what its answer means (ITI TF-2: 3.10, 3.46, C.2.3, O.1.2)."""

import ssl
from dataclasses import dataclass
from enum import Enum
from socket import gaierror
from typing import Protocol
from urllib.parse import urlsplit

from affinity.client.bindings import soap_binding
from affinity.client.connecting import explain_connection
from affinity.client.hl7_answers import acknowledgement
from affinity.client.patients import Remark
from affinity.client.v3_answers import found
from affinity.domain_files import SOAP_SCHEMES
from affinity.domain_model import Subscriber
from hl7v2.er7 import NotHL7, parse, serialize
from ihe.domain import AffinityDomain
from ihe.errors import Rejected
from mllp.client import Address, Connection, MLLPError, NotConnected
from pix.iti10 import Route, control_id, update_person_information
from pix.iti46 import ITI_46, Devices, message_root, record_revised
from pix.update_notifications import Notification
from pix.v3_answers import Community
from pix.v3_elements import attribute
from soap.client import FaultReceived, NoAnswer, SOAPClient, client_tls
from tls.files import TLS

TIMEOUT = 30.0
"""Seconds for a connection, and for an answer."""
BINDING = soap_binding(ITI_46)
ANOTHER_MESSAGE = "the answer names another message"
NEVER_CONNECTED = (ConnectionRefusedError, FileNotFoundError, gaierror, ssl.SSLError)


class Outcome(Enum):
    """How one attempt to tell ended."""

    ACCEPTED = "accepted"
    UNREACHABLE = "unreachable"
    """No connection: the message never left, so nothing of it counts as tried."""
    UNANSWERED = "unanswered"
    """It may have been taken, or it is what the consumer stumbles over: tried without end, others go first."""
    REJECTED = "rejected"
    """Not now (AR, CR, a SOAP fault, an answer that cannot be read): it may be sent again (ITI TF-2: C.2.3.1)."""
    REFUSED = "refused"
    """AE, CE: "It SHALL not be sent again without correcting the error" (ITI TF-2: Table C.2.3.1-2)."""


OUTCOMES = {"A": Outcome.ACCEPTED, "E": Outcome.REFUSED}
"""By the second letter of an acknowledgement code; every other one is a rejection."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome, the code that said so, and the consumer's own words: they may speak of the patient."""

    outcome: Outcome
    code: str = ""
    reason: str | None = None


class Consumer(Protocol):
    """A PIX Consumer as a courier sees it."""

    def tell(self, told: Notification) -> Verdict:
        """Send one notification and wait for its answer."""

    def hang_up(self) -> None:
        """Nothing more is to be told for now."""


class MLLPConsumer:
    """Told by ADT^A31; the connection is kept until ``hang_up``."""

    def __init__(self, address: Address, route: Route, timeout: float = TIMEOUT) -> None:
        self._address = address
        self._route = route
        self._timeout = timeout
        self._connection: Connection | None = None

    def tell(self, told: Notification) -> Verdict:
        """Send and wait; an answer to another message makes the connection useless."""
        try:
            answer = self._exchange(serialize(update_person_information(told, self._route)))
            acknowledged = acknowledgement(parse(answer))
        except MLLPError as error:
            self.hang_up()
            reached = not isinstance(error, NotConnected)
            return Verdict(Outcome.UNANSWERED if reached else Outcome.UNREACHABLE, reason=str(error))
        except (NotHL7, Rejected) as error:
            self.hang_up()
            return Verdict(Outcome.REJECTED, reason=f"the answer cannot be read: {error}")
        if acknowledged.control_id != control_id(told):
            self.hang_up()
            return Verdict(Outcome.REJECTED, reason=ANOTHER_MESSAGE)
        return _verdict(acknowledged.code, _words(acknowledged.errors) or acknowledged.text)

    def hang_up(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _exchange(self, message: bytes) -> bytes:
        if self._connection is None:
            self._connection = Connection(self._address, self._timeout)
        return self._connection.exchange(message)


class SOAPConsumer:
    """Told by PRPA_IN201302UV02, each over a connection of its own, and with the certificates of that moment."""

    def __init__(self, url: str, tls: TLS | None, devices: Devices) -> None:
        self._url = url
        self._tls = tls
        self._devices = devices

    def tell(self, told: Notification) -> Verdict:
        """Send and wait for the accept acknowledgement; one of another message counts as none (ITI TF-2: O.1.2)."""
        try:
            answer = self._client().call(BINDING, [record_revised(told, self._devices)])
        except FaultReceived as fault:
            return Verdict(Outcome.REJECTED, "/".join((fault.code, *fault.subcodes)), str(fault))
        except NoAnswer as error:
            return Verdict(Outcome.UNANSWERED, reason=str(error))
        except OSError as error:
            reached = not isinstance(error, NEVER_CONNECTED)
            return Verdict(Outcome.UNANSWERED if reached else Outcome.UNREACHABLE, reason=explain_connection(error))
        acknowledged = found(answer.body)
        if attribute(answer.body, "acknowledgement/targetMessage/id", "root") not in (None, message_root(told)):
            return Verdict(Outcome.REJECTED, reason=ANOTHER_MESSAGE)
        return _verdict(acknowledged.code, _words(acknowledged.remarks))

    def hang_up(self) -> None:
        """Nothing is kept open."""

    def _client(self) -> SOAPClient:
        tls = self._tls
        trust = client_tls(tls.authorities, tls.certificate, tls.key) if tls else None
        return SOAPClient(url=self._url, tls=trust, timeout=TIMEOUT)


def consumer(subscriber: Subscriber, domain: AffinityDomain, tls: TLS | None) -> Consumer:
    """Speak to a subscriber as ``subscribers.toml`` says. ValueError: it wants TLS, and there are no certificates."""
    wire = urlsplit(subscriber.wire)
    secured = wire.scheme in ("mllps", "https")
    if secured and tls is None:
        raise ValueError(f"subscriber {subscriber.name} is told over TLS, but no certificates are set")
    if wire.scheme in SOAP_SCHEMES:
        community = Community.of(domain)
        devices = Devices(sender=community.oid, receiver=subscriber.device, community=community)
        return SOAPConsumer(subscriber.wire, tls if secured else None, devices)
    route = Route(
        application=domain.application,
        facility=domain.facility,
        receiving_application=subscriber.application,
        receiving_facility=subscriber.facility,
    )
    address = Address(host=wire.hostname or "", port=wire.port or 0, tls=tls if secured else None)
    return MLLPConsumer(address, route)


def _verdict(code: str, words: str) -> Verdict:
    outcome = OUTCOMES.get(code[1:], Outcome.REJECTED) if code[:1] in ("A", "C") else Outcome.REJECTED
    reason = None if outcome is Outcome.ACCEPTED else f"{code or 'no acknowledgement code'}: {words}"
    return Verdict(outcome, code, reason)


def _words(remarks: tuple[Remark, ...]) -> str:
    return "; ".join(map(str, remarks))
