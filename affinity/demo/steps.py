"""The steps of the demonstration: what is sent and what must come back, in the usual order of the transactions."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from lxml.etree import _Element

from affinity.client import hl7, v3, xds
from affinity.client.hl7 import Announced
from affinity.client.patients import Sought
from affinity.demo.stage import Party
from affinity.demo.story import FAMILY, GIVEN, STRANGER, TWIN, Story
from hl7v2.message import Message
from ihe.datatypes import CX, Code
from ihe.exchange import OutgoingPart
from pix.iti47 import ITI_47
from soap.client import FaultReceived, SOAPAnswer
from xds.iti18 import ITI_18
from xds.iti41 import ITI_41
from xds.iti43 import ITI_43
from xds.model import Submission
from xds.stored_queries import FIND_DOCUMENTS
from xua.authentication import XUAMode
from xua.people import ACT_REASON, DemoRole
from xua.sts import Defect

APPROVED = "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')"
HL7 = "{urn:hl7-org:v3}"
EMERGENCY = Code("ETREAT", ACT_REASON, "unconscious, admitted by ambulance")
"""A purpose of use with a reason; the policy of the demo domain breaks no glass without one."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one step sent, what was answered, and whether that is what must happen."""

    sent: str
    answer: str
    held: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One exchange with the node."""

    transaction: str
    title: str
    act: Callable[[Story], Told]


def laboratory_announces(story: Story) -> Told:
    """The laboratory's feed."""
    laboratory = story.stage.laboratory
    return _announce(story, laboratory, story.announced(laboratory))


def hospital_announces(story: Story) -> Told:
    """The hospital's feed: another number, the same national id."""
    hospital = story.stage.hospital
    return _announce(story, hospital, story.announced(hospital))


def hospital_finds(story: Story) -> Told:
    """By name, over HL7 v2."""
    criteria = {"@PID.5.1.1": FAMILY, "@PID.5.2": GIVEN}
    answer = story.send(hl7.demographics_query(story.stage.hospital.route, criteria))
    found = [each.text(5, 1) for each in answer.all("PID")]
    held = _code(answer) == "AA" and FAMILY in found
    return Told(f"QBP^Q22 {FAMILY}, {GIVEN}", f"{_code(answer)}, {len(found)} patient found", held)


def hospital_finds_v3(story: Story) -> Told:
    """By name, over HL7 v3."""
    domain = story.stage.loaded.affinity_domain
    receiver = domain.home_community_id.removeprefix("urn:oid:")
    devices = v3.Devices(sender=story.stage.hospital.oid, receiver=receiver)
    body = v3.demographics_query(Sought(family=FAMILY, given=GIVEN), devices)
    answer = story.call(ITI_47, body).body
    code = answer.find(f".//{HL7}queryResponseCode")
    found = list(answer.iter(f"{HL7}patient"))
    shown = "no queryResponseCode" if code is None else code.get("code", "")
    return Told(f"PRPA_IN201305UV02 {FAMILY}", f"{shown}, {len(found)} patient found", shown == "OK" and bool(found))


def hospital_cross_references(story: Story) -> Told:
    """Her number at the hospital, everybody else's numbers back."""
    hospital = story.stage.hospital
    told = _cross_reference(story, hospital, f"{hospital.route.facility}-4711")
    return replace(told, held=told.held and story.patient_id.id in told.answer)


def laboratory_types_her_anew(story: Story) -> Told:
    """No common number, accents lost, no hyphen: the same birth date and address find her."""
    laboratory = story.stage.laboratory
    _announce(story, laboratory, story.under_another_number(laboratory, "5822"))
    told = _cross_reference(story, laboratory, f"{laboratory.route.facility}-5822")
    return replace(told, held=story.patient_id.id in told.answer)


def her_twin_is_announced(story: Story) -> Told:
    """Name, birth date, sex and address speak for one person; the given name does not."""
    hospital = story.stage.hospital
    _announce(story, hospital, story.under_another_number(hospital, "4712", TWIN))
    told = _cross_reference(story, hospital, f"{hospital.route.facility}-4712")
    return replace(told, held=story.patient_id.id not in told.answer)


