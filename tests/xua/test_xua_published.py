"""Published attacks by their names: XSW1 to XSW8 in a SOAP message, encodings, names that only look alike, floods.

XSW1 and XSW2 were made for a signed Response; in a SOAP header, where none belongs, a Response is one more wrapper.
Controls say that what an attack is made of is accepted, so that its refusal means something.
"""

import codecs
from collections.abc import Callable
from copy import deepcopy

import pytest
from lxml import etree
from lxml.etree import _Element

from soap.xml import XMLRefused, parse, serialize
from tests.xua.stage import Stage
from tests.xua.test_xua_attacks import NAME, SUBJECT, bare, evil, replaced, splice
from xua.errors import AssertionRefused, Subcode
from xua.names import DS, SAML, SOAP, WSSE

SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
ONE_OF_EACH = "expected one Security header with one Assertion"

Made = Callable[[Stage], bytes]


def response(content: bytes) -> bytes:
    return f'<samlp:Response xmlns:samlp="{SAMLP}" ID="_r" Version="2.0">'.encode() + content + b"</samlp:Response>"


def xsw1(stage: Stage) -> bytes:
    """The original within the signature of the evil Response, which comes first."""
    genuine = stage.issue()
    stripped, signature = bare(genuine)
    inner = splice(signature, response(serialize(stripped)), b"</ds:Signature>")
    return stage.enclose(response(inner + serialize(evil(genuine))))


def xsw2(stage: Stage) -> bytes:
    """As XSW1, the signature detached: the original stands before it."""
    genuine = stage.issue()
    stripped, signature = bare(genuine)
    return stage.enclose(response(serialize(stripped) + serialize(signature) + serialize(evil(genuine))))


def xsw3(stage: Stage) -> bytes:
    """The evil assertion before the original, both children of one parent."""
    genuine = stage.issue()
    return stage.message(evil(genuine), genuine)


def xsw4(stage: Stage) -> bytes:
    """The original as a child of the evil assertion."""
    genuine = stage.issue()
    return stage.enclose(splice(evil(genuine), serialize(genuine), b"</saml2:Assertion>"))


def xsw5(stage: Stage) -> bytes:
    """The evil assertion keeps the signature; the original, without it, stands at the end of the message."""
    genuine = stage.issue()
    stripped, signature = bare(genuine)
    forged = splice(evil(genuine), serialize(signature), SUBJECT)
    return stage.enclose(forged + serialize(stripped))


def xsw6(stage: Stage) -> bytes:
    """The original within the signature of the evil assertion."""
    genuine = stage.issue()
    stripped, signature = bare(genuine)
    wrapped = splice(signature, serialize(stripped), b"</ds:Signature>")
    return stage.enclose(splice(evil(genuine), wrapped, SUBJECT))


def xsw7(stage: Stage) -> bytes:
    """The evil assertion in an Extensions element before the original: schema validation is lax there."""
    genuine = stage.issue()
    extensions = f'<samlp:Extensions xmlns:samlp="{SAMLP}">'.encode() + serialize(evil(genuine))
    return stage.enclose(extensions + b"</samlp:Extensions>" + serialize(genuine))


def xsw8(stage: Stage) -> bytes:
    """The original in an Object of the evil assertion's signature: lax, too."""
    genuine = stage.issue()
    stripped, signature = bare(genuine)
    wrapped = splice(signature, b"<ds:Object>" + serialize(stripped) + b"</ds:Object>", b"</ds:Signature>")
    return stage.enclose(splice(evil(genuine), wrapped, SUBJECT))


WRAPPINGS: tuple[Made, ...] = (xsw1, xsw2, xsw3, xsw4, xsw5, xsw6, xsw7, xsw8)


@pytest.mark.parametrize("make", WRAPPINGS, ids=lambda make: make.__name__)
def test_signature_wrapping_finds_no_second_place(stage: Stage, make: Made) -> None:
    for _remembered in range(2):
        with pytest.raises(AssertionRefused) as caught:
            stage.verify(make(stage))
        assert caught.value.subcode is Subcode.INVALID_SECURITY and ONE_OF_EACH in caught.value.reason
        assert stage.verify(stage.message(stage.issue())).name_id == NAME


