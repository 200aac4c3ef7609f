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


class Page(Resource):  # type: ignore[misc]
    """A small text answer to GET, computed in a worker thread: the status code and the body."""

    isLeaf = True  # noqa: N815 - Twisted's name

    def __init__(self, content_type: str, defer: Callable[..., Deferred[Any]], compute: Callable[[], "Answer"]) -> None:
        super().__init__()
        self._content_type = content_type
        self._defer = defer
        self._compute = compute

    def render_GET(self, request: Any) -> Any:  # noqa: N802 - Twisted's name
        """Answer when the worker is done."""
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
TEXT = "text/plain; charset=utf-8"


def pages(
    database: Database, defer: Callable[..., Deferred[Any]], measures: Iterable[CollectorRegistry] = ()
) -> dict[str, Page]:
    """The health and metrics pages by path."""
    more = tuple(measures)
    return {
        "/health/live": Page(TEXT, defer, lambda: (200, b"alive\n")),
        "/health/ready": Page(TEXT, defer, lambda: _ready(database)),
        "/metrics": Page("text/plain; version=0.0.4; charset=utf-8", defer, lambda: (200, exposition(more))),
    }


def _ready(database: Database) -> Answer:
    try:
        database.read(lambda connection: connection.execute(text("SELECT 1")).scalar_one())
    except SQLAlchemyError as error:
        return 503, f"the database does not answer: {type(error).__name__}\n".encode()
    return 200, b"ready\n"
