"""Answers of registries and repositories: status, errors, and what may go with them (ITI TF-3: 4.2.4)."""

from collections.abc import Iterator

from lxml.etree import _Element

from conformance.validators.ebxml_paths import path
from ihe.citations import tf3
from ihe.errors import ErrorCode, Severity
from ihe.rules import Offence, Rule, rule
from soap.names import WSA
from xds.adhoc_query import QUERY
from xds.document_requests import XDS_B
from xds.fragments import RIM
from xds.responses import RS, ResponseStatus

REMOVED = "urn:ihe:iti:2017:RemoveDocumentsResponse"
WRONG = ErrorCode.REGISTRY_ERROR
ADHOC_QUERY_RESPONSE = f"{{{QUERY}}}AdhocQueryResponse"
RETRIEVED = f"{{{XDS_B}}}RetrieveDocumentSetResponse"
REGISTRY_RESPONSE = f"{{{RS}}}RegistryResponse"
OF_OTHERS = frozenset(
    {
        "PartialAppendContentNotProcessed",
        "PartialFolderContentNotProcessed",
        "PartialRelationshipContentNotProcessed",
        "PartialReplaceContentNotProcessed",
        "PartialTransformNotProcessed",
        "PartialTransformReplaceNotProcessed",
        "XDSReplaceFailed",
        "XDSUnavailableCommunity",
    }
)
"""Codes of the table that no actor here answers with."""
ERROR_CODES = OF_OTHERS | {each.value for each in ErrorCode}
SEVERITIES = tuple(each.value for each in Severity)


def response(body: _Element) -> _Element:
    """The element that has the status: the answer itself, or the RegistryResponse within a retrieval's."""
    found = body.find(REGISTRY_RESPONSE)
    return body if found is None else found


def status(body: _Element) -> ResponseStatus | None:
    """How the answer says that it went; None for none of the three."""
    written = response(body).get("status")
    return next((each for each in ResponseStatus if each.value == written), None)


def errors(body: _Element) -> list[_Element]:
    """Every RegistryError, warnings too."""
    return response(body).findall(f"{{{RS}}}RegistryErrorList/{{{RS}}}RegistryError")


def _serious(body: _Element) -> list[_Element]:
    return [each for each in errors(body) if each.get("severity") != Severity.WARNING.value]


def results(body: _Element) -> list[_Element]:
    """What a query or a retrieval returned."""
    if body.tag == RETRIEVED:
        return body.findall(f"{{{XDS_B}}}DocumentResponse")
    return [each for objects in body.findall(f"{{{RIM}}}RegistryObjectList") for each in objects.iterchildren("{*}*")]


@rule(WRONG, tf3("4.2.4"))
def status_is_of_the_three(body: _Element) -> Iterator[Offence]:
    """An answer has one of the statuses Success, Failure and PartialSuccess."""
    if status(body) is None:
        expected = " ".join(each.value for each in ResponseStatus)
        yield Offence(f"{path(response(body))}/@status", response(body).get("status"), expected)


@rule(WRONG, tf3("Table 4.2.4.2-1"))
def failure_has_an_error(body: _Element) -> Iterator[Offence]:
    """An answer with Failure or PartialSuccess has at least one RegistryError of severity Error."""
    if status(body) in (ResponseStatus.FAILURE, ResponseStatus.PARTIAL_SUCCESS) and not _serious(body):
        yield Offence(f"{path(response(body))}/RegistryErrorList", None, "a RegistryError of severity Error")


@rule(WRONG, tf3("Table 4.2.4.2-1"))
def success_has_no_error(body: _Element) -> Iterator[Offence]:
    """An answer with Success has no RegistryError of severity Error, though it may have warnings."""
    if status(body) is ResponseStatus.SUCCESS:
        yield from (Offence(path(each), each.get("errorCode")) for each in _serious(body))


@rule(WRONG, tf3("Table 4.2.4.2-3"))
def partial_success_has_results(body: _Element) -> Iterator[Offence]:
    """An answer with PartialSuccess comes with results."""
    if status(body) is ResponseStatus.PARTIAL_SUCCESS and body.tag != REGISTRY_RESPONSE and not results(body):
        yield Offence(f"{path(response(body))}/@status", "PartialSuccess without results")


