"""XML signatures over assertions: the only module that imports signxml (SAML Core 5.4; XML Signature Core 3.2).

SAML Core 5.4 leaves one form: enveloped, one Reference to the assertion's own ID, exclusive canonicalization. The names
of the algorithms are checked here first, because signxml passes over a transform that it does not know.
"""

import re
import threading
from collections.abc import Iterable
from copy import deepcopy
from datetime import datetime
from typing import Any

from lxml.etree import LxmlError, SubElement, _Element
from signxml import DigestAlgorithm, SignatureConfiguration, SignatureMethod, XMLSigner, XMLVerifier
from signxml import methods as constructions
from signxml.exceptions import SignXMLException

from xua.errors import AssertionRefused, Subcode
from xua.keys import Certificate, PrivateKey, is_valid_at, signs_with_rsa
from xua.names import DS, ENVELOPED_SIGNATURE, EXCLUSIVE_C14N, clark

_SHA2 = ("SHA256", "SHA384", "SHA512")
SIGNATURE_METHODS = frozenset(
    SignatureMethod[name] for sha in _SHA2 for name in (f"RSA_{sha}", f"ECDSA_{sha}", f"{sha}_RSA_MGF1")
)
DIGESTS = frozenset(DigestAlgorithm[sha] for sha in _SHA2)

SIGNATURE = clark("ds:Signature")
KEY_INFO = clark("ds:KeyInfo")

SHA1_METHODS = SIGNATURE_METHODS | {SignatureMethod.RSA_SHA1}
SHA1_DIGESTS = DIGESTS | {DigestAlgorithm.SHA1}
"""What an issuer may use to whom SHA-1 is granted for some time more (``TrustedIssuer.sha1_until``)."""

METHOD_URIS, SHA1_METHOD_URIS = (frozenset(each.value for each in known) for known in (SIGNATURE_METHODS, SHA1_METHODS))
DIGEST_URIS, SHA1_DIGEST_URIS = (frozenset(each.value for each in known) for known in (DIGESTS, SHA1_DIGESTS))
MADE_WITH_SHA1 = frozenset({SignatureMethod.RSA_SHA1.value, DigestAlgorithm.SHA1.value})

_BASE64 = re.compile(r"[A-Za-z0-9+/\s]+={0,2}\s*", re.ASCII)
_PREFIX_LIST = re.compile(r"(#default|[\w.-]+)( (#default|[\w.-]+)){0,31}", re.ASCII)


def check_signature_form(assertion: _Element, *, sha1: bool = False) -> None:
    """Refuse a signature that covers anything but its own assertion, or by other than the listed algorithms.

    ``sha1``: the issuer may still use it.
    """
    methods, digests = (SHA1_METHOD_URIS, SHA1_DIGEST_URIS) if sha1 else (METHOD_URIS, DIGEST_URIS)
    signature = assertion[1]
    info, value = signature[0], signature[1]
    canonicalization, method, reference = info
    transforms, digest, digest_value = reference
    _check_algorithm(canonicalization, (EXCLUSIVE_C14N,))
    _check_algorithm(method, methods)
    _check_algorithm(digest, digests)
    _check_algorithm(transforms[0], (ENVELOPED_SIGNATURE,))
    _check_algorithm(transforms[1], (EXCLUSIVE_C14N,))
    if len(transforms[0]):
        raise _unsupported("the enveloped-signature transform takes no parameter")
    _check_prefix_lists(canonicalization, transforms[1])
    _check_reference(assertion, signature, reference)
    for encoded in (value, digest_value):
        if _BASE64.fullmatch(encoded.text or "") is None:
            raise AssertionRefused(Subcode.FAILED_CHECK, "a signature or digest value is not base64")


def algorithms(assertion: _Element) -> tuple[str, str]:
    """The algorithms of the signature and of the digest, as URIs, of an assertion whose form was checked."""
    info = assertion[1][0]
    return info[1].get("Algorithm", ""), info[2][1].get("Algorithm", "")


def uses_sha1(assertion: _Element) -> bool:
    """Claim that the signature or the digest is made with SHA-1."""
    return not MADE_WITH_SHA1.isdisjoint(algorithms(assertion))


def verify_signature(
    assertion: _Element, certificates: Iterable[Certificate], now: datetime, *, sha1: bool = False
) -> tuple[_Element, Certificate]:
    """Verify with one of the issuer's certificates; return what was signed, and the certificate.

    What was signed is read again from the very bytes that were digested: nothing else may be looked at from here on.

    KeyInfo is cut off first: the issuer is known and so are its keys; nothing that the message says may choose another.
    """
    signature = assertion[1]
    for key_info in list(signature.iterchildren(KEY_INFO)):
        signature.remove(key_info)
    failures = []
    for certificate in certificates:
        if not is_valid_at(certificate, now):
            failures.append("its certificate is not valid now")
            continue
        try:
            return _verify(assertion, certificate, now, sha1=sha1), certificate
        except (SignXMLException, LxmlError, ValueError) as error:
            failures.append(f"{type(error).__name__}: {error}"[:200])
    raise AssertionRefused(Subcode.FAILED_CHECK, f"the signature does not verify: {'; '.join(failures)}")


