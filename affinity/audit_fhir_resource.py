"""The Twisted side of the Audit Record Repository over HTTP: from a request to a ``FHIRCall``, and back."""

import json
import os
from collections.abc import Callable
from typing import Any

import structlog
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from affinity.audit_fhir import MOST_BODY
from affinity.audit_fhir_calls import FHIRCall, FHIRReply, incident
from affinity.worker_resource import WorkerResource, header, start_reply
from atna.fhir_xml import xml

log = structlog.get_logger()


def fhir_resource(
    answer: Callable[[FHIRCall], FHIRReply], defer: Callable[..., Deferred[Any]]
) -> WorkerResource[FHIRCall, FHIRReply]:
    """Everything below ``/fhir``."""
    return WorkerResource(answer, defer, read=_call, send=_send, fail=_fail, most_body=MOST_BODY)


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
    start_reply(request, reply.status, f"application/fhir+{kind}")
    for name, value in reply.headers.items():
        request.setHeader(name.encode(), value.encode())
    written = xml(reply.resource) if reply.in_xml else json.dumps(reply.resource, ensure_ascii=False).encode()
    request.write(written)
    request.finish()


def _fail(failure: Failure, request: Any) -> None:
    correlation = os.urandom(16).hex()
    log.error("fhir failed", correlation=correlation, exc_info=failure.value)
    _send(incident(correlation), request)
