"""Which package a request comes in is decided by its Content-Type alone, and every refusal is a sentence."""

import pytest

from soap.faults import FaultCode, SOAPFault
from soap.media import accept, parse_media_type


@pytest.mark.parametrize(
    ("header", "name", "parameters"),
    [
        ("application/soap+xml", "application/soap+xml", {}),
        ("Application/SOAP+XML;Charset=UTF-8", "application/soap+xml", {"charset": "UTF-8"}),
        ('multipart/related ; boundary="a b=\'()+_,-./:?;" ', "multipart/related", {"boundary": "a b='()+_,-./:?;"}),
        ("multipart/related; boundary=a'+_,-./:=?b; x=y", "multipart/related", {"boundary": "a'+_,-./:=?b", "x": "y"}),
        (r'a/b; start="<x\"y@z>"; start="<second>"', "a/b", {"start": '<x"y@z>'}),
        ("a/b; ; c=d;", "a/b", {"c": "d"}),
        ('a/b; empty=""', "a/b", {"empty": ""}),
        ('a/b ;c = "d" ; \te= f ;g="" ;', "a/b", {"c": "d", "e": "f", "g": ""}),
        ("", "", {}),
    ],
)
def test_a_content_type_is_read(header: str, name: str, parameters: dict[str, str]) -> None:
    media = parse_media_type(header)
    assert (media.name, dict(media.parameters)) == (name, parameters)


@pytest.mark.parametrize(
    "header", ["a/b; nothing", 'a/b; open="quote', "a/b; c=d e=f; g", 'a/b; c="d"e; f=g', "a/b; =c; d=e"]
)
def test_malformed_parameters_are_an_error(header: str) -> None:
    with pytest.raises(ValueError, match="malformed"):
        parse_media_type(header)


MTOM = 'multipart/related; type="application/xop+xml"; boundary="b"'


@pytest.mark.parametrize(
    "header",
    [
        "application/soap+xml",
        'application/soap+xml; charset=utf-8; action="urn:ihe:iti:2007:RegistryStoredQuery"',
        MTOM,
        'Multipart/Related; Type="Application/XOP+XML"; boundary=b',
        "multipart/related; boundary=b",
        f'{MTOM}; start-info="text/xml"',
    ],
)
def test_simple_soap_and_mtom_are_accepted(header: str) -> None:
    assert accept(header).name in ("application/soap+xml", "multipart/related")


@pytest.mark.parametrize(
    ("header", "encoding", "status", "sentence"),
    [
        ("", "", 415, "no media type"),
        ("application/xml", "", 415, "send application/soap\\+xml"),
        ("application/xop+xml", "", 415, "multipart/related with MTOM"),
        ("multipart/form-data; boundary=b", "", 415, "multipart/form-data"),
        ('multipart/related; type="text/xml"; boundary=b', "", 415, "SOAP with Attachments"),
        ('multipart/related; type="application/soap+xml"; boundary=b', "", 415, "SOAP with Attachments"),
        ('multipart/related; type="image/png"; boundary=b', "", 415, "image/png"),
        ("application/soap+xml; =", "", 415, "cannot be read"),
        ("application/soap+xml", "gzip", 415, "Content-Encoding gzip"),
        (MTOM, "deflate", 415, "Content-Encoding deflate"),
    ],
)
def test_everything_else_is_refused_by_name(header: str, encoding: str, status: int, sentence: str) -> None:
    with pytest.raises(SOAPFault, match=sentence) as caught:
        accept(header, encoding)
    assert (caught.value.code, caught.value.status) == (FaultCode.SENDER, status)


def test_text_xml_is_soap_11_and_a_version_mismatch() -> None:
    with pytest.raises(SOAPFault, match=r"SOAP 1\.1") as caught:
        accept("text/xml; charset=utf-8")
    assert (caught.value.code, caught.value.status) == (FaultCode.VERSION_MISMATCH, 500)
