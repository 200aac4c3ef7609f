"""All rules of an update, and the error codes under which it reports them (XDS Metadata Update: 3.57.4.1.3.1)."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ihe.domain import AffinityDomain
from ihe.errors import Breach, ErrorCode, Severity
from ihe.rules import Rule, breaches
from xds import rules_registry as registered
from xds import rules_structure as structure
from xds import rules_unique_ids as unique_ids
from xds.attributes import Sender
from xds.ebrim import Decoded
from xds.metadata_update import Update
from xds.model import ObjectType, Submission
from xds.rules_domain import DOMAIN_RULES, InDomain
from xds.rules_operations import ANNOTATIONS, OPERATION_RULES
from xds.rules_registry import InRegistry
from xds.rules_sender import Sent, prohibited_attributes_are_not_there, required_attributes_are_there
from xds.rules_unique_ids import Claimed
from xds.rules_values import VALUE_RULES
from xds.rules_versions import VERSION_RULES

# Rule 10: "The submission of metadata objects ... follows the same rules as defined for" ITI-42. The others of
# STRUCTURE_RULES say which objects and associations a submission of new documents holds.
STRUCTURE_RULES_OF_UPDATES: tuple[Rule[structure.Structure], ...] = (
    structure.ids_are_distinct,
    structure.uuids_are_well_formed,
    structure.entries_are_members_of_the_set,
    structure.folders_are_members_of_the_set,
    structure.members_are_of_the_right_kind,
    structure.references_are_labelled,
    structure.symbolic_references_resolve,
    structure.entries_are_not_related_to_themselves,
    structure.new_transformations_have_no_addenda,
    structure.snapshots_are_stable,
    structure.objects_share_the_patient,
    structure.unique_ids_are_distinct,
)
SENDER_RULES_OF_UPDATES: tuple[Rule[Sent], ...] = (required_attributes_are_there, prohibited_attributes_are_not_there)
BY_REFERENCE_RULES: tuple[Rule[InRegistry], ...] = (
    registered.references_resolve,
    registered.associations_link_entries_and_folders,
    registered.referenced_objects_are_approved,
)
UNIQUE_ID_RULES_OF_UPDATES: tuple[Rule[Claimed], ...] = (
    unique_ids.submission_sets_are_new,
    unique_ids.repeated_entries_have_the_same_hash,
    unique_ids.repeated_entries_have_the_same_size,
)
UPDATE_RULES: tuple[Rule[Any], ...] = (
    *STRUCTURE_RULES_OF_UPDATES,
    *OPERATION_RULES,
    *SENDER_RULES_OF_UPDATES,
    *VALUE_RULES,
    *DOMAIN_RULES,
    *VERSION_RULES,
    *BY_REFERENCE_RULES,
    *UNIQUE_ID_RULES_OF_UPDATES,
)
"""Every rule that ITI-57 obeys, for the catalogue; the last three groups look into the registry."""
CODES = {
    ErrorCode.REGISTRY_METADATA_ERROR: ErrorCode.METADATA_UPDATE_ERROR,
    ErrorCode.REGISTRY_DEPRECATED_DOCUMENT: ErrorCode.METADATA_UPDATE_ERROR,
    ErrorCode.PATIENT_ID_DOES_NOT_MATCH: ErrorCode.PATIENT_ID_RECONCILIATION,
}
"""Codes of ITI-42 for which ITI-57 has its own (Table 4.2.4.1-2); more specific ones stay."""


def update_breaches(decoded: Decoded, domain: AffinityDomain) -> Iterator[Breach]:
    """Everything that is wrong with an update by itself, in this domain; warnings included."""
    told = {breach.location for breach in decoded.breaches if breach.severity is Severity.ERROR}
    yield from (as_of_update(breach) for breach in decoded.breaches)
    if decoded.submission is not None:
        yield from (as_of_update(each) for each in _broken(decoded.submission, domain) if each.location not in told)


def as_of_update(breach: Breach) -> Breach:
    """The breach under the code of ITI-57: what hides which operation is meant has its own."""
    is_annotation = breach.location.rpartition(".")[2] in (*ANNOTATIONS, "associationType")
    if breach.code is ErrorCode.REGISTRY_METADATA_ERROR and is_annotation:
        return replace(breach, code=ErrorCode.METADATA_UPDATE_OPERATION)
    return replace(breach, code=CODES[breach.code]) if breach.code in CODES else breach


def _broken(submission: Submission, domain: AffinityDomain) -> Iterator[Breach]:
    yield from breaches(structure.structure(submission), STRUCTURE_RULES_OF_UPDATES)
    yield from breaches(Update(submission), OPERATION_RULES)
    yield from _unsendable(submission)
    yield from breaches(submission, VALUE_RULES)
    yield from breaches(InDomain(submission, domain), DOMAIN_RULES)


def _unsendable(submission: Submission) -> Iterator[Breach]:
    """Stable documents obey the column XDS DR of Table 4.3.1-3, on-demand ones XDS OD (its Note 1)."""
    stable = tuple(each for each in submission.document_entries if each.object_type is ObjectType.STABLE)
    on_demand = tuple(each for each in submission.document_entries if each.object_type is ObjectType.ON_DEMAND)
    packed = replace(submission, document_entries=stable)
    yield from breaches(Sent(packed, Sender.XDS_DOCUMENT_REPOSITORY), SENDER_RULES_OF_UPDATES)
    promised = Submission(submission_set=submission.submission_set, document_entries=on_demand)
    for breach in breaches(Sent(promised, Sender.XDS_ON_DEMAND_SOURCE), SENDER_RULES_OF_UPDATES):
        if breach.location.startswith("DocumentEntry"):
            yield breach
