"""Namespaces, methods and algorithms that an X-User Assertion may name (ITI TF-2: 3.40.3.1)."""

from functools import lru_cache

SOAP = "http://www.w3.org/2003/05/soap-envelope"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
WST = "http://docs.oasis-open.org/ws-sx/ws-trust/200512"
WSP = "http://schemas.xmlsoap.org/ws/2004/09/policy"
WSA = "http://www.w3.org/2005/08/addressing"
SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
DS = "http://www.w3.org/2000/09/xmldsig#"
DSIG11 = "http://www.w3.org/2009/xmldsig11#"
HL7 = "urn:hl7-org:v3"
XSI = "http://www.w3.org/2001/XMLSchema-instance"

EXCLUSIVE_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED_SIGNATURE = f"{DS}enveloped-signature"

BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
HOLDER_OF_KEY = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"

SAML_TOKEN_TYPE = "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV2.0"

PREFIXES = {"saml": SAML, "ds": DS, "dsig11": DSIG11, "ec": EXCLUSIVE_C14N, "hl7": HL7, "xsi": XSI}


@lru_cache(maxsize=512)
def clark(prefixed: str) -> str:
    """Spell ``saml:Issuer`` in Clark notation; a name without prefix stays as it is."""
    prefix, colon, local = prefixed.partition(":")
    return f"{{{PREFIXES[prefix]}}}{local}" if colon else prefixed
