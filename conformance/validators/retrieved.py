"""Answers to Retrieve Document Set: each document with its names, and in the package (ITI TF-2: 3.43.4.2.2, 3.43.5)."""

from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from lxml.etree import QName, _Element

from conformance.validators.ebxml_answers import WRONG, errors, response, results
from conformance.validators.ebxml_paths import path
from ihe.citations import tf2
from ihe.errors import Breach, Severity
from ihe.exchange import Part
from ihe.rules import Offence, Rule, rule
from soap.names import XOP
from xds.document_requests import XDS_B
from xds.responses import RS

ORDER = (
    "HomeCommunityId",
    "RepositoryUniqueId",
    "DocumentUniqueId",
    "NewRepositoryUniqueId",
    "NewDocumentUniqueId",
    "mimeType",
    "Document",
)
"""The order of the schema (XDS.b_DocumentRepository.xsd), in which the text lists the optional ones last."""
REQUIRED = ("RepositoryUniqueId", "DocumentUniqueId", "mimeType", "Document")
INCLUDE = f"{{{XOP}}}Include"


def _text(element: _Element, name: str) -> str:
    return (element.findtext(f"{{{XDS_B}}}{name}") or "").strip()


@rule(WRONG, tf2("3.43.5"))
def retrieval_begins_with_its_status(body: _Element) -> Iterator[Offence]:
    """RetrieveDocumentSetResponse begins with one RegistryResponse."""
    first = next(body.iterchildren("{*}*"), None)
    if first is None or first.tag != f"{{{RS}}}RegistryResponse" or len(body.findall(f"{{{RS}}}RegistryResponse")) != 1:
        yield Offence(f"{path(body)}/RegistryResponse", None if first is None else QName(first).localname)


@rule(WRONG, tf2("3.43.4.2.2"))
def documents_come_with_their_names(body: _Element) -> Iterator[Offence]:
    """A DocumentResponse has its repository, uniqueId, mimeType and Document, in the order of the schema."""
    for each in results(body):
        names = [QName(child).localname for child in each.iterchildren("{*}*")]
        for name in REQUIRED:
            if name not in names or (name != "Document" and not _text(each, name)):
                yield Offence(f"{path(each)}/{name}")
        known = [ORDER.index(name) for name in names if name in ORDER]
        if known != sorted(known) or len(set(names)) != len(names) or len(known) != len(names):
            yield Offence(path(each), " ".join(names), " ".join(ORDER))


@rule(WRONG, tf2("3.43.4.2.2"))
def new_documents_have_new_names(body: _Element) -> Iterator[Offence]:
    """NewDocumentUniqueId differs from DocumentUniqueId, and there is a NewRepositoryUniqueId only beside one."""
    for each in results(body):
        named, new = _text(each, "DocumentUniqueId"), _text(each, "NewDocumentUniqueId")
        if new and new == named:
            yield Offence(f"{path(each)}/NewDocumentUniqueId", new)
        if _text(each, "NewRepositoryUniqueId") and not new:
            yield Offence(f"{path(each)}/NewDocumentUniqueId")


@rule(WRONG, tf2("3.43.5"))
def documents_with_an_error_are_not_returned(body: _Element) -> Iterator[Offence]:
    """A document for which an error is reported has no DocumentResponse."""
    failed = {each.get("location") for each in errors(body) if each.get("severity") == Severity.ERROR.value}
    for each in results(body):
        if _text(each, "DocumentUniqueId") in failed:
            yield Offence(path(each), _text(each, "DocumentUniqueId"))


@rule(WRONG, tf2("3.43.5"))
def response_slots_and_request_ids_are_not_used(body: _Element) -> Iterator[Offence]:
    """RegistryResponse has no ResponseSlotList and no requestId."""
    yield from (Offence(path(each)) for each in response(body).findall(f"{{{RS}}}ResponseSlotList"))
    if response(body).get("requestId") is not None:
        yield Offence(f"{path(response(body))}/@requestId", response(body).get("requestId"))


RETRIEVAL_RULES: tuple[Rule[_Element], ...] = (
    retrieval_begins_with_its_status,
    documents_come_with_their_names,
    new_documents_have_new_names,
    documents_with_an_error_are_not_returned,
    response_slots_and_request_ids_are_not_used,
)


def package_breaches(body: _Element, parts: Mapping[str, Part]) -> Iterator[Breach]:
    """What is wrong between the documents of an answer and the parts of its package (ITI TF-2: V.3.6)."""
    included = {}
    for each in body.iter(INCLUDE):
        included[unquote(each.get("href", "").removeprefix("cid:"))] = each
    for name, element in included.items():
        if name not in parts:
            yield _unpacked("Every xop:Include names a part of the package", path(element), element.get("href"))
    for name in parts:
        if name not in included:
            yield _unpacked("Every part of the package is included in the answer", "", name)


def _unpacked(text: str, location: str, observed: str | None) -> Breach:
    return Breach(code=WRONG, text=text, location=location, observed=observed, citation=tf2("V.3.6"))
