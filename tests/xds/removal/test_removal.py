"""What may be removed without leaving anything behind (RMD: 3.62.4.1.3)."""

from collections.abc import Callable
from typing import Any

from xds.model import Association, AssociationType, MetadataObject, Submission, SubmissionSetStatus

UNKNOWN = "urn:uuid:11111111-2222-3333-4444-999999999999"
UNRESOLVED, REFERENCED = "UnresolvedReferenceException", "ReferencesExistException"
ORPHANED = "XDSUnreferencedObjectException"
MEMBERSHIP = ("FD1-DE1", "SS1-(FD1-DE1)")
EVERYTHING = ("SS1", "DE1", "FD1", "SS1-DE1", "SS1-FD1", *MEMBERSHIP)
Reports = Callable[..., Submission]
Relate = Callable[..., Association]


def test_a_whole_submission_goes_without_a_trace(administrator: Any, holdings: Any) -> None:
    administrator.remove(*EVERYTHING)
    assert not any(holdings.rows().values())


def test_an_unknown_object_is_refused_with_all_others(administrator: Any) -> None:
    assert administrator.refused(*EVERYTHING, UNKNOWN) == {(UNKNOWN, UNRESOLVED)}


def test_an_entry_goes_with_its_associations(administrator: Any, holdings: Any) -> None:
    administrator.remove("DE1", "SS1-DE1", *MEMBERSHIP)
    assert sorted(administrator.ids()) == ["FD1", "SS1", "SS1-FD1"]


def test_a_membership_goes_alone_and_the_folder_may_be_empty(administrator: Any) -> None:
    administrator.remove(*MEMBERSHIP)
    assert sorted(administrator.ids()) == ["DE1", "FD1", "SS1", "SS1-DE1", "SS1-FD1"]


def test_an_entry_with_associations_stays(administrator: Any) -> None:
    assert administrator.refused("DE1") == {("DE1", REFERENCED)}


def test_a_submission_set_with_members_stays(administrator: Any) -> None:
    assert administrator.refused("SS1") == {("SS1", REFERENCED)}


def test_a_membership_that_its_set_holds_stays(administrator: Any) -> None:
    assert administrator.refused("FD1-DE1") == {("FD1-DE1", REFERENCED)}


def test_an_entry_stays_in_a_submission_set(administrator: Any) -> None:
    assert administrator.refused("SS1-DE1") == {("DE1", ORPHANED)}


def test_a_membership_stays_in_a_submission_set(administrator: Any) -> None:
    assert administrator.refused("SS1-(FD1-DE1)") == {("FD1-DE1", ORPHANED)}


def test_a_submission_set_is_not_left_empty(administrator: Any) -> None:
    assert administrator.refused(*EVERYTHING[1:]) == {("SS1", ORPHANED)}


def test_every_error_is_told(administrator: Any) -> None:
    assert administrator.refused("SS1", "SS1-DE1", "SS1-FD1", UNKNOWN) == {
        ("SS1", REFERENCED),
        ("DE1", ORPHANED),
        ("FD1", ORPHANED),
        (UNKNOWN, UNRESOLVED),
    }


def test_what_is_named_twice_is_removed_once(administrator: Any, holdings: Any) -> None:
    administrator.remove(*EVERYTHING, *EVERYTHING)
    assert not any(holdings.rows().values())


def test_objects_of_several_patients_go_together(
    administrator: Any, holdings: Any, another_report: Reports, other_patient: Any
) -> None:
    holdings.register(another_report(2, patient_id=other_patient))
    administrator.remove(*EVERYTHING, "SS2", "DE2", "SS2-DE2")
    assert not any(holdings.rows().values())


def test_an_entry_that_another_set_includes_by_reference_is_not_orphaned(
    administrator: Any, holdings: Any, another_report: Reports, relate: Relate
) -> None:
    document = administrator.ids()["DE1"]
    by_reference = relate("SubmissionSet01", AssociationType.HAS_MEMBER, document, SubmissionSetStatus.REFERENCE)
    holdings.register(another_report(2, by_reference))
    administrator.remove("SS1", "FD1", "SS1-DE1", "SS1-FD1", *MEMBERSHIP)
    assert sorted(administrator.ids()) == ["DE1", "DE2", "SS1", "SS1-DE1", "SS1-DE2"]


def test_a_relationship_keeps_its_target(
    administrator: Any, holdings: Any, another_report: Reports, relate: Relate
) -> None:
    holdings.register(another_report(2, relate("Document2", AssociationType.RPLC, administrator.ids()["DE1"])))
    assert administrator.refused(*EVERYTHING) >= {("DE1", REFERENCED)}


def test_the_ids_of_what_was_removed_are_free_again(administrator: Any, holdings: Any, submission: Submission) -> None:
    administrator.remove(*EVERYTHING)
    holdings.register(submission)
    assert len(holdings.of(MetadataObject.DOCUMENT_ENTRY)) == 1


def test_a_unique_id_stays_taken_while_another_entry_has_it(
    administrator: Any, holdings: Any, another_report: Reports, submission: Submission
) -> None:
    holdings.register(another_report(2, unique_id=submission.document_entries[0].unique_id))
    administrator.remove(*EVERYTHING)
    assert "2.25.400.1^1" in str(holdings.rows()["uid_ledger"])