def laboratory_submits(story: Story) -> Told:
    """The report in CDA and in PDF, under the laboratory's assertion."""
    answer = _submit(story, story.submission(story.patient_id))
    sent = f"{len(story.documents[0].content)} B of CDA, {len(story.documents[1].content)} B of PDF"
    return Told(sent, _status(answer.body), _status(answer.body) == "Success")


def a_stranger_finds_nothing(story: Story) -> Told:
    """A doctor who has nothing to do with her: told the same as of somebody who does not exist."""
    if not story.stage.restricts:
        return Told("-", "everybody sees everything here: access.toml says open", True)
    answer = story.call(ITI_18, _find_documents(story), role=DemoRole.REFERRING_DOCTOR).body
    return _refusal("FindDocuments, as Dr Ternoir", answer, "XDSUnknownPatientId")


def her_doctor_is_declared(story: Story) -> Told:
    """What `affinity consent relate` does at a desk."""
    if not story.stage.restricts:
        return Told("-", "everybody sees everything here: access.toml says open", True)
    number = story.stage.declare(story.patient_id, DemoRole.TREATING_DOCTOR, "declared by the patient, demonstration")
    return Told("Dr Wampach treats her", f"event {number} of consent_event", number > 0)


def an_emergency_opens_the_record(story: Story) -> Told:
    """Break-glass: the purpose of use says emergency, and why; somebody will review it."""
    if not story.stage.restricts:
        return Told("-", "everybody sees everything here: access.toml says open", True)
    answer = story.call(ITI_18, _find_documents(story), role=DemoRole.NURSE, purpose_of_use=EMERGENCY).body
    return _found(story, answer, f"FindDocuments, as a nurse: {EMERGENCY.code}, {EMERGENCY.display}")


def hospital_queries(story: Story) -> Told:
    """All documents of the patient."""
    answer = story.call(ITI_18, _find_documents(story)).body
    return _found(story, answer, f"FindDocuments {story.patient_id}")


def _find_documents(story: Story) -> bytes:
    slots = (("$XDSDocumentEntryPatientId", (xds.quoted(str(story.patient_id)),)),)
    return xds.stored_query(FIND_DOCUMENTS.id, (*slots, ("$XDSDocumentEntryStatus", (APPROVED,))))


def _found(story: Story, answer: _Element, sent: str) -> Told:
    ids = {each.get("value") for each in answer.iter("{urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0}ExternalIdentifier")}
    held = all(document.unique_id in ids for document in story.documents)
    found = len(list(answer.iter("{urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0}ExtrinsicObject")))
    return Told(sent, f"{_status(answer)}, {found} documents", held)


def hospital_retrieves(story: Story) -> Told:
    """Both documents, compared byte by byte with what the laboratory sent."""
    repository = story.stage.loaded.affinity_domain.repository_unique_id
    body = xds.retrieve((repository, document.unique_id) for document in story.documents)
    answer = story.call(ITI_43, body)
    received = {Path(part.spooled).read_bytes() for part in answer.parts.values()}
    held = received == {document.content for document in story.documents}
    shown = f"{len(answer.parts)} documents, {'the very same bytes' if held else 'OTHER BYTES'}"
    return Told("both uniqueIds", shown, held)


def unknown_patient_is_refused(story: Story) -> Told:
    """A report for somebody whom no feed has announced."""
    answer = _submit(story, story.submission(replace(story.patient_id, id=STRANGER)))
    return _refusal(f"a report for {STRANGER}", answer.body, "XDSUnknownPatientId")


def forged_assertion_is_refused(story: Story) -> Told:
    """An assertion whose role was changed after it was signed."""
    if story.stage.mode is XUAMode.OFF:
        return Told("-", "assertions are switched off here", True)
    body = xds.stored_query(FIND_DOCUMENTS.id, ())
    try:
        answer = story.call(ITI_18, body, defect=Defect.FORGED)
    except FaultReceived as fault:
        return Told("an assertion changed after signing", str(fault), "FailedCheck" in fault.subcodes)
    return Told("an assertion changed after signing", _status(answer.body), False)


