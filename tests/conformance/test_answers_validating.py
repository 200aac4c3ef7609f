"""Answers of registries and repositories: one good answer, one change, one finding, with the assertions it breaks."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from conformance.findings import Finding
from conformance.validating import validate
from conformance.validators.context import Context
from ihe.citations import tf3
from ihe.errors import Breach, ErrorCode, Severity
from ihe.exchange import OutgoingPart
from soap.head import ENVELOPE_END, request_head
from soap.mtom import pack
from tests.conformance.mutations import mutations
from tests.conformance.test_validating import SUBMISSION
from xds.responses import ResponseStatus, registry_response

ANY = Context()
OBJECTS = SUBMISSION[SUBMISSION.index(b"<rim:RegistryObjectList") : SUBMISSION.index(b"</lcm:SubmitObjectsRequest")]
FOUND = (
    b'<query:AdhocQueryResponse xmlns:query="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" '
    b'xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0" xmlns:rs="urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0" '
    b'status="urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success">' + OBJECTS + b"</query:AdhocQueryResponse>"
)
REFERENCES = b'<rim:RegistryObjectList><rim:ObjectRef id="urn:uuid:10b545ea-725c-446d-9b95-8aeb444eddf3"/>\
</rim:RegistryObjectList>'
REFERRED = FOUND.replace(OBJECTS, REFERENCES)
DOCUMENT = """<DocumentResponse><RepositoryUniqueId>2.999.1</RepositoryUniqueId>
<DocumentUniqueId>2.999.7</DocumentUniqueId><mimeType>text/plain</mimeType><Document>
<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:doc@x"/></Document></DocumentResponse>"""


def breach(severity: Severity = Severity.ERROR, location: str = "") -> Breach:
    return Breach(
        code=ErrorCode.REGISTRY_METADATA_ERROR,
        text="Something is wrong",
        location=location,
        severity=severity,
        citation=tf3("4.2"),
    )


REFUSED = registry_response(ResponseStatus.FAILURE, (breach(), breach(Severity.WARNING)))
WARNED = registry_response(ResponseStatus.SUCCESS, (breach(Severity.WARNING),))


def retrieved(document: str = DOCUMENT, breaches: Iterable[Breach] = ()) -> bytes:
    outcome = ResponseStatus.PARTIAL_SUCCESS if breaches else ResponseStatus.SUCCESS
    start = b'<RetrieveDocumentSetResponse xmlns="urn:ihe:iti:xds-b:2007">' + registry_response(outcome, breaches)
    return start + document.encode() + b"</RetrieveDocumentSetResponse>"


GOOD = {
    "success": registry_response(ResponseStatus.SUCCESS),
    "warned": WARNED,
    "refused": REFUSED,
    "found": FOUND,
    "referred": REFERRED,
    "retrieved": retrieved(),
    "retrieved in part": retrieved(breaches=(breach(location="2.999.8"),)),
}


def findings(data: bytes) -> tuple[Finding, ...]:
    return validate(data, ANY).findings


@pytest.mark.parametrize("name", GOOD)
def test_nothing_is_found_in_a_good_answer(name: str) -> None:
    assert findings(GOOD[name]) == ()


STATUS = "ResponseStatusType:"
PARTIAL = "urn:ihe:iti:2007:ResponseStatusType:PartialSuccess"


