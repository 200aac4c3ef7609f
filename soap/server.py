"""SOAP over HTTP: one twisted.web Site whose endpoints are made of transactions (SOAP 1.2 Part 2: 7; ITI TF-2: V).

``build_site`` is all that the composition root needs. This module alone brings transport, Spyne and answers together.
"""

# ruff: noqa: N802 (Twisted names its hooks)

from collections.abc import Mapping
from functools import partial
from typing import Any

from twisted.internet.threads import deferToThread, deferToThreadPool
from twisted.web.pages import notFound
from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET

from ihe.exchange import Spool
from soap.context import Answer, SOAPTransaction
from soap.exchange import Offer, begin, refuse
from soap.limits import DEFAULT_LIMITS, SOAPLimits
from soap.receive import receive
from soap.reception import Circumstances
from soap.request import StreamingRequest
from soap.service import SOAPService
from soap.site import Post, SOAPSite
from soap.wsdl import Documents, publish


def build_site(
    endpoints: Mapping[str, tuple[SOAPTransaction, ...]],
    answer: Answer,
    spool: Spool,
    *,
    public_url: str,
    limits: SOAPLimits = DEFAULT_LIMITS,
    extra: Mapping[str, Resource] | None = None,
    reactor: Any = None,
) -> SOAPSite:
    """Make the HTTP server of an affinity domain.

    ``endpoints`` maps paths such as ``/xds/registry`` to the transactions that they offer; ``answer`` is called for
    each request in a thread; ``spool`` makes the sinks of incoming documents; ``public_url`` is how clients reach this
    server (scheme, host, port), for the WSDL; ``extra`` mounts other resources by path, those that take bodies with
    ``most_body``, the most bytes of one. Large bodies are spooled, and long answers read, by the thread pool of
    ``reactor`` (None: the installed one).
    """
    in_thread = deferToThread if reactor is None else partial(deferToThreadPool, reactor, reactor.getThreadPool())
    root = Directory()
    posts: dict[bytes, Post] = {}
    for path, transactions in endpoints.items():
        service = SOAPService(transactions, answer)
        offer = Offer(path=path, service=service, in_thread=in_thread)
        posts[path.encode()] = partial(begin, offer)
        _mount(root, path, SOAPEndpoint(offer, publish(service, public_url.rstrip("/") + path)))
    for path, resource in (extra or {}).items():
        _mount(root, path, resource)
    circumstances = Circumstances(spool=spool, limits=limits, in_thread=in_thread)
    small = {path: most for path, each in (extra or {}).items() if (most := getattr(each, "most_body", None))}
    site = SOAPSite(root, partial(receive, site=circumstances), refuse, limits, reactor, small)
    site.posts, site.defer = posts, in_thread
    return site


class Directory(Resource):  # type: ignore[misc]
    """A part of a path that leads to others."""

    def getChild(self, path: bytes, request: StreamingRequest) -> Any:
        """Nothing else is here."""
        return notFound()


class SOAPEndpoint(Resource):  # type: ignore[misc]
    """One path: POST is a SOAP message, GET with ``?wsdl`` describes what may be posted."""

    def __init__(self, offer: Offer, documents: Documents) -> None:
        super().__init__()
        self._offer = offer
        self._documents = documents

    def getChild(self, path: bytes, request: StreamingRequest) -> Resource:
        """Answer whatever is asked below, but for what is mounted there."""
        request.postpath.clear()
        return self

    def render(self, request: StreamingRequest) -> Any:
        """Serve any method: those that are not offered get a sentence too."""
        if request.method == b"POST":
            begin(self._offer, request)
        else:
            self._describe(request)
            request.finish()
        return NOT_DONE_YET

    def _describe(self, request: StreamingRequest) -> None:
        query = request.uri.partition(b"?")[2].decode("latin-1")
        document = self._documents.find(query) if request.method in (b"GET", b"HEAD") else None
        if document is not None:
            request.send(200, "text/xml; charset=UTF-8", (document,))
            return
        request.setHeader(b"Allow", b"POST, GET")
        path = self._offer.path
        sentence = f"{path} takes SOAP 1.2 messages by POST; GET {path}?wsdl describes them.\n"
        request.send(405, "text/plain; charset=UTF-8", (sentence.encode(),))


def _mount(root: Resource, path: str, resource: IResource) -> None:
    """Put a resource under its path, with plain resources above it."""
    *above, name = (segment.encode() for segment in path.strip("/").split("/"))
    for segment in above:
        found = root.children.get(segment)
        if found is None:
            found = Directory()
            root.putChild(segment, found)
        root = found
    root.putChild(name, resource)
