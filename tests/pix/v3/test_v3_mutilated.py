"""Messages with one element or attribute less: always an answer, and a valid one unless it repeats a broken query."""

from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime

import pytest
from lxml.etree import _Element

from affinity.dispatch import answer
from ihe.exchange import Exchange, SOAPRequest
from ihe.transactions import Actor
from pix.manager import PatientIndex
from soap.xml import parse
from tests.pix.v3.desk import BY_BODY, MESSAGES, Answered, complaints

QUERY = "{urn:hl7-org:v3}controlActProcess/{urn:hl7-org:v3}queryByParameter"
GOLDEN = sorted(path.stem for path in MESSAGES.glob("*.xml"))
TYPES = {"CA", "CE", "CR", "AA", "AE", "AR"}


def mutilated(message: _Element) -> Iterator[tuple[str, _Element]]:
    """Each element left out once, and each attribute emptied once."""
    for number, element in enumerate(message.iter("*")):
        if element is not message:
            copied = deepcopy(message)
            victim = list(copied.iter("*"))[number]
            victim.getparent().remove(victim)  # type: ignore[union-attr]
            yield f"without {element.tag}", copied
        for name in element.attrib:
            copied = deepcopy(message)
            list(copied.iter("*"))[number].set(name, "")
            yield f"{element.tag} with an empty {name!s}", copied


@pytest.mark.parametrize("name", GOLDEN)
def test_a_mutilated_message_is_answered(index: PatientIndex, name: str) -> None:
    message = parse((MESSAGES / f"{name}.xml").read_bytes())
    exchange = Exchange(correlation_id="c", received_at=datetime(2026, 11, 23, 9, tzinfo=UTC))
    ports = {Actor.PIX_MANAGER: index, Actor.PATIENT_DEMOGRAPHICS_SUPPLIER: index}
    for what, body in mutilated(message):
        reply = answer(BY_BODY[str(body.tag)], SOAPRequest(body), ports, exchange)
        answered = Answered(parse(b"".join(reply.body)))
        assert set(answered.all("acknowledgement/typeCode", "code")) <= TYPES, what
        repeats_the_query = answered.element.find(QUERY) is not None
        assert repeats_the_query or complaints(answered.element) == [], what
