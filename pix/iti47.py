"""Patient Demographics Query HL7 V3 [ITI-47], with continuation and cancellation (ITI TF-2: 3.47)."""

from dataclasses import dataclass, replace

from lxml.etree import _Element

from ihe.audit import transaction_code
from ihe.citations import tf2
from ihe.errors import Breach, HL7ErrorCode, Rejected, Severity
from ihe.exchange import Exchange, SOAPReply, SOAPRequest
from ihe.rules import check
from ihe.transactions import Actor, Transaction
from pix.manager import PatientIndex
from pix.queries import CandidateQuery, Criteria, Page, SearchMode
from pix.v3_answers import (
    ACCEPT_ACKNOWLEDGEMENT,
    Community,
    accept_acknowledgement,
    add_candidate,
    add_copy,
    add_query_ack,
    query_answer,
    query_response_code,
    repeatable,
)
from pix.v3_auditing import demographics_queried
from pix.v3_birth_times import searched_birth_is_a_time_or_a_range
from pix.v3_criteria import alternatives, alternatives_are_few, identified, values_can_be_searched
from pix.v3_elements import (
    InstanceIdentifier,
    attribute,
    child,
    instance_identifiers,
    location,
    name_of,
)
from pix.v3_match import match_algorithm_is_agreed_on, minimum_degree, search_mode
from pix.v3_queries import (
    CONTINUATION,
    CONTINUATION_RULES,
    DEMOGRAPHICS_QUERY_RULES,
    PARAMETERS,
    QUERY,
    continuation_waits_or_aborts,
    query_id,
)
from pix.v3_registrations import authorities
from pix.v3_wrappers import BOUNDS, WRAPPER_RULES, binding, party
from soap.xml import parse, serialize

