"""Submissions that do not fit what is registered (ITI TF-2: 3.42.4.1.3.3, 3.42.4.1.3.5)."""

from collections.abc import Callable

import pytest

from conformance.counterparts.metadata import link, submission
from conformance.covering import Suite, covers
from conformance.refusals import KEPT_OUT, METADATA, Refusal, Scene, refusal, refuses, related_to
from ihe.errors import ErrorCode
from ihe.identifiers import EntryUUID, new_entry_uuid
from ihe.transactions import Actor
from xds.model import AssociationType, Submission

SUITE = Suite(actor=Actor.DOCUMENT_REGISTRY, profile="XDS.b")
UNRESOLVED = ErrorCode.UNRESOLVED_REFERENCE
RPLC, XFRM, APND = AssociationType.RPLC, AssociationType.XFRM, AssociationType.APND


@refusal("ITI-42-050", codes=(UNRESOLVED,), breaking=("TF3-4.2-056",))
def from_a_known_entry(scene: Scene) -> Submission:
    """A relationship that starts at a registered entry."""
    old, older = scene.known(), scene.known()
    return scene.submit(scene.entry(), link(APND, old.entry_uuid, older.entry_uuid))


@refusal("ITI-42-051", codes=(UNRESOLVED,), breaking=("ITI-42-005",))
def replacing_a_new_entry(scene: Scene) -> Submission:
    """A replacement of an entry of the same submission."""
    old, new = scene.entry(), scene.entry()
    return scene.submit(old, new, link(RPLC, new.entry_uuid, old.entry_uuid))


@refusal("TF3-4.2-110")
def known_uuid(scene: Scene) -> Submission:
    """An entryUUID that is in use."""
    return scene.submit(scene.entry(entry_uuid=scene.known().entry_uuid))


def _deprecated(scene: Scene) -> EntryUUID:
    old, new = scene.known(), scene.entry()
    scene.registered(new, links=(link(RPLC, new.entry_uuid, old.entry_uuid),))
    return old.entry_uuid


@refusal("ITI-42-051", codes=(UNRESOLVED,), breaking=("TF3-4.1-021",))
def replacing_a_set(scene: Scene) -> Submission:
    """A replacement of a SubmissionSet."""
    packing_slip = scene.registered(scene.entry())
    return related_to(RPLC, packing_slip.entry_uuid)(scene)


@refusal("ITI-42-054", "TF3-4.2-025", codes=(ErrorCode.REGISTRY_DEPRECATED_DOCUMENT,))
def adds_to_deprecated(scene: Scene) -> Submission:
    """An addendum to a deprecated entry."""
    return related_to(APND, _deprecated(scene))(scene)


@refusal("ITI-42-052", codes=(UNRESOLVED,))
def adds_to_a_folder(scene: Scene) -> Submission:
    """An addendum to a new folder."""
    entry, folder = scene.entry(), scene.folder()
    return scene.submit(entry, folder, link(APND, entry.entry_uuid, folder.entry_uuid))


@refusal(
    "TF3-4.2-073",
    codes=(
        ErrorCode.REGISTRY_DEPRECATED_DOCUMENT,
        METADATA,
    ),
)
def replaced_twice(scene: Scene) -> Submission:
    """Two replacements of one entry."""
    old, first, second = scene.known(), scene.entry(), scene.entry()
    links = (link(RPLC, each.entry_uuid, old.entry_uuid) for each in (first, second))
    return scene.submit(first, second, *links)


@refusal("ITI-42-039", "ITI-42-048", codes=(ErrorCode.PATIENT_ID_DOES_NOT_MATCH,))
def of_another_patient(scene: Scene) -> Submission:
    """A replacement of another patient's entry."""
    foreign = scene.invent.entry(scene.other_patient)
    scene.registered(foreign)
    return related_to(RPLC, foreign.entry_uuid)(scene)


@refusal("ITI-42-038", codes=(ErrorCode.PATIENT_ID_DOES_NOT_MATCH,))
def into_a_folder_of_another_patient(scene: Scene) -> Submission:
    """A document for another patient's folder."""
    folder = scene.invent.folder(scene.other_patient)
    scene.registered(folder)
    entry, packing_slip = scene.entry(), scene.packing_slip()
    inside = link(AssociationType.HAS_MEMBER, folder.entry_uuid, entry.entry_uuid)
    return submission(
        packing_slip, entry, inside, link(AssociationType.HAS_MEMBER, packing_slip.entry_uuid, inside.entry_uuid)
    )


