"""The Twisted side of the Audit Record Repository over HTTP: from a request to a ``FHIRCall``, and back."""

import json
import os
from collections.abc import Callable
from typing import Any

import structlog
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from affinity.audit_fhir import MOST_BODY
from affinity.audit_fhir_calls import FHIRCall, FHIRReply, incident
from affinity.stewardship.resource import header
from atna.fhir_xml import xml

log = structlog.get_logger()


class FHIRResource(Resource):  # type: ignore[misc]
    """Everything below ``/fhir``, answered in a worker thread."""

    isLeaf = True  # noqa: N815 - Twisted's name
    most_body = MOST_BODY

    def __init__(self, answer: Callable[[FHIRCall], FHIRReply], defer: Callable[..., Deferred[Any]]) -> None:
        super().__init__()
        self._answer = answer
        self._defer = defer

    def render(self, request: Any) -> Any:
        """Answer any method: those that are not offered get a sentence, too."""
        self._defer(self._answer, _call(request)).addCallbacks(_send, _fail, (request,), errbackArgs=(request,))
        return NOT_DONE_YET


def _call(request: Any) -> FHIRCall:
    connection = request.channel.connection
    reception = request.reception
    return FHIRCall(
        method=request.method.decode("latin-1"),
        path=tuple(each.decode("utf-8", "replace") for each in request.postpath if each),
        query=request.uri.partition(b"?")[2].decode("latin-1"),
        authorization=header(request, b"authorization"),
        accept=header(request, b"accept"),
        content_type=header(request, b"content-type"),
        content=b"" if reception is None else reception.content,
        peer=connection.peer,
        certificate=connection.certificate,
        secure=connection.secure,
    )


def _send(reply: FHIRReply, request: Any) -> None:
    if request.gone:
        return
    kind = "xml" if reply.in_xml else "json"
    request.setResponseCode(reply.status)
    request.setHeader(b"Content-Type", f"application/fhir+{kind}; charset=utf-8".encode())
    request.setHeader(b"Cache-Control", b"no-store")
    request.setHeader(b"X-Content-Type-Options", b"nosniff")
    for name, value in reply.headers.items():
        request.setHeader(name.encode(), value.encode())
    written = xml(reply.resource) if reply.in_xml else json.dumps(reply.resource, ensure_ascii=False).encode()
    request.write(written)
    request.finish()


def _fail(failure: Failure, request: Any) -> None:
    correlation = os.urandom(16).hex()
    log.error("fhir failed", correlation=correlation, exc_info=failure.value)
    _send(incident(correlation), request)
