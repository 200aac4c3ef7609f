"""What operators ask of a node: is it alive, is it ready, what has it done."""

from collections.abc import Callable, Iterable
from typing import Any

from prometheus_client import CollectorRegistry
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from twisted.internet.defer import Deferred
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from affinity.database import Database
from affinity.metrics import exposition
from affinity.partners import Partners
from soap.context import Connection

NOBODY = Partners()
"""A domain without partners: TLS alone decides who may ask."""


class Page(Resource):  # type: ignore[misc]
    """A small text answer to GET, computed in a worker thread: the status code and the body."""

    isLeaf = True  # noqa: N815 - Twisted's name

    def __init__(
        self,
        content_type: str,
        defer: Callable[..., Deferred[Any]],
        compute: Callable[[], "Answer"],
        admits: "Admits | None" = None,
    ) -> None:
        super().__init__()
        self._admits = admits
        self._content_type = content_type
        self._defer = defer
        self._compute = compute

    def render_GET(self, request: Any) -> Any:  # noqa: N802 - Twisted's name
        """Answer when the worker is done, those who may know."""
        if self._admits is not None and not self._admits(request.channel.connection):
            request.setHeader(b"Content-Type", TEXT.encode())
            request.setResponseCode(403)
            return NOT_FOR_YOU
        gone = request.notifyFinish()
        self._defer(self._compute).addCallback(self._send, request).addErrback(lambda failure: None)
        gone.addErrback(lambda failure: None)
        return NOT_DONE_YET

    def _send(self, answer: "Answer", request: Any) -> None:
        status, body = answer
        request.setResponseCode(status)
        request.setHeader(b"Content-Type", self._content_type.encode())
        request.write(body)
        request.finish()


Answer = tuple[int, bytes]
Admits = Callable[[Connection], bool]
NOT_FOR_YOU = b"This page is for partners whose file says monitoring = true (docs/partners.md)\n"
TEXT = "text/plain; charset=utf-8"


def pages(
    database: Database,
    defer: Callable[..., Deferred[Any]],
    measures: Iterable[CollectorRegistry] = (),
    partners: Partners = NOBODY,
) -> dict[str, Page]:
    """The health and metrics pages by path. Over TLS the metrics are for those whom a domain with partners allows."""
    more = tuple(measures)

    def may_watch(connection: Connection) -> bool:
        return not connection.secure or partners.may_watch(connection.certificate)

    return {
        "/health/live": Page(TEXT, defer, lambda: (200, b"alive\n")),
        "/health/ready": Page(TEXT, defer, lambda: _ready(database)),
        "/metrics": Page("text/plain; version=0.0.4; charset=utf-8", defer, lambda: (200, exposition(more)), may_watch),
    }


def _ready(database: Database) -> Answer:
    try:
        database.read(lambda connection: connection.execute(text("SELECT 1")).scalar_one())
    except SQLAlchemyError as error:
        return 503, f"the database does not answer: {type(error).__name__}\n".encode()
    return 200, b"ready\n"
