"""What ``pix`` and ``pdq`` ask, read from the options; and the wire over which it is asked."""

from dataclasses import dataclass

from affinity.cli.options import Identity, Security, Sender
from affinity.cli.patients import Line, Whom
from affinity.cli.targets import LocalNode, mllp_address, route
from affinity.cli.verbs import wrong_use
from affinity.client import hl7, hl7_answers
from affinity.client.patients import Found, Sought, parse_authority, parse_identifier
from hl7v2.er7 import parse, serialize
from hl7v2.message import Message
from ihe.datatypes import CX, HD
from mllp import client
from pix.queries import SearchMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """Who asks, and whom."""

    line: Line
    security: Security
    identity: Identity
    sender: Sender

    @property
    def node(self) -> LocalNode:
        """The node on this machine, for what is not given."""
        return LocalNode.find(self.line.data)


def ask_identifiers(consumer: Consumer, patient: str) -> Found:
    """ITI-9, or ITI-45."""
    known, domains = _identifier(patient), _domains(consumer)
    if consumer.line.v3 is not None:
        from affinity.cli import asking_v3

        return asking_v3.ask_identifiers(consumer, known, domains)
    return _send(consumer, hl7.pix_query(route(consumer.sender), known, domains))


def ask_demographics(consumer: Consumer, whom: Whom, limit: int | None) -> Found:
    """ITI-21, or ITI-47."""
    sought, domains = _sought(whom), _domains(consumer)
    if consumer.line.v3 is not None:
        from affinity.cli import asking_v3

        return asking_v3.ask_demographics(consumer, sought, domains, limit)
    return _send(consumer, hl7.demographics_query(route(consumer.sender), hl7.criteria(sought), domains, limit))


def ask_approximately(consumer: Consumer, whom: Whom, limit: int | None) -> Found:
    """ITI-21 with the algorithm that also finds who is similar (QPD-5)."""
    criteria = hl7.criteria(_sought(whom))
    algorithm = SearchMode.APPROXIMATE.value
    query = hl7.demographics_query(route(consumer.sender), criteria, _domains(consumer), limit, algorithm)
    return _send(consumer, query)


def _sought(whom: Whom) -> Sought:
    texts = {name: getattr(whom, name) for name in whom.__slots__ if name != "id"}
    return Sought(**texts, id=_identifier(whom.id) if whom.id else None)


def _send(consumer: Consumer, message: Message) -> Found:
    address = mllp_address(consumer.line.mllp, consumer.security, consumer.node)
    return hl7_answers.found(parse(client.send(address, serialize(message), consumer.security.timeout)))


def _identifier(text: str) -> CX:
    try:
        return parse_identifier(text)
    except ValueError as error:
        raise wrong_use(f"{text!r}: {error}") from error


def _domains(consumer: Consumer) -> tuple[HD, ...]:
    try:
        return tuple(map(parse_authority, consumer.line.domain or ()))
    except ValueError as error:
        raise wrong_use(f"--domain: {error}") from error