def sign(assertion: _Element, key: PrivateKey, certificate: Certificate) -> _Element:
    """Sign an assertion that holds no signature yet, with SHA-256; returns a signed copy."""
    SubElement(assertion, SIGNATURE, {"Id": "placeholder"}, nsmap={"ds": DS})
    assertion.insert(1, assertion[-1])  # behind Issuer, where the schema wants it
    method = SignatureMethod.RSA_SHA256 if signs_with_rsa(key) else SignatureMethod.ECDSA_SHA256
    signer = XMLSigner(
        method=constructions.enveloped,
        signature_algorithm=method,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=EXCLUSIVE_C14N,
    )
    uri = f"#{assertion.get('ID')}"
    signed: _Element = signer.sign(assertion, key=key, cert=[certificate], reference_uri=uri, id_attribute="ID")
    return signed


class AsItStands(XMLVerifier):  # type: ignore[misc]
    """signxml's, on the very tree whose form was checked.

    It would spell that and parse it again, so that namespaces of elements around it do no harm: there are none around
    a document of its own. What it digests is a copy in any case. It copies by spelling and parsing; a whole document is
    copied as a tree here, which costs a quarter, and a copy is not copied again. A part is still spelled, and what was
    signed is still read from the bytes that were digested.

    It looks for children by paths and for an ID by XPath; where there is one answer, it is found here by stepping over
    elements. Where there is none, or another one might be, signxml looks and says so.
    """

    copied: _Element | None = None
    """The copy of the document under verification."""

    def get_root(self, data: _Element) -> _Element:
        """The element that is to be verified."""
        return data

    def _tostring(self, xml_node: _Element, **kwargs: Any) -> bytes | _Element:
        if xml_node.getparent() is None and not kwargs:
            return xml_node
        spelled: bytes = super()._tostring(xml_node, **kwargs)
        return spelled

    def _fromstring(self, xml_string: bytes | _Element, **kwargs: Any) -> _Element:
        if isinstance(xml_string, _Element):
            self.copied = xml_string if xml_string is self.copied else deepcopy(xml_string)
            return self.copied
        parsed: _Element = super()._fromstring(xml_string, **kwargs)
        return parsed

    def _find(self, element: _Element, query: str, require: bool = True, xpath: str = "") -> _Element | None:
        for found in element.iterchildren(f"{{{DS}}}{query}") if xpath in ("", "./") else ():
            return found
        sought: _Element | None = super()._find(element, query, require, xpath)
        return sought

    def _resolve_reference(self, doc_root: _Element, reference: _Element, uri_resolver: Any = None) -> _Element:
        uri = reference.get("URI") or ""
        id = uri.lstrip("#")
        bearers = [each for each in doc_root.iter() if id in each.values()]
        if len(bearers) == 1 and bearers[0].get("ID") == id and uri == f"#{id}" and "(" not in id:
            return bearers[0]
        resolved: _Element = super()._resolve_reference(doc_root, reference, uri_resolver)
        return resolved

    def _get_cert_description(self, cert: Certificate, cert_source: str) -> str:
        """What would be said of a certificate that is not valid now: spelled each time, and asked for before."""
        return cert_source


_VERIFIERS = threading.local()


def open_verifier() -> AsItStands:
    """This thread's: it keeps its parser, and nothing of what it verified."""
    if not hasattr(_VERIFIERS, "own"):
        _VERIFIERS.own = AsItStands()
    own: AsItStands = _VERIFIERS.own
    return own


def _verify(assertion: _Element, certificate: Certificate, now: datetime, *, sha1: bool) -> _Element:
    expected = SignatureConfiguration(
        location="./",
        expect_references=1,
        signature_methods=SHA1_METHODS if sha1 else SIGNATURE_METHODS,
        digest_algorithms=SHA1_DIGESTS if sha1 else DIGESTS,
        verification_time=now,
    )
    verifier = open_verifier()
    try:
        # The shape that we checked is narrower than the schema of XML Signature.
        result = verifier.verify(
            assertion, x509_cert=certificate, id_attribute="ID", validate_schema=False, expect_config=expected
        )
    finally:
        verifier.copied = None
    signed: _Element = result.signed_xml
    return signed


def _check_algorithm(element: _Element, allowed: Iterable[str]) -> None:
    algorithm = element.get("Algorithm", "")
    if algorithm not in allowed:
        raise _unsupported(f"the algorithm {algorithm[:120]!r} is not accepted here")


def _check_prefix_lists(*canonicalizations: _Element) -> None:
    for inclusive in (child for element in canonicalizations for child in element):
        if _PREFIX_LIST.fullmatch(inclusive.get("PrefixList", "")) is None:
            raise _unsupported("InclusiveNamespaces has no readable PrefixList")


def _check_reference(assertion: _Element, signature: _Element, reference: _Element) -> None:
    own = assertion.get("ID", "")
    if not own or reference.get("URI") != f"#{own}":
        raise AssertionRefused(Subcode.FAILED_CHECK, "the signature does not refer to its own assertion")
    if any(element.get("Id") == own for element in signature.iter()):
        raise AssertionRefused(Subcode.FAILED_CHECK, "the ID of the assertion is repeated")


def _unsupported(reason: str) -> AssertionRefused:
    return AssertionRefused(Subcode.UNSUPPORTED_ALGORITHM, reason)
