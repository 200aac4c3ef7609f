"""What the client says of documents, asks of a registry and reads from its answers."""

import base64
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis.strategies import characters, lists, text

from affinity.client import xds
from affinity.client.cda import read_header
from affinity.client.codebook import CodeBook
from affinity.client.describing import describe
from affinity.client.downloads import Downloads
from affinity.client.responses import documents, objects, verdict
from affinity.client.spelling import fields
from affinity.client.stored_queries import find_query, slots
from affinity.demo.documents import Report, Subject, cda
from affinity.domain import load
from ihe.datatypes import Code, parse_patient_id
from ihe.identifiers import UniqueId
from soap.client import NoAnswer, SOAPAnswer
from soap.xml import parse
from xds import hl7_forms
from xds.attribute_tables import DOCUMENT_ENTRY
from xds.ebrim import decode
from xds.model import AssociationType, SubmissionSet
from xds.query_literals import read
from xds.stored_queries import FIND_DOCUMENTS, FIND_DOCUMENTS_BY_REFERENCE_ID

PATIENT = "4711^^^&2.25.3&ISO"
DEMO = CodeBook(load("demo").affinity_domain.codes)
REPORT = Report(
    unique_id="2.25.77",
    subject=Subject(local_id="L1", local_oid="2.25.5", family="Doe", given="Jo", birth_date="19800101", sex="F"),
    laboratory="Labo & Fils",
    laboratory_oid="2.25.9",
    time="20261123101500",
)


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """A CDA laboratory report in a file."""
    file = tmp_path / "report.xml"
    file.write_bytes(cda(REPORT))
    return file


def test_a_cda_says_its_own_metadata(report: Path) -> None:
    entry = describe(report, 1, {"patientId": PATIENT}, DEMO, assume=True).entry
    assert (entry.unique_id, entry.mime_type, entry.language_code) == ("2.25.77", "text/xml", "fr-LU")
    assert entry.creation_time == "20261123101500"
    assert entry.title[0].value == "Laboratory report"
    assert entry.type_code == Code("11502-2", "2.16.840.1.113883.6.1")
    assert entry.format_code == Code("urn:ihe:lab:xd-lab:2008", "1.3.6.1.4.1.19376.1.2.3")
    assert entry.source_patient_id == parse_patient_id("L1^^^&2.25.5&ISO")
    assert entry.source_patient_info == ("PID-5|Doe^Jo", "PID-7|19800101", "PID-8|F")
    assert entry.author[0].author_person == "^GLIMS"
    assert entry.author[0].author_institution == ("Labo Fils^^^^^^^^^2.25.9",)


def test_what_is_said_counts_more_than_what_the_document_says(report: Path) -> None:
    entry = describe(report, 1, {"patientId": PATIENT, "title": "Potassium"}, DEMO, assume=True).entry
    assert entry.title[0].value == "Potassium"


def test_what_nobody_says_is_assumed_and_named(tmp_path: Path) -> None:
    scan = tmp_path / "scan.pdf"
    scan.write_bytes(b"%PDF-1.4")
    described = describe(scan, 1, {"patientId": PATIENT, "typeCode": "18748-4"}, DEMO, assume=True)
    assert described.entry.mime_type == "application/pdf"
    assert described.entry.source_patient_id == parse_patient_id(PATIENT)
    assert "classCode" in described.assumed and "typeCode" not in described.assumed
    assert described.entry.type_code == Code("18748-4", "2.16.840.1.113883.6.1")


def test_without_a_domain_nothing_is_assumed(report: Path) -> None:
    with pytest.raises(ValueError, match="classCode, healthcareFacilityTypeCode, practiceSettingCode must be said"):
        describe(report, 1, {"patientId": PATIENT}, CodeBook({}), assume=False)


