"""FindDocuments: each parameter tells two documents apart (ITI TF-2: 3.18.4.1.2.3.7.1, 3.18.4.1.2.3.7.14)."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from conformance.asking import listed, two_codes
from conformance.counterparts.documents import DocumentActors
from conformance.counterparts.metadata import Inventor, submission
from conformance.covering import Covering, Suite, covers
from conformance.expectations import returned, spelled, succeeded
from ihe.datatypes import CX, Code
from ihe.transactions import Actor
from xds.model import Author, AvailabilityStatus

SUITE = Suite(actor=Actor.DOCUMENT_REGISTRY, profile="XDS.b")
CODED = {
    "XDSDocumentEntryClassCode": ("class_code", "classCode", 50),
    "XDSDocumentEntryTypeCode": ("type_code", "typeCode", 51),
    "XDSDocumentEntryPracticeSettingCode": ("practice_setting_code", "practiceSettingCode", 52),
    "XDSDocumentEntryHealthcareFacilityTypeCode": ("healthcare_facility_type_code", "healthcareFacilityTypeCode", 59),
    "XDSDocumentEntryFormatCode": ("format_code", "formatCode", 65),
}
LISTED = {
    "XDSDocumentEntryEventCodeList": ("event_code_list", "eventCodeList", 60),
    "XDSDocumentEntryConfidentialityCode": ("confidentiality_code", "confidentialityCode", 61),
}
EARLY, LATE, MIDDLE = "20240101", "20260101", "20250101"
TIMED = {
    "XDSDocumentEntryCreationTimeFrom": ("creation_time", LATE, EARLY, 53),
    "XDSDocumentEntryCreationTimeTo": ("creation_time", EARLY, LATE, 54),
    "XDSDocumentEntryServiceStartTimeFrom": ("service_start_time", LATE, EARLY, 55),
    "XDSDocumentEntryServiceStartTimeTo": ("service_start_time", EARLY, LATE, 56),
    "XDSDocumentEntryServiceStopTimeFrom": ("service_stop_time", LATE, EARLY, 57),
    "XDSDocumentEntryServiceStopTimeTo": ("service_stop_time", EARLY, LATE, 58),
}
ALWAYS = ("ITI-18-044", "ITI-18-043", "ITI-18-002")
"""Only what matches every parameter is returned; what is not asked does not restrict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A parameter with the value that is asked, and how the entry that fits differs from the one that does not."""

    parameter: str
    assertion: int
    value: Callable[[Inventor], str]
    fitting: Callable[[Inventor], dict[str, object]]
    other: Callable[[Inventor], dict[str, object]]

    @property
    def sentence(self) -> str:
        """What it shows."""
        return f"FindDocuments with ${self.parameter} returns what fits it, and nothing else."

    @property
    def covering(self) -> Covering:
        """The assertion about the parameter."""
        return Covering((f"ITI-18-{self.assertion:03}",))


def _coded(parameter: str) -> Told:
    field, attribute, assertion = CODED[parameter]
    return Told(
        parameter=parameter,
        assertion=assertion,
        value=lambda invent: listed(two_codes(invent, attribute)[0]),
        fitting=lambda invent: {field: two_codes(invent, attribute)[0]},
        other=lambda invent: {field: two_codes(invent, attribute)[1]},
    )


def _listed(parameter: str) -> Told:
    field, attribute, assertion = LISTED[parameter]
    return Told(
        parameter=parameter,
        assertion=assertion,
        value=lambda invent: listed(two_codes(invent, attribute)[0]),
        fitting=lambda invent: {field: two_codes(invent, attribute)},
        other=lambda invent: {field: two_codes(invent, attribute)[1:]},
    )


def _timed(parameter: str) -> Told:
    field, fitting, other, assertion = TIMED[parameter]
    return Told(
        parameter=parameter,
        assertion=assertion,
        value=lambda _: MIDDLE,
        fitting=lambda _: {field: fitting},
        other=lambda _: {field: other},
    )


AUTHOR = Told(
    parameter="XDSDocumentEntryAuthorPerson",
    assertion=63,
    value=lambda _: "('%Probst%')",
    fitting=lambda _: {"author": (Author(author_person="^Anders^A"), Author(author_person="^Probst^P"))},
    other=lambda _: {"author": (Author(author_person="^Anders^A"),)},
)
TOLD = (*map(_coded, CODED), *map(_listed, LISTED), *map(_timed, TIMED), AUTHOR)


@covers(*ALWAYS)
@pytest.mark.parametrize("case", TOLD, ids=lambda case: case.parameter)
def test_a_parameter_tells_documents_apart(
    case: Told, documents: DocumentActors, invent: Inventor, patient: CX
) -> None:
    fitting, other = (invent.entry(patient, **make(invent)) for make in (case.fitting, case.other))
    succeeded(documents.register(submission(invent.submission_set(patient), fitting, other)))
    asked = (f"${case.parameter}", case.value(invent))
    returned(documents.query("FindDocuments", _of(patient), asked), {fitting.entry_uuid})


@covers("ITI-18-006", "ITI-18-007")
def test_bounds_of_times(documents: DocumentActors, invent: Inventor, patient: CX) -> None:
    """The lower bound of a time includes itself, the upper one does not."""
    entry = invent.entry(patient, creation_time=MIDDLE)
    succeeded(documents.register(submission(invent.submission_set(patient), entry)))
    since, until = (f"$XDSDocumentEntryCreationTime{bound}" for bound in ("From", "To"))
    returned(documents.query("FindDocuments", _of(patient), (since, MIDDLE)), {entry.entry_uuid})
    returned(documents.query("FindDocuments", _of(patient), (until, MIDDLE)), ())


@covers("ITI-18-010", "ITI-18-011")
def test_absent_service_times(documents: DocumentActors, invent: Inventor, patient: CX) -> None:
    """An entry without service times is not excluded by a range of them."""
    entry = invent.entry(patient)
    succeeded(documents.register(submission(invent.submission_set(patient), entry)))
    for name in ("StartTimeFrom", "StartTimeTo", "StopTimeFrom", "StopTimeTo"):
        asked = (f"$XDSDocumentEntryService{name}", MIDDLE)
        returned(documents.query("FindDocuments", _of(patient), asked), {entry.entry_uuid})


@covers("ITI-18-028", "ITI-18-029", "ITI-18-030", "ITI-18-062")
@pytest.mark.parametrize("parameter", LISTED)
def test_several_codes(parameter: str, documents: DocumentActors, invent: Inventor, patient: CX) -> None:
    """Codes of one slot are alternatives; slots of one name must all be met."""
    field, attribute, _ = LISTED[parameter]
    one, two = two_codes(invent, attribute)
    first, second, both = (invent.entry(patient, **{field: codes}) for codes in ((one,), (two,), (one, two)))
    succeeded(documents.register(submission(invent.submission_set(patient), first, second, both)))
    name = f"${parameter}"
    either = documents.query("FindDocuments", _of(patient), (name, listed(one, two)))
    returned(either, {first.entry_uuid, second.entry_uuid, both.entry_uuid})
    each = documents.query("FindDocuments", _of(patient), (name, listed(one)), (name, listed(two)))
    returned(each, {both.entry_uuid})


@covers("ITI-18-016")
def test_a_code_of_another_scheme(documents: DocumentActors, invent: Inventor, patient: CX) -> None:
    """The same code of another coding scheme does not match."""
    entry = invent.entry(patient)
    succeeded(documents.register(submission(invent.submission_set(patient), entry)))
    assert entry.class_code is not None
    strange = listed(Code(entry.class_code.code, "2.999.1", ""))
    returned(documents.query("FindDocuments", _of(patient), ("$XDSDocumentEntryClassCode", strange)), ())


@covers("ITI-18-020", "ITI-18-021", "ITI-18-022", "ITI-18-027", "ITI-18-064")
def test_patterns_of_authors(documents: DocumentActors, invent: Inventor, patient: CX) -> None:
    """% stands for any run of characters, _ for one; quotes are doubled; upper and lower case differ."""
    names = ("^O'Neil^A", "^Probst^B", "^PROBST^C")
    quoted, lower, upper = (invent.entry(patient, author=(Author(author_person=name),)) for name in names)
    succeeded(documents.register(submission(invent.submission_set(patient), quoted, lower, upper)))
    expected = {
        "('%O''Neil%')": {quoted},
        "('^Prob_t^B')": {lower},
        "('%Probst%')": {lower},
        "('%PROB%')": {upper},
        "('%Probst%','%O''N%')": {lower, quoted},
    }
    for pattern, found in expected.items():
        asked = documents.query("FindDocuments", _of(patient), ("$XDSDocumentEntryAuthorPerson", pattern))
        returned(asked, {each.entry_uuid for each in found})


@covers("ITI-18-032", "ITI-18-033")
def test_unknown_statuses(documents: DocumentActors, invent: Inventor, patient: CX) -> None:
    """A status that nobody knows is ignored beside another one."""
    entry = invent.entry(patient)
    succeeded(documents.register(submission(invent.submission_set(patient), entry)))
    both = f"('urn:nobody:knows','{AvailabilityStatus.APPROVED.value}')"
    asked = documents.query("FindDocuments", _of(patient), ("$XDSDocumentEntryStatus", both))
    returned(asked, {entry.entry_uuid})


@covers("ITI-18-001", "ITI-18-004")
def test_object_refs(documents: DocumentActors, invent: Inventor, patient: CX) -> None:
    """ObjectRef is answered with the ids alone."""
    entry = invent.entry(patient)
    succeeded(documents.register(submission(invent.submission_set(patient), entry)))
    called = documents.query("FindDocuments", _of(patient), return_type="ObjectRef")
    returned(called, {entry.entry_uuid})
    kinds = {each.tag.rpartition("}")[2] for each in called.body.iterfind("{*}RegistryObjectList/*")}
    assert kinds == {"ObjectRef"}, f"exchange {called.exchange.number}: {kinds} where ObjectRefs alone are due"


@covers("ITI-18-214", "ITI-18-045")
def test_documents_of_others(documents: DocumentActors, invent: Inventor, patient: CX, other_patient: CX) -> None:
    """A patient's documents alone are returned."""
    own, foreign = invent.entry(patient), invent.entry(other_patient)
    succeeded(documents.register(submission(invent.submission_set(patient), own)))
    succeeded(documents.register(submission(invent.submission_set(other_patient), foreign)))
    returned(documents.query("FindDocuments", _of(patient)), {own.entry_uuid})


def _of(patient: CX) -> tuple[str, str]:
    return ("$XDSDocumentEntryPatientId", spelled(patient))
