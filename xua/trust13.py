"""Ask the development STS for an assertion by WS-Trust 1.3 (ITI TF-2: 3.40.4.3; WS-Trust 1.3, sections 3 and 4)."""

from dataclasses import dataclass
from typing import NoReturn

from lxml.etree import _Element

from ihe.audit import LOGIN, USER_AUTHENTICATION, EventActionCode
from ihe.audited import Audit, Event
from ihe.citations import tf2
from ihe.errors import Rejected
from ihe.exchange import Exchange, SOAPReply, SOAPRequest
from ihe.transactions import Actor, SOAPBinding, Transaction
from soap.xml import escape, serialize
from xua.attributes import read_claims
from xua.errors import AssertionRefused, Subcode
from xua.names import SAML, SAML_TOKEN_TYPE, WSA, WSP, WST, WSU, clark
from xua.people import DemoRole
from xua.sts import Defect, DevelopmentSTS
from xua.trust import IHE_XUA

ISSUE = f"{WST}/Issue"
DEFECT = "urn:affinity:development:defect"
"""A claim that asks for a token with a defect (``xua.sts.Defect``)."""
BEARER_KEY = f"{WST}/Bearer"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """A RequestSecurityToken: for which service, in which role; ``context`` is echoed (WS-Trust 1.3, 3.1).

    ``defect`` is what shall be wrong with the token, for those who test that it is refused.
    """

    audience: str
    role: DemoRole
    resource_id: str | None = None
    context: str | None = None
    defect: Defect | None = None


def decode(wire: SOAPRequest) -> TokenRequest:
    """Read the request. AssertionRefused with wst:InvalidRequest where it asks for what this STS does not issue."""
    request = wire.body
    _expect(request, "RequestType", ISSUE)
    _expect(request, "TokenType", SAML_TOKEN_TYPE, SAML)
    _expect(request, "KeyType", BEARER_KEY)
    audience = _text(request, f"{{{WSP}}}AppliesTo/{{{WSA}}}EndpointReference/{{{WSA}}}Address")
    if not audience:
        raise _invalid("AppliesTo does not name the service")
    role, resource_id, defect = _claimed(request)
    return TokenRequest(
        audience=audience, role=role, resource_id=resource_id, context=request.get("Context"), defect=defect
    )


def handle(request: TokenRequest, sts: DevelopmentSTS, exchange: Exchange) -> _Element:
    """Issue the assertion. Nobody is authenticated: this is why the STS exists in development alone."""
    return sts.issue(
        request.role,
        exchange.received_at,
        request.audience,
        resource_id=request.resource_id,
        defect=request.defect,
    )


def encode(wire: SOAPRequest, assertion: _Element, exchange: Exchange) -> SOAPReply:
    """Spell a collection with one response; the assertion is spliced in, as the signature covers it."""
    context = wire.body.get("Context")
    conditions = assertion.find(clark("saml:Conditions"))
    assert conditions is not None  # we wrote it
    audience = _text(assertion, "/".join(map(clark, ("saml:Conditions", "saml:AudienceRestriction", "saml:Audience"))))
    return SOAPReply(
        (
            f'<wst:RequestSecurityTokenResponseCollection xmlns:wst="{WST}"><wst:RequestSecurityTokenResponse'.encode(),
            b"" if context is None else b' Context="' + escape(context) + b'"',
            f"><wst:TokenType>{SAML_TOKEN_TYPE}</wst:TokenType><wst:RequestedSecurityToken>".encode(),
            serialize(assertion),
            f'</wst:RequestedSecurityToken><wsp:AppliesTo xmlns:wsp="{WSP}"><wsa:EndpointReference'.encode(),
            f' xmlns:wsa="{WSA}"><wsa:Address>'.encode() + escape(audience),
            b"</wsa:Address></wsa:EndpointReference></wsp:AppliesTo>",
            _lifetime(conditions.get("NotBefore", ""), conditions.get("NotOnOrAfter", "")),
            f"<wst:KeyType>{BEARER_KEY}</wst:KeyType>".encode(),
            b"</wst:RequestSecurityTokenResponse></wst:RequestSecurityTokenResponseCollection>",
        )
    )


def refuse(wire: SOAPRequest, rejected: Rejected, exchange: Exchange) -> NoReturn:
    """WS-Trust answers a failed request with a fault, so this raises (WS-Trust 1.3, section 11)."""
    raise AssertionRefused(Subcode.REQUEST_FAILED, str(rejected)) from rejected


def _lifetime(created: str, expires: str) -> bytes:
    period = f"<wsu:Created>{created}</wsu:Created><wsu:Expires>{expires}</wsu:Expires>"
    return f'<wst:Lifetime xmlns:wsu="{WSU}">{period}</wst:Lifetime>'.encode()


def _claimed(request: _Element) -> tuple[DemoRole, str | None, Defect | None]:
    """Read role, patient and defect from the Claims, which are written as the SAML attributes asked for."""
    attributes = request.findall(f"{{{WST}}}Claims/{clark('saml:Attribute')}")
    try:
        claims = read_claims(attributes, IHE_XUA)
        roles = claims.get("roles", ())
        role = DemoRole(roles[0].code) if roles else DemoRole.TREATING_DOCTOR
        defects = [_text(each, clark("saml:AttributeValue")) for each in attributes if each.get("Name") == DEFECT]
        return role, claims.get("resource_id"), Defect(defects[0]) if defects else None
    except ValueError as error:
        raise _invalid(f"the claims cannot be met: {error}") from error


def _expect(request: _Element, name: str, *values: str) -> None:
    """An element that may be absent, but says nothing else than one of ``values``; RequestType must be there."""
    given = _text(request, f"{{{WST}}}{name}")
    if given not in values and (given or name == "RequestType"):
        raise _invalid(f"{name} is {given[:120]!r}, not {values[0]}")


def _text(element: _Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def _invalid(reason: str) -> AssertionRefused:
    return AssertionRefused(Subcode.INVALID_REQUEST, reason)


ISSUE_TOKEN = Transaction(
    id="RST-Issue",
    name="Request Security Token (development)",
    citation=tf2("3.40.4.3"),
    initiator=Actor.X_SERVICE_USER,
    responder=Actor.X_ASSERTION_PROVIDER,
    bindings=(
        SOAPBinding(
            operation="RequestSecurityToken_Issue",
            action=f"{WST}/RST/Issue",
            request=f"{{{WST}}}RequestSecurityToken",
            reply_action=f"{WST}/RSTRC/IssueFinal",
            reply=f"{{{WST}}}RequestSecurityTokenResponseCollection",
        ),
    ),
    decode=decode,
    handle=handle,
    encode=encode,
    refuse=refuse,
    audit=Audit(
        citation=tf2("3.20.4.1.1.1"),
        event=USER_AUTHENTICATION,
        type=LOGIN,
        action=EventActionCode.EXECUTE,
        describe=lambda _wire, _request, _result: (Event(),),
    ),
)
