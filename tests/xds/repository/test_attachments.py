"""The Documents of a Provide and Register request: every one is matched, every part accounted for."""

import base64
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from ihe.errors import ErrorCode, HL7ErrorCode
from ihe.exchange import Part, SOAPRequest
from ihe.identifiers import UniqueId
from xds.attachments import Attachments, decode_attachments

XMLNS = 'xmlns="urn:ihe:iti:xds-b:2007" xmlns:xop="http://www.w3.org/2004/08/xop/include"'
ENTRIES: Mapping[str, UniqueId | None] = {"Document01": UniqueId("1.2.3")}


def part(content_id: str, size: int = 5) -> Part:
    return Part(content_id=content_id, media_type="text/plain", size=size, sha1="", sha256="", spooled="")


def read(documents: str, *parts: Part) -> Attachments:
    body = etree.fromstring(
        f"<ProvideAndRegisterDocumentSetRequest {XMLNS}>{documents}</ProvideAndRegisterDocumentSetRequest>"
    )
    return decode_attachments(SOAPRequest(body, {each.content_id: each for each in parts}))


def codes(
    attachments: Attachments, entries: Mapping[str, UniqueId | None] = ENTRIES
) -> list[tuple[ErrorCode | HL7ErrorCode, str]]:
    return [(breach.code, breach.location) for breach in attachments.breaches(entries)]


def test_an_included_part_is_the_document() -> None:
    sent = part("1.urn:uuid:76A2@apache.org")
    attachments = read(
        '<Document id="Document01"> <xop:Include href="cid:1.urn:uuid:76A2@apache.org"/> </Document>', sent
    )
    assert [each.content for each in attachments.found] == [sent]
    assert codes(attachments) == []


def test_a_percent_encoded_reference_finds_its_part() -> None:
    sent = part("a<b>@x")
    assert (
        read('<Document id="Document01"><xop:Include href="cid:a%3Cb%3E@x"/></Document>', sent).found[0].content == sent
    )


@given(data=st.binary(min_size=1, max_size=200), columns=st.integers(1, 90))
def test_inline_base64_is_accepted_however_it_is_broken_into_lines(data: bytes, columns: int) -> None:
    text = base64.b64encode(data).decode()
    lines = "\r\n  ".join(text[start : start + columns] for start in range(0, len(text), columns))
    attachments = read(f'<Document id="Document01">\n{lines}\n</Document>')
    assert attachments.found[0].content == data
    assert codes(attachments) == []


def test_an_entry_without_document_is_told() -> None:
    assert codes(read("")) == [(ErrorCode.MISSING_DOCUMENT, "Document01")]


def test_a_document_without_entry_is_told() -> None:
    assert codes(read('<Document id="Document02">QQ==</Document>'), {}) == [
        (ErrorCode.MISSING_DOCUMENT_METADATA, "Document02")
    ]


def test_a_document_without_id_belongs_to_nothing() -> None:
    assert codes(read("<Document>QQ==</Document>"), {}) == [(ErrorCode.MISSING_DOCUMENT_METADATA, "")]


def test_a_part_that_no_document_names_is_told() -> None:
    sent = '<Document id="Document01">QQ==</Document>'
    assert codes(read(sent, part("lost@sender"))) == [(ErrorCode.MISSING_DOCUMENT_METADATA, "lost@sender")]


def test_a_part_that_the_header_names_is_none_of_the_documents() -> None:
    token = "<Header><BinarySecurityToken><xop:Include href='cid:certificate@sender'/></BinarySecurityToken></Header>"
    sent = f"<Envelope {XMLNS}>{token}<Body><Document id='Document01'>QQ==</Document></Body></Envelope>"
    body = etree.fromstring(sent)[1]
    attachments = decode_attachments(SOAPRequest(body, {"certificate@sender": part("certificate@sender")}))
    assert codes(attachments) == []


def test_a_reference_to_no_part_is_told() -> None:
    sent = '<Document id="Document01"><xop:Include href="cid:none@sender"/></Document>'
    assert codes(read(sent)) == [(ErrorCode.MISSING_DOCUMENT, "Document01")]


def test_two_documents_of_one_id_are_told() -> None:
    sent = '<Document id="Document01">QQ==</Document><Document id="Document01">Qg==</Document>'
    assert codes(read(sent)) == [(ErrorCode.REPOSITORY_METADATA_ERROR, "Document01")]


def test_text_that_is_not_base64_is_told_with_the_unique_id() -> None:
    assert codes(read('<Document id="Document01">Häma%</Document>')) == [(ErrorCode.INVALID_DOCUMENT_CONTENT, "1.2.3")]


def test_an_empty_document_is_told() -> None:
    assert codes(read('<Document id="Document01"/>')) == [(ErrorCode.INVALID_DOCUMENT_CONTENT, "1.2.3")]
    empty = '<Document id="Document01"><xop:Include href="cid:0@x"/></Document>'
    assert codes(read(empty, part("0@x", size=0))) == [(ErrorCode.INVALID_DOCUMENT_CONTENT, "1.2.3")]


def test_everything_wrong_is_told_at_once() -> None:
    sent = '<Document id="Document02">Häma%</Document>'
    assert codes(read(sent, part("lost@sender"))) == [
        (ErrorCode.MISSING_DOCUMENT, "Document01"),
        (ErrorCode.MISSING_DOCUMENT_METADATA, "Document02"),
        (ErrorCode.MISSING_DOCUMENT_METADATA, "lost@sender"),
        (ErrorCode.INVALID_DOCUMENT_CONTENT, "Document02"),
    ]
