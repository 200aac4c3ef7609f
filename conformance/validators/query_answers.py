"""What a stored query returns: references, or whole objects with the attributes of Table 4.3.1-3 (ITI TF-2: 3.18)."""

from collections.abc import Iterator

from lxml.etree import QName, _Element

from conformance.validators.ebxml_answers import ADHOC_QUERY_RESPONSE, WRONG, results, status
from conformance.validators.ebxml_paths import path
from ihe.citations import tf2, tf3
from ihe.identifiers import is_uuid_urn
from ihe.rules import Offence, Rule, rule
from xds.attribute_values import rows_that_say, where
from xds.attributes import Sender
from xds.ebrim import decode_objects
from xds.ebrim_writing import KINDS
from xds.fragments import RIM
from xds.model import DocumentEntry, ObjectType, RegistryObject
from xds.responses import ResponseStatus

OBJECTS = frozenset({"ExtrinsicObject", "RegistryPackage", "Association", "Classification", "ObjectRef"})
"""What Document Sharing keeps in a registry (ITI TF-3: 4.2.1); a Classification says that a package is a folder."""


@rule(WRONG, tf3("4.2.4"))
def query_answer_has_a_list(body: _Element) -> Iterator[Offence]:
    """The answer to a query has a RegistryObjectList, an empty one if nothing was found."""
    lists = len(body.findall(f"{{{RIM}}}RegistryObjectList"))
    if lists > 1 or (not lists and status(body) is ResponseStatus.SUCCESS):
        yield Offence(f"{path(body)}/RegistryObjectList", str(lists), "1")


@rule(WRONG, tf2("3.18.4.1.2.3.1"))
def references_are_uuids(body: _Element) -> Iterator[Offence]:
    """The id of an ObjectRef is the entryUUID of the object, a urn:uuid."""
    for each in body.findall(f"{{{RIM}}}RegistryObjectList/{{{RIM}}}ObjectRef"):
        if not is_uuid_urn(each.get("id", "")):
            yield Offence(f"{path(each)}/@id", each.get("id"), "urn:uuid:...")


@rule(WRONG, tf2("3.18.4.1.2.3.1"))
def objects_returned_are_of_document_sharing(body: _Element) -> Iterator[Offence]:
    """An answer returns objects of Document Sharing alone."""
    for each in results(body):
        if QName(each).localname not in OBJECTS:
            yield Offence(path(each), QName(each).localname)


@rule(WRONG, tf3("Table 4.3.1-3"))
def objects_returned_have_what_was_required(body: _Element) -> Iterator[Offence]:
    """Every object returned has the attributes that were required when it was registered."""
    for objects in body.findall(f"{{{RIM}}}RegistryObjectList"):
        for each in decode_objects(objects)[0]:
            yield from _lacking(each)


def _lacking(registered: RegistryObject) -> Iterator[Offence]:
    on_demand = isinstance(registered, DocumentEntry) and registered.object_type is ObjectType.ON_DEMAND
    sender = Sender.XDS_ON_DEMAND_SOURCE if on_demand else Sender.XDS_DOCUMENT_REPOSITORY
    for attribute in rows_that_say("R", sender)[KINDS[type(registered)]]:
        if getattr(registered, attribute.field) in (None, ()):
            yield Offence(where(registered, attribute.name), expected=f"R for {sender.value[0]}")


QUERY_ANSWER_RULES: tuple[Rule[_Element], ...] = (
    query_answer_has_a_list,
    references_are_uuids,
    objects_returned_are_of_document_sharing,
    objects_returned_have_what_was_required,
)


def is_query_answer(body: _Element) -> bool:
    """Claim that a payload answers ITI-18 or ITI-51."""
    return bool(body.tag == ADHOC_QUERY_RESPONSE)