QUERIED, ANSWERED = "PRPA_IN201305UV02", "PRPA_IN201306UV02"
CONTINUED, CANCELLED = "QUQI_IN000003UV01", "QUQI_IN000003UV01_Cancel"
QUERY_RULES = (
    *DEMOGRAPHICS_QUERY_RULES,
    searched_birth_is_a_time_or_a_range,
    match_algorithm_is_agreed_on,
    values_can_be_searched,
    alternatives_are_few,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemographicsQuery:
    """What is searched and how, in which domains ids are wanted, and how many patients at once."""

    criteria: tuple[Criteria, ...]
    ids: tuple[InstanceIdentifier, ...]
    domains: tuple[InstanceIdentifier, ...]
    quantity: int | None
    algorithm: SearchMode
    minimum_degree: int | None
    owner: str
    tag: str
    asked: str
    location: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuation:
    """The next patients of query ``tag``: from number ``start`` or where the last answer ended."""

    owner: str
    tag: str
    start: int | None
    quantity: int | None
    location: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """No more patients of query ``tag`` are wanted."""

    owner: str
    tag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """A page of patients."""

    page: Page
    community: Community


def decode(wire: SOAPRequest) -> DemographicsQuery | Continuation | Cancellation:
    """Check the message and read what it asks."""
    body = wire.body
    check(body, BOUNDS)
    if name_of(body) != QUERIED:
        check(body, (*WRAPPER_RULES, *CONTINUATION_RULES))
        return _continuation(body)
    check(body, (*WRAPPER_RULES, *QUERY_RULES))
    query, quantity = child(body, QUERY), attribute(body, f"{QUERY}/initialQuantity")
    return DemographicsQuery(
        criteria=alternatives(body),
        ids=instance_identifiers(body, f"{PARAMETERS}/livingSubjectId/value"),
        domains=instance_identifiers(body, f"{PARAMETERS}/otherIDsScopingOrganization/value"),
        quantity=int(quantity) if quantity else None,
        algorithm=search_mode(body),
        minimum_degree=minimum_degree(body),
        owner=str(party(body, "sender")),
        tag=str(query_id(body)),
        asked=serialize(query).decode() if query is not None else "",
        location=f"{location(body)}/{PARAMETERS}",
    )


def handle(
    request: DemographicsQuery | Continuation | Cancellation, index: PatientIndex, _: Exchange
) -> Candidates | None:
    """Search, go on, or forget (None). Rejected: an unknown domain (case 3), an unknown query, or one too broad."""
    if isinstance(request, Cancellation):
        index.cancel(request.tag, request.owner)
        return None
    page = _find(request, index) if isinstance(request, DemographicsQuery) else _continue(request, index)
    return Candidates(page=page, community=Community.of(index.domain))


def encode(wire: SOAPRequest, found: Candidates | None, exchange: Exchange) -> SOAPReply:
    """Answer with one registration event for each patient; a cancellation is only acknowledged."""
    if found is None:
        return SOAPReply((serialize(accept_acknowledgement(wire.body, exchange)),))
    query = _asked(wire.body, found.page)
    warnings = (_truncated(found.page),) if found.page.truncated else ()
    answer, act = query_answer(wire.body, ANSWERED, exchange, query, warnings)
    for candidate in found.page.candidates:
        add_candidate(act, candidate, found.page.domains, found.community)
    page = found.page
    quantities = (page.total, len(page.candidates), page.remaining)
    add_query_ack(act, query_id(wire.body), query_response_code((), page.total), quantities)
    add_copy(act, query)
    return SOAPReply((serialize(answer),))


def refuse(wire: SOAPRequest, rejected: Rejected, exchange: Exchange) -> SOAPReply:
    """Answer AE or QE with a detail for every breach; a cancellation is acknowledged with CE or CR."""
    if name_of(wire.body) == CANCELLED:
        return SOAPReply((serialize(accept_acknowledgement(wire.body, exchange, rejected.breaches)),))
    query = repeatable(child(wire.body, QUERY), rejected.breaches)
    answer, act = query_answer(wire.body, ANSWERED, exchange, query, rejected.breaches)
    add_query_ack(act, query_id(wire.body), query_response_code(rejected.breaches, 0), (0, 0, 0))
    add_copy(act, query)
    return SOAPReply((serialize(answer),))


def _continuation(body: _Element) -> Continuation | Cancellation:
    owner, tag = str(party(body, "sender")), str(query_id(body))
    start, quantity = (
        attribute(body, f"{CONTINUATION}/{name}") for name in ("startResultNumber", "continuationQuantity")
    )
    aborted = attribute(body, f"{CONTINUATION}/statusCode", "code") == "aborted"
    if aborted or name_of(body) == CANCELLED or (quantity is not None and int(quantity) == 0):
        return Cancellation(owner=owner, tag=tag)
    return Continuation(
        owner=owner,
        tag=tag,
        start=int(start) if start else None,
        quantity=int(quantity) if quantity else None,
        location=query_id(body).location,
    )


def _find(request: DemographicsQuery, index: PatientIndex) -> Page:
    domains = authorities(index.domain, request.domains)
    criteria = identified(request.criteria, request.ids, index.domain)
    query = CandidateQuery(
        criteria=criteria[0],
        alternatives=criteria[1:],
        domains=domains,
        quantity=request.quantity,
        owner=request.owner,
        tag=request.tag,
        asked=request.asked,
        algorithm=request.algorithm,
        minimum_degree=request.minimum_degree,
        continued_by_tag=True,
    )
    try:
        return index.find(query)
    except Rejected as rejected:
        raise Rejected(*(replace(each, location=request.location) for each in rejected.breaches)) from None


def _continue(request: Continuation, index: PatientIndex) -> Page:
    page = index.continued(request.tag, request.start, request.quantity, request.owner)
    if page is None or not page.asked.startswith("<"):  # a sender on both wires may name two queries alike
        raise Rejected(
            Breach(
                code=HL7ErrorCode.UNKNOWN_KEY_IDENTIFIER,
                text="No unfinished query of this sender has this id; it may be complete, cancelled, or too old",
                location=request.location,
                observed=request.tag,
                citation=tf2("3.47.4.3.3"),
                remedy="Ask the query again",
            )
        )
    return page


def _asked(body: _Element, page: Page) -> _Element | None:
    """The query of this message, or the one that it continues."""
    return parse(page.asked.encode()) if page.asked else child(body, QUERY)


def _truncated(page: Page) -> Breach:
    return Breach(
        code=HL7ErrorCode.APPLICATION_INTERNAL_ERROR,
        text=f"More patients match than are listed: {page.total}",
        citation=tf2("3.47.4.1.2"),
        remedy="Give more criteria",
        severity=Severity.WARNING,
    )


ITI_47 = Transaction(
    id="ITI-47",
    name="Patient Demographics Query HL7 V3",
    citation=tf2("3.47"),
    initiator=Actor.PATIENT_DEMOGRAPHICS_CONSUMER,
    responder=Actor.PATIENT_DEMOGRAPHICS_SUPPLIER,
    bindings=(
        binding("PDSupplier", QUERIED, ANSWERED),
        binding("PDSupplier", CONTINUED, ANSWERED, "_Continue"),
        # The printed WSDL sends QUQI_IN000003UV01 here, the published one and the sample messages the element _Cancel.
        binding("PDSupplier", CANCELLED, ACCEPT_ACKNOWLEDGEMENT),
    ),
    decode=decode,
    handle=handle,
    encode=encode,
    refuse=refuse,
    audit=demographics_queried(tf2("3.47.5.1.2"), transaction_code("ITI-47", "Patient Demographics Query")),
    rules=(
        *BOUNDS,
        *WRAPPER_RULES,
        *QUERY_RULES,
        continuation_waits_or_aborts,
    ),
)
