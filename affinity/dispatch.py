"""Run one transaction: decode, handle, encode, or refuse; audit, count and log the outcome."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import structlog

from affinity import spans
from affinity.auditing import spelled
from affinity.metrics import count, count_refusal
from affinity.outages import InDoubt, Unavailable
from affinity.outcomes import UNAUDITED, Auditing, Outcomes
from affinity.spans import describe, in_part
from affinity.unavailable import as_rejection, underlying
from affinity.under_way import UNDER_WAY, UnderWay
from atna.trail import AuditUnavailable
from ihe.errors import Breach, Rejected
from ihe.exchange import Exchange
from ihe.transactions import Actor, Transaction
from xua.errors import AssertionRefused

log = structlog.get_logger()

Ports = Mapping[Actor, Any]
"""The responder actors that this node plays, each as the port that its handlers take."""


OnRefusal = Callable[[Any, Rejected], None]
"""Told of each request that is refused: the request as it came, and why."""


def keep_nothing(wire: Any, rejected: Rejected) -> None:
    """Nobody counts."""


Check = Callable[[], None]
"""Made before a request is decoded; raises Rejected."""


def check_nothing() -> None:
    """Everybody may say everything."""


def answer(
    transaction: Transaction[Any, Any, Any, Any, Any],
    wire: Any,
    ports: Ports,
    exchange: Exchange,
    on_refusal: OnRefusal = keep_nothing,
    check: Check = check_nothing,
    auditing: Auditing = UNAUDITED,
) -> Any:
    """Return the transaction's own answer, good or bad; what nobody foresaw is raised for the wire's edge."""
    started = time.perf_counter()
    outcome = "error"
    idle = UNDER_WAY.set(UnderWay(transaction=transaction.id, correlation=exchange.correlation_id))
    try:
        with auditing.open(transaction, wire, exchange) as audited:
            reply, missed = _run(transaction, wire, ports, exchange, audited, check)
        outcome = "rejected" if missed else "success"
        if missed:
            _tell(transaction.id, Rejected(*missed), exchange)
        return reply
    except Rejected as rejected:
        outcome = "rejected"
        _tell(transaction.id, rejected, exchange)
        on_refusal(wire, rejected)
        return transaction.refuse(wire, rejected, exchange)
    except (Unavailable, AuditUnavailable) as error:
        if (unavailable := underlying(error)) is None:
            raise
        outcome = "unavailable"
        log.warning(
            "database unavailable",
            transaction=transaction.id,
            reason=unavailable.trouble.name,
            correlation=exchange.correlation_id,
        )
        return transaction.refuse(wire, as_rejection(unavailable, transaction), exchange)
    finally:
        UNDER_WAY.reset(idle)
        describe(transaction.id, outcome, exchange.correlation_id)
        count(transaction.id, outcome, time.perf_counter() - started)


def _tell(transaction: str, rejected: Rejected, exchange: Exchange) -> None:
    codes = sorted(str(code) for code in rejected.codes)
    log.info("refused", transaction=transaction, codes=codes, correlation=exchange.correlation_id)
    count_refusal(transaction, rejected)


def _run(
    transaction: Transaction[Any, Any, Any, Any, Any],
    wire: Any,
    ports: Ports,
    exchange: Exchange,
    audited: Outcomes,
    check: Check,
) -> tuple[Any, tuple[Breach, ...]]:
    """The reply, and the errors in it.

    Whatever the outcome is, it is recorded before anybody learns of it; AuditUnavailable means that it could not.
    """
    if spans.tracer is not None:
        transaction, check = _in_parts(transaction), partial(in_part, "check", check)
    try:
        check()
        audited.request = transaction.decode(wire)
        response = transaction.handle(audited.request, ports[transaction.responder], exchange)
        reply = transaction.encode(wire, response, exchange)
        audited.succeeded(response)
        return reply, transaction.missed(response)
    except Rejected as rejected:
        audited.refused(spelled(rejected))
        raise
    except AssertionRefused as refused:
        audited.refused(refused.reason)
        raise
    except (AuditUnavailable, Unavailable, InDoubt):
        raise  # nothing can be recorded; and what is in doubt has its record, if it is stored
    except Exception as error:
        audited.failed(error)
        raise


def _in_parts(transaction: Transaction[Any, Any, Any, Any, Any]) -> Transaction[Any, Any, Any, Any, Any]:
    """The same, and each of its steps is a part of the trace."""
    return replace(
        transaction,
        decode=partial(in_part, "parse", transaction.decode),
        handle=partial(in_part, "handle", transaction.handle),
        encode=partial(in_part, "encode", transaction.encode),
    )
