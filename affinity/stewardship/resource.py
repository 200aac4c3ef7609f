"""The Twisted side of the interface: from an HTTP request to a ``Call``, and back."""

import json
import os
from collections.abc import Callable
from typing import Any

import structlog
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from affinity.stewardship.bodies import MOST_BODY
from affinity.stewardship.calls import Call, Reply
from affinity.worker_resource import WorkerResource, header, start_reply

log = structlog.get_logger()


def stewardship_resource(
    answer: Callable[[Call], Reply], defer: Callable[..., Deferred[Any]]
) -> WorkerResource[Call, Reply]:
    """Everything below ``PATH``."""
    return WorkerResource(answer, defer, read=_call, send=_send, fail=_fail, most_body=MOST_BODY)


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


def _send(reply: Reply, request: Any) -> None:
    if request.gone:
        return
    start_reply(request, reply.status, "application/json")
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