@refusal("TF3-4.2-064")
def addendum_to_a_known_transformation(scene: Scene) -> Submission:
    """An addendum to a registered transformation."""
    plain, transformed = scene.known(), scene.entry()
    scene.registered(transformed, links=(link(XFRM, transformed.entry_uuid, plain.entry_uuid),))
    return related_to(APND, transformed.entry_uuid)(scene)


@refusal("ITI-42-064")
def snapshot_of_a_stable_entry(scene: Scene) -> Submission:
    """A snapshot of a Stable entry."""
    return related_to(AssociationType.IS_SNAPSHOT_OF, scene.known().entry_uuid)(scene)


@refusal("ITI-42-045", codes=(ErrorCode.DUPLICATE_UNIQUE_ID_IN_REGISTRY,))
def known_set_unique_id(scene: Scene) -> Submission:
    """A SubmissionSet.uniqueId that is in use."""
    return scene.submit(scene.entry(), unique_id=scene.registered(scene.entry()).unique_id)


@refusal("TF3-4.2-239", codes=(ErrorCode.DUPLICATE_UNIQUE_ID_IN_REGISTRY,))
def known_folder_unique_id(scene: Scene) -> Submission:
    """A Folder.uniqueId that is in use."""
    folder = scene.folder()
    scene.registered(folder)
    return scene.submit(scene.folder(unique_id=folder.unique_id))


@refusal(
    "TF3-4.2-197",
    codes=(
        METADATA,
        ErrorCode.DUPLICATE_UNIQUE_ID_IN_REGISTRY,
    ),
)
def unique_id_of_a_set(scene: Scene) -> Submission:
    """An entry with the uniqueId of a set."""
    return scene.submit(scene.entry(unique_id=scene.registered(scene.entry()).unique_id))


def _repeating(**changes: object) -> Callable[[Scene], Submission]:
    def wrong(scene: Scene) -> Submission:
        known = scene.known()
        same = {"unique_id": known.unique_id, "hash": known.hash, "size": known.size}
        return scene.submit(scene.entry(**{**same, **changes}))

    return wrong


@refusal("ITI-42-037", codes=(ErrorCode.PATIENT_ID_DOES_NOT_MATCH,), breaking=("TF3-4.1-028",))
def folder_of_another_patient(scene: Scene) -> Submission:
    """A new folder of another patient."""
    return scene.submit(scene.entry(), scene.invent.folder(scene.other_patient))


@refusal("ITI-42-051", codes=(UNRESOLVED,))
def replaces_nothing(scene: Scene) -> Submission:
    """A replacement of what nobody registered."""
    return related_to(RPLC, new_entry_uuid())(scene)


@refusal("ITI-42-052", codes=(UNRESOLVED,))
def adds_to_nothing(scene: Scene) -> Submission:
    """An addendum to what nobody registered."""
    return related_to(APND, new_entry_uuid())(scene)


@refusal("ITI-42-054", "TF3-4.2-025", codes=(ErrorCode.REGISTRY_DEPRECATED_DOCUMENT,))
def replaces_deprecated(scene: Scene) -> Submission:
    """A replacement of a deprecated entry."""
    return related_to(RPLC, _deprecated(scene))(scene)


@refusal("ITI-42-030", codes=(ErrorCode.NON_IDENTICAL_HASH,))
def other_hash(scene: Scene) -> Submission:
    """A registered uniqueId with another hash."""
    return _repeating(hash="0" * 40)(scene)


@refusal("ITI-42-029", codes=(ErrorCode.NON_IDENTICAL_SIZE,))
def other_size(scene: Scene) -> Submission:
    """A registered uniqueId with another size."""
    return _repeating(size=1)(scene)


REFUSALS = (
    known_uuid,
    from_a_known_entry,
    replacing_a_new_entry,
    replaces_nothing,
    adds_to_nothing,
    replacing_a_set,
    replaces_deprecated,
    adds_to_deprecated,
    adds_to_a_folder,
    replaced_twice,
    of_another_patient,
    into_a_folder_of_another_patient,
    folder_of_another_patient,
    addendum_to_a_known_transformation,
    snapshot_of_a_stable_entry,
    known_set_unique_id,
    known_folder_unique_id,
    unique_id_of_a_set,
    other_hash,
    other_size,
)


@covers(*KEPT_OUT)
@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case.id)
def test_it_is_refused(case: Refusal, scene: Scene) -> None:
    refuses(scene, case)
