"""FindSubmissionSets and FindFolders: each parameter tells two objects apart (ITI TF-2: 3.18.4.1.2.3.7.2-3)."""

from dataclasses import dataclass
from typing import Any

import pytest

from conformance.asking import listed, two_codes
from conformance.counterparts.documents import DocumentActors
from conformance.counterparts.metadata import Inventor, submission
from conformance.covering import Covering, Suite, covers
from conformance.expectations import returned, spelled, succeeded
from ihe.datatypes import CX
from ihe.transactions import Actor
from xds.model import Author

SUITE = Suite(actor=Actor.DOCUMENT_REGISTRY, profile="XDS.b")
EARLY, LATE, MIDDLE = "20240101", "20260101", "20250101"
SETS: dict[str, tuple[str, dict[str, Any], dict[str, Any], int]] = {
    "XDSSubmissionSetSourceId": ("('2.999.77')", {"source_id": "2.999.77"}, {}, 71),
    "XDSSubmissionSetSubmissionTimeFrom": (MIDDLE, {"submission_time": LATE}, {"submission_time": EARLY}, 72),
    "XDSSubmissionSetSubmissionTimeTo": (MIDDLE, {"submission_time": EARLY}, {"submission_time": LATE}, 73),
    "XDSSubmissionSetAuthorPerson": ("'%Probst%'", {"author": (Author(author_person="^Probst^P"),)}, {}, 74),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldSets:
    """A parameter of FindSubmissionSets."""

    parameter: str

    @property
    def sentence(self) -> str:
        """What it shows."""
        return f"FindSubmissionSets with ${self.parameter} returns what fits it, and nothing else."

    @property
    def covering(self) -> Covering:
        """The assertion about the parameter."""
        return Covering((f"ITI-18-{SETS[self.parameter][3]:03}",))


@covers("ITI-18-068", "ITI-18-076")
@pytest.mark.parametrize("case", [ToldSets(parameter=name) for name in SETS], ids=lambda case: case.parameter)
def test_a_parameter_tells_sets_apart(case: ToldSets, documents: DocumentActors, invent: Inventor, patient: CX) -> None:
    value, fitting, other, _ = SETS[case.parameter]
    one, two = (invent.submission_set(patient, **changes) for changes in (fitting, other))
    for each in (one, two):
        succeeded(documents.register(submission(each, invent.entry(patient))))
    whose = ("$XDSSubmissionSetPatientId", spelled(patient))
    returned(documents.query("FindSubmissionSets", whose, (f"${case.parameter}", value)), {one.entry_uuid})


@covers("ITI-18-075")
def test_content_types(documents: DocumentActors, invent: Inventor, patient: CX) -> None:
    """FindSubmissionSets with $XDSSubmissionSetContentType returns what fits it, and nothing else."""
    codes = two_codes(invent, "contentTypeCode")
    one, two = (invent.submission_set(patient, content_type_code=code) for code in codes)
    for each in (one, two):
        succeeded(documents.register(submission(each, invent.entry(patient))))
    asked = ("$XDSSubmissionSetContentType", listed(codes[0]))
    whose = ("$XDSSubmissionSetPatientId", spelled(patient))
    returned(documents.query("FindSubmissionSets", whose, asked), {one.entry_uuid})


@covers("ITI-18-077", "ITI-18-082", "ITI-18-083")
def test_folder_codes(documents: DocumentActors, invent: Inventor, patient: CX) -> None:
    """FindFolders returns folders with one of the codes of each slot $XDSFolderCodeList."""
    one, two = two_codes(invent, "codeList")
    first, both = (invent.folder(patient, code_list=codes) for codes in ((one,), (one, two)))
    succeeded(documents.register(submission(invent.submission_set(patient), first, both)))
    whose, name = ("$XDSFolderPatientId", spelled(patient)), "$XDSFolderCodeList"
    returned(documents.query("FindFolders", whose), {first.entry_uuid, both.entry_uuid})
    returned(documents.query("FindFolders", whose, (name, listed(two))), {both.entry_uuid})
    returned(documents.query("FindFolders", whose, (name, listed(one)), (name, listed(two))), {both.entry_uuid})


@covers("ITI-18-080", "ITI-18-081", "ITI-42-066")
def test_folder_times(documents: DocumentActors, invent: Inventor, patient: CX) -> None:
    """FindFolders by lastUpdateTime, which the registry sets to the present."""
    folder = invent.folder(patient)
    succeeded(documents.register(submission(invent.submission_set(patient), folder)))
    whose = ("$XDSFolderPatientId", spelled(patient))
    since, until = ("$XDSFolderLastUpdateTimeFrom", "$XDSFolderLastUpdateTimeTo")
    returned(documents.query("FindFolders", whose, (since, EARLY)), {folder.entry_uuid})
    returned(documents.query("FindFolders", whose, (since, "20990101")), ())
    returned(documents.query("FindFolders", whose, (until, "20990101")), {folder.entry_uuid})
    returned(documents.query("FindFolders", whose, (until, EARLY)), ())
