"""A desk that takes v3 messages to the patient index as the SOAP wire does; schema and validators judge each answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, cast

from lxml import etree
from lxml.etree import _Element

from affinity.dispatch import answer
from conformance.validators import v3
from conformance.validators.context import Context
from ihe.exchange import Exchange, SOAPReply, SOAPRequest
from ihe.partners import Validation
from ihe.transactions import Actor, SOAPBinding, Transaction
from pix.iti44 import ITI_44
from pix.iti45 import ITI_45
from pix.iti47 import ITI_47
from pix.manager import PatientIndex
from pix.v3_wrappers import party
from soap.xml import parse, schema

MESSAGES = Path(__file__).parent / "messages"
SCHEMAS = Path(__file__).parents[4] / "shared/schemas/HL7V3/NE2008/multicacheschemas"
V3 = {"v3": "urn:hl7-org:v3"}
Transactions = Mapping[str, Transaction[Any, Any, Any, Any, Any]]
BY_BODY: Transactions = {
    binding.request: transaction
    for transaction in (ITI_44, ITI_45, ITI_47)
    for binding in transaction.bindings
    if isinstance(binding, SOAPBinding)
}


@cache
def official_schema(name: str) -> etree.XMLSchema | None:
    path = SCHEMAS / f"{name.removesuffix('_Cancel')}.xsd"
    return schema(path) if path.exists() else None


def complaints(element: _Element) -> list[str]:
    """What the official schema says against a message; nothing where the schemas are not at hand."""
    known = official_schema(etree.QName(element).localname)
    if known is None or known.validate(element):
        return []
    return str(known.error_log).splitlines()


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, read the way a consumer would."""

    element: _Element

    def all(self, path: str, attribute: str) -> list[str]:
        steps = "/".join(f"v3:{step}" for step in path.split("/"))
        return [str(each) for each in cast("list[str]", self.element.xpath(f"//{steps}/@{attribute}", namespaces=V3))]

    def texts(self, path: str) -> list[str]:
        steps = "/".join(f"v3:{step}" for step in path.split("/"))
        return [str(each) for each in cast("list[str]", self.element.xpath(f"//{steps}/text()", namespaces=V3))]

    @property
    def name(self) -> str:
        return etree.QName(self.element).localname

    @property
    def verdict(self) -> str:
        """The acknowledgement, the query response if any, and the error codes: ``AE QE 101``."""
        codes = self.all("acknowledgement/typeCode", "code") + self.all("queryAck/queryResponseCode", "code")
        return " ".join(codes + sorted(set(self.all("acknowledgementDetail/code", "code"))))

    @property
    def locations(self) -> list[str]:
        return self.texts("acknowledgementDetail/location")


@dataclass(frozen=True, slots=True)
class Desk:
    """Takes one message after another to an index."""

    index: PatientIndex
    sent: list[bytes] = field(default_factory=list)

    def golden(self, name: str, *changes: tuple[str, str]) -> bytes:
        """A golden message with texts changed; each must be there."""
        text = (MESSAGES / f"{name}.xml").read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text, f"{old} is not in {name}"
            text = text.replace(old, new)
        return text.encode()

    def ask(self, name: str, *changes: tuple[str, str]) -> Answered:
        return self.send(self.golden(name, *changes))

    def send(self, message: bytes | _Element, validation: Validation = Validation.STRICT) -> Answered:
        body = parse(message) if isinstance(message, bytes) else message
        exchange = Exchange(
            correlation_id="c", received_at=datetime(2026, 11, 23, 9, tzinfo=UTC), validation=validation
        )
        ports = {Actor.PIX_MANAGER: self.index, Actor.PATIENT_DEMOGRAPHICS_SUPPLIER: self.index}
        reply = cast("SOAPReply", answer(BY_BODY[str(body.tag)], SOAPRequest(body), ports, exchange))
        self.sent.append(b"".join(reply.body))
        element = parse(self.sent[-1])
        assert complaints(element) == []
        if all(each.is_domain for each in party(body, "sender").devices):  # else no answer can name its receiver
            assert [f"{each.location}: {each.text}" for each in v3.validate(element, Context())[1]] == []
        return Answered(element)

    def announce(self, number: int, *changes: tuple[str, str]) -> Answered:
        """Feed patient H-``number`` of the hospital in a message of its own."""
        own = (('extension="1"/>', f'extension="a{number}"/>'), ('"H-1"', f'"H-{number}"'))
        return self.ask("iti44_added", *own, *changes)
