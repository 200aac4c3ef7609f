"""Run one transaction: decode, handle, encode, or refuse; audit, count and log the outcome."""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import structlog

from affinity.auditing import UNAUDITED, Auditing, Outcomes, spelled
from affinity.metrics import REQUESTS, SECONDS, count_refusal
from affinity.outages import InDoubt, Unavailable
from affinity.spans import describe, span
from affinity.unavailable import as_rejection, underlying
from affinity.under_way import UnderWay, working_for
from atna.trail import AuditUnavailable
from ihe.errors import Rejected
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
    try:
        with _working_for(transaction, exchange), auditing.open(transaction, wire, exchange) as audited:
            reply = _run(transaction, wire, ports, exchange, audited, check)
        outcome = "success"
        return reply
    except Rejected as rejected:
        outcome = "rejected"
        codes = sorted(str(code) for code in rejected.codes)
        log.info("refused", transaction=transaction.id, codes=codes, correlation=exchange.correlation_id)
        count_refusal(transaction.id, rejected)
        on_refusal(wire, rejected)
        return transaction.refuse(wire, rejected, exchange)
    except (Unavailable, AuditUnavailable) as error:
        if (unavailable := underlying(error)) is None:
            raise
        outcome = "unavailable"
        reason, correlation = unavailable.trouble.name, exchange.correlation_id
        log.warning("database unavailable", transaction=transaction.id, reason=reason, correlation=correlation)
        return transaction.refuse(wire, as_rejection(unavailable, transaction), exchange)
    finally:
        describe(transaction.id, outcome, exchange.correlation_id)
        REQUESTS.labels(transaction.id, outcome).inc()
        SECONDS.labels(transaction.id).observe(time.perf_counter() - started)


def _working_for(transaction: Transaction[Any, Any, Any, Any, Any], exchange: Exchange) -> AbstractContextManager[None]:
    return working_for(UnderWay(transaction=transaction.id, correlation=exchange.correlation_id))


def _run(
    transaction: Transaction[Any, Any, Any, Any, Any],
    wire: Any,
    ports: Ports,
    exchange: Exchange,
    audited: Outcomes,
    check: Check,
) -> Any:
    """Whatever the outcome is, it is recorded before anybody learns of it; AuditUnavailable means that it could not."""
    try:
        with span("check"):
            check()
        with span("parse"):
            audited.request = transaction.decode(wire)
        with span("handle"):
            response = transaction.handle(audited.request, ports[transaction.responder], exchange)
        with span("encode"):
            reply = transaction.encode(wire, response, exchange)
        audited.succeeded(response)
        return reply
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
