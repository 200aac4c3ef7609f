"""Run one transaction: decode, handle, encode, or refuse; count it and log the outcome."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from affinity.metrics import REQUESTS, SECONDS
from ihe.errors import Rejected
from ihe.exchange import Exchange
from ihe.transactions import Actor, Transaction

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
) -> Any:
    """Return the transaction's own answer, good or bad; what nobody foresaw is raised for the wire's edge."""
    started = time.perf_counter()
    outcome = "error"
    try:
        check()
        response = transaction.handle(transaction.decode(wire), ports[transaction.responder], exchange)
        reply = transaction.encode(wire, response, exchange)
        outcome = "success"
        return reply
    except Rejected as rejected:
        outcome = "rejected"
        codes = sorted(str(code) for code in rejected.codes)
        log.info("refused", transaction=transaction.id, codes=codes, correlation=exchange.correlation_id)
        on_refusal(wire, rejected)
        return transaction.refuse(wire, rejected, exchange)
    finally:
        REQUESTS.labels(transaction.id, outcome).inc()
        SECONDS.labels(transaction.id).observe(time.perf_counter() - started)