@pytest.mark.parametrize(
    ("time", "utc"),
    [
        ("20261123101500+0100", "20261123091500"),
        ("202611231015-0530", "202611231545"),
        ("20261123101500.5+0000", "20261123101500"),
        ("20261123", "20261123"),
    ],
)
def test_times_of_a_cda_become_utc(time: str, utc: str) -> None:
    header = read_header(cda(replace(REPORT, time="")).replace(b'Time value="+0000"', f'Time value="{time}"'.encode()))
    assert header is not None and header["creationTime"] == utc


def test_what_is_no_cda_says_nothing() -> None:
    assert read_header(b"<ClinicalDocument/>") is None
    assert read_header(b"%PDF-1.4") is None


def test_cda_documents_of_other_systems_give_valid_metadata(shared: Path) -> None:
    for file in sorted((shared / "samples" / "CDA").glob("*.xml")):
        header = read_header(file.read_bytes())
        assert header is not None, file
        read_fields = fields(DOCUMENT_ENTRY, header, CodeBook({}))
        people = [each.author_person for each in read_fields.get("author", ()) if each.author_person]
        institutions = [xon for each in read_fields.get("author", ()) for xon in each.author_institution]
        assert [fault for each in people if (fault := hl7_forms.xcn(each))] == [], file
        assert [fault for each in institutions if (fault := hl7_forms.xon(each))] == [], file
        assert [fault for each in header.get("sourcePatientInfo", ()) if (fault := hl7_forms.patient_field(each))] == []


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"colour": "red"}, "DocumentEntry has no colour"),
        ({"classCode": "NOPE"}, "needs its coding scheme"),
        ({"patientId": "4711"}, "id\\^\\^\\^&oid&ISO"),
        ({"title": ["a"]}, "is a text"),
        ({"author": "^Doe"}, "an author is a table"),
        ({"objectType": "x"}, "objectType"),
    ],
)
def test_what_cannot_be_read_is_named(said: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        fields(DOCUMENT_ENTRY, said, DEMO)


def test_a_submission_is_read_back_as_it_was_described(report: Path) -> None:
    entry = describe(report, 1, {"patientId": PATIENT}, DEMO, assume=True).entry
    slip = SubmissionSet(
        entry_uuid=xds.SYMBOLIC_SET,
        submission_time="20261123",
        patient_id=entry.patient_id,
        source_id="2.25.9",
        unique_id=UniqueId("2.25.10"),
    )
    described = xds.assemble(slip, (entry,), "urn:uuid:00000000-0000-4000-8000-000000000001")
    decoded = decode(parse(xds.provide_and_register(described, ["1@x"])))
    assert decoded.submission == described
    assert [each.association_type for each in described.associations] == [
        AssociationType.HAS_MEMBER,
        AssociationType.RPLC,
    ]


@given(values=lists(text(characters(codec="ascii", exclude_categories=["Cc"]), min_size=1, max_size=40), min_size=1))
def test_whatever_people_type_reaches_the_registry_as_typed(values: list[str]) -> None:
    name = "$XDSDocumentEntryReferenceIdList"
    asked = slots(FIND_DOCUMENTS_BY_REFERENCE_ID, None, (), [(name, f"x{value}") for value in values])
    received = [literal.text for slot, texts in asked if slot == name for each in texts for literal in read(each)]
    assert received == [f"x{value}" for value in values]


def test_a_query_has_its_required_status_and_its_patient() -> None:
    asked = dict(slots(FIND_DOCUMENTS, PATIENT, (), [("XDSDocumentEntryCreationTimeFrom", "2026")]))
    assert asked == {
        "$XDSDocumentEntryPatientId": (f"'{PATIENT}'",),
        "$XDSDocumentEntryStatus": ("('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')",),
        "$XDSDocumentEntryCreationTimeFrom": ("2026",),
    }


def test_ready_values_are_taken_as_they_stand_each_in_its_own_slot() -> None:
    name = "$XDSDocumentEntryEventCodeList"
    ready = [(name, "('a^^s')"), (name, "('b^^s')")]
    assert [each for each in slots(FIND_DOCUMENTS, None, ("Approved",), ready) if each[0] == name] == [
        (name, ("('a^^s')",)),
        (name, ("('b^^s')",)),
    ]


@pytest.mark.parametrize(
    ("name", "patient_id", "parameter", "complaint"),
    [
        ("NoSuchQuery", None, None, "there are FindDocuments"),
        ("GetDocuments", PATIENT, None, "asks for no patient"),
        ("FindDocuments", None, ("$Nonsense", "1"), "it has \\$XDSDocumentEntryPatientId"),
    ],
)
def test_a_query_that_does_not_exist_is_told_with_the_choices(
    name: str, patient_id: str | None, parameter: tuple[str, str] | None, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        slots(find_query(name), patient_id, (), [parameter] if parameter else [])


@pytest.mark.parametrize("name", ["finddocuments", FIND_DOCUMENTS.id, FIND_DOCUMENTS.id.removeprefix("urn:uuid:")])
def test_a_query_is_found_by_name_and_by_uuid(name: str) -> None:
    assert find_query(name) is FIND_DOCUMENTS


RETRIEVED = """<RetrieveDocumentSetResponse xmlns="urn:ihe:iti:xds-b:2007">
<rs:RegistryResponse xmlns:rs="urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0" status="{status}"><rs:RegistryErrorList>
<rs:RegistryError errorCode="XDSDocumentUniqueIdError" codeContext="not here" location="1.2" severity="x:Error"/>
</rs:RegistryErrorList></rs:RegistryResponse><DocumentResponse><RepositoryUniqueId>1.9</RepositoryUniqueId>
<DocumentUniqueId>1.3^../../x</DocumentUniqueId><mimeType>text/plain</mimeType><Document>{document}</Document>
</DocumentResponse></RetrieveDocumentSetResponse>"""
PARTIAL = "urn:ihe:iti:2007:ResponseStatusType:PartialSuccess"


def test_inline_documents_are_saved_under_a_safe_name(tmp_path: Path) -> None:
    body = parse(RETRIEVED.format(status=PARTIAL, document=base64.b64encode(b"bytes").decode()).encode())
    counted: list[int] = []
    with Downloads(tmp_path / "new", counted.append) as downloads:
        saved = [downloads.save(each) for each in documents(SOAPAnswer(body, {}, None))]
    assert [(each.path.name, each.size, each.path.read_bytes()) for each in saved] == [("1.3_.._.._x.txt", 5, b"bytes")]
    assert counted == [5] and list((tmp_path / "new").iterdir()) == [saved[0].path]
    told = verdict(body)
    assert (told.status, told.succeeded) == ("PartialSuccess", False)
    assert [str(each) for each in told.errors] == ["XDSDocumentUniqueIdError at 1.2: not here"]


def test_what_got_no_name_is_thrown_away(tmp_path: Path) -> None:
    with Downloads(tmp_path, lambda count: None) as downloads:
        sink = downloads.create()
        sink.write(b"half")
        downloads.create().finish("unnamed", "text/plain")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "document", ["not base64!", '<x:Include xmlns:x="http://www.w3.org/2004/08/xop/include" href="cid:gone"/>']
)
def test_a_document_without_its_bytes_is_no_answer(document: str) -> None:
    body = parse(RETRIEVED.format(status=PARTIAL, document=document).encode())
    with pytest.raises(NoAnswer):
        documents(SOAPAnswer(body, {}, None))


def test_an_answer_without_status_is_no_answer() -> None:
    with pytest.raises(NoAnswer, match="no Document Registry"):
        verdict(parse(b"<html/>"))


def test_unreadable_metadata_is_remarked_beside_the_rest() -> None:
    rim = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
    found, remarks = objects(
        parse(
            f'<a><x:RegistryObjectList xmlns:x="{rim}"><x:RegistryPackage id="1"/></x:RegistryObjectList></a>'.encode()
        )
    )
    assert found == () and [each.code for each in remarks] == ["unreadable"]