@pytest.mark.parametrize("make", WRAPPINGS, ids=lambda make: make.__name__)
def test_nor_does_it_in_the_places_of_soap(stage: Stage, make: Made) -> None:
    """The same token with what is wrapped moved to another header, to the body, behind an actor of its own."""
    security = parse(make(stage)).find(f".//{{{WSSE}}}Security")
    assert security is not None
    children = [serialize(each) for each in security]
    first, rest = children[0], b"".join(children[1:]) or serialize(evil(stage.issue()))
    foreign = f'<w:Security xmlns:w="{WSSE}" xmlns:e="{SOAP}" e:role="urn:other">'.encode() + rest + b"</w:Security>"
    header = b'<x:Any xmlns:x="urn:x">' + rest + b"</x:Any>"
    for message in (
        stage.enclose(first, body=rest),
        stage.enclose(first, header=header),
        stage.enclose(first, header=foreign),
    ):
        with pytest.raises(AssertionRefused) as caught:
            stage.verify(message)
        assert caught.value.subcode is Subcode.INVALID_SECURITY


# -- encodings: what one reader decodes must be what another signed


def declared(message: bytes, encoding: str) -> bytes:
    return f'<?xml version="1.0" encoding="{encoding}"?>'.encode() + message


def test_other_encodings_of_the_same_text_are_the_same_assertion(stage: Stage) -> None:
    """Control: canonicalization is UTF-8 whatever came in."""
    message = stage.message(stage.issue()).decode()
    wide = f'<?xml version="1.0" encoding="UTF-16"?>{message}'
    assert stage.verify(codecs.BOM_UTF16_LE + wide.encode("utf-16-le")).name_id == NAME
    assert stage.verify(codecs.BOM_UTF8 + message.encode()).name_id == NAME
    assert stage.verify(message.replace(NAME, "".join(f"&#{ord(each)};" for each in NAME)).encode()).name_id == NAME


ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    # The name's "." spelled in two bytes where one would do: another reader may fold it back.
    "an overlong form": lambda message: replaced(message, NAME.encode(), NAME.replace(".", "\0").encode()).replace(
        b"\0", b"\xc0\xae"
    ),
    "a lone surrogate": lambda message: replaced(message, NAME.encode(), NAME.encode() + b"\xed\xa0\x80"),
    "a cut sequence": lambda message: replaced(message, NAME.encode(), NAME.encode() + b"\xc3"),
    "a null character": lambda message: replaced(message, NAME.encode(), NAME.encode() + b"\0"),
    "a null reference": lambda message: replaced(message, NAME.encode(), NAME.encode() + b"&#0;"),
    "UTF-16 said of UTF-8": lambda message: declared(message, "UTF-16"),
    "EBCDIC said of UTF-8": lambda message: declared(message, "cp037"),
    "an encoding nobody knows": lambda message: declared(message, "x-mine"),
    "a declaration that comes late": lambda message: b" " + declared(message, "UTF-8"),
    "an entity": lambda message: (
        b'<!DOCTYPE a [<!ENTITY b "the.administrator">]>' + replaced(message, NAME.encode(), b"&b;")
    ),
    "an external entity": lambda message: (
        b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]>' + replaced(message, NAME.encode(), b"&b;")
    ),
    "a parameter entity": lambda message: b'<!DOCTYPE a [<!ENTITY % b SYSTEM "http://127.0.0.1:9/"> %b;]>' + message,
    "a billion laughs": lambda message: (
        b'<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]>' + replaced(message, NAME.encode(), b"&c;")
    ),
    "a default attribute": lambda message: b'<!DOCTYPE a [<!ATTLIST ds:Reference URI CDATA "">]>' + message,
}


@pytest.mark.parametrize("trick", ENCODINGS)
def test_an_encoding_trick_does_not_get_past_the_parser(stage: Stage, trick: str) -> None:
    message = ENCODINGS[trick](stage.message(stage.issue()))
    with pytest.raises(XMLRefused):
        stage.verify(message)


LOOK_ALIKES = {
    "a zero width space": NAME + "\u200b",
    "a soft hyphen": NAME.replace(".", "\u00ad."),
    "Cyrillic letters": NAME.replace("a", "\u0430"),
    "full width letters": "".join(chr(ord(each) + 0xFEE0) if each.isascii() else each for each in NAME),
    "a direction override": "\u202e" + NAME[::-1],
    "another normal form": NAME + "\u0301",
}


