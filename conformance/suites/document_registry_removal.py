"""A Document Registry removes metadata, and leaves nothing dangling [ITI-62] (RMD supplement: 3.62)."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from conformance.counterparts.metadata import link, submission
from conformance.covering import Covering, Suite, covers
from conformance.expectations import everything, has_nothing, refused, related, succeeded
from conformance.refusals import Scene
from conformance.updates import update, version
from ihe.errors import ErrorCode
from ihe.identifiers import new_entry_uuid
from ihe.transactions import Actor
from xds.model import AssociationType

SUITE = Suite(actor=Actor.DOCUMENT_REGISTRY, profile="RMD", option="Remove Metadata")


@covers("ITI-62-010", "ITI-62-016", "ITI-62-017", "ITI-62-023", "ITI-62-024")
def test_a_whole_submission_is_removed(scene: Scene) -> None:
    """A submission is removed with all that belongs to it, and no query returns any of it."""
    whole = submission(scene.packing_slip(), scene.entry(), scene.entry())
    succeeded(scene.documents.register(whole))
    called = scene.documents.remove_metadata(each.entry_uuid for each in whole.objects)
    succeeded(called)
    related(called)
    has_nothing(scene.documents, scene.patient)


@covers("ITI-62-011")
def test_objects_of_two_patients_are_removed(scene: Scene) -> None:
    """Objects of two patients are removed by one request."""
    both = tuple(
        submission(scene.invent.submission_set(each), scene.invent.entry(each))
        for each in (scene.patient, scene.other_patient)
    )
    for each in both:
        succeeded(scene.documents.register(each))
    succeeded(scene.documents.remove_metadata(thing.entry_uuid for each in both for thing in each.objects))
    has_nothing(scene.documents, scene.patient)
    has_nothing(scene.documents, scene.other_patient)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unremovable:
    """What may not be removed."""

    id: str
    sentence: str
    covering: Covering
    wrong: Callable[[Scene], tuple[str, ...]]
    code: ErrorCode


def _unknown(scene: Scene) -> tuple[str, ...]:
    return (scene.known().entry_uuid, new_entry_uuid())


def _referenced(scene: Scene) -> tuple[str, ...]:
    return (scene.known().entry_uuid,)


def _first_version(scene: Scene) -> tuple[str, ...]:
    whole = scene.submit(scene.entry())
    succeeded(scene.documents.register(whole))
    (entry,) = whole.document_entries
    succeeded(scene.documents.update(update(scene, version(entry), association_propagation=False)))
    return tuple(each.entry_uuid for each in whole.objects)


def _membership(scene: Scene) -> tuple[str, ...]:
    whole = scene.submit(scene.entry(), scene.entry())
    succeeded(scene.documents.register(whole))
    return (whole.associations[0].entry_uuid,)


UNREMOVABLE = (
    Unremovable(
        id="unknown",
        sentence="An entryUUID that the registry does not know.",
        covering=Covering(("ITI-62-012",)),
        wrong=_unknown,
        code=ErrorCode.UNRESOLVED_REFERENCE,
    ),
    Unremovable(
        id="referenced",
        sentence="An entry to which an Association refers that stays.",
        covering=Covering(("ITI-62-013",)),
        wrong=_referenced,
        code=ErrorCode.REFERENCES_EXIST,
    ),
    Unremovable(
        id="first-version",
        sentence="A first version of which a later one stays.",
        covering=Covering(("ITI-62-014",)),
        wrong=_first_version,
        code=ErrorCode.REFERENCES_EXIST,
    ),
    Unremovable(
        id="membership",
        sentence="The membership of an entry that stays.",
        covering=Covering(("ITI-62-015",)),
        wrong=_membership,
        code=ErrorCode.UNREFERENCED_OBJECT,
    ),
)


@covers("ITI-62-018", "ITI-62-019", "ITI-62-025", "ITI-62-026", "ITI-62-027")
@pytest.mark.parametrize("case", UNREMOVABLE, ids=lambda case: case.id)
def test_it_is_not_removed(case: Unremovable, scene: Scene) -> None:
    ids = case.wrong(scene)
    before = everything(scene.documents, scene.patient)
    refused(scene.documents.remove_metadata(ids), case.code)
    assert everything(scene.documents, scene.patient) == before, "the refused removal changed what is registered"


@covers("ITI-62-013")
def test_a_relationship_is_removed_before_its_end(scene: Scene) -> None:
    """A relationship can be removed alone, for its ends stay members of their set."""
    report, addendum = scene.known(), scene.entry()
    appends = link(AssociationType.APND, addendum.entry_uuid, report.entry_uuid)
    scene.registered(addendum, links=(appends,))
    succeeded(scene.documents.remove_metadata([appends.entry_uuid]))
