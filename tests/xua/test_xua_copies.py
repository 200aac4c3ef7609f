"""What signxml copies and looks for, done without spelling and without paths: the same bytes, elements, refusals."""

import inspect

import pytest
from lxml import etree
from lxml.etree import _Element
from signxml import SignatureConfiguration, XMLVerifier, processor, verifier
from signxml.exceptions import InvalidInput

from soap.xml import parse, serialize
from tests.xua.stage import Stage
from xua.names import DS, SAML
from xua.signature import KEY_INFO, SIGNATURE, AsItStands, open_verifier, verify_signature

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
    assertion, own = stage.issue(), AsItStands()
    assert own._tostring(own.get_root(assertion)) is assertion
    copy = own._fromstring(assertion)
    assert copy is not assertion
    assert own._fromstring(copy) is copy
    assert own._tostring(assertion[1]).startswith(b"<ds:Signature")


@pytest.mark.parametrize("name", [name for name, each in vars(AsItStands).items() if inspect.isfunction(each)])
def test_what_is_done_otherwise_is_asked_for_by_signxml_as_before(name: str) -> None:
    theirs, ours = (inspect.signature(getattr(each, name)).parameters for each in (XMLVerifier, AsItStands))
    assert list(ours) == list(theirs)
    assert any(f"self.{name}(" in inspect.getsource(each) for each in (verifier, processor))


@pytest.mark.parametrize(
    ("uri", "again"),
    [("#own", ""), ("#own", 'ID="own"'), ("#own", 'x:ID="own"'), ("#own", 'Id="own"'), ("#own", 'about="own"')]
    + [(uri, "") for uri in ("", "#", "own", "##own", "#other", "#xpointer(own)", "https://own")],
)
def test_a_reference_leads_where_signxml_finds_that_it_leads(uri: str, again: str) -> None:
    for id in ("own", "#own", "xpointer(own)", ""):
        root = parse(f'<a xmlns:x="urn:x" ID="{id}"><b><c {again}/></b></a>'.encode())
        reference = etree.Element("Reference", URI=uri)
        assert found(AsItStands(), root, reference) == found(XMLVerifier(), root, reference)


def found(by: XMLVerifier, root: _Element, reference: _Element) -> object:
    """The element, or why there is none."""
    by.id_attributes = ("ID",)
    try:
        return by._resolve_reference(root, reference)
    except InvalidInput as error:
        return str(error)


@pytest.mark.parametrize("xpath", ["", "./", ".//", "b/"])
@pytest.mark.parametrize("query", ["Reference", "Transforms", "dsig11:ECKeyValue"])
def test_an_element_is_found_where_signxml_finds_it(query: str, xpath: str) -> None:
    children = "<d:Reference n='1'/><Transforms/><d:Reference n='2'/><e:ECKeyValue/>"
    root = parse(f'<a xmlns:d="{DS}" xmlns:e="http://www.w3.org/2009/xmldsig11#"><b>{children}</b></a>'.encode())
    for each in (root, root[0]):
        ours, theirs = (by._find(each, query, False, xpath) for by in (AsItStands(), XMLVerifier()))
        assert ours is theirs


def test_a_thread_keeps_its_verifier_and_nothing_of_what_it_verified(stage: Stage) -> None:
    kept = open_verifier()
    verify_signature(parse(serialize(stage.sign(stage.issue()))), [stage.sts.certificate], stage.now)
    assert open_verifier() is kept
    assert kept.copied is None