def bad_slot_is_refused(story: Story) -> Told:
    """A creationTime that is no DTM."""
    described = story.submission(story.patient_id)
    first, *others = described.document_entries
    wrong = replace(described, document_entries=(replace(first, creation_time="2026-11-23"), *others))
    return _refusal('creationTime "2026-11-23"', _submit(story, wrong).body, "XDSRegistryMetadataError")


STEPS = (
    Step("ITI-30", "The laboratory announces the patient", laboratory_announces),
    Step("ITI-30", "A hospital announces her under its own number", hospital_announces),
    Step("ITI-21", "The hospital finds her by name", hospital_finds),
    Step("ITI-47", "... and again in HL7 v3", hospital_finds_v3),
    Step("ITI-9", "The hospital asks for her other numbers", hospital_cross_references),
    Step(
        "ITI-9",
        "Typed anew without any common number, she is found by likeness",
        laboratory_types_her_anew,
    ),
    Step("ITI-9", "Her twin at the same address is not joined with her", her_twin_is_announced),
    Step("ITI-41", "The laboratory submits a report and its PDF", laboratory_submits),
    Step("ITI-18", "A doctor whom she does not know finds nothing", a_stranger_finds_nothing),
    Step("DSP", "Her relationship with the hospital's doctor is declared", her_doctor_is_declared),
    Step("ITI-18", "Her doctor asks which documents there are", hospital_queries),
    Step("ITI-43", "Her doctor retrieves both", hospital_retrieves),
    Step("ITI-18", "In an emergency a nurse breaks the glass", an_emergency_opens_the_record),
    Step("ITI-41", "Refused: a patient nobody announced", unknown_patient_is_refused),
    Step("ITI-18", "Refused: a forged assertion", forged_assertion_is_refused),
    Step("ITI-41", "Refused: a slot that breaks its format", bad_slot_is_refused),
)


def _cross_reference(story: Story, party: Party, number: str) -> Told:
    answer = story.send(hl7.pix_query(party.route, CX(number, party.authority.hd)))
    pid = answer.find("PID")
    ids = [each.text(1) for each in pid.repetitions(3)] if pid else []
    shown = ", ".join(ids) or "no other numbers"
    return Told(f"QBP^Q23 {number}", f"{_code(answer)}, {shown}", _code(answer) == "AA")


def _announce(story: Story, party: Party, patient: Announced) -> Told:
    answer = story.send(hl7.announce(party.route, patient))
    sent = f"ADT^A28 {', '.join(each.id for each in patient.identifiers)}"
    return Told(sent, f"{answer.header.text(9, 1)} {_code(answer)}{_error(answer)}", _code(answer) == "AA")


def _submit(story: Story, described: Submission) -> SOAPAnswer:
    ids = [f"{number}@demo.affinity" for number in range(1, len(story.documents) + 1)]
    parts = [
        OutgoingPart(
            content_id=content_id,
            media_type=document.media_type,
            size=len(document.content),
            chunks=lambda content=document.content: iter((content,)),  # type: ignore[misc]
        )
        for content_id, document in zip(ids, story.documents, strict=True)
    ]
    body = xds.provide_and_register(described, ids)
    return story.call(ITI_41, body, parts, role=DemoRole.LABORATORY)


def _refusal(sent: str, answer: _Element, code: str) -> Told:
    errors = list(answer.iter("{urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0}RegistryError"))
    shown = "; ".join(f"{each.get('errorCode')}: {each.get('codeContext')}" for each in errors) or _status(answer)
    return Told(sent, shown, {each.get("errorCode") for each in errors} == {code})


def _status(answer: _Element) -> str:
    statuses: Iterable[str | None] = (each.get("status") for each in answer.iter())
    return next((status.rpartition(":")[2] for status in statuses if status), "no status")


def _code(answer: Message) -> str:
    return answer["MSA"].text(1)


def _error(answer: Message) -> str:
    error = answer.find("ERR")
    return f" {error.text(7)} {error.text(8)}" if error else ""