@pytest.mark.parametrize("look", LOOK_ALIKES)
def test_a_name_that_looks_alike_is_another_name(stage: Stage, look: str) -> None:
    """Changed after signing it fails; signed by the issuer it is the name that was signed, and never the other."""
    with pytest.raises(AssertionRefused) as caught:
        stage.verify(replaced(stage.message(stage.issue()), NAME.encode(), LOOK_ALIKES[look].encode()))
    assert caught.value.subcode is Subcode.FAILED_CHECK
    assertion = stage.issue()
    for name in assertion.iter(f"{{{SAML}}}NameID"):
        name.text = LOOK_ALIKES[look]
    try:
        assert stage.verify(stage.message(stage.sign(assertion))).name_id == LOOK_ALIKES[look] != NAME
    except AssertionRefused as refused:
        assert "NameID" in refused.reason  # not printable


@pytest.mark.parametrize(
    "entity_id", ["https://sts.example.lu\u200b", "https://sts.example.lu/", "https://stѕ.example.lu"]
)
def test_an_issuer_that_looks_alike_is_another_issuer(stage: Stage, entity_id: str) -> None:
    assertion = stage.issue()
    assertion[0].text = entity_id
    with pytest.raises(AssertionRefused, match="is not trusted"):
        stage.verify(stage.message(stage.sign(assertion)))


# -- what a signature covers is what is read: prefixes, defaults and white space


REWRITINGS: dict[str, Callable[[bytes], bytes]] = {
    "another prefix": lambda message: message.replace(b"saml2:", b"s:").replace(b"xmlns:saml2=", b"xmlns:s="),
    "a default namespace": lambda message: message.replace(b"saml2:", b"").replace(b"xmlns:saml2=", b"xmlns="),
    "white space between attributes": lambda message: message.replace(b' Version="2.0"', b'\n\tVersion="2.0"'),
    "single quotes": lambda message: message.replace(b'Version="2.0"', b"Version='2.0'"),
    "attributes in another order": lambda message: message.replace(b'code="patient" ', b"", 1).replace(
        b'displayName="Patient"', b'displayName="Patient" code="patient"', 1
    ),
    "a closing tag for an empty element": lambda message: message.replace(
        b'xml-exc-c14n#"/>', b'xml-exc-c14n#"></ds:CanonicalizationMethod>', 1
    ),
}


@pytest.mark.parametrize("rewriting", REWRITINGS)
def test_a_rewritten_assertion_says_what_was_signed_or_nothing(stage: Stage, rewriting: str) -> None:
    genuine = stage.message(stage.issue())
    rewritten = REWRITINGS[rewriting](genuine)
    assert rewritten != genuine
    expected = stage.verify(genuine)
    try:
        assert stage.verify(rewritten) == expected
    except AssertionRefused as refused:
        assert refused.subcode is Subcode.FAILED_CHECK


def test_namespaces_of_the_envelope_cannot_give_a_prefix_another_meaning(stage: Stage) -> None:
    """A QName in a value (xsi:type) is text to the signature: what it means must not hang on what stands around."""
    genuine = stage.issue()
    assert genuine.nsmap["xsi"]
    moved = replaced(serialize(genuine), b' xmlns:hl7="urn:hl7-org:v3"', b"")
    envelope = replaced(stage.enclose(moved), b"<env:Envelope ", b'<env:Envelope xmlns:hl7="urn:evil" ')
    with pytest.raises(AssertionRefused):
        stage.verify(envelope)


# -- floods


def nested(depth: int) -> bytes:
    return b"<a>" * depth + b"</a>" * depth


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (nested(200), XMLRefused),
        (b"<a " + b" ".join(b'b%d="c"' % number for number in range(400)) + b"/>", XMLRefused),
        (f'<Advice xmlns="{SAML}">'.encode() * 90 + b"</Advice>" * 90, AssertionRefused),
    ],
)
def test_a_flood_in_the_header_is_cut_off(stage: Stage, content: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        stage.verify(stage.enclose(splice(stage.issue(), content, b"</saml2:Assertion>")))


def test_the_signature_is_not_read_from_where_it_was_not_checked(stage: Stage) -> None:
    """Control of the controls: the same parts in their places are accepted."""
    genuine: _Element = stage.issue()
    stripped, signature = bare(genuine)
    rebuilt = parse(splice(stripped, serialize(signature), SUBJECT))
    assert stage.verify(stage.message(rebuilt)).name_id == NAME
    assert etree.tostring(rebuilt, method="c14n", exclusive=True) == etree.tostring(
        deepcopy(genuine), method="c14n", exclusive=True
    )
    assert signature.tag == f"{{{DS}}}Signature"
