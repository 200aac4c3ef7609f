"""HL7 v3 answers: acknowledgements and query responses, built with their wrappers (ITI TF-2: Appendix O)."""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Self

from lxml.etree import _Element

from hl7v2.ack import SENTENCES
from ihe.domain import AffinityDomain
from ihe.errors import Breach, HL7ErrorCode, Severity
from ihe.exchange import Exchange
from ihe.identifiers import is_oid, new_oid
from pix.model import Identifier
from pix.queries import Candidate
from pix.v3_demographics import add_person
from pix.v3_elements import XSI_TYPE, InstanceIdentifier, add, add_identifier, attribute, message
from pix.v3_roles import SSN
from pix.v3_wrappers import INTERACTIONS, PROCESSING_CODES, Party, message_id, party

TABLE_0357 = "2.16.840.1.113883.12.357"
ACCEPT_ACKNOWLEDGEMENT = "MCCI_IN000002UV01"
REJECTIONS = {
    HL7ErrorCode.UNSUPPORTED_MESSAGE_TYPE,
    HL7ErrorCode.UNSUPPORTED_EVENT_CODE,
    HL7ErrorCode.UNSUPPORTED_PROCESSING_ID,
    HL7ErrorCode.UNSUPPORTED_VERSION_ID,
    HL7ErrorCode.APPLICATION_RECORD_LOCKED,
}
"""What makes an acknowledgement "reject" and not "error", as in HL7 v2 (ITI TF-2: C.2.3)."""
CONTROL_ID = "MSH^1^10"
"""What is the message's id here, where a rule that v2 and v3 share names it."""
KEY_ERRORS = {
    HL7ErrorCode.UNKNOWN_KEY_IDENTIFIER,
    HL7ErrorCode.DUPLICATE_KEY_IDENTIFIER,
    HL7ErrorCode.APPLICATION_INTERNAL_ERROR,
}
"""What makes a refused query AE; any other breach is QE, query parameter error (ITI TF-2: Table O.2.2-1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Community:
    """Who keeps the index: the custodian of every registration in an answer."""

    oid: str
    name: str

    @classmethod
    def of(cls, domain: AffinityDomain) -> Self:
        """The affinity domain's community."""
        return cls(oid=domain.home_community_id.removeprefix("urn:oid:"), name=domain.name)


def accept_acknowledgement(request: _Element, exchange: Exchange, breaches: Sequence[Breach] = ()) -> _Element:
    """MCCI_IN000002UV01: CA commits, CE reports errors, CR rejects (ITI TF-2: O.1.2)."""
    answer = _begin(ACCEPT_ACKNOWLEDGEMENT, request, exchange)
    _add_acknowledgement(answer, f"C{_verdict(breaches)}", request, breaches)
    return answer


def query_answer(
    request: _Element, interaction: str, exchange: Exchange, query: _Element | None, breaches: Sequence[Breach] = ()
) -> tuple[_Element, _Element]:
    """Begin an answer to ``query``; return the message and its control act, to be filled (ITI TF-2: O.1.3, O.2.2)."""
    answer = _begin(interaction, request, exchange, query)
    _add_acknowledgement(answer, f"A{_verdict(breaches)}", request, breaches)
    act = add(answer, "controlActProcess", classCode="CACT", moodCode="EVN")
    add(act, "code", code=interaction.replace("_IN", "_TE"), codeSystem=INTERACTIONS)
    return answer, act


def query_response_code(breaches: Iterable[Breach], found: int) -> str:
    """OK, NF, AE or QE (ITI TF-2: Table O.2.2-1)."""
    codes = {breach.code for breach in breaches if breach.severity is Severity.ERROR}
    if codes:
        return "AE" if codes & (KEY_ERRORS | REJECTIONS) else "QE"
    return "OK" if found else "NF"


def add_query_ack(
    act: _Element, query_id: InstanceIdentifier, code: str, quantities: tuple[int, int, int] | None = None
) -> None:
    """Append queryAck; ``quantities`` are all results, those in this message, and those still to come."""
    ack = add(act, "queryAck")
    add_identifier(ack, "queryId", query_id)
    add(ack, "statusCode", code="deliveredResponse" if code in ("OK", "NF") else "aborted")
    add(ack, "queryResponseCode", code=code)
    for name, quantity in zip(("Total", "Current", "Remaining"), quantities or (), strict=False):
        add(ack, f"result{name}Quantity", value=str(quantity))


def repeatable(query: _Element | None, breaches: Iterable[Breach]) -> _Element | None:
    """The query to repeat in a refusal; one with malformed values would make the answer as malformed."""
    malformed = any(breach.code is HL7ErrorCode.DATA_TYPE_ERROR for breach in breaches)
    return None if malformed else query


def add_copy(act: _Element, query: _Element | None) -> None:
    """Append the copy of the original query that every answer carries (ITI TF-2: 3.45.4.2.2.3, 3.47.4.2.2.3)."""
    if query is not None:
        copied = deepcopy(query)
        copied.tail = None
        act.append(copied)


def add_registration_event(act: _Element, community: Community) -> _Element:
    """Append one result and return its patient element, to be filled."""
    subject = add(act, "subject", typeCode="SUBJ", contextConductionInd="false")
    event = add(subject, "registrationEvent", classCode="REG", moodCode="EVN")
    add(event, "id", nullFlavor="NA")
    add(event, "statusCode", code="active")
    patient = add(add(event, "subject1", typeCode="SBJ"), "patient", classCode="PAT")
    entity = add(add(event, "custodian", typeCode="CST"), "assignedEntity", classCode="ASSIGNED")
    add(entity, "id", root=community.oid)
    organization = add(entity, "assignedOrganization", classCode="ORG", determinerCode="INSTANCE")
    add(organization, "name", community.name)
    return patient


