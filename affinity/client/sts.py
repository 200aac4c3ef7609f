"""Ask a security token service for an assertion: WS-Trust 1.3 (ITI TF-2: 3.40.4.3; WS-Trust 1.3, section 3)."""

from lxml.etree import _Element

from affinity.client.bindings import soap_binding
from soap.client import NoAnswer, SOAPClient
from soap.xml import escape
from xua.envelope import ASSERTION
from xua.names import HL7, SAML, SAML_TOKEN_TYPE, WSA, WSP, WST
from xua.people import DEMO_ROLES, DemoRole
from xua.trust13 import ISSUE_TOKEN

ROLE = "urn:oasis:names:tc:xacml:2.0:subject:role"
REQUEST = (
    f'<wst:RequestSecurityToken xmlns:wst="{WST}" xmlns:wsp="{WSP}" xmlns:wsa="{WSA}">'
    f"<wst:TokenType>{SAML_TOKEN_TYPE}</wst:TokenType><wst:RequestType>{WST}/Issue</wst:RequestType>"
    "<wsp:AppliesTo><wsa:EndpointReference><wsa:Address>%b</wsa:Address></wsa:EndpointReference></wsp:AppliesTo>"
    f'<wst:Claims Dialect="{SAML}" xmlns="{SAML}"><Attribute Name="{ROLE}"><AttributeValue>'
    f'<Role xmlns="{HL7}" code="%b" codeSystem="{DEMO_ROLES}"/>'
    "</AttributeValue></Attribute></wst:Claims></wst:RequestSecurityToken>"
).encode()


def request_assertion(service: SOAPClient, role: DemoRole, audience: str) -> _Element:
    """The signed assertion for a person in ``role``. Raises what SOAPClient raises, NoAnswer if it holds none."""
    answer = service.call(soap_binding(ISSUE_TOKEN), [REQUEST % (escape(audience), escape(role.value))])
    assertion = next(answer.body.iter(ASSERTION), None)
    if assertion is None:
        raise NoAnswer(f"{service.url} answered without an assertion")
    return assertion
