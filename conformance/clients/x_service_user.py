"""An X-Service User: says with each request who asks (ITI TF-2: 3.40)."""

from conformance.clients.judging import accepted, of, sent, sent_again
from conformance.clients.secured import EXPIRED, HTTPS_DOORS, STRANGER
from conformance.clients.steps import ClientSuite, Judged, Step
from conformance.clients.world import World
from conformance.simulators.faults import FaultKind, at_first
from ihe.transactions import Actor
from xua.authentication import XUAMode
from xua.envelope import ASSERTION

QUERIED, ISSUED = of("ITI-18"), of("ITI-40")


def suite() -> ClientSuite:
    """The suite."""
    return ClientSuite(
        actor=Actor.X_SERVICE_USER,
        name="x-service-user",
        doors=HTTPS_DOORS,
        paths=("/sts", "/xds/registry"),
        steps=(*_asserting(), *_refused(), EXPIRED, STRANGER),
        xua=XUAMode.REQUIRED,
        needs_documents=True,
    )


def assertion_id(each: Judged) -> str:
    """The ID of the assertion in the header; empty: there is none."""
    envelope = each.seen.read.envelope
    security = envelope.security if envelope is not None else None
    found = next(security.iter(ASSERTION), None) if security is not None else None
    return found.get("ID", "") if found is not None else ""


def carries_an_assertion(each: Judged, _: World) -> str:
    """The security header holds one."""
    return "" if assertion_id(each) else "the request has no SAML 2.0 assertion in a wsse:Security header"


def is_secured(each: Judged, _: World) -> str:
    """The assertion does not travel in the clear."""
    return "" if each.seen.exchange.tls is not None else "the assertion was sent over a connection without TLS"


def with_another(first: Judged, second: Judged) -> str:
    """The assertion that was refused does not come again."""
    same = assertion_id(first) == assertion_id(second)
    return "the assertion that was refused came again" if same and assertion_id(second) else ""


def _asserting() -> tuple[Step, ...]:
    return (
        Step(
            name="get-assertion",
            ask="Get an assertion of a treating doctor for audience {home} at /sts (WS-Trust 1.3). If the client has "
            "its own assertion provider, skip this step and start with --trust ISSUER=CERT.pem.",
            judge=sent(ISSUED, accepted),
        ),
        Step(
            name="query-with-assertion",
            ask="Find the documents of patient {patient}, with the assertion, over TLS.",
            judge=sent(QUERIED, carries_an_assertion, is_secured, accepted),
            covers=("ITI-40-001", "ITI-40-003", "ITI-40-004", "ITI-40-005"),
        ),
    )


def _refused() -> tuple[Step, ...]:
    return (
        Step(
            name="failed-authentication",
            ask="Find them again. The registry answers with the fault wsse:FailedAuthentication, as it does when an "
            "assertion is over: get a new assertion and ask again.",
            judge=sent_again(QUERIED, with_another, carries_an_assertion, accepted),
            covers=("ITI-40-001", "ITI-40-004", "ITI-40-005"),
            faults=at_first(FaultKind.SOAP_FAULT, "ITI-18", detail="wsse:FailedAuthentication"),
        ),
    )
