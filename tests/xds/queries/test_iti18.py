"""Registry Stored Query [ITI-18] against a filled registry, on SQLite and PostgreSQL (ITI TF-2: 3.18)."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lxml.etree import _Element

from ihe.datatypes import Code
from ihe.errors import ErrorCode, Rejected
from ihe.exchange import Exchange, SOAPRequest
from ihe.identifiers import UniqueId
from soap.xml import parse, schema
from xds.iti18 import ITI_18
from xds.model import AssociationType, Author, AvailabilityStatus, DocumentAvailability, ObjectType
from xds.stored_queries import (
    FIND_DOCUMENTS,
    FIND_DOCUMENTS_BY_REFERENCE_ID,
    FIND_FOLDERS,
    FIND_SUBMISSION_SETS,
    GET_ALL,
    GET_ASSOCIATIONS,
    GET_DOCUMENTS,
    GET_DOCUMENTS_AND_ASSOCIATIONS,
    GET_FOLDER_AND_CONTENTS,
    GET_FOLDERS,
    GET_FOLDERS_FOR_DOCUMENT,
    GET_RELATED_DOCUMENTS,
    GET_SUBMISSION_SET_AND_CONTENTS,
    GET_SUBMISSION_SETS,
)
from xds.stored_query import StoredQuery

RIM = "{urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0}"
PATIENT_ID_SCHEMES = "(@identificationScheme='urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427')"
APPROVED, DEPRECATED = AvailabilityStatus.APPROVED, AvailabilityStatus.DEPRECATED
BOTH = f"('{APPROVED.value}','{DEPRECATED.value}')"
LEVEL_2 = ("$MetadataLevel", "2")
HAS_MEMBER, RPLC, APND = AssociationType.HAS_MEMBER, AssociationType.RPLC, AssociationType.APND
ANY_TYPE = ("$XDSDocumentEntryType", *(f"('{each.value}')" for each in ObjectType))


def status_of(kind: str, value: str = f"('{APPROVED.value}')") -> tuple[str, str]:
    return f"$XDS{kind}Status", value


def patient_slot(name: str, patient: object) -> tuple[str, str]:
    return name, f"'{patient}'"


def quoted(*values: str) -> str:
    return "(" + ",".join(f"'{value}'" for value in values) + ")"


def ids(answer: _Element) -> list[str]:
    objects = answer.find(f"{RIM}RegistryObjectList")
    assert objects is not None
    return [str(each.get("id")) for each in objects]


def uuids(*objects: Any) -> list[str]:
    return [str(each.entry_uuid) for each in objects]


def ask(shelves: Any, query: StoredQuery, *slots: tuple[str, ...], returns: str = "LeafClass") -> list[str]:
    return ids(shelves.ask(ITI_18, shelves.request(query.id, *slots, returns=returns)))


def refusal(shelves: Any, query: StoredQuery, *slots: tuple[str, ...], returns: str = "LeafClass") -> set[Any]:
    with pytest.raises(Rejected) as caught:
        ask(shelves, query, *slots, returns=returns)
    return caught.value.codes


def find(shelves: Any, patient: object, *slots: tuple[str, ...], status: str = f"('{APPROVED.value}')") -> list[str]:
    named = patient_slot("$XDSDocumentEntryPatientId", patient)
    return ask(shelves, FIND_DOCUMENTS, named, status_of("DocumentEntry", status), *slots)


# FindDocuments: what restricts and what does not


def test_documents_of_one_patient_in_the_order_of_registration(shelves: Any, make: Any) -> None:
    anna, other = shelves.patient("ANNA", 1), shelves.patient("OTHER", 2)
    first, foreign, second = make.entry(anna), make.entry(other), make.entry(anna)
    shelves.put(1, first)
    shelves.put(2, foreign)
    shelves.put(1, second)
    assert find(shelves, anna) == uuids(first, second)


def test_the_status_decides(shelves: Any, make: Any) -> None:
    anna = shelves.patient("ANNA", 1)
    current, replaced = make.entry(anna), make.entry(anna, availability_status=DEPRECATED)
    shelves.put(1, current, replaced)
    assert find(shelves, anna) == uuids(current)
    assert find(shelves, anna, status=f"('{DEPRECATED.value}')") == uuids(replaced)
    assert find(shelves, anna, status=BOTH) == uuids(current, replaced)


ATTRIBUTES = {
    "$XDSDocumentEntryClassCode": "class_code",
    "$XDSDocumentEntryTypeCode": "type_code",
    "$XDSDocumentEntryPracticeSettingCode": "practice_setting_code",
    "$XDSDocumentEntryHealthcareFacilityTypeCode": "healthcare_facility_type_code",
    "$XDSDocumentEntryFormatCode": "format_code",
}


@pytest.mark.parametrize("parameter", ATTRIBUTES)
def test_a_code_matches_with_its_scheme_only(shelves: Any, make: Any, parameter: str) -> None:
    anna = shelves.patient("ANNA", 1)
    wanted = make.entry(anna, **{ATTRIBUTES[parameter]: Code("X", "1.2.3", "shown")})
    same_code = make.entry(anna, **{ATTRIBUTES[parameter]: Code("X", "1.2.4", "shown")})
    without = make.entry(anna, **{ATTRIBUTES[parameter]: None})
    shelves.put(1, wanted, same_code, without)
    assert find(shelves, anna, (parameter, "('X^^1.2.3')")) == uuids(wanted)
    assert find(shelves, anna, (parameter, "('X^^1.2.3')", "('X^^1.2.4')")) == uuids(wanted, same_code)
    assert find(shelves, anna, (parameter, "('x^^1.2.3')")) == []


@pytest.mark.parametrize(
    ("parameter", "attribute"),
    [
        ("$XDSDocumentEntryEventCodeList", "event_code_list"),
        ("$XDSDocumentEntryConfidentialityCode", "confidentiality_code"),
    ],
)
def test_values_are_or_and_slots_are_and(shelves: Any, make: Any, parameter: str, attribute: str) -> None:
    anna = shelves.patient("ANNA", 1)
    a, b, c = (Code(letter, "1.2", letter) for letter in "abc")
    only_a, a_and_c, b_and_c, none = (
        make.entry(anna, **{attribute: codes}) for codes in ((a,), (a, c), (b, c), (Code("ab", "1.2", ""),))
    )
    shelves.put(1, only_a, a_and_c, b_and_c, none)
    assert find(shelves, anna, (parameter, "('a^^1.2','b^^1.2')")) == uuids(only_a, a_and_c, b_and_c)
    assert find(shelves, anna, (parameter, "('a^^1.2')"), (parameter, "('c^^1.2')")) == uuids(a_and_c)
    either = find(shelves, anna, (parameter, "('a^^1.2')", "('b^^1.2')"), (parameter, "('c^^1.2')"))
    assert either == uuids(a_and_c, b_and_c)


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("%Weber%", True),
        ("^Weber^Anna%", True),
        ("%weber%", False),
        ("%W_ber%", True),
        ("Weber", False),
        ("%O''Neil%", False),
        ("%Weber%Keller%", False),  # across two authors
        ("%[W]eber%", False),  # no character class
        ("%*%", False),  # no wildcard of another language
        ("%W?ber%", False),
        ("%\\%", False),
        ("%", True),
    ],
)
def test_the_author_is_matched_as_sql_like(shelves: Any, make: Any, pattern: str, matches: bool) -> None:
    anna = shelves.patient("ANNA", 1)
    authors = (Author(author_person="^Weber^Anna^^^Dr"), Author(author_person="7^Keller^Jean"), Author())
    entry = make.entry(anna, author=authors)
    shelves.put(1, entry, make.entry(anna, author=()))
    assert find(shelves, anna, ("$XDSDocumentEntryAuthorPerson", f"('{pattern}')")) == (uuids(entry) if matches else [])


@pytest.mark.parametrize("text", ["100%", "a_b", "a\\b", "a*b?c[d]", "O'Neil", "'; DROP TABLE document_entry; --"])
def test_a_name_with_special_characters_is_found_by_itself(shelves: Any, make: Any, text: str) -> None:
    anna = shelves.patient("ANNA", 1)
    entry = make.entry(anna, author=(Author(author_person=f"^{text}"),))
    shelves.put(1, entry, make.entry(anna))
    doubled = text.replace("'", "''")
    assert find(shelves, anna, ("$XDSDocumentEntryAuthorPerson", f"('^{doubled}')")) == uuids(entry)


TIMES = ["2026", "202601", "20260110", "2026011012", "202601101200", "20260110120000"]


@pytest.mark.parametrize("name", ["CreationTime", "ServiceStartTime", "ServiceStopTime"])
@pytest.mark.parametrize("precision", TIMES)
def test_from_is_inclusive_and_to_is_exclusive(shelves: Any, make: Any, name: str, precision: str) -> None:
    anna = shelves.patient("ANNA", 1)
    attribute = {"CreationTime": "creation_time", "ServiceStartTime": "service_start_time"}
    entry = make.entry(anna, **{attribute.get(name, "service_stop_time"): precision})
    shelves.put(1, entry)
    start, end = f"$XDSDocumentEntry{name}From", f"$XDSDocumentEntry{name}To"
    second = precision + "00000101000000"[len(precision) :]
    assert find(shelves, anna, (start, precision)) == uuids(entry)
    assert find(shelves, anna, (start, second)) == uuids(entry)
    assert find(shelves, anna, (end, precision)) == []
    assert find(shelves, anna, (end, second)) == []
    assert find(shelves, anna, (start, "2025"), (end, "2027")) == uuids(entry)
    assert find(shelves, anna, (start, "20260110120001")) == []
    assert find(shelves, anna, (end, "20260110120001")) == uuids(entry)


def test_an_entry_without_service_times_ignores_those_parameters(shelves: Any, make: Any) -> None:
    anna = shelves.patient("ANNA", 1)
    without = make.entry(anna)
    with_time = make.entry(anna, service_start_time="2020", service_stop_time="2021")
    shelves.put(1, without, with_time)
    assert find(shelves, anna, ("$XDSDocumentEntryServiceStartTimeFrom", "2024")) == uuids(without)
    assert find(shelves, anna, ("$XDSDocumentEntryServiceStopTimeTo", "2020")) == uuids(without)


def test_on_demand_entries_are_returned_on_demand_and_ignore_creation_times(shelves: Any, make: Any) -> None:
    anna = shelves.patient("ANNA", 1)
    stable = make.entry(anna)
    on_demand = make.entry(anna, object_type=ObjectType.ON_DEMAND, creation_time=None, hash=None, size=None)
    shelves.put(1, stable, on_demand)
    only = ("$XDSDocumentEntryType", f"('{ObjectType.ON_DEMAND.value}')")
    assert find(shelves, anna) == uuids(stable)
    assert find(shelves, anna, only) == uuids(on_demand)
    assert find(shelves, anna, ANY_TYPE) == uuids(stable, on_demand)
    assert find(shelves, anna, ANY_TYPE, ("$XDSDocumentEntryCreationTimeFrom", "2027")) == uuids(on_demand)


def test_a_reference_id_is_matched_exactly_or_by_pattern(shelves: Any, make: Any) -> None:
    anna = shelves.patient("ANNA", 1)
    order, accession = "4711^^^&2.25.3&ISO^urn:ihe:iti:xds:2013:order", "9^^^&2.25.3&ISO^urn:ihe:iti:xds:2013:accession"
    both, one = make.entry(anna, reference_id_list=(order, accession)), make.entry(anna, reference_id_list=(order,))
    shelves.put(1, both, one, make.entry(anna))

    def find_by(*slots: tuple[str, ...]) -> list[str]:
        named = patient_slot("$XDSDocumentEntryPatientId", anna)
        return ask(shelves, FIND_DOCUMENTS_BY_REFERENCE_ID, named, status_of("DocumentEntry"), *slots)

    name = "$XDSDocumentEntryReferenceIdList"
    assert find_by((name, quoted(order))) == uuids(both, one)
    assert find_by((name, quoted(order)), (name, quoted(accession))) == uuids(both)
    assert find_by((name, quoted("4711^^^&2.25.3&ISO%"))) == uuids(both, one)
    assert refusal(shelves, FIND_DOCUMENTS_BY_REFERENCE_ID, patient_slot("$XDSDocumentEntryPatientId", anna)) == {
        ErrorCode.STORED_QUERY_MISSING_PARAM
    }


# Patients


def test_an_unknown_patient_is_an_error_that_names_the_feed(shelves: Any) -> None:
    with pytest.raises(Rejected) as caught:
        find(shelves, "NOBODY^^^&2.25.7001&ISO")
    (breach,) = caught.value.breaches
    assert breach.code is ErrorCode.UNKNOWN_PATIENT_ID
    assert "NOBODY^^^&2.25.7001&ISO" in breach.code_context
    assert "ITI-8" in breach.code_context


def test_after_a_merge_the_surviving_id_finds_both_and_is_shown_in_both(shelves: Any, make: Any) -> None:
    old, survivor = shelves.patient("OLD", 1), shelves.patient("NEW", 2)
    ours, theirs = make.entry(survivor), make.entry(old)
    shelves.put(1, theirs)
    shelves.put(2, ours)
    del shelves.patients.keys[old]
    shelves.patient("NEW", 2, 1)
    request = shelves.request(
        FIND_DOCUMENTS.id, patient_slot("$XDSDocumentEntryPatientId", survivor), status_of("DocumentEntry")
    )
    answer = shelves.ask(ITI_18, request)
    shown = answer.xpath(f"//*[local-name()='ExternalIdentifier'][{PATIENT_ID_SCHEMES}]/@value")
    assert ids(answer) == uuids(theirs, ours)
    assert shown == [str(survivor)] * 2


# FindSubmissionSets, FindFolders, GetAll


def test_submission_sets_are_found_by_every_parameter(shelves: Any, make: Any) -> None:
    anna = shelves.patient("ANNA", 1)
    wanted = make.submission_set(anna)
    other = make.submission_set(
        anna,
        source_id="2.25.80",
        submission_time="2025",
        author=(Author(author_person="Keller"),),
        content_type_code=Code("OTHER", "2.25.1", ""),
    )
    shelves.put(1, wanted, other, make.entry(anna))

    def find_sets(*slots: tuple[str, ...]) -> list[str]:
        named = patient_slot("$XDSSubmissionSetPatientId", anna)
        return ask(shelves, FIND_SUBMISSION_SETS, named, status_of("SubmissionSet"), *slots)

    assert find_sets() == uuids(wanted, other)
    assert find_sets(("$XDSSubmissionSetSourceId", "('2.25.8')")) == uuids(wanted)
    assert find_sets(("$XDSSubmissionSetSubmissionTimeFrom", "2026")) == uuids(wanted)
    assert find_sets(("$XDSSubmissionSetSubmissionTimeTo", "2026")) == uuids(other)
    assert find_sets(("$XDSSubmissionSetAuthorPerson", "'%Weber%'")) == uuids(wanted)
    assert find_sets(("$XDSSubmissionSetContentType", "('RESULTS^^2.25.1')")) == uuids(wanted)


def test_folders_are_found_by_every_parameter(shelves: Any, make: Any) -> None:
    anna = shelves.patient("ANNA", 1)
    wanted = make.folder(anna, code_list=(Code("A", "1.2", ""), Code("B", "1.2", "")))
    other = make.folder(anna, last_update_time="2025")
    shelves.put(1, wanted, other)

    def find_folders(*slots: tuple[str, ...]) -> list[str]:
        return ask(shelves, FIND_FOLDERS, patient_slot("$XDSFolderPatientId", anna), status_of("Folder"), *slots)

    assert find_folders() == uuids(wanted, other)
    assert find_folders(("$XDSFolderLastUpdateTimeFrom", "2026")) == uuids(wanted)
    assert find_folders(("$XDSFolderLastUpdateTimeTo", "2026")) == uuids(other)
    both = (("$XDSFolderCodeList", "('A^^1.2')"), ("$XDSFolderCodeList", "('B^^1.2')"))
    assert find_folders(*both) == uuids(wanted)


def fill(shelves: Any, make: Any) -> dict[str, Any]:
    """One submission of two documents, the second in a folder, and a later replacement of the first."""
    anna = shelves.patient("ANNA", 1)
    first = make.entry(anna, availability_status=DEPRECATED, format_code=Code("PDF", "2.25.1", ""))
    second, replacement = make.entry(anna), make.entry(anna)
    submission_set, later, folder = make.submission_set(anna), make.submission_set(anna), make.folder(anna)
    in_folder = make.member(folder, second)
    links = [
        make.member(submission_set, first),
        make.member(submission_set, second),
        make.member(submission_set, folder),
        in_folder,
        make.member(submission_set, in_folder),
    ]
    replaces = make.association(RPLC, replacement, first)
    submitted = make.member(later, replacement)
    shelves.put(1, submission_set, first, second, folder, *links, later, replacement, replaces, submitted)
    return locals()


def get_all(shelves: Any, patient: object, *slots: tuple[str, ...], entries: str = BOTH) -> list[str]:
    statuses = (status_of("DocumentEntry", entries), status_of("SubmissionSet", BOTH), status_of("Folder", BOTH))
    return ask(shelves, GET_ALL, patient_slot("$patientId", patient), *statuses, *slots)


def test_get_all_returns_everything_of_a_patient(shelves: Any, make: Any) -> None:
    own = fill(shelves, make)
    objects = [own[name] for name in ("submission_set", "later", "first", "second", "replacement", "folder")]
    assert get_all(shelves, own["anna"]) == uuids(*objects, *own["links"], own["replaces"], own["submitted"])


def test_get_all_restricts_documents_and_still_returns_their_associations(shelves: Any, make: Any) -> None:
    own = fill(shelves, make)
    approved = get_all(shelves, own["anna"], entries=f"('{APPROVED.value}')")
    assert own["first"].entry_uuid not in approved
    assert own["replaces"].entry_uuid in approved  # "Associations may be returned that reference objects not in ..."
    by_format = get_all(shelves, own["anna"], ("$XDSDocumentEntryFormatCode", "('PDF^^2.25.1')"))
    assert own["first"].entry_uuid in by_format
    assert own["second"].entry_uuid not in by_format


# By identifier


def test_documents_by_entry_uuid_and_by_unique_id(shelves: Any, make: Any) -> None:
    own = fill(shelves, make)
    first, second = own["first"], own["second"]
    assert ask(shelves, GET_DOCUMENTS, ("$XDSDocumentEntryEntryUUID", quoted(*uuids(second, first)))) == uuids(
        first, second
    )
    assert ask(shelves, GET_DOCUMENTS, ("$XDSDocumentEntryUniqueId", quoted(first.unique_id))) == uuids(first)
    assert ask(shelves, GET_DOCUMENTS, ("$XDSDocumentEntryEntryUUID", quoted(*uuids(own["folder"])))) == []
    assert ask(shelves, GET_DOCUMENTS, ("$XDSDocumentEntryUniqueId", "('1.2.3')")) == []


def test_one_unique_id_may_belong_to_several_entries(shelves: Any, make: Any) -> None:
    anna = shelves.patient("ANNA", 1)
    first = make.entry(anna)
    again = make.entry(anna, unique_id=first.unique_id)
    shelves.put(1, first, again)
    assert ask(shelves, GET_DOCUMENTS, ("$XDSDocumentEntryUniqueId", quoted(first.unique_id))) == uuids(first, again)


def test_folders_by_identifier(shelves: Any, make: Any) -> None:
    folder = fill(shelves, make)["folder"]
    assert ask(shelves, GET_FOLDERS, ("$XDSFolderEntryUUID", quoted(*uuids(folder)))) == uuids(folder)
    assert ask(shelves, GET_FOLDERS, ("$XDSFolderUniqueId", quoted(folder.unique_id))) == uuids(folder)


def test_associations_from_and_to_any_object(shelves: Any, make: Any) -> None:
    own = fill(shelves, make)
    of_second, of_folder = own["links"][1], own["links"][2]
    about_second = ask(shelves, GET_ASSOCIATIONS, ("$uuid", quoted(*uuids(own["second"]))))
    assert about_second == uuids(of_second, own["in_folder"])
    about_both = ask(shelves, GET_ASSOCIATIONS, ("$uuid", quoted(*uuids(own["second"], own["folder"]))))
    assert about_both == uuids(of_second, of_folder, own["in_folder"])


def test_documents_and_associations(shelves: Any, make: Any) -> None:
    own = fill(shelves, make)
    found = ask(shelves, GET_DOCUMENTS_AND_ASSOCIATIONS, ("$XDSDocumentEntryEntryUUID", quoted(*uuids(own["first"]))))
    assert found == uuids(own["first"], own["links"][0], own["replaces"])


def test_submission_sets_of_documents_and_folders(shelves: Any, make: Any) -> None:
    own = fill(shelves, make)
    of_second = ask(shelves, GET_SUBMISSION_SETS, ("$uuid", quoted(*uuids(own["second"]))))
    assert of_second == uuids(own["submission_set"], own["links"][1])  # not the folder that holds it
    of_both = ask(shelves, GET_SUBMISSION_SETS, ("$uuid", quoted(*uuids(own["folder"], own["replacement"]))))
    assert of_both == uuids(own["submission_set"], own["later"], own["links"][2], own["submitted"])


def test_a_submission_set_and_its_contents(shelves: Any, make: Any) -> None:
    own = fill(shelves, make)
    named = ("$XDSSubmissionSetUniqueId", f"'{own['submission_set'].unique_id}'")
    first, second, folder, links = own["first"], own["second"], own["folder"], own["links"]
    everything = ask(shelves, GET_SUBMISSION_SET_AND_CONTENTS, named)
    assert sorted(everything) == sorted(uuids(own["submission_set"], first, second, folder, *links))
    only_first = ask(
        shelves, GET_SUBMISSION_SET_AND_CONTENTS, named, ("$XDSDocumentEntryFormatCode", "('PDF^^2.25.1')")
    )
    # The document in the folder is filtered out, and with it every association that leads to it.
    assert only_first == uuids(own["submission_set"], first, folder, links[0], links[2])


def test_a_folder_and_its_contents(shelves: Any, make: Any) -> None:
    own = fill(shelves, make)
    named = ("$XDSFolderEntryUUID", f"'{own['folder'].entry_uuid}'")
    assert ask(shelves, GET_FOLDER_AND_CONTENTS, named) == uuids(own["second"], own["folder"], own["in_folder"])
    restricted = ("$XDSDocumentEntryConfidentialityCode", "('R^^2.16.840.1.113883.5.25')")
    assert ask(shelves, GET_FOLDER_AND_CONTENTS, named, restricted) == uuids(own["folder"])


def test_folders_that_hold_a_document(shelves: Any, make: Any) -> None:
    own = fill(shelves, make)
    by_uuid = ask(shelves, GET_FOLDERS_FOR_DOCUMENT, ("$XDSDocumentEntryEntryUUID", f"'{own['second'].entry_uuid}'"))
    by_uid = ask(shelves, GET_FOLDERS_FOR_DOCUMENT, ("$XDSDocumentEntryUniqueId", f"'{own['second'].unique_id}'"))
    assert by_uuid == by_uid == uuids(own["folder"])
    assert ask(shelves, GET_FOLDERS_FOR_DOCUMENT, ("$XDSDocumentEntryUniqueId", f"'{own['first'].unique_id}'")) == []


def test_related_documents_of_the_types_asked_for(shelves: Any, make: Any) -> None:
    own = fill(shelves, make)
    named = ("$XDSDocumentEntryEntryUUID", f"'{own['first'].entry_uuid}'")
    by_replacement = ask(
        shelves, GET_RELATED_DOCUMENTS, named, ("$AssociationTypes", quoted(HAS_MEMBER.value, RPLC.value))
    )
    assert by_replacement == uuids(own["first"], own["replacement"], own["replaces"])
    assert ask(shelves, GET_RELATED_DOCUMENTS, named, ("$AssociationTypes", quoted(APND.value))) == []
    alone = ("$XDSDocumentEntryEntryUUID", f"'{own['second'].entry_uuid}'")
    assert ask(shelves, GET_RELATED_DOCUMENTS, alone, ("$AssociationTypes", quoted(RPLC.value))) == []


# One patient, many results


def test_metadata_of_two_patients_never_leaves_in_one_answer(shelves: Any, make: Any) -> None:
    anna, other = shelves.patient("ANNA", 1), shelves.patient("OTHER", 2)
    ours, theirs = make.entry(anna), make.entry(other)
    shelves.put(1, ours)
    shelves.put(2, theirs)
    both = ("$XDSDocumentEntryEntryUUID", quoted(*uuids(ours, theirs)))
    for query in (GET_DOCUMENTS, GET_DOCUMENTS_AND_ASSOCIATIONS):
        assert refusal(shelves, query, both) == {ErrorCode.RESULT_NOT_SINGLE_PATIENT}
        assert ask(shelves, query, both, returns="ObjectRef") == uuids(ours, theirs)


def test_merged_patients_are_one_patient(shelves: Any, make: Any) -> None:
    survivor = shelves.patient("NEW", 2, 1)
    ours, theirs = make.entry(survivor), make.entry(survivor)
    shelves.put(1, theirs)
    shelves.put(2, ours)
    named = ("$XDSDocumentEntryEntryUUID", quoted(*uuids(ours, theirs)))
    assert ask(shelves, GET_DOCUMENTS, named) == uuids(theirs, ours)


def test_a_document_of_another_patient_by_reference_is_not_shown_with_the_submission(shelves: Any, make: Any) -> None:
    mother, child = shelves.patient("MOTHER", 1), shelves.patient("CHILD", 2)
    submission_set, report, of_child = make.submission_set(mother), make.entry(mother), make.entry(child)
    shelves.put(2, of_child)
    shelves.put(1, submission_set, report, make.member(submission_set, report), make.member(submission_set, of_child))
    named = ("$XDSSubmissionSetEntryUUID", f"'{submission_set.entry_uuid}'")
    assert refusal(shelves, GET_SUBMISSION_SET_AND_CONTENTS, named) == {ErrorCode.RESULT_NOT_SINGLE_PATIENT}
    assert len(ask(shelves, GET_SUBMISSION_SET_AND_CONTENTS, named, returns="ObjectRef")) == 5


def test_an_answer_is_refused_rather_than_cut(shelves: Any, make: Any) -> None:
    own = fill(shelves, make)
    shelves.domain = replace(shelves.domain, max_results=2)
    assert len(find(shelves, own["anna"])) == 2
    shelves.domain = replace(shelves.domain, max_results=1)
    named = patient_slot("$XDSDocumentEntryPatientId", own["anna"])
    assert refusal(shelves, FIND_DOCUMENTS, named, status_of("DocumentEntry")) == {ErrorCode.TOO_MANY_RESULTS}


def test_the_whole_answer_is_counted_not_each_kind(shelves: Any, make: Any) -> None:
    own = fill(shelves, make)
    shelves.domain = replace(shelves.domain, max_results=7)
    statuses = tuple(status_of(kind, BOTH) for kind in ("DocumentEntry", "SubmissionSet", "Folder"))
    assert refusal(shelves, GET_ALL, patient_slot("$patientId", own["anna"]), *statuses) == {ErrorCode.TOO_MANY_RESULTS}


# Metadata update


def test_level_one_sees_no_old_version_no_offline_document(shelves: Any, make: Any) -> None:
    anna = shelves.patient("ANNA", 1)
    old = make.entry(anna, availability_status=DEPRECATED)
    new = make.entry(anna, logical_id=old.entry_uuid, version=2, unique_id=old.unique_id)
    offline = make.entry(anna, document_availability=DocumentAvailability.OFFLINE)
    shelves.put(1, old, superseded=True)
    shelves.put(1, new, offline)
    assert find(shelves, anna, status=BOTH) == uuids(new)
    assert find(shelves, anna, LEVEL_2, status=BOTH) == uuids(old, new, offline)
    online = ("$XDSDocumentEntryDocumentAvailability", quoted(DocumentAvailability.OFFLINE.value))
    assert find(shelves, anna, online, LEVEL_2) == uuids(offline)


def test_level_one_sees_the_latest_version_of_a_folder(shelves: Any, make: Any) -> None:
    anna = shelves.patient("ANNA", 1)
    old = make.folder(anna, availability_status=DEPRECATED)
    new = make.folder(anna, logical_id=old.entry_uuid, version=2, unique_id=old.unique_id)
    shelves.put(1, old, superseded=True)
    shelves.put(1, new)
    of_patient, both = patient_slot("$XDSFolderPatientId", anna), status_of("Folder", BOTH)
    assert ask(shelves, FIND_FOLDERS, of_patient, both) == uuids(new)
    assert ask(shelves, FIND_FOLDERS, of_patient, both, LEVEL_2) == uuids(old, new)
    assert ask(shelves, GET_FOLDERS, ("$XDSFolderLogicalID", quoted(old.entry_uuid)), LEVEL_2) == uuids(old, new)


def test_a_logical_id_names_all_versions_also_of_another_patient(shelves: Any, make: Any) -> None:
    wrong, right = shelves.patient("WRONG", 1), shelves.patient("RIGHT", 2)
    old = make.entry(wrong, availability_status=DEPRECATED)
    new = make.entry(right, logical_id=old.entry_uuid, version=2, unique_id=old.unique_id)
    shelves.put(1, old, superseded=True)
    shelves.put(2, new)
    named = ("$XDSDocumentEntryLogicalID", quoted(old.entry_uuid))
    assert ask(shelves, GET_DOCUMENTS, named) == uuids(new)
    assert ask(shelves, GET_DOCUMENTS, named, LEVEL_2, returns="ObjectRef") == uuids(old, new)
    assert refusal(shelves, GET_DOCUMENTS, named, LEVEL_2) == {ErrorCode.RESULT_NOT_SINGLE_PATIENT}


def test_level_one_sees_no_deprecated_folder_or_association_unless_asked_by_status(shelves: Any, make: Any) -> None:
    anna = shelves.patient("ANNA", 1)
    entry, folder = make.entry(anna), make.folder(anna, availability_status=DEPRECATED)
    link = make.member(folder, entry, availability_status=DEPRECATED)
    shelves.put(1, entry, folder, link)
    named, about = ("$XDSFolderEntryUUID", quoted(*uuids(folder))), ("$uuid", quoted(*uuids(entry)))
    assert ask(shelves, GET_FOLDERS, named) == []
    assert ask(shelves, GET_FOLDERS, named, LEVEL_2) == uuids(folder)
    assert ask(shelves, GET_ASSOCIATIONS, about) == []
    assert ask(shelves, GET_ASSOCIATIONS, about, LEVEL_2) == uuids(link)
    approved_only = ("$XDSAssociationStatus", quoted(APPROVED.value))
    assert ask(shelves, GET_ASSOCIATIONS, about, LEVEL_2, approved_only) == []
    of_patient = patient_slot("$XDSFolderPatientId", anna)
    assert ask(shelves, FIND_FOLDERS, of_patient, status_of("Folder", BOTH)) == uuids(folder)


# The answer on the wire


def test_leaf_class_and_references_validate_against_the_official_schema(shelves: Any, make: Any, shared: Path) -> None:
    own = fill(shelves, make)
    official = schema(shared / "schemas" / "ebRS" / "query.xsd")
    statuses = tuple(status_of(kind, BOTH) for kind in ("DocumentEntry", "SubmissionSet", "Folder"))
    for returns in ("LeafClass", "ObjectRef"):
        request = shelves.request(GET_ALL.id, patient_slot("$patientId", own["anna"]), *statuses, returns=returns)
        official.assertValid(parse(request))
        answer = shelves.ask(ITI_18, request)
        official.assertValid(answer)
        assert answer.get("status") == "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success"
        assert len(ids(answer)) == 13


def test_an_answer_names_the_home_community_where_the_standard_wants_it(shelves: Any, make: Any) -> None:
    own = fill(shelves, make)
    named = ("$XDSFolderEntryUUID", f"'{own['folder'].entry_uuid}'")
    for returns, homes in (("LeafClass", {"urn:oid:2.25.9", None}), ("ObjectRef", {"urn:oid:2.25.9"})):
        answer = shelves.ask(ITI_18, shelves.request(GET_FOLDER_AND_CONTENTS.id, named, returns=returns))
        objects = answer.find(f"{RIM}RegistryObjectList")
        assert objects is not None
        assert {each.get("home") for each in objects} == homes


def test_a_refusal_lists_every_breach_and_validates(shared: Path, shelves: Any) -> None:
    wire = SOAPRequest(parse(shelves.request(FIND_DOCUMENTS.id, returns="LeafClassWithRepositoryItem")))
    with pytest.raises(Rejected) as caught:
        ITI_18.decode(wire)
    exchange = Exchange(correlation_id="test", received_at=datetime(2026, 1, 1, tzinfo=UTC))
    answer = parse(b"".join(ITI_18.refuse(wire, caught.value, exchange).body))
    schema(shared / "schemas" / "ebRS" / "query.xsd").assertValid(answer)
    assert answer.get("status") == "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure"
    assert answer.xpath("//@errorCode") == [
        "XDSRegistryError",
        "XDSStoredQueryMissingParam",
        "XDSStoredQueryMissingParam",
    ]


def test_an_unknown_query_id_is_named(shelves: Any) -> None:
    with pytest.raises(Rejected) as caught:
        shelves.ask(ITI_18, shelves.request("urn:uuid:3d1bdb10-39a2-11de-89c2-2f44d94eaa9f"))
    assert caught.value.codes == {ErrorCode.UNKNOWN_STORED_QUERY}


def test_injection_in_every_textual_parameter_finds_nothing_and_breaks_nothing(shelves: Any, make: Any) -> None:
    own = fill(shelves, make)
    attack = "x'' OR 1=1; DROP TABLE document_entry; --"
    assert ask(shelves, GET_DOCUMENTS, ("$XDSDocumentEntryEntryUUID", f"('{attack}')")) == []
    assert ask(shelves, GET_DOCUMENTS, ("$XDSDocumentEntryUniqueId", f"('{attack}')")) == []
    assert ask(shelves, GET_ASSOCIATIONS, ("$uuid", f"('{attack}')")) == []
    assert find(shelves, own["anna"], ("$XDSDocumentEntryClassCode", f"('{attack}^^1.2')")) == []
    assert len(find(shelves, own["anna"])) == 2


def test_two_thousand_identifiers_are_looked_up_in_one_query(shelves: Any, make: Any) -> None:
    own = fill(shelves, make)
    many = [f"('urn:uuid:{number:032x}')" for number in range(1999)]
    named = ("$XDSDocumentEntryEntryUUID", *many, quoted(*uuids(own["first"])))
    assert ask(shelves, GET_DOCUMENTS_AND_ASSOCIATIONS, named)[:1] == uuids(own["first"])


def test_unique_ids_compare_with_case(shelves: Any, make: Any) -> None:
    anna = shelves.patient("ANNA", 1)
    entry = make.entry(anna, unique_id=UniqueId("2.25.1^Ext"))
    shelves.put(1, entry)
    assert ask(shelves, GET_DOCUMENTS, ("$XDSDocumentEntryUniqueId", "('2.25.1^EXT')")) == []
    assert ask(shelves, GET_DOCUMENTS, ("$XDSDocumentEntryUniqueId", "('2.25.1^Ext')")) == uuids(entry)
