"""SOAP services made of transactions: Spyne declares the operations and dispatches each envelope to its transaction.

Spyne's own rules are replaced where they differ from the standards: it gets a tree that our parser made, it finds the
operation by wsa:Action (ITI-42, ITI-57 and ITI-61 share one body element), and it hands the body on as it is.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from types import MappingProxyType
from typing import Any

from lxml.etree import QName, _Element

from ihe.exchange import Part, SOAPReply, SOAPRequest
from ihe.transactions import Actor, SOAPBinding
from soap.addressing import ACTION_NOT_SUPPORTED, read_addressing
from soap.context import Answer, Connection, SOAPContext, SOAPTransaction
from soap.envelope import Envelope, open_envelope
from soap.faults import SOAPFault, sender_fault
from soap.names import WSA
from soap.spyne_compat import (
    AnyXml,
    Application,
    ComplexModel,
    MethodContext,
    ServerBase,
    ServiceBase,
    Soap12,
    rpc,
)
from soap.xml import escape

NO_PARTS: Mapping[str, Part] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request as the transport delivers it: the parsed envelope, the parts that came with it, and from where."""

    root: _Element
    parts: Mapping[str, Part] = field(default_factory=lambda: NO_PARTS)
    packaged: bool = False
    correlation_id: str
    endpoint: str
    connection: Connection
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """A transaction and the one of its bindings that a request chose."""

    transaction: SOAPTransaction
    binding: SOAPBinding


@dataclass(frozen=True, slots=True)
class ServiceName:
    """The name of the actor in WSDL and the targetNamespace of its profile (IHE-WSP201, IHE-WSP202)."""

    name: str
    namespace: str


SERVICES: Mapping[Actor, ServiceName] = MappingProxyType(
    {
        Actor.DOCUMENT_REGISTRY: ServiceName("DocumentRegistry", "urn:ihe:iti:xds-b:2007"),
        Actor.DOCUMENT_REPOSITORY: ServiceName("DocumentRepository", "urn:ihe:iti:xds-b:2007"),
        Actor.PIX_MANAGER: ServiceName("PIXManager", "urn:ihe:iti:pixv3:2007"),
        Actor.PATIENT_DEMOGRAPHICS_SUPPLIER: ServiceName("PDSupplier", "urn:ihe:iti:pdqv3:2007"),
    }
)


def service_name(actor: Actor) -> ServiceName:
    """Name the service of an actor; IHE names no WSDL for actors outside the table."""
    plain = actor.replace(" ", "").replace("-", "")
    return SERVICES.get(actor, ServiceName(plain, f"urn:ihe:iti:{plain.lower()}"))


class IHESoap12(Soap12):  # type: ignore[misc]
    """SOAP 1.2 with WS-Addressing for Spyne: one lxml element in, whatever the operation returns out."""

    def set_app(self, app: Any) -> None:
        """Note the operations of the application by their wsa:Action.

        Spyne's own map knows them by their body elements, of which ITI-18 and ITI-51 have the same.
        """
        super().set_app(app)
        services = app.services if app is not None else ()
        declared = [each for service in services for each in service.public_methods.values()]
        operations = [(each, each.udd.operation) for each in declared]
        self._by_action: dict[str, tuple[Any, Operation]] = {each[1].binding.action: each for each in operations}

    def create_in_document(self, ctx: Any, charset: str | None = None) -> None:
        """Take the tree of the call."""
        ctx.in_document = ctx.in_string.root

    def decompose_incoming_envelope(self, ctx: Any, message: object = None) -> None:
        """Check envelope and addressing; their faults leave Spyne untouched."""
        envelope = open_envelope(ctx.in_document)
        addressing = read_addressing(envelope.headers)
        ctx.udc = (envelope, addressing)
        ctx.in_body_doc = envelope.body
        ctx.method_request_string = addressing.action

    def generate_method_contexts(self, ctx: Any) -> list[Any]:
        """Find the operation by wsa:Action, and make sure that the body is the one it goes with.

        One request starts one operation; Spyne would copy the context for each of several.
        """
        action = ctx.method_request_string
        if action not in self._by_action:
            raise _unknown_action(action, self._by_action)
        found, operation = self._by_action[action]
        if operation.binding.request != ctx.in_body_doc.tag:
            raise _wrong_body(action, operation.binding.request, ctx.in_body_doc)
        if operation.binding.mtom and not ctx.in_string.packaged:
            raise _mtom_wanted(operation.transaction)
        ctx.descriptor, ctx.function = found, found.function
        return [ctx]

    def deserialize(self, ctx: Any, message: object) -> None:
        """The operation takes the body as it came."""
        ctx.in_object = ctx.in_body_doc


