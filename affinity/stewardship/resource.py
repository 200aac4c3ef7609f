"""The Twisted side of the interface: from an HTTP request to a ``Call``, and back."""

import json
import os
from collections.abc import Callable
from typing import Any

import structlog
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from affinity.stewardship.bodies import MOST_BODY
from affinity.stewardship.calls import Call, Reply

log = structlog.get_logger()


class StewardshipResource(Resource):  # type: ignore[misc]
    """Everything below ``PATH``, answered in a worker thread."""

    isLeaf = True  # noqa: N815 - Twisted's name
    most_body = MOST_BODY

    def __init__(self, answer: Callable[[Call], Reply], defer: Callable[..., Deferred[Any]]) -> None:
        super().__init__()
        self._answer = answer
        self._defer = defer

    def render(self, request: Any) -> Any:
        """Answer any method: those that are not offered get a sentence, too."""
        self._defer(self._answer, _call(request)).addCallbacks(_send, _fail, (request,), errbackArgs=(request,))
        return NOT_DONE_YET


def _call(request: Any) -> Call:
    connection = request.channel.connection
    reception = request.reception
    return Call(
        method=request.method.decode("latin-1"),
        path=tuple(each.decode("utf-8", "replace") for each in request.postpath if each),
        query=request.uri.partition(b"?")[2].decode("latin-1"),
        authorization=header(request, b"authorization"),
        content_type=header(request, b"content-type"),
        content=b"" if reception is None else reception.content,
        peer=connection.peer,
        secure=connection.secure,
    )


def header(request: Any, name: bytes) -> str:
    """A header that stands once; one that stands twice says nothing."""
    values: list[bytes] = request.requestHeaders.getRawHeaders(name) or []
    return values[0].decode("latin-1") if len(values) == 1 else ""


def _send(reply: Reply, request: Any) -> None:
    if request.gone:
        return
    request.setResponseCode(reply.status)
    request.setHeader(b"Content-Type", b"application/json; charset=utf-8")
    request.setHeader(b"Cache-Control", b"no-store")
    request.setHeader(b"X-Content-Type-Options", b"nosniff")
    if reply.status == 401:
        request.setHeader(b"WWW-Authenticate", b'Bearer realm="stewardship"')
    request.write(json.dumps(reply.content, ensure_ascii=False).encode() + b"\n")
    request.finish()


def _fail(failure: Failure, request: Any) -> None:
    """What nobody foresaw: the log has it in full, the answer names the incident."""
    incident = os.urandom(16).hex()
    log.error("stewardship failed", correlation=incident, exc_info=failure.value)
    text = "An error that nobody foresaw; the log of the server has it under this correlation"
    _send(Reply(status=500, content={"error": {"code": "internal", "text": text, "correlation": incident}}), request)
