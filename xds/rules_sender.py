"""What a sender shall and shall not send (ITI TF-3: Table 4.3.1-3; ITI TF-2: 3.42.4.1.2, 3.61.4.1.2)."""

from collections.abc import Iterator
from dataclasses import dataclass

from ihe.citations import supplement, tf2, tf3
from ihe.errors import ErrorCode
from ihe.rules import Offence, Offender, Rule, rule
from xds.attribute_values import rows, rows_that_say, where
from xds.attributes import Sender
from xds.model import ObjectType, Submission
from xds.rules_operations import ANNOTATIONS
from xds.rules_structure import HAS_MEMBER, RELATIONSHIPS

METADATA = ErrorCode.REGISTRY_METADATA_ERROR
SUBMITTED = RELATIONSHIPS | {HAS_MEMBER}


@dataclass(frozen=True, slots=True)
class Sent:
    """A submission and the column of the table that applies to its sender."""

    submission: Submission
    sender: Sender


@rule(METADATA, tf3("Table 4.3.1-3"))
def required_attributes_are_there(sent: Sent) -> Iterator[Offender]:
    """Every attribute is there that Table 4.3.1-3 requires of the sender."""
    for each, attribute, value in rows(sent.submission, rows_that_say("R", sent.sender)):
        if value is None or (isinstance(value, tuple) and not value):
            yield Offence(where(each, attribute.name), expected=f"R for {sent.sender.value[0]}")


@rule(METADATA, tf3("Table 4.3.1-3"))
def prohibited_attributes_are_not_there(sent: Sent) -> Iterator[Offender]:
    """No attribute is there that Table 4.3.1-3 prohibits to the sender."""
    for each, attribute, value in rows(sent.submission, rows_that_say("X", sent.sender)):
        if value is not None and value is not False and value != ():
            yield Offence(where(each, attribute.name), expected=f"X for {sent.sender.value[0]}")


@rule(METADATA, tf2("3.42.4.1.2, 3.61.4.1.2"))
def entries_are_of_the_type_of_the_transaction(sent: Sent) -> Iterator[Offender]:
    """ITI-41 and ITI-42 submit Stable DocumentEntries, ITI-61 On-Demand ones."""
    on_demand = sent.sender is Sender.XDS_ON_DEMAND_SOURCE
    expected = ObjectType.ON_DEMAND if on_demand else ObjectType.STABLE
    for entry in sent.submission.document_entries:
        if entry.object_type is not expected:
            yield Offence(where(entry, "objectType"), observed=entry.object_type.value, expected=expected.value)


@rule(METADATA, tf3("Table 4.2.2-1"))
def associations_are_of_submissions(sent: Sent) -> Iterator[Offender]:
    """Associations and Slots that update metadata belong into ITI-57 alone."""
    for association in sent.submission.associations:
        if association.association_type not in SUBMITTED:
            yield Offence(where(association), observed=association.association_type.value)
        for slot, field in ANNOTATIONS.items():
            if getattr(association, field) is not None:
                yield where(association, slot)


@rule(METADATA, supplement("XDS Metadata Update", "4.2.3.2.31"))
def objects_are_first_versions(sent: Sent) -> Iterator[Offender]:
    """A logicalID in a submission of new objects equals the entryUUID; later versions are submitted by ITI-57."""
    for each in sent.submission.objects:
        if each.logical_id is not None and each.logical_id != each.entry_uuid:
            yield Offence(where(each, "logicalID"), observed=each.logical_id, expected=each.entry_uuid)


SENDER_RULES: tuple[Rule[Sent], ...] = (
    required_attributes_are_there,
    prohibited_attributes_are_not_there,
    entries_are_of_the_type_of_the_transaction,
    associations_are_of_submissions,
    objects_are_first_versions,
)
