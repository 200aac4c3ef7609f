"""Patient identity feeds that were refused, counted by their source, so that its people can be told what to mend."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from affinity.database import Database
from affinity.group_writer import WriterStopped
from hl7v2.message import Message
from ihe.errors import Rejected
from ihe.exchange import SOAPRequest
from pix import store_rejections
from pix.adt import source
from pix.iti44 import ITI_44
from pix.v3_wrappers import party

log = structlog.get_logger()

FEEDS = frozenset(each.request for each in ITI_44.bindings if hasattr(each, "request"))
"""The v3 messages that feed patients; of HL7 v2 they are those of type ADT."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusals:
    """Counts refused feeds. That a count cannot be kept changes no answer."""

    database: Database
    clock: Callable[[], datetime]

    def __call__(self, wire: Any, rejected: Rejected) -> None:
        """Count one refusal, if it is of a feed."""
        sender = feeding_source(wire)
        if sender is None:
            return
        day = self.clock().date().isoformat()
        codes = [str(each.value) for each in rejected.codes]
        try:
            self.database.write(lambda connection: store_rejections.count(connection, day, sender, codes))
        except (SQLAlchemyError, WriterStopped) as error:
            log.warning("refusal not counted", error=type(error).__name__)


def feeding_source(wire: Any) -> str | None:
    """Who sent a feed, as ``application|facility``; None for anything else."""
    if isinstance(wire, Message) and wire.trigger.startswith("ADT"):
        return source(wire)
    if isinstance(wire, SOAPRequest) and wire.body.tag in FEEDS:
        return str(party(wire.body, "sender"))
    return None
