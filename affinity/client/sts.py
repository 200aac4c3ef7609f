"""Ask a security token service for an assertion: WS-Trust 1.3 (ITI TF-2: 3.40.4.3; WS-Trust 1.3, section 3)."""

from collections.abc import Iterator
from dataclasses import dataclass

from lxml.etree import _Element

from affinity.client.bindings import soap_binding
from soap.client import NoAnswer, SOAPClient
from soap.xml import escape
from xua.envelope import ASSERTION
from xua.names import HL7, SAML, SAML_TOKEN_TYPE, WSA, WSP, WST
from xua.people import DEMO_ROLES, DemoRole
from xua.sts import Defect
from xua.trust import IHE_XUA
from xua.trust13 import DEFECT, ISSUE_TOKEN

ROLE = IHE_XUA.by_claim["roles"].name
PATIENT = IHE_XUA.by_claim["resource_id"].name
REQUEST = (
    f'<wst:RequestSecurityToken xmlns:wst="{WST}" xmlns:wsp="{WSP}" xmlns:wsa="{WSA}">'
    f"<wst:TokenType>{SAML_TOKEN_TYPE}</wst:TokenType><wst:RequestType>{WST}/Issue</wst:RequestType>"
    "<wsp:AppliesTo><wsa:EndpointReference><wsa:Address>%b</wsa:Address></wsa:EndpointReference></wsp:AppliesTo>"
    f'<wst:Claims Dialect="{SAML}" xmlns="{SAML}">%b</wst:Claims></wst:RequestSecurityToken>'
).encode()
CODED = f'<Role xmlns="{HL7}" code="%b" codeSystem="{DEMO_ROLES}"/>'.encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The token that is asked for; a ``defect`` only of the development STS."""

    role: DemoRole
    audience: str
    resource_id: str | None = None
    defect: Defect | None = None


def request_assertion(service: SOAPClient, wanted: Wanted) -> _Element:
    """The signed assertion that is wanted. Raises what SOAPClient raises, NoAnswer if the answer holds none."""
    claims = b"".join(_claims(wanted))
    answer = service.call(soap_binding(ISSUE_TOKEN), [REQUEST % (escape(wanted.audience), claims)])
    assertion = next(answer.body.iter(ASSERTION), None)
    if assertion is None:
        raise NoAnswer(f"{service.url} answered without an assertion")
    return assertion


def _claims(wanted: Wanted) -> Iterator[bytes]:
    yield _attribute(ROLE, CODED % escape(wanted.role.value))
    if wanted.resource_id is not None:
        yield _attribute(PATIENT, escape(wanted.resource_id))
    if wanted.defect is not None:
        yield _attribute(DEFECT, escape(wanted.defect.value))


def _attribute(name: str, value: bytes) -> bytes:
    return b'<Attribute Name="%b"><AttributeValue>%b</AttributeValue></Attribute>' % (name.encode(), value)