@pytest.mark.parametrize(
    ("name", "old", "new", "where", "assertion"),
    [
        ("success", f"{STATUS}Success", f"{STATUS}Fine", "/RegistryResponse/@status", "TF3-4.2-241"),
        ("success", f"{STATUS}Success", f"{STATUS}Failure", "/RegistryResponse/RegistryErrorList", "TF3-4.2-280"),
        ("refused", f"{STATUS}Failure", f"{STATUS}Success", "RegistryError[1]", "TF3-4.2-282"),
        ("refused", "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure", PARTIAL, "/@status", ""),
        ("warned", f"{STATUS}Success", f"{STATUS}Failure", "/RegistryErrorList", "TF3-4.2-283"),
        ("refused", 'Severity="urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Error"', 'Severity="x"', "", ""),
        ("refused", 'severity="urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:W', 'severity="x', "", "TF3-4.2-249"),
        ("refused", 'codeContext="Something is wrong (ITI TF-3: 4.2)"', "", "/@codeContext", "TF3-4.2-248"),
        ("refused", 'errorCode="XDSRegistryMetadataError"', "", "/@errorCode", ""),
        ("refused", 'location=""/>', 'location="">text</rs:RegistryError>', "RegistryError[1]", "TF3-4.2-246"),
        ("found", f"{STATUS}Success", f"{STATUS}Failure", "", "TF3-4.2-287"),
        ("referred", "urn:uuid:10b545ea", "10b545ea", "/ObjectRef/@id", "ITI-18-004"),
        ("referred", "rim:ObjectRef", "rim:Person", "", ""),
        ("retrieved", "<mimeType>text/plain</mimeType>", "", "/DocumentResponse/mimeType", "ITI-43-019"),
        ("retrieved", ">2.999.7<", "><", "/DocumentResponse/DocumentUniqueId", "ITI-43-017"),
        ("retrieved", "<mime", "<NewDocumentUniqueId>2.999.7</NewDocumentUniqueId><mime", "", "ITI-43-020"),
        ("retrieved", "<mime", "<NewRepositoryUniqueId>2.9</NewRepositoryUniqueId><mime", "/NewDocumentUniqueId", ""),
        ("retrieved", "<RepositoryUniqueId>2.999.1</RepositoryUniqueId>\n<DocumentUniqueId>2.999.7</DocumentUniqueId>",
         "<DocumentUniqueId>2.999.7</DocumentUniqueId><RepositoryUniqueId>2.999.1</RepositoryUniqueId>",
         "/DocumentResponse", ""),
        ("retrieved", '<rs:RegistryResponse ', '<rs:RegistryResponse requestId="1" ', "/@requestId", "ITI-43-053"),
        ("retrieved in part", 'location="2.999.8"', 'location="2.999.7"', "/DocumentResponse", "ITI-43-049"),
        ("retrieved in part", DOCUMENT, "", "/RegistryResponse/@status", "TF3-4.2-289"),
    ],
)  # fmt: skip
def test_one_change_is_found_with_its_assertion(name: str, old: str, new: str, where: str, assertion: str) -> None:
    good = GOOD[name].decode()
    assert old in good
    told = findings(good.replace(old, new, 1).encode())
    assert any(each.location.endswith(where) and (not assertion or assertion in each.assertions) for each in told)
    assert len(told) == 1 or where == ""


def test_a_code_beyond_the_table_is_no_error() -> None:
    (finding,) = findings(REFUSED.replace(b"XDSRegistryMetadataError", b"MyOwnError", 1))
    assert not finding.is_error and "TF3-4.2-247" in finding.assertions


def test_an_object_returned_lacks_what_was_required() -> None:
    lacking = FOUND.replace(b'mimeType="application/pdf"', b"", 1)
    assert lacking != FOUND
    assert any("ITI-18-002" in each.assertions and "mimeType" in each.location for each in findings(lacking))


def packed(content_id: str) -> bytes:
    action = "urn:ihe:iti:2007:RetrieveDocumentSetResponse"
    head = request_head(action, "urn:uuid:1", "http://localhost").replace(b"wsa:MessageID", b"wsa:RelatesTo")
    part = OutgoingPart(content_id=content_id, media_type="text/plain", size=4, chunks=lambda: iter((b"text",)))
    kind, _, chunks = pack(b"".join((head, retrieved(), ENVELOPE_END)), [part], action)
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n\r\n".encode() + b"".join(chunks)


def test_documents_and_the_parts_of_the_package_belong_together() -> None:
    assert findings(packed("doc@x")) == ()
    assert {each.observed for each in findings(packed("other@x"))} == {"cid:doc@x", "other@x"}


@given(st.data())
def test_no_changed_answer_breaks_a_validator(data: st.DataObject) -> None:
    root = etree.fromstring(GOOD[data.draw(st.sampled_from(sorted(GOOD)))])
    every = list(mutations(root))
    validate(etree.tostring(every[data.draw(st.integers(0, len(every) - 1))].of(root)), ANY)
