"""What each stored query returns (ITI TF-2: 3.18.4.1.2.3.7, 3.51.4.1.2.1; XDS Metadata Update: 3.18.4.1.2.3.7).

Each function reads like the section "Returns" of its query.
"""

from collections.abc import Callable, Collection, Iterable, Mapping

from ihe.identifiers import EntryUUID, PatientKey
from xds.model import MetadataObject
from xds.search import Found, Search
from xds.search_statements import Scope
from xds.stored_queries import (
    FIND_DOCUMENTS,
    FIND_DOCUMENTS_BY_REFERENCE_ID,
    FIND_DOCUMENTS_FOR_MULTIPLE_PATIENTS,
    FIND_FOLDERS,
    FIND_FOLDERS_FOR_MULTIPLE_PATIENTS,
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

SUBMISSION_SET, DOCUMENT_ENTRY, FOLDER, ASSOCIATION = MetadataObject
Objects = Iterable[Found]
Patients = Collection[PatientKey] | None
"""The keys of the patients asked for; None where the query names no patient."""

IDENTIFIERS: tuple[tuple[str, Scope], ...] = (
    ("EntryUUID", Scope.ENTRY_UUID),
    ("UniqueId", Scope.UNIQUE_ID),
    ("LogicalID", Scope.LOGICAL_ID),
)


def _named(search: Search, kind: MetadataObject) -> tuple[Scope, tuple[str, ...]]:
    """How the query names objects of this kind: the one alternative that was given."""
    for suffix, scope in IDENTIFIERS:
        keys = search.asked.parameters.any_of(f"$XDS{kind.value}{suffix}", str)
        if keys:
            return scope, keys
    raise LookupError(f"{search.asked.query.name} names no {kind.value}")


def _uuids(objects: Objects) -> list[EntryUUID]:
    return [each.entry_uuid for each in objects]


def _sources(associations: Objects) -> list[EntryUUID]:
    return [each.source_object for each in associations if each.source_object]


def _targets(associations: Objects) -> list[EntryUUID]:
    return [each.target_object for each in associations if each.target_object]


def _between(associations: Objects, objects: Objects) -> list[Found]:
    """The associations of which both ends are among the objects."""
    returned = {*_uuids(objects)}
    return [each for each in associations if each.source_object in returned and each.target_object in returned]


def _find(kind: MetadataObject) -> Callable[[Search, Patients], Objects]:
    def find(search: Search, patients: Patients) -> Objects:
        if patients is None:
            return search.find(kind, Scope.EVERYBODY)
        return search.find(kind, Scope.PATIENTS, patients)

    return find


def _get(kind: MetadataObject) -> Callable[[Search, Patients], Objects]:
    def get(search: Search, _patients: Patients) -> Objects:
        return search.find(kind, *_named(search, kind))

    return get


def _get_all(search: Search, patients: Patients) -> Objects:
    kinds = (SUBMISSION_SET, DOCUMENT_ENTRY, FOLDER)
    objects = [each for kind in kinds for each in search.find(kind, Scope.PATIENTS, patients or ())]
    return [*objects, *search.find(ASSOCIATION, Scope.EITHER_END, _uuids(objects))]


def _get_associations(search: Search, _patients: Patients) -> Objects:
    return search.find(ASSOCIATION, Scope.EITHER_END, search.asked.parameters.any_of("$uuid", str))


def _get_documents_and_associations(search: Search, _patients: Patients) -> Objects:
    entries = search.find(DOCUMENT_ENTRY, *_named(search, DOCUMENT_ENTRY))
    return [*entries, *search.find(ASSOCIATION, Scope.EITHER_END, _uuids(entries))]


def _get_submission_sets(search: Search, _patients: Patients) -> Objects:
    memberships = search.find(ASSOCIATION, Scope.MEMBERSHIPS_OF, search.asked.parameters.any_of("$uuid", str))
    submission_sets = search.find(SUBMISSION_SET, Scope.ENTRY_UUID, _sources(memberships))
    submitted = {*_uuids(submission_sets)}
    return [*submission_sets, *(each for each in memberships if each.source_object in submitted)]


def _get_submission_set_and_contents(search: Search, _patients: Patients) -> Objects:
    submission_sets = search.find(SUBMISSION_SET, *_named(search, SUBMISSION_SET))
    memberships = search.find(ASSOCIATION, Scope.MEMBERS_OF, _uuids(submission_sets))
    members = _targets(memberships)
    entries = search.find(DOCUMENT_ENTRY, Scope.ENTRY_UUID, members)
    folders = search.find(FOLDER, Scope.ENTRY_UUID, members)
    objects = [*submission_sets, *entries, *folders]
    linked = _between(search.find(ASSOCIATION, Scope.ENTRY_UUID, members), objects)
    return [*objects, *_between(memberships, [*objects, *linked]), *linked]


def _get_folder_and_contents(search: Search, _patients: Patients) -> Objects:
    folders = search.find(FOLDER, *_named(search, FOLDER))
    memberships = search.find(ASSOCIATION, Scope.MEMBERS_OF, _uuids(folders))
    entries = search.find(DOCUMENT_ENTRY, Scope.ENTRY_UUID, _targets(memberships))
    objects = [*entries, *folders]
    return [*objects, *_between(memberships, objects)]


def _get_folders_for_document(search: Search, _patients: Patients) -> Objects:
    entries = search.locate(DOCUMENT_ENTRY, *_named(search, DOCUMENT_ENTRY))
    memberships = search.find(ASSOCIATION, Scope.MEMBERSHIPS_OF, _uuids(entries))
    return search.find(FOLDER, Scope.ENTRY_UUID, _sources(memberships))


def _get_related_documents(search: Search, _patients: Patients) -> Objects:
    start = search.locate(DOCUMENT_ENTRY, *_named(search, DOCUMENT_ENTRY))
    associations = search.find(ASSOCIATION, Scope.EITHER_END, _uuids(start))
    entries = search.find(DOCUMENT_ENTRY, Scope.ENTRY_UUID, {*_sources(associations), *_targets(associations)})
    related = _between(associations, entries)
    ends = {*_sources(related), *_targets(related)}
    return [*(entry for entry in entries if entry.entry_uuid in ends), *related]


ANSWERS: Mapping[str, Callable[[Search, Patients], Objects]] = {
    FIND_DOCUMENTS.id: _find(DOCUMENT_ENTRY),
    FIND_SUBMISSION_SETS.id: _find(SUBMISSION_SET),
    FIND_FOLDERS.id: _find(FOLDER),
    GET_ALL.id: _get_all,
    GET_DOCUMENTS.id: _get(DOCUMENT_ENTRY),
    GET_FOLDERS.id: _get(FOLDER),
    GET_ASSOCIATIONS.id: _get_associations,
    GET_DOCUMENTS_AND_ASSOCIATIONS.id: _get_documents_and_associations,
    GET_SUBMISSION_SETS.id: _get_submission_sets,
    GET_SUBMISSION_SET_AND_CONTENTS.id: _get_submission_set_and_contents,
    GET_FOLDER_AND_CONTENTS.id: _get_folder_and_contents,
    GET_FOLDERS_FOR_DOCUMENT.id: _get_folders_for_document,
    GET_RELATED_DOCUMENTS.id: _get_related_documents,
    FIND_DOCUMENTS_BY_REFERENCE_ID.id: _find(DOCUMENT_ENTRY),
    FIND_DOCUMENTS_FOR_MULTIPLE_PATIENTS.id: _find(DOCUMENT_ENTRY),
    FIND_FOLDERS_FOR_MULTIPLE_PATIENTS.id: _find(FOLDER),
}
