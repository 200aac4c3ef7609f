"""Every rule: the good submission obeys it, and one change breaks it with the right code and location."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ihe.datatypes import CX, HD, Code
from ihe.domain import AffinityDomain
from ihe.errors import Breach, ErrorCode
from ihe.identifiers import EntryUUID, UniqueId
from xds import hl7_forms
from xds.attributes import Sender
from xds.ebrim import Decoded
from xds.model import (
    Association,
    AssociationType,
    Author,
    DocumentAvailability,
    ExtraSlot,
    LocalizedString,
    ObjectType,
    Submission,
    SubmissionSetStatus,
)
from xds.rules import all_breaches
from xds.rules_domain import DOMAIN_RULES
from xds.rules_sender import SENDER_RULES
from xds.rules_structure import STRUCTURE_RULES
from xds.rules_values import VALUE_RULES

Change = Callable[[Submission], Submission]
REPOSITORY = Sender.XDS_DOCUMENT_REPOSITORY
REGISTERED = EntryUUID("urn:uuid:0d2d8e26-5f3c-4f62-9f3b-3e5a6c1b7d10")
ENTRY, SET, FOLDER = "DocumentEntry(Document01)", "SubmissionSet(SubmissionSet01)", "Folder(Folder01)"
LINK = "Association(set-document)"


def entry(**changes: Any) -> Change:
    return lambda it: replace(it, document_entries=(replace(it.document_entries[0], **changes),))


def entry_author(**changes: Any) -> Change:
    return lambda it: entry(author=(replace(it.document_entries[0].author[0], **changes),))(it)


def submission_set(**changes: Any) -> Change:
    return lambda it: replace(it, submission_set=replace(it.submission_set, **changes))


def folder(**changes: Any) -> Change:
    return lambda it: replace(it, folders=(replace(it.folders[0], **changes),))


def association(position: int, **changes: Any) -> Change:
    def change(it: Submission) -> Submission:
        changed = replace(it.associations[position], **changes)
        return replace(it, associations=(*it.associations[:position], changed, *it.associations[position + 1 :]))

    return change


def without(position: int) -> Change:
    return lambda it: replace(it, associations=it.associations[:position] + it.associations[position + 1 :])


def link(
    source: str, kind: AssociationType, target: str, status: SubmissionSetStatus | None = None, id: str = "extra"
) -> Change:
    extra = Association(
        entry_uuid=EntryUUID(id),
        association_type=kind,
        source_object=EntryUUID(source),
        target_object=EntryUUID(target),
        submission_set_status=status,
    )
    return lambda it: replace(it, associations=(*it.associations, extra))


def both(*changes: Change) -> Change:
    def change(it: Submission) -> Submission:
        for each in changes:
            it = each(it)
        return it

    return change


def second_entry(**changes: Any) -> Change:
    def change(it: Submission) -> Submission:
        second = replace(it.document_entries[0], entry_uuid=EntryUUID("Document02"), unique_id=UniqueId("2.25.400.2"))
        second = replace(second, **changes)
        linked = link("SubmissionSet01", HAS_MEMBER, "Document02", SubmissionSetStatus.ORIGINAL, "second")
        return linked(replace(it, document_entries=(*it.document_entries, second)))

    return change


HAS_MEMBER, RPLC, XFRM, APND = (
    AssociationType.HAS_MEMBER,
    AssociationType.RPLC,
    AssociationType.XFRM,
    AssociationType.APND,
)
IS_SNAPSHOT_OF = AssociationType.IS_SNAPSHOT_OF
ORIGINAL, REFERENCE = SubmissionSetStatus.ORIGINAL, SubmissionSetStatus.REFERENCE
METADATA = ErrorCode.REGISTRY_METADATA_ERROR
UNRESOLVED = ErrorCode.UNRESOLVED_REFERENCE

BROKEN: list[tuple[str, Change, ErrorCode, str]] = [
    # structure
    ("ids_are_distinct", folder(entry_uuid="Document01"), METADATA, "Document01"),
    ("uuids_are_well_formed", association(0, entry_uuid="urn:uuid:ABC"), METADATA, "Association(urn:uuid:ABC)"),
    (
        "uuids_are_well_formed",
        association(2, target_object=REGISTERED.upper()),
        METADATA,
        "Association(folder-document)",
    ),
    (
        "something_is_submitted",
        lambda it: Submission(submission_set=it.submission_set),
        METADATA,
        SET,
    ),
    ("entries_are_members_of_the_set", without(0), METADATA, ENTRY),
    ("entries_are_members_of_the_set", association(0, submission_set_status=None), METADATA, ENTRY),
    ("entries_are_members_of_the_set", association(0, submission_set_status=REFERENCE), METADATA, ENTRY),
    (
        "entries_are_members_of_the_set",
        link("SubmissionSet01", HAS_MEMBER, "Document01", ORIGINAL),
        METADATA,
        ENTRY,
    ),
    ("folders_are_members_of_the_set", without(1), METADATA, FOLDER),
    ("memberships_are_members_of_the_set", without(3), METADATA, "Association(folder-document)"),
    (
        "members_are_of_the_right_kind",
        link("SubmissionSet01", HAS_MEMBER, "set-document"),
        METADATA,
        "Association(extra)",
    ),
    (
        "members_are_of_the_right_kind",
        both(
            link("SubmissionSet01", HAS_MEMBER, "wrong"),
            lambda it: replace(
                it,
                associations=(
                    *it.associations,
                    replace(
                        it.associations[2],
                        entry_uuid=EntryUUID("wrong"),
                        source_object=EntryUUID("Document01"),
                        target_object=EntryUUID("Folder01"),
                    ),
                ),
            ),
        ),
        METADATA,
        "Association(wrong)",
    ),
    (
        "references_are_labelled",
        link("SubmissionSet01", HAS_MEMBER, REGISTERED, ORIGINAL),
        METADATA,
        "Association(extra).SubmissionSetStatus",
    ),
    (
        "symbolic_references_resolve",
        link("Document01", APND, "Document99"),
        UNRESOLVED,
        "Association(extra)",
    ),
    (
        "relationships_start_at_new_entries",
        link(REGISTERED, APND, "Document01"),
        UNRESOLVED,
        "Association(extra).sourceObject",
    ),
    (
        "relationships_end_at_entries",
        both(second_entry(), link("Document02", RPLC, "Document01")),
        UNRESOLVED,
        "Association(extra).targetObject",
    ),
    (
        "relationships_end_at_entries",
        link("Document01", APND, "Folder01"),
        UNRESOLVED,
        "Association(extra).targetObject",
    ),
    ("entries_are_not_related_to_themselves", link("Document01", XFRM, "Document01"), METADATA, "Association(extra)"),
    (
        "new_transformations_have_no_addenda",
        both(
            second_entry(),
            association(2, association_type=XFRM, source_object="Document02", target_object=REGISTERED),
            without(3),
            link("Document01", APND, "Document02"),
        ),
        METADATA,
        "Association(extra)",
    ),
    (
        "snapshots_are_stable",
        both(entry(object_type=ObjectType.ON_DEMAND), link("Document01", IS_SNAPSHOT_OF, REGISTERED)),
        METADATA,
        "Association(extra).sourceObject",
    ),
    (
        "objects_share_the_patient",
        entry(patient_id=CX("1955123199", HD("", "2.25.101", "ISO"))),
        ErrorCode.PATIENT_ID_DOES_NOT_MATCH,
        f"{ENTRY}.patientId",
    ),
    (
        "objects_share_the_patient",
        folder(patient_id=CX("1955123199", HD("", "2.25.101", "ISO"))),
        ErrorCode.PATIENT_ID_DOES_NOT_MATCH,
        f"{FOLDER}.patientId",
    ),
    (
        "unique_ids_are_distinct",
        second_entry(unique_id=UniqueId("2.25.400.1^1")),
        ErrorCode.REGISTRY_DUPLICATE_UNIQUE_ID_IN_MESSAGE,
        f"{ENTRY}.uniqueId",
    ),
    # sender
    ("required_attributes_are_there", entry(hash=None), METADATA, f"{ENTRY}.hash"),
    ("required_attributes_are_there", entry(confidentiality_code=()), METADATA, f"{ENTRY}.confidentialityCode"),
    ("required_attributes_are_there", submission_set(patient_id=None), METADATA, f"{SET}.patientId"),
    ("required_attributes_are_there", folder(title=()), METADATA, f"{FOLDER}.title"),
    ("prohibited_attributes_are_not_there", entry(limited_metadata=True), METADATA, f"{ENTRY}.limitedMetadata"),
    ("prohibited_attributes_are_not_there", submission_set(limited_metadata=True), METADATA, f"{SET}.limitedMetadata"),
    (
        "entries_are_of_the_type_of_the_transaction",
        entry(object_type=ObjectType.ON_DEMAND),
        METADATA,
        f"{ENTRY}.objectType",
    ),
    (
        "associations_are_of_submissions",
        link("SubmissionSet01", AssociationType.UPDATE_AVAILABILITY_STATUS, REGISTERED),
        METADATA,
        "Association(extra)",
    ),
    ("associations_are_of_submissions", association(0, previous_version=1), METADATA, f"{LINK}.PreviousVersion"),
    ("objects_are_first_versions", entry(logical_id=REGISTERED), METADATA, f"{ENTRY}.logicalID"),
    # values
    ("times_are_dtm", entry(creation_time="1950-10-07"), METADATA, f"{ENTRY}.creationTime"),
    ("times_are_dtm", entry(creation_time="20260230"), METADATA, f"{ENTRY}.creationTime"),
    ("times_are_dtm", submission_set(submission_time="20261123T0930"), METADATA, f"{SET}.submissionTime"),
    ("services_stop_after_they_start", entry(service_stop_time="2025"), METADATA, f"{ENTRY}.serviceStopTime"),
    ("hashes_are_sha1", entry(hash="abc"), METADATA, f"{ENTRY}.hash"),
    ("languages_are_tags", entry(language_code="français"), METADATA, f"{ENTRY}.languageCode"),
    ("mime_types_are_media_types", entry(mime_type="pdf"), METADATA, f"{ENTRY}.mimeType"),
    (
        "identifiers_are_oids",
        entry(repository_unique_id="urn:oid:2.25.300"),
        METADATA,
        f"{ENTRY}.repositoryUniqueId",
    ),
    ("identifiers_are_oids", submission_set(source_id="3670984664"), METADATA, f"{SET}.sourceId"),
    ("communities_are_oid_urns", folder(home_community_id="2.25.100"), METADATA, f"{FOLDER}.homeCommunityId"),
    ("persons_are_xcn", entry(legal_authenticator="^^Marie"), METADATA, f"{ENTRY}.legalAuthenticator"),
    ("persons_are_xcn", entry_author(author_person="7^Weber^^^^^^^LAB"), METADATA, f"{ENTRY}.author.authorPerson"),
    (
        "institutions_are_xon",
        entry_author(author_institution=("Lab^^^^^^^^^45",)),
        METADATA,
        f"{ENTRY}.author.authorInstitution",
    ),
    (
        "institutions_are_xon",
        entry_author(author_institution=("^^^^^^^^^2.25.8.1",)),
        METADATA,
        f"{ENTRY}.author.authorInstitution",
    ),
    (
        "telecommunications_are_xtn",
        entry_author(author_telecommunication=("+352 4711",)),
        METADATA,
        f"{ENTRY}.author.authorTelecommunication",
    ),
    ("authors_are_named", entry(author=(Author(author_role=("Nurse",)),)), METADATA, f"{ENTRY}.author"),
    ("recipients_are_addressed", submission_set(intended_recipient=("||",)), METADATA, f"{SET}.intendedRecipient"),
    (
        "recipients_are_addressed",
        submission_set(intended_recipient=("A|B|C|D",)),
        METADATA,
        f"{SET}.intendedRecipient",
    ),
    ("patient_info_is_fields_of_pid", entry(source_patient_info=("F",)), METADATA, f"{ENTRY}.sourcePatientInfo"),
    (
        "patient_info_is_fields_of_pid",
        entry(source_patient_info=("PID-8|F", "PID-8|M")),
        METADATA,
        f"{ENTRY}.sourcePatientInfo",
    ),
    ("patient_info_is_fields_of_pid", entry(source_patient_info=("PID-40|x",)), METADATA, f"{ENTRY}.sourcePatientInfo"),
    (
        "patient_info_is_fields_of_pid",
        entry(source_patient_info=("PID-7|19880230",)),
        METADATA,
        f"{ENTRY}.sourcePatientInfo",
    ),
    (
        "patient_info_is_fields_of_pid",
        entry(source_patient_info=("PID-3|77^^^LAB",)),
        METADATA,
        f"{ENTRY}.sourcePatientInfo",
    ),
    ("references_are_cxi", entry(reference_id_list=("4711",)), METADATA, f"{ENTRY}.referenceIdList"),
    (
        "references_are_cxi",
        entry(reference_id_list=("4711^^^^urn:ihe:iti:xds:2013:order",)),
        METADATA,
        f"{ENTRY}.referenceIdList",
    ),
    ("uris_are_uris", entry(uri="my report.pdf"), METADATA, f"{ENTRY}.URI"),
    ("titles_are_short", entry(title=(LocalizedString("x" * 128),)), METADATA, f"{ENTRY}.title"),
    ("values_fit_ebrim", entry(source_patient_info=("PID-11|" + "x" * 256,)), METADATA, f"{ENTRY}.sourcePatientInfo"),
    ("values_fit_ebrim", entry(comments=(LocalizedString("x" * 1025),)), METADATA, f"{ENTRY}.comments"),
    ("values_fit_ebrim", entry(extra=(ExtraSlot("urn:x:y", ("z" * 257,)),)), METADATA, f"{ENTRY}.urn:x:y"),
    ("extra_attributes_are_urns", entry(extra=(ExtraSlot("ward", ("3",)),)), METADATA, f"{ENTRY}.ward"),
    (
        "extra_attributes_are_urns",
        folder(extra=(ExtraSlot("urn:ihe:iti:2099:new", ("3",)),)),
        METADATA,
        f"{FOLDER}.urn:ihe:iti:2099:new",
    ),
    # domain
    ("codes_are_of_the_domain", entry(class_code=Code("NOTES", "2.25.200.1")), METADATA, f"{ENTRY}.classCode"),
    ("codes_are_of_the_domain", folder(code_list=(Code("X", "Y"),)), METADATA, f"{FOLDER}.codeList"),
    ("words_are_of_the_domain", entry(mime_type="text/html"), METADATA, f"{ENTRY}.mimeType"),
]
RULES = {rule.name: rule for rules in (STRUCTURE_RULES, SENDER_RULES, VALUE_RULES, DOMAIN_RULES) for rule in rules}


def check(submission: Submission, domain: AffinityDomain, sender: Sender = REPOSITORY) -> list[Breach]:
    return list(all_breaches(Decoded(submission, ()), sender, domain))


def test_the_good_submission_obeys_every_rule(submission: Submission, domain: AffinityDomain) -> None:
    assert check(submission, domain) == []


@pytest.mark.parametrize(("name", "change", "code", "location"), BROKEN)
def test_one_change_breaks_the_rule(
    name: str, change: Change, code: ErrorCode, location: str, submission: Submission, domain: AffinityDomain
) -> None:
    found = {(breach.text, breach.code, breach.location) for breach in check(change(submission), domain)}
    assert (RULES[name].sentence, code, location) in found


def test_every_rule_has_a_bad_case() -> None:
    assert {name for name, *_ in BROKEN} == set(RULES)


def test_every_rule_is_cited() -> None:
    assert all(rule.citation.section and rule.sentence.endswith(".") for rule in RULES.values())


GOOD: list[Change] = [
    link("SubmissionSet01", HAS_MEMBER, REGISTERED, REFERENCE),
    link("Document01", RPLC, REGISTERED),
    link("Document01", AssociationType.SIGNS, REGISTERED),
    both(second_entry(), link("Document02", APND, "Document01")),
    entry(creation_time="2026", service_start_time="20261120", service_stop_time="2026"),
    entry(service_start_time=None),
    entry(hash="DA39A3EE5E6B4B0D3255BFEF95601890AFD80709", size=0),
    entry(mime_type="Application/PDF"),
    entry(extra=(ExtraSlot("urn:example:ward", ("3", "4")),)),
    entry(legal_authenticator="^Weber^^^"),
    entry_author(author_telecommunication=("^PRS^PH^^31^^(042) 1123 4567", "^PRS^PH^^^^+31 42 1123 4567")),
    entry_author(author_institution=("Some Hospital^^^^^&2.999.1789&ISO^^^^45",)),
    entry_author(author_institution=(), author_person=None, author_role=("PRF^^^&2.16.840.1.113883.5.90&ISO",)),
    entry(reference_id_list=("1.2.3.45.678^^^^urn:ihe:iti:xds:2016:studyInstanceUID", "1^^^LAB^local")),
    entry(source_patient_info=(r"PID-3|D\E\TP-1^^^&1.3.6&ISO~XTP-1^^^&1.3.11&ISO", "PID-5|Müller^Jörg")),
    entry(author=(), comments=(), title=(), event_code_list=()),
    submission_set(intended_recipient=("|12345^LaShawn^James^^Dr^MD", "||^^Internet^dr.oz@example.org")),
    folder(last_update_time="20201231235959"),
]


@pytest.mark.parametrize("change", GOOD)
def test_what_the_standard_allows_is_allowed(change: Change, submission: Submission, domain: AffinityDomain) -> None:
    assert check(change(submission), domain) == []


def test_all_breaches_are_told_at_once(submission: Submission, domain: AffinityDomain) -> None:
    wrong = both(entry(hash=None, language_code="?", class_code=None), submission_set(source_id="x"), without(0))
    locations = {breach.location for breach in check(wrong(submission), domain)}
    attributes = {f"{ENTRY}.hash", f"{ENTRY}.languageCode", f"{ENTRY}.classCode", f"{SET}.sourceId"}
    assert locations == attributes | {ENTRY}


def test_a_code_under_another_scheme_is_told_the_right_one(submission: Submission, domain: AffinityDomain) -> None:
    (breach,) = check(entry(class_code=Code("REPORTS", "2.25.9"))(submission), domain)
    assert (breach.observed, breach.expected) == ("REPORTS^^2.25.9", "REPORTS^^2.25.200.1")


def test_an_unknown_code_and_an_unknown_scheme_are_told_apart(submission: Submission, domain: AffinityDomain) -> None:
    (unknown_code,) = check(entry(class_code=Code("NOTES", "2.25.200.1"))(submission), domain)
    assert unknown_code.expected == "one of the 1 codes of the coding scheme 2.25.200.1 that the domain allows"
    (unknown_scheme,) = check(entry(class_code=Code("NOTES", "2.25.9"))(submission), domain)
    assert unknown_scheme.expected == "a code of the coding scheme 2.25.200.1"


def test_a_domain_without_code_lists_takes_any_code(submission: Submission, domain: AffinityDomain) -> None:
    changed = entry(class_code=Code("ANY", "THING"), mime_type="text/x-any")(submission)
    assert check(changed, replace(domain, codes={})) == []


def test_an_on_demand_entry_has_no_content_yet(submission: Submission, domain: AffinityDomain) -> None:
    on_demand = entry(object_type=ObjectType.ON_DEMAND, creation_time=None, hash=None, size=None)(submission)
    assert check(on_demand, domain, Sender.XDS_ON_DEMAND_SOURCE) == []
    offline = entry(document_availability=DocumentAvailability.OFFLINE)(on_demand)
    (breach,) = check(offline, domain, Sender.XDS_ON_DEMAND_SOURCE)
    assert breach.location == f"{ENTRY}.documentAvailability"
    locations = {breach.location for breach in check(submission, domain, Sender.XDS_ON_DEMAND_SOURCE)}
    assert locations == {f"{ENTRY}.{name}" for name in ("creationTime", "hash", "size", "objectType")}


def test_a_verdict_does_not_depend_on_who_was_judged_before() -> None:
    for family in ("Weber", "W" * 5000):
        people = (f"^{family}^Marie", "", f"^{family}^Marie\\", f"^{family}^Marie")
        verdicts = [hl7_forms.xcn(each) is None for each in people]
        assert verdicts == [True, False, False, True]
