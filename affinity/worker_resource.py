"""HTTP that is no SOAP: a request is read on the reactor's thread, answered in a worker's, and sent."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

Call = TypeVar("Call")
Reply = TypeVar("Reply")


class WorkerResource(Resource, Generic[Call, Reply]):  # type: ignore[misc]
    """Everything below one path. ``fail`` is told of what nobody foresaw. ``most_body``: bytes of a body at most."""

    isLeaf = True  # noqa: N815 - Twisted's name

    def __init__(
        self,
        answer: Callable[[Call], Reply],
        defer: Callable[..., Deferred[Any]],
        *,
        read: Callable[[Any], Call],
        send: Callable[[Reply, Any], None],
        fail: Callable[[Failure, Any], None],
        most_body: int,
    ) -> None:
        super().__init__()
        self.most_body = most_body
        self._answer = answer
        self._defer = defer
        self._read = read
        self._send = send
        self._fail = fail

    def render(self, request: Any) -> Any:
        """Answer any method: those that are not offered get a sentence, too."""
        answered = self._defer(self._answer, self._read(request))
        answered.addCallbacks(self._send, self._fail, (request,), errbackArgs=(request,))
        return NOT_DONE_YET


def header(request: Any, name: bytes) -> str:
    """A header that stands once; one that stands twice says nothing."""
    values: list[bytes] = request.requestHeaders.getRawHeaders(name) or []
    return values[0].decode("latin-1") if len(values) == 1 else ""


def start_reply(request: Any, status: int, content_type: str) -> None:
    """Status and headers of an answer that nobody keeps and that is what it says it is."""
    request.setResponseCode(status)
    request.setHeader(b"Content-Type", f"{content_type}; charset=utf-8".encode())
    request.setHeader(b"Cache-Control", b"no-store")
    request.setHeader(b"X-Content-Type-Options", b"nosniff")
