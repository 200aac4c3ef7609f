"""ebRIM in and out: nothing is lost, the schema agrees, and what cannot be read is named."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from ihe.datatypes import CX, HD, Code
from ihe.errors import ErrorCode, Severity
from ihe.identifiers import EntryUUID, UniqueId
from soap.xml import parse, schema
from xds.attribute_tables import TABLES
from xds.ebrim import decode
from xds.ebrim_writing import encode
from xds.model import (
    Association,
    AssociationType,
    Author,
    AvailabilityStatus,
    DocumentAvailability,
    DocumentEntry,
    ExtraSlot,
    Folder,
    LocalizedString,
    ObjectType,
    RegistryObject,
    Submission,
    SubmissionSet,
    SubmissionSetStatus,
)

RIM = "{urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0}"

ALPHABET = st.characters(exclude_categories=("Cs", "Cc", "Cn"), exclude_characters="\ufffe\uffff")
text = st.text(ALPHABET, min_size=1, max_size=8).map(lambda some: some.strip() or "x")
texts = st.lists(text, max_size=2).map(tuple)
identifier = st.from_regex(r"[A-Za-z][A-Za-z0-9._-]{0,11}", fullmatch=True)
verbatim = st.text(ALPHABET | st.sampled_from("\n\t\r"), max_size=8)
maybe = st.none()
cx = st.builds(CX, st.from_regex(r"[A-Za-z0-9\\/äß-]{1,12}", fullmatch=True), st.just(HD("", "2.25.1", "ISO")))
code = st.builds(Code, text, text, text)
codes = st.lists(code, max_size=2).map(tuple)
version = maybe | st.integers(1, 99)
number = maybe | st.integers(0, 10**15)
international = st.lists(st.builds(LocalizedString, text, maybe | st.sampled_from(["fr", "de-LU"])), max_size=2).map(
    tuple
)
extra = st.lists(
    st.builds(ExtraSlot, st.from_regex(r"urn:x:[a-z]{1,8}", fullmatch=True), st.lists(verbatim, max_size=3).map(tuple)),
    max_size=2,
    unique_by=lambda slot: slot.name,
).map(tuple)
author = st.builds(
    Author,
    author_person=maybe | text,
    author_institution=texts,
    author_role=texts,
    author_specialty=texts,
    author_telecommunication=texts,
)
authors = st.lists(author, max_size=2).map(tuple)
status = maybe | st.sampled_from(AvailabilityStatus)
shared = {
    "availability_status": status,
    "home_community_id": maybe | identifier,
    "logical_id": maybe | identifier.map(EntryUUID),
    "version": version,
    "extra": extra,
}
packaged = {
    **shared,
    "title": international,
    "comments": international,
    "limited_metadata": st.booleans(),
    "patient_id": maybe | cx,
    "unique_id": maybe | text.map(UniqueId),
}
entries = st.builds(
    DocumentEntry,
    entry_uuid=st.just(EntryUUID("d")),
    object_type=st.sampled_from(ObjectType),
    mime_type=maybe | text,
    creation_time=maybe | text,
    hash=maybe | text,
    language_code=maybe | text,
    legal_authenticator=maybe | text,
    repository_unique_id=maybe | text,
    service_start_time=maybe | text,
    service_stop_time=maybe | text,
    size=number,
    source_patient_id=maybe | cx,
    source_patient_info=texts,
    uri=maybe | text,
    reference_id_list=texts,
    document_availability=maybe | st.sampled_from(DocumentAvailability),
    author=authors,
    class_code=maybe | code,
    confidentiality_code=codes,
    event_code_list=codes,
    format_code=maybe | code,
    healthcare_facility_type_code=maybe | code,
    practice_setting_code=maybe | code,
    type_code=maybe | code,
    **packaged,
)
sets = st.builds(
    SubmissionSet,
    entry_uuid=st.just(EntryUUID("s")),
    intended_recipient=texts,
    submission_time=maybe | text,
    author=authors,
    content_type_code=maybe | code,
    source_id=maybe | text,
    **packaged,
)
folders = st.builds(
    Folder, entry_uuid=st.just(EntryUUID("f")), last_update_time=maybe | text, code_list=codes, **packaged
)
associations = st.builds(
    Association,
    entry_uuid=st.just(EntryUUID("a")),
    association_type=st.sampled_from(AssociationType),
    source_object=identifier.map(EntryUUID),
    target_object=identifier.map(EntryUUID),
    submission_set_status=maybe | st.sampled_from(SubmissionSetStatus),
    previous_version=version,
    association_propagation=maybe | st.booleans(),
    original_status=status,
    new_status=status,
    association_documentation=maybe | code,
    **shared,
)
submissions = st.builds(
    Submission,
    submission_set=sets,
    document_entries=st.lists(entries, max_size=1).map(tuple),
    folders=st.lists(folders, max_size=1).map(tuple),
    associations=st.lists(associations, max_size=1).map(tuple),
)


@settings(max_examples=40, deadline=None)
@given(sent=submissions)
def test_a_submission_comes_back_as_it_was_sent(sent: Submission) -> None:
    received = decode(parse(encode(sent)))
    assert (received.submission, received.breaches) == (sent, ())


@settings(max_examples=30, deadline=None)
@given(sent=submissions)
def test_what_we_send_validates(sent: Submission, request: pytest.FixtureRequest) -> None:
    lcm = request.getfixturevalue("lcm")
    lcm.assertValid(parse(encode(sent)))


@pytest.fixture(scope="session")
def lcm(shared: Path) -> etree.XMLSchema:
    return schema(shared / "schemas/ebRS/lcm.xsd")


def test_every_field_of_the_model_is_a_row_of_its_table() -> None:
    models: tuple[type[RegistryObject], ...] = (SubmissionSet, DocumentEntry, Folder, Association)
    for kind, model in zip(TABLES, models, strict=True):
        rows = {attribute.field for attribute in TABLES[kind].attributes}
        assert rows == {each.name for each in fields(model)} - {"entry_uuid", "extra"}


def test_display_names_do_not_get_lost(submission: Submission) -> None:
    received = decode(parse(encode(submission))).submission
    assert received is not None
    assert received.document_entries[0].class_code.display == "Reports"  # type: ignore[union-attr]


Change = Callable[[etree._Element], None]


def document(root: etree._Element) -> etree._Element:
    found = root.find(f".//{RIM}ExtrinsicObject")
    assert found is not None
    return found


def classification(root: etree._Element, scheme: str) -> etree._Element:
    found = document(root).find(f"{RIM}Classification[@classificationScheme='{scheme}']")
    assert found is not None
    return found


CLASS = "urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a"
AUTHOR = "urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d"


def sent_twice(root: etree._Element) -> None:
    slot = document(root)[0]
    slot.addnext(etree.fromstring(etree.tostring(slot)))


def two_values(root: etree._Element) -> None:
    values = document(root)[0][0]
    etree.SubElement(values, RIM + "Value").text = "2005"


def set_slot(name: str, value: str) -> Change:
    def change(root: etree._Element) -> None:
        found = document(root).find(f"{RIM}Slot[@name='{name}']/{RIM}ValueList/{RIM}Value")
        assert found is not None
        found.text = value

    return change


def set_attribute(scheme: str, name: str, value: str) -> Change:
    return lambda root: classification(root, scheme).set(name, value)


def drop_from(scheme: str, child: str) -> Change:
    def change(root: etree._Element) -> None:
        found = classification(root, scheme).find(RIM + child)
        assert found is not None
        classification(root, scheme).remove(found)

    return change


def drop_label(root: etree._Element) -> None:
    package = root.find(f".//{RIM}RegistryPackage")
    assert package is not None
    package.remove(package.find(f"{RIM}Classification[@classificationNode]"))  # type: ignore[arg-type]


def set_identifier(name: str, value: str) -> Change:
    return lambda root: document(root).find(f"{RIM}ExternalIdentifier").set(name, value)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("change", "location"),
    [
        (sent_twice, "DocumentEntry(Document01).creationTime"),
        (two_values, "DocumentEntry(Document01).creationTime"),
        (set_slot("size", "4 KB"), "DocumentEntry(Document01).size"),
        (set_slot("sourcePatientId", "P-77"), "DocumentEntry(Document01).sourcePatientId"),
        (set_attribute(CLASS, "nodeRepresentation", ""), "DocumentEntry(Document01).classCode"),
        (set_attribute(CLASS, "classifiedObject", "Folder01"), "DocumentEntry(Document01).classCode"),
        (set_attribute(CLASS, "objectType", "Classification"), "DocumentEntry(Document01).classCode"),
        (set_attribute(CLASS, "classificationScheme", "urn:uuid:0"), "DocumentEntry(Document01).classificationScheme"),
        (drop_from(CLASS, "Slot"), "DocumentEntry(Document01).classCode"),
        (drop_from(CLASS, "Name"), "DocumentEntry(Document01).classCode"),
        (set_attribute(AUTHOR, "nodeRepresentation", "x"), "DocumentEntry(Document01).author"),
        (set_identifier("registryObject", "Folder01"), "DocumentEntry(Document01).uniqueId"),
        (set_identifier("identificationScheme", "urn:uuid:0"), "DocumentEntry(Document01).identificationScheme"),
        (lambda root: document(root).set("objectType", "urn:uuid:0"), "DocumentEntry(Document01).objectType"),
        (lambda root: document(root).attrib.pop("objectType"), "DocumentEntry(Document01).objectType"),
        (lambda root: document(root).attrib.pop("id"), "DocumentEntry"),
        (drop_label, "SubmissionSet01"),
    ],
)
def test_what_cannot_be_read_is_named(submission: Submission, change: Change, location: str) -> None:
    root = parse(encode(submission))
    change(root)
    breaches = decode(root).breaches
    assert location in {breach.location for breach in breaches}
    assert {breach.code for breach in breaches} == {ErrorCode.REGISTRY_METADATA_ERROR}


def test_a_misspelt_author_slot_is_a_warning(submission: Submission) -> None:
    root = parse(encode(submission))
    classification(root, AUTHOR)[0].set("name", "authorSpeciality")
    (breach,) = decode(root).breaches
    assert (breach.code, breach.severity) == (ErrorCode.EXTRA_METADATA_NOT_SAVED, Severity.WARNING)


def test_another_slot_of_a_code_is_a_warning(submission: Submission) -> None:
    root = parse(encode(submission))
    slot = classification(root, CLASS)[0]
    slot.addnext(etree.fromstring(etree.tostring(slot)))
    classification(root, CLASS)[1].set("name", "urn:example:codeVersion")
    (breach,) = decode(root).breaches
    assert (breach.code, breach.severity) == (ErrorCode.EXTRA_METADATA_NOT_SAVED, Severity.WARNING)
    assert "urn:example:codeVersion" in breach.text


def test_the_label_may_stand_beside_its_package(submission: Submission) -> None:
    root = parse(encode(submission))
    package = root.find(f".//{RIM}RegistryPackage")
    assert package is not None
    package.addnext(package.find(f"{RIM}Classification[@classificationNode]"))  # type: ignore[arg-type]
    received = decode(root)
    assert (received.submission, received.breaches) == (submission, ())


def test_two_submission_sets_are_refused(submission: Submission) -> None:
    root = parse(encode(submission))
    package = root.find(f".//{RIM}RegistryPackage")
    assert package is not None
    package.addnext(etree.fromstring(etree.tostring(package)))
    assert any("one SubmissionSet, not 2" in breach.text for breach in decode(root).breaches)


def test_an_empty_request_is_refused() -> None:
    (breach,) = decode(parse(b"<nothing/>")).breaches
    assert "one RegistryObjectList" in breach.text
