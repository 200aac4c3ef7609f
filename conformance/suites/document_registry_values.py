"""Values and attributes that a Document Registry refuses: one change, one code (ITI TF-3: 4.2, 4.3.1)."""

import pytest

from conformance.covering import Suite, covers
from conformance.refusals import KEPT_OUT, Refusal, Scene, refusal, refuses, wrong_entry, wrong_set
from ihe.datatypes import Code
from ihe.transactions import Actor
from xds.model import Author, ExtraSlot, LocalizedString, Submission

SUITE = Suite(actor=Actor.DOCUMENT_REGISTRY, profile="XDS.b")
PERSON = "^Tester^Conformance"


def _lacking(attribute: str, number: int, empty: object = None) -> Refusal:
    return wrong_entry(
        f"no_{attribute}", f"TF3-4.3-{number:03}", f"An entry without {attribute}.", **{attribute: empty}
    )


def _wrong_author(id: str, breaking: str, sentence: str, author: Author) -> Refusal:
    return wrong_entry(id, breaking, sentence, author=(author,))


@refusal("ITI-42-044")
def services_end_before_they_begin(scene: Scene) -> Submission:
    """A service that ends before it begins."""
    return scene.submit(scene.entry(service_start_time="2026", service_stop_time="2025"))


@refusal("ITI-42-027", breaking=("TF3-4.2-115",))
def extra_attribute_with_a_plain_name(scene: Scene) -> Submission:
    """An extra attribute whose name is no URN."""
    return scene.submit(scene.entry(extra=(ExtraSlot("color", ("blue",)),)))


@refusal("ITI-42-040")
def code_of_an_unknown_scheme(scene: Scene) -> Submission:
    """A classCode of a scheme that nobody knows."""
    return scene.submit(scene.entry(class_code=Code("X", "2.999.1", "invented")))


@refusal("ITI-42-042")
def mime_type_that_nobody_uses(scene: Scene) -> Submission:
    """A mimeType that nobody uses."""
    return scene.submit(scene.entry(mime_type="application/x-nobody-has-this"))


REQUIRED = (
    _lacking("class_code", 1),
    _lacking("confidentiality_code", 2, ()),
    _lacking("creation_time", 3),
    _lacking("format_code", 5),
    _lacking("healthcare_facility_type_code", 6),
    _lacking("language_code", 7),
    _lacking("mime_type", 8),
    _lacking("practice_setting_code", 11),
    _lacking("source_patient_id", 12),
    _lacking("type_code", 13),
    _lacking("unique_id", 14),
    _lacking("hash", 33),
    _lacking("repository_unique_id", 34),
    _lacking("size", 35),
    wrong_set("no_content_type_code", "TF3-4.3-015", "A set without contentTypeCode.", content_type_code=None),
    wrong_set("no_source_id", "TF3-4.3-018", "A set without sourceId.", source_id=None),
    wrong_set("no_submission_time", "TF3-4.3-019", "A set without submissionTime.", submission_time=None),
    wrong_set("no_set_unique_id", "TF3-4.3-020", "A set without uniqueId.", unique_id=None),
)
VALUES = (
    wrong_entry("time", "TF3-4.2-133", "A creationTime with a time zone.", creation_time="20260101120000+0100"),
    wrong_entry("hash", "TF3-4.2-169", "A hash that is not SHA-1 in hexadecimal.", hash="not a hash"),
    wrong_entry("language", "TF3-4.2-173", "A languageCode that is no language tag.", language_code="no language"),
    wrong_entry("mime_type", "TF3-4.2-175", "A mimeType that is no media type.", mime_type="text"),
    wrong_entry(
        "repository_id", "TF3-4.2-179", "A repositoryUniqueId that is no OID.", repository_unique_id="repository"
    ),
    wrong_entry("home", "TF3-4.2-172", "A homeCommunityId that is no URN of an OID.", home_community_id="1.2.3"),
    wrong_entry("uri", "TF3-4.2-201", "A URI with a space.", uri="two words"),
    wrong_entry("title", "TF3-4.2-191", "A title of 200 characters.", title=(LocalizedString("x" * 200),)),
    wrong_entry(
        "pid", "TF3-4.2-185", "A sourcePatientInfo that is no field of PID.", source_patient_info=("name|Doe",)
    ),
    wrong_entry(
        "reference",
        "TF3-4.2-126",
        "A reference without an id.",
        reference_id_list=("^^^^urn:ihe:iti:xds:2013:accession",),
    ),
    _wrong_author("person", "TF3-4.2-104", "An authorPerson that names nobody.", Author(author_person="^^^")),
    _wrong_author(
        "institution",
        "TF3-4.2-102",
        "An authorInstitution without a name.",
        Author(author_institution=("^^^^^&1.2.3&ISO^^^^1.2",)),
    ),
    _wrong_author(
        "telecom",
        "TF3-4.2-107",
        "An authorTelecommunication that is neither mail nor telephone.",
        Author(author_person=PERSON, author_telecommunication=("by pigeon",)),
    ),
    _wrong_author("nobody", "TF3-4.2-096", "An author with a role alone.", Author(author_role=("doctor",))),
    wrong_set("recipient", "TF3-4.2-212", "An intendedRecipient with none of its parts.", intended_recipient=("||",)),
    wrong_entry("long_value", "TF3-4.2-078", "A value of 300 characters.", uri="http://localhost/" + "x" * 300),
    services_end_before_they_begin,
    extra_attribute_with_a_plain_name,
    code_of_an_unknown_scheme,
    mime_type_that_nobody_uses,
)
REFUSALS = (*REQUIRED, *VALUES)


@covers(*KEPT_OUT)
@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case.id)
def test_it_is_refused(case: Refusal, scene: Scene) -> None:
    refuses(scene, case)