@rule(WRONG, tf3("Table 4.2.4.2-2"))
def submissions_succeed_or_fail(body: _Element) -> Iterator[Offence]:
    """A RegistryResponse by itself never has the status PartialSuccess, unless it answers Remove Documents."""
    if status(body) is ResponseStatus.PARTIAL_SUCCESS and not _answers_a_removal(body):
        yield Offence(f"{path(body)}/@status", "PartialSuccess", "Success or Failure")


def _answers_a_removal(body: _Element) -> bool:
    """Claim that the envelope is of ITI-86, where some documents may be removed and others not (RMD: 3.86.4.2.2)."""
    return (body.getroottree().getroot().findtext(f"{{*}}Header/{{{WSA}}}Action") or "").strip() == REMOVED


@rule(WRONG, tf3("Table 4.2.4.2-3"))
def failure_has_no_results(body: _Element) -> Iterator[Offence]:
    """An answer with Failure returns nothing."""
    if status(body) is ResponseStatus.FAILURE:
        yield from (Offence(path(each)) for each in results(body)[:1])


@rule(WRONG, tf3("4.2.4"))
def error_list_is_not_empty(body: _Element) -> Iterator[Offence]:
    """A RegistryErrorList has a RegistryError for each error and warning."""
    for each in response(body).findall(f"{{{RS}}}RegistryErrorList"):
        if each.find(f"{{{RS}}}RegistryError") is None:
            yield Offence(path(each), "no RegistryError")


@rule(WRONG, tf3("4.2.4"))
def highest_severity_is_that_of_the_worst(body: _Element) -> Iterator[Offence]:
    """highestSeverity, where it is there, is the severity of the worst RegistryError of the list."""
    found = {each.get("severity") for each in errors(body)}
    worst = next((each for each in SEVERITIES if each in found), None)
    for each in response(body).findall(f"{{{RS}}}RegistryErrorList"):
        written = each.get("highestSeverity")
        if worst is not None and written not in (None, worst):
            yield Offence(f"{path(each)}/@highestSeverity", written, worst)


@rule(WRONG, tf3("Table 4.2.4.1-1"))
def errors_have_a_severity(body: _Element) -> Iterator[Offence]:
    """The severity of a RegistryError is that of an Error or of a Warning."""
    for each in errors(body):
        if each.get("severity") not in SEVERITIES:
            yield Offence(f"{path(each)}/@severity", each.get("severity"), " ".join(SEVERITIES))


@rule(WRONG, tf3("Table 4.2.4.1-1"))
def errors_have_a_code_context(body: _Element) -> Iterator[Offence]:
    """A RegistryError has a codeContext for people."""
    for each in errors(body):
        if not each.get("codeContext"):
            yield Offence(f"{path(each)}/@codeContext", None, "a sentence")


@rule(WRONG, tf3("Table 4.2.4.1-1"))
def errors_have_a_code(body: _Element) -> Iterator[Offence]:
    """A RegistryError has an errorCode."""
    yield from (Offence(f"{path(each)}/@errorCode") for each in errors(body) if not each.get("errorCode"))


@rule(WRONG, tf3("Table 4.2.4.1-2"))
def error_codes_are_of_the_table(body: _Element) -> Iterator[Offence]:
    """An error code is one of the table, unless none of them is appropriate."""
    for each in errors(body):
        code = each.get("errorCode")
        if code and code not in ERROR_CODES:
            yield Offence(f"{path(each)}/@errorCode", code)


@rule(WRONG, tf3("4.2.4.1"))
def errors_have_no_content(body: _Element) -> Iterator[Offence]:
    """A RegistryError is empty: all it says stands in its attributes."""
    for each in errors(body):
        if len(each) or (each.text or "").strip():
            yield Offence(path(each), (each.text or "").strip()[:40] or None)


STATUS_RULES: tuple[Rule[_Element], ...] = (
    status_is_of_the_three,
    failure_has_an_error,
    success_has_no_error,
    partial_success_has_results,
    failure_has_no_results,
    error_list_is_not_empty,
    highest_severity_is_that_of_the_worst,
    errors_have_a_severity,
    errors_have_a_code_context,
    errors_have_a_code,
    errors_have_no_content,
)
STATUS_ADVICE: tuple[Rule[_Element], ...] = (error_codes_are_of_the_table,)
"""The table may be extended, so that another code is no error."""
