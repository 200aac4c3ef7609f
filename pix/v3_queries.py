"""What a v3 query may ask: queryByParameter and queryContinuation (ITI TF-2: 3.45.4.1.2, 3.47.4.1.2, O.2.4)."""

from collections.abc import Iterator

from lxml.etree import _Element

from ihe.citations import tf2
from ihe.errors import HL7ErrorCode
from ihe.rules import Offence, rule
from pix.v3_demographics import GENDERS
from pix.v3_elements import (
    InstanceIdentifier,
    attribute,
    child,
    children,
    instance_identifier,
    instance_identifiers,
    location,
    name_of,
)

QUERY = "controlActProcess/queryByParameter"
PARAMETERS = f"{QUERY}/parameterList"
CONTINUATION = "controlActProcess/queryContinuation"
FIXED_CODES = {
    "statusCode": "new",
    "responseModalityCode": "R",
    "responsePriorityCode": "I",
    "initialQuantityCode": "RD",
}
SUPPORTED = {
    "PRPA_IN201309UV02": {"dataSource", "patientIdentifier"},
    "PRPA_IN201305UV02": {
        "livingSubjectAdministrativeGender",
        "livingSubjectBirthTime",
        "livingSubjectId",
        "livingSubjectName",
        "mothersMaidenName",
        "otherIDsScopingOrganization",
        "patientAddress",
        "patientTelecom",
    },
}
"""The parameters of each query (ITI TF-2: 3.45.4.1.2.1, 3.47.4.1.2.1)."""
MAY_REPEAT = {"livingSubjectId", "livingSubjectName", "otherIDsScopingOrganization"}
MAY_HAVE_ALTERNATIVES = {"patientAddress", "patientTelecom"}


def query_id(body: _Element) -> InstanceIdentifier:
    """The id of the query asked or continued, empty if it has none."""
    element = child(body, f"{QUERY}/queryId")
    if element is None:
        element = child(body, f"{CONTINUATION}/queryId")
    return instance_identifier(element) if element is not None else InstanceIdentifier()


@rule(HL7ErrorCode.REQUIRED_FIELD_MISSING, tf2("Table O.2.4-1"))
def query_has_an_id(body: _Element) -> Iterator[Offence]:
    """A query has an id, by which it is answered and continued."""
    if not query_id(body).root:
        yield Offence(f"{location(body)}/controlActProcess", expected="queryId")


@rule(HL7ErrorCode.TABLE_VALUE_NOT_FOUND, tf2("3.47.4.1.2.2"))
def codes_of_the_query_are_the_fixed_ones(body: _Element) -> Iterator[Offence]:
    """A query is new, immediate, in real time and counted in records."""
    for name, expected in FIXED_CODES.items():
        if (code := attribute(body, f"{QUERY}/{name}", "code")) not in (None, expected):
            yield Offence(f"{location(body)}/{QUERY}/{name}", code, expected)


@rule(HL7ErrorCode.SEGMENT_SEQUENCE_ERROR, tf2("3.47.4.1.2.2"))
def nothing_is_deferred(body: _Element) -> Iterator[Offence]:
    """A query names no time of execution and modifies no other: it is answered at once or not at all."""
    for name in ("executionAndDeliveryTime", "modifyCode"):
        yield from (Offence(location(each)) for each in children(body, f"{QUERY}/{name}"))


@rule(HL7ErrorCode.TABLE_VALUE_NOT_FOUND, tf2("Table 3.45.4.1.2.3-1"))
def control_act_is_an_event_by_an_author(body: _Element) -> Iterator[Offence]:
    """controlActProcess.moodCode is EVN, and the typeCode of an authorOrPerformer is AUT."""
    acts = children(body, "controlActProcess")
    authors = children(body, "controlActProcess/authorOrPerformer")
    for element, name, expected in (
        *((each, "moodCode", "EVN") for each in acts),
        *((each, "typeCode", "AUT") for each in authors),
    ):
        if element.get(name) not in (None, expected):
            yield Offence(f"{location(element)}/@{name}", element.get(name), expected)


@rule(HL7ErrorCode.REQUIRED_FIELD_MISSING, tf2("3.45.4.1.2.2"))
def one_patient_is_asked_for(body: _Element) -> Iterator[Offence]:
    """There is exactly one PatientIdentifier with exactly one value: an OID as root, and an extension."""
    found = instance_identifiers(body, f"{PARAMETERS}/patientIdentifier/value")
    if len(found) != 1 or len(children(body, f"{PARAMETERS}/patientIdentifier")) != 1:
        yield Offence(f"{location(body)}/{PARAMETERS}/patientIdentifier/value", f"{len(found)}", "1")
    for each in found:
        if not each.is_patient_id:
            yield Offence(each.location, str(each), "root and extension")


@rule(HL7ErrorCode.DATA_TYPE_ERROR, tf2("3.45.4.1.2.2"))
def requested_domains_are_oids(body: _Element) -> Iterator[Offence]:
    """A requested domain has exactly one value: an OID as root, and no extension."""
    for name in ("dataSource", "otherIDsScopingOrganization"):
        for parameter in children(body, f"{PARAMETERS}/{name}"):
            values = instance_identifiers(parameter, "value")
            if len(values) != 1 or not values[0].is_domain:
                yield Offence(
                    f"{location(parameter)}/value", ", ".join(map(str, values)), "an OID as root, no extension"
                )


