"""The copies that signxml digests: of a whole document without spelling and parsing it, to the same bytes."""

import pytest
from lxml import etree
from lxml.etree import _Element
from signxml import SignatureConfiguration, XMLVerifier

from soap.xml import parse, serialize
from tests.xua.stage import Stage
from xua.names import SAML
from xua.signature import KEY_INFO, SIGNATURE, open_verifier, verify_signature

AWKWARD = "a\r\n b\t&amp;&lt;\u00a0é\U0001f600 ]]&gt;"


def awkward_token(stage: Stage, prefixes: str) -> _Element:
    """An assertion with whatever a serializer must spell by references, and prefixes that only a list names."""
    assertion = stage.issue()
    for value in assertion.iter(f"{{{SAML}}}AttributeValue"):
        if not len(value):
            value.append(etree.fromstring(f"<x xmlns=''>{AWKWARD.replace(chr(13), '&#13;')}</x>"))
    return parse(serialize(stage.sign(assertion, prefixes=prefixes)))


@pytest.mark.parametrize("prefixes", ["", "xs", "xsi saml2", "#default hl7"])
def test_what_was_signed_is_what_signxml_reads_by_itself(stage: Stage, prefixes: str) -> None:
    assertion = awkward_token(stage, prefixes)
    ours, _ = verify_signature(assertion, [stage.sts.certificate], stage.now)
    theirs = XMLVerifier().verify(
        assertion,
        x509_cert=stage.sts.certificate,
        id_attribute="ID",
        validate_schema=False,
        expect_config=SignatureConfiguration(location="./", verification_time=stage.now),
    )
    assert etree.tostring(ours, method="c14n") == etree.tostring(theirs.signed_xml, method="c14n")


def test_the_document_that_was_checked_stays_as_it_was(stage: Stage) -> None:
    assertion = awkward_token(stage, "")
    for key_info in assertion[1].findall(KEY_INFO):
        assertion[1].remove(key_info)
    before = serialize(assertion)
    signed, _ = verify_signature(assertion, [stage.sts.certificate], stage.now)
    assert serialize(assertion) == before
    assert signed.find(SIGNATURE) is None


def test_a_whole_document_is_copied_and_a_part_of_it_is_spelled(stage: Stage) -> None:
    assertion, verifier = stage.issue(), open_verifier()
    assert verifier._tostring(assertion) is assertion
    assert verifier._fromstring(assertion) is not assertion
    assert verifier._tostring(assertion[1]).startswith(b"<ds:Signature")


def test_a_thread_keeps_its_verifier() -> None:
    assert open_verifier() is open_verifier()
