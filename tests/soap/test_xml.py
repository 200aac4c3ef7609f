"""The one XML parser refuses what SOAP 1.2 Part 1, section 5 forbids and what could cost too much."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soap.xml import XMLLimits, XMLRefused, escape, parse, serialize

BILLION_LAUGHS = (
    b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><l>&c;</l>'
)


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (b"<!DOCTYPE a><a/>", "DTD"),
        (b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/x.dtd"><a/>', "DTD"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "DTD"),
        (BILLION_LAUGHS, "DTD"),
        (b"<a>&undefined;</a>", "undefined"),
        (b"<a>\xff</a>", "encoding"),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "encoding"),
        (b"", "well-formed"),
        (b"<a><b></a>", "mismatch"),
        (b'<a b="1" b="2"/>', "redefined"),
        (b"<a>" * 200 + b"</a>" * 200, "deeper than 128"),
        (b"<a>" * 300 + b"</a>" * 300, "depth"),
        (b"<a " + b" ".join(b'a%d=""' % n for n in range(200_000)) + b"/>", "more than 256 attributes"),
        (b"<a>" + b"x" * 11_000_000 + b"</a>", "too long"),
    ],
)
def test_a_hostile_document_is_refused_with_a_sentence(document: bytes, sentence: str) -> None:
    with pytest.raises(XMLRefused, match=sentence):
        parse(document)


def test_a_document_larger_than_its_limit_is_refused_before_parsing() -> None:
    with pytest.raises(XMLRefused, match="at most 10"):
        parse(b"<a>not closed", XMLLimits(size=10))


def test_a_comment_cannot_split_a_name() -> None:
    assert parse(b"<id>admin<!-- -->@evil<?pi?>.example</id>").text == "admin@evil.example"


@pytest.mark.parametrize("node", ["<!-- -->", "<?pi?>"])
@pytest.mark.parametrize("charset", ["utf-8", "utf-16"])
def test_one_alone_is_dropped_too_but_where_it_is_kept(node: str, charset: str) -> None:
    root = parse(f"<a><b>1{node}2</b><c>1{node}2</c></a>".encode(charset), comments_kept_in=("b",))
    assert [len(each) for each in root] == [1, 0]
    assert root[1].text == "12"


def test_as_many_attributes_as_are_allowed_are_read_in_one_element_beside_others() -> None:
    limits = XMLLimits(attributes=20)
    several = " ".join(f"a{n}=''" for n in range(20))
    assert len(parse(f"<a b=''><c {several}/><d {several}/></a>".encode(), limits)) == 2
    with pytest.raises(XMLRefused, match="more than 20 attributes"):
        parse(f"<a b=''><c {several} e=''/></a>".encode(), limits)
    with pytest.raises(XMLRefused, match="more than 1 attributes"):
        parse(b"<a b='' c=''/>", XMLLimits(attributes=1))


def test_the_charset_of_the_transport_overrides_the_declaration() -> None:
    assert parse(b'<?xml version="1.0" encoding="UTF-8"?><a>M\xfcller</a>', encoding="iso-8859-1").text == "Müller"


def test_an_unknown_charset_is_refused_by_name() -> None:
    with pytest.raises(XMLRefused, match="klingon"):
        parse(b"<a/>", encoding="klingon")


def test_utf_16_is_read() -> None:
    assert parse('<?xml version="1.0" encoding="UTF-16"?><a>Müller</a>'.encode("utf-16")).text == "Müller"


def test_a_wide_document_with_few_attributes_each_is_accepted() -> None:
    assert len(parse(b"<a>" + b'<b c="d"/><b></b>' * 1000 + b"</a>")) == 2000


def test_an_element_is_serialized_with_the_namespaces_in_scope_and_without_its_tail() -> None:
    root = parse(b'<x:a xmlns:x="urn:x"><x:b>\xc3\xa9</x:b>tail</x:a>')
    assert serialize(root[0]) == '<x:b xmlns:x="urn:x">é</x:b>'.encode()


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_escaped_text_reads_back_from_content_and_from_attributes(text: str) -> None:
    root = parse(b'<a b="%b">%b</a>' % (escape(text), escape(text)))
    expected = "".join(c if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff") else "\ufffd" for c in text)
    assert (root.text or "") == expected
    assert root.get("b") == expected


def test_a_document_of_countless_tags_is_refused_before_parsing() -> None:
    with pytest.raises(XMLRefused, match="more than 1000 tags"):
        parse(b"<a>" + b"<b/>" * 1000 + b"not closed", XMLLimits(tags=1000))