@rule(HL7ErrorCode.TABLE_VALUE_NOT_FOUND, tf2("3.47.4.1.2.2"))
def parameters_are_supported(body: _Element) -> Iterator[Offence]:
    """Only parameters of this transaction are asked; ignoring another one would find too many patients."""
    supported = SUPPORTED[name_of(body)]
    for parameter in _parameters(body):
        if name_of(parameter) not in supported:
            yield Offence(location(parameter), name_of(parameter), ", ".join(sorted(supported)))


@rule(HL7ErrorCode.REQUIRED_FIELD_MISSING, tf2("3.47.4.1.2.2"))
def parameters_have_one_value(body: _Element) -> Iterator[Offence]:
    """A parameter has exactly one value; only addresses and telephone numbers have alternatives."""
    for parameter in _parameters(body):
        count = len(children(parameter, "value"))
        if count == 0 or (count > 1 and name_of(parameter) not in MAY_HAVE_ALTERNATIVES):
            yield Offence(f"{location(parameter)}/value", f"{count}", "1")


@rule(HL7ErrorCode.TABLE_VALUE_NOT_FOUND, tf2("3.47.4.1.2.2"))
def only_some_parameters_repeat(body: _Element) -> Iterator[Offence]:
    """Only LivingSubjectId, OtherIDsScopingOrganization and LivingSubjectName have more than one instance."""
    seen: set[str] = set()
    for parameter in _parameters(body):
        if name_of(parameter) in seen - MAY_REPEAT:
            yield Offence(location(parameter))
        seen.add(name_of(parameter))


@rule(HL7ErrorCode.REQUIRED_FIELD_MISSING, tf2("E.2"))
def searched_ids_have_root_and_extension(body: _Element) -> Iterator[Offence]:
    """LivingSubjectId has an OID as root, and an extension."""
    for each in instance_identifiers(body, f"{PARAMETERS}/livingSubjectId/value"):
        if not each.is_patient_id:
            yield Offence(each.location, str(each), "root and extension")


@rule(HL7ErrorCode.TABLE_VALUE_NOT_FOUND, tf2("Table 3.47.4.1.2.2-1"))
def searched_gender_is_of_the_vocabulary(body: _Element) -> Iterator[Offence]:
    """LivingSubjectAdministrativeGender is M, F or UN."""
    for value in children(body, f"{PARAMETERS}/livingSubjectAdministrativeGender/value"):
        if value.get("code") not in dict(GENDERS):
            yield Offence(location(value), value.get("code"), "M, F or UN")


@rule(HL7ErrorCode.DATA_TYPE_ERROR, tf2("Table 3.47.4.1.2.2-1"))
def quantities_are_numbers(body: _Element) -> Iterator[Offence]:
    """Quantities and numbers of results are numbers; a degree of match is 0 to 100."""
    degree = f"{QUERY}/matchCriterionList/minimumDegreeMatch/value"
    for path, low, high in (
        (f"{QUERY}/initialQuantity", 1, MAX_QUANTITY),
        (f"{CONTINUATION}/startResultNumber", 1, MAX_QUANTITY),
        (f"{CONTINUATION}/continuationQuantity", 0, MAX_QUANTITY),
        (degree, 0, 100),
    ):
        text = attribute(body, path)
        if text is not None and not (text.isascii() and text.isdecimal() and low <= int(text[:12]) <= high):
            yield Offence(f"{location(body)}/{path}", text, f"{low} to {high}")


@rule(HL7ErrorCode.TABLE_VALUE_NOT_FOUND, tf2("Table O.2.4-1"))
def continuation_waits_or_aborts(body: _Element) -> Iterator[Offence]:
    """The status of a continuation is waitContinuedQueryResponse or aborted."""
    if (status := attribute(body, f"{CONTINUATION}/statusCode", "code")) not in (
        "waitContinuedQueryResponse",
        "aborted",
    ):
        yield Offence(f"{location(body)}/{CONTINUATION}/statusCode", status, "waitContinuedQueryResponse or aborted")


MAX_QUANTITY = 10**9
IDENTIFIER_QUERY_RULES = (
    query_has_an_id,
    codes_of_the_query_are_the_fixed_ones,
    nothing_is_deferred,
    control_act_is_an_event_by_an_author,
    parameters_are_supported,
    one_patient_is_asked_for,
    requested_domains_are_oids,
)
DEMOGRAPHICS_QUERY_RULES = (
    query_has_an_id,
    codes_of_the_query_are_the_fixed_ones,
    nothing_is_deferred,
    control_act_is_an_event_by_an_author,
    requested_domains_are_oids,
    parameters_are_supported,
    parameters_have_one_value,
    only_some_parameters_repeat,
    searched_ids_have_root_and_extension,
    searched_gender_is_of_the_vocabulary,
    quantities_are_numbers,
)
CONTINUATION_RULES = (
    query_has_an_id,
    control_act_is_an_event_by_an_author,
    continuation_waits_or_aborts,
    quantities_are_numbers,
)


def _parameters(body: _Element) -> Iterator[_Element]:
    for parameters in children(body, PARAMETERS):
        yield from (each for each in parameters.iterchildren("*") if name_of(each) != "id")