class _Context(MethodContext):  # type: ignore[misc]
    """Spyne's, whose attributes are plain ones; nobody listens to its events."""

    __setattr__ = object.__setattr__
    descriptor = None

    def fire_event(self, event: str, *args: object, **kwargs: object) -> None:
        """Tell nobody."""


class SOAPService:
    """The operations of one endpoint as a Spyne application."""

    def __init__(self, transactions: Iterable[SOAPTransaction], answer: Answer) -> None:
        self.operations = tuple(_operations(transactions))
        self.name = service_name(self.operations[0].transaction.responder)
        declared = {each.binding.operation: _declare(each, answer) for each in self.operations}
        service = type(ServiceBase)(self.name.name, (ServiceBase,), {"__module__": __name__, **declared})
        protocols = {"in_protocol": IHESoap12(), "out_protocol": IHESoap12()}
        self.application = Application([service], self.name.namespace, name=self.name.name, **protocols)
        self._server = ServerBase(self.application)
        self.application.transport = "http://schemas.xmlsoap.org/soap/http"
        self._fresh = dict(vars(_Context(self._server, _Context.SERVER)))

    def call(self, call: Call) -> tuple[SOAPContext, Callable[[], SOAPReply]]:
        """Find the operation that a request asks for, ready to be run; a SOAPFault says why there is none."""
        context = self._context()
        context.in_string = call
        self._server.generate_contexts(context)
        self._server.get_in_object(context)
        self._server.get_out_object(context)
        if context.out_error is not None:
            raise context.out_error
        found: tuple[SOAPContext, Callable[[], SOAPReply]] = context.out_object[0]
        return found

    def _context(self) -> Any:
        """A context as Spyne makes it, without its fifty assignments and the circles in which it refers to itself.

        So the tree of a request is freed with the request, not by the garbage collector some time later.
        """
        context = _Context.__new__(_Context)
        context.__dict__.update(self._fresh)
        return context


def _operations(transactions: Iterable[SOAPTransaction]) -> Iterator[Operation]:
    for transaction in transactions:
        for binding in transaction.bindings:
            if isinstance(binding, SOAPBinding):
                yield Operation(transaction, binding)


def _declare(operation: Operation, answer: Answer) -> Callable[..., object]:
    """One remote procedure for Spyne, named as in the binding.

    It gives what there is to do. Done within it, a SOAPFault of the answer would become one of Spyne's.
    """
    binding, transaction = operation.binding, operation.transaction

    def remote(ctx: Any, body: _Element) -> tuple[SOAPContext, Callable[[], SOAPReply]]:
        call: Call = ctx.in_string
        envelope: Envelope
        envelope, addressing = ctx.udc
        context = SOAPContext(
            correlation_id=call.correlation_id,
            endpoint=call.endpoint,
            binding=binding,
            envelope=envelope,
            addressing=addressing,
            connection=call.connection,
            traceparent=call.traceparent,
        )
        return context, partial(answer, transaction, SOAPRequest(body, call.parts), context)

    remote.__name__ = binding.operation
    declare: Callable[..., object] = rpc(
        _element(binding.request),
        _returns=_element(binding.reply),
        _body_style="bare",
        _in_message_name=binding.request,
        _out_message_name=binding.reply,
        _udd={"operation": operation},
    )(remote)
    return declare


@cache
def _element(name: str) -> Any:
    """A declared body: its real name in its real namespace, opaque content; one type where operations share it."""
    qname = QName(name)
    members = {
        "__namespace__": qname.namespace,
        "__type_name__": qname.localname,
        "_type_info": [("any", AnyXml)],
    }
    return type(ComplexModel)(qname.localname, (ComplexModel,), members)


def _unknown_action(action: str, known: Iterable[str]) -> SOAPFault:
    problem = b'<wsa:ProblemAction xmlns:wsa="%b"><wsa:Action>%b</wsa:Action></wsa:ProblemAction>'
    return sender_fault(
        f"The wsa:Action {action} is not offered here; this endpoint takes {', '.join(sorted(known))}",
        ACTION_NOT_SUPPORTED,
        detail=problem % (WSA.encode(), escape(action)),
    )


def _wrong_body(action: str, wanted: str, body: _Element) -> SOAPFault:
    return sender_fault(
        f"The wsa:Action {action} goes with a body {wanted}; this body is {body.tag}", ACTION_NOT_SUPPORTED
    )


def _mtom_wanted(transaction: SOAPTransaction) -> SOAPFault:
    """Simple SOAP is for transactions that do not specify MTOM (ITI TF-2: V.8.1)."""
    return sender_fault(
        f"{transaction.name} [{transaction.id}] must be sent in MTOM/XOP format, this request came without it: send "
        'multipart/related with type="application/xop+xml" and the envelope as its root part. Inside, documents may be '
        f"XOP parts or inline base64 ({transaction.citation}; ITI TF-2: V.8)"
    )
