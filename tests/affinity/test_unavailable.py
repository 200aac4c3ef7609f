"""What a sender reads when the database cannot take its request: retryable, and true."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from lxml import etree

from affinity.dispatch import answer
from affinity.outages import InDoubt, Trouble, Unavailable
from atna.trail import AuditUnavailable
from hl7v2.er7 import parse
from ihe.exchange import Exchange, SOAPRequest
from ihe.transactions import Transaction
from mllp.framing import Received
from mllp.replies import HangUp, Peer, reply
from pix.iti30 import ITI_30
from xds.iti18 import ITI_18
from xds.iti41 import ITI_41

EXCHANGE = Exchange(correlation_id="1", received_at=datetime(2026, 1, 1, tzinfo=UTC))
ADT = b"MSH|^~\\&|LIS|LAB|A|A|20260101||ADT^A28^ADT_A05|1|P|2.5\rPID|||1\r"


def answered(transaction: Transaction[Any, Any, Any, Any, Any], wire: object, error: Exception) -> Any:
    def fail(*_: object) -> None:
        raise error

    broken = replace(transaction, decode=lambda _: None, handle=fail)
    return answer(broken, wire, {transaction.responder: None}, EXCHANGE)


def body(reply: Any) -> str:
    return b"".join(reply.body).decode()


@pytest.mark.parametrize("trouble", [Trouble.BUSY, Trouble.AWAY, Trouble.SLOW, Trouble.FULL])
def test_hl7_is_rejected_and_may_be_sent_again(trouble: Trouble) -> None:
    acknowledgement = answered(ITI_30, parse(ADT), Unavailable(trouble))
    assert acknowledgement["MSA"].text(1) == "AR"
    assert acknowledgement["ERR"].text(3) == "206"
    assert trouble.value in acknowledgement["ERR"].text(8)


@pytest.mark.parametrize(
    ("transaction", "trouble", "code"),
    [
        (ITI_18, Trouble.BUSY, "XDSRegistryBusy"),
        (ITI_18, Trouble.FULL, "XDSRegistryOutOfResources"),
        (ITI_41, Trouble.AWAY, "XDSRepositoryBusy"),
        (ITI_41, Trouble.FULL, "XDSRepositoryOutOfResources"),
    ],
)
def test_document_sharing_says_it_with_its_own_codes(transaction: Any, trouble: Trouble, code: str) -> None:
    request = SOAPRequest(body=etree.Element("request"))
    said = body(answered(transaction, request, Unavailable(trouble)))
    assert f'errorCode="{code}"' in said
    assert "ResponseStatusType:Failure" in said


def test_an_answer_that_cannot_be_recorded_because_the_database_is_away_is_retryable_as_well() -> None:
    unrecorded = AuditUnavailable("Unavailable")
    unrecorded.__cause__ = Unavailable(Trouble.AWAY)
    assert answered(ITI_30, parse(ADT), unrecorded)["MSA"].text(1) == "AR"


@pytest.mark.parametrize("error", [InDoubt(), AuditUnavailable("KeyError")])
def test_what_is_in_doubt_or_a_defect_is_no_refusal(error: Exception) -> None:
    with pytest.raises(type(error)):
        answered(ITI_30, parse(ADT), error)


def test_a_commit_in_doubt_gets_no_acknowledgement_at_all() -> None:
    async def in_doubt(message: bytes, peer: Peer) -> bytes | None:
        raise HangUp("a commit in doubt")

    with pytest.raises(HangUp, match="in doubt"):
        asyncio.run(reply(Received(ADT), Peer("192.0.2.1"), in_doubt))