def add_candidate(act: _Element, candidate: Candidate, domains: tuple[str, ...], community: Community) -> None:
    """Append one patient found; requested ``domains`` (OIDs) without an id get a null (ITI TF-2: 3.47.4.2.3)."""
    patient = add_registration_event(act, community)
    own, others = _by_provider(candidate.identifiers)
    for each in own:
        add_patient_id(patient, each)
    add(patient, "statusCode", code="active")
    issuers = {each.authority.oid for each in candidate.identifiers}
    known = replace(candidate.demographics, ssn=None) if SSN in issuers else candidate.demographics
    add_person(patient, known, tuple(oid for oid in domains if oid not in issuers), others)
    _add_provider(patient, candidate, community)
    match = add(patient, "subjectOf1", typeCode="SBJ")
    observation = add(match, "queryMatchObservation", classCode="OBS", moodCode="EVN")
    add(observation, "code", code="IHE_PDQ")
    # "It shall correspond to the MinimumDegreeMatch.value": percent, as there (ITI TF-2: Table 3.47.4.2.2.2-1).
    add(observation, "value", value=str(candidate.match_degree)).set(XSI_TYPE, "INT")


def _by_provider(identifiers: tuple[Identifier, ...]) -> tuple[tuple[Identifier, ...], tuple[Identifier, ...]]:
    """The ids of the first authority, which is the provider organization, and those of others.

    "Only patient IDs assigned by the provider organization are allowed in the Patient class" (ITI TF-2: E.2, rule 2).
    """
    provider = identifiers[0].authority if identifiers else None
    own = tuple(each for each in identifiers if each.authority == provider)
    return own, tuple(each for each in identifiers if each.authority != provider)


def _add_provider(patient: _Element, candidate: Candidate, community: Community) -> None:
    """Append who scopes the patient's role: "all the major components" of 3.44 (ITI TF-2: 3.47.4.2.2.1, 3.44.4.1.2.1).

    The schema has it optional; toolkits reject an answer without it. A contact is required, and none is known.
    """
    first = next((each.authority for each in candidate.identifiers), None)
    organization = add(patient, "providerOrganization", classCode="ORG", determinerCode="INSTANCE")
    add(organization, "id", root=first.oid if first else community.oid)
    add(organization, "name", first.namespace_id if first else community.name)
    add(organization, "contactParty", classCode="CON", nullFlavor="NI")


def add_patient_id(patient: _Element, identifier: Identifier) -> None:
    """Append a patient id with its authority's OID and name (ITI TF-2: Table E.2.1-1)."""
    authority = identifier.authority
    add(patient, "id", root=authority.oid, extension=identifier.id, assigningAuthorityName=authority.namespace_id)


def _begin(interaction: str, request: _Element, exchange: Exchange, quoted: _Element | None = None) -> _Element:
    """Begin an answer: sender and receiver change places, the processing code stays."""
    answer = message(interaction, quoted)
    add(answer, "id", root=new_oid())
    add(answer, "creationTime", value=exchange.received_at.strftime("%Y%m%d%H%M%S%z"))
    add(answer, "interactionId", root=INTERACTIONS, extension=interaction)
    asked = attribute(request, "processingCode", "code")
    add(answer, "processingCode", code=asked if asked in PROCESSING_CODES else "P")
    add(answer, "processingModeCode", code="T")
    add(answer, "acceptAckCode", code="NE")
    _add_party(answer, "receiver", "RCV", party(request, "sender"))
    _add_party(answer, "sender", "SND", party(request, "receiver"))
    return answer


def _add_party(answer: _Element, role: str, type_code: str, spelled: Party) -> None:
    device = add(add(answer, role, typeCode=type_code), "device", classCode="DEV", determinerCode="INSTANCE")
    for each in spelled.devices[:1] or (InstanceIdentifier(),):
        _add_oid(device, each)
    if spelled.organizations:
        agent = add(device, "asAgent", classCode="AGNT")
        organization = add(agent, "representedOrganization", classCode="ORG", determinerCode="INSTANCE")
        _add_oid(organization, spelled.organizations[0])


def _add_oid(entity: _Element, identifier: InstanceIdentifier) -> None:
    add_identifier(entity, "id", InstanceIdentifier(identifier.root if is_oid(identifier.root) else ""))


def _verdict(breaches: Sequence[Breach]) -> str:
    errors = {breach.code for breach in breaches if breach.severity is Severity.ERROR}
    if errors & REJECTIONS:
        return "R"
    return "E" if errors else "A"


def _add_acknowledgement(answer: _Element, code: str, request: _Element, breaches: Iterable[Breach]) -> None:
    acknowledgement = add(answer, "acknowledgement")
    add(acknowledgement, "typeCode", code=code)
    add_identifier(add(acknowledgement, "targetMessage"), "id", message_id(request))
    for breach in breaches:
        detail = add(acknowledgement, "acknowledgementDetail", typeCode=breach.severity.name[0])
        name = SENTENCES[breach.code] if isinstance(breach.code, HL7ErrorCode) else None
        add(detail, "code", code=str(breach.code.value), codeSystem=TABLE_0357, displayName=name)
        add(detail, "text", breach.code_context)
        located = message_id(request).location if breach.location == CONTROL_ID else breach.location
        if located.startswith("/"):  # an XPath, not the place in a v2 message that a shared rule names
            add(detail, "location", located)
