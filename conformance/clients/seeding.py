"""Patients and documents put into the node behind a simulator, through its own ports and past the record."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from affinity.catalogue import PATHS
from affinity.client import hl7, xds
from affinity.client.bindings import soap_binding
from affinity.client.codebook import CodeBook
from affinity.client.responses import verdict
from affinity.client.sts import Wanted, request_assertion
from affinity.demo.documents import Report, Subject, cda
from conformance.clients.world import Known, World
from conformance.simulators.node import LOOPBACK, BackingNode
from hl7v2.er7 import parse, serialize
from hl7v2.message import Message
from ihe.datatypes import CX, HD, Code
from ihe.domain import AffinityDomain, AssigningAuthority
from ihe.exchange import OutgoingPart
from ihe.identifiers import UniqueId, new_oid
from ihe.transactions import Actor, SOAPBinding
from mllp.client import Address, send
from soap.client import SOAPAnswer, SOAPClient
from xds.iti41 import ITI_41
from xua.authentication import XUAMode
from xua.envelope import security_header
from xua.people import DemoRole

FAMILY, GIVEN, BIRTH_DATE, SEX = "Exemplar", "Ada", "19610412", "F"
CROWD, CROWD_SIZE = "Multitude", 12
ANYBODY = "*"


class NotSeeded(RuntimeError):
    """The node has not taken what a simulator wanted it to know; the text says what it answered."""


def seed(node: BackingNode, domain: AffinityDomain, xua: XUAMode, *, documents: bool) -> World:
    """Announce the patients, and register a document if ``documents``. NotSeeded."""
    world = world_of(domain)
    for patient in _announced(world):
        answer = parse(send(Address(host=LOOPBACK, port=node.ports["mllp"]), serialize(_announcement(world, patient))))
        if answer["MSA"].text(1) != "AA":
            raise NotSeeded(f"the feed of {patient.identifiers[0].id} was answered {answer['MSA'].text(1)}")
    return replace(world, documents=(_document(node, world, xua),)) if documents else world


def world_of(domain: AffinityDomain) -> World:
    """Who will be known in this domain. ValueError: it has no two assigning authorities, one of them for XDS."""
    shared = next((each for each in domain.assigning_authorities if each.issues_xds_ids), None)
    other = next((each for each in domain.assigning_authorities if each is not shared and not each.national), None)
    if shared is None or other is None:
        raise ValueError(f"domain {domain.name} needs two assigning authorities, one of which issues XDS patient ids")
    return World(
        domain=domain,
        authority=shared,
        other_authority=other,
        patient=_xds("SIM-1", shared),
        elsewhere=CX("SIM-ELSEWHERE-1", other.hd),
        alone=_xds("SIM-ALONE", shared),
        unknown=_xds("SIM-NOBODY", shared),
        family=FAMILY,
        given=GIVEN,
        birth_date=BIRTH_DATE,
        crowd=CROWD,
        crowd_size=CROWD_SIZE,
    )


def _xds(number: str, authority: AssigningAuthority) -> CX:
    return CX(number, HD("", authority.oid, "ISO"))


def _announced(world: World) -> Iterator[hl7.Announced]:
    shared = world.authority.hd
    both = (CX(world.patient.id, shared), world.elsewhere)
    yield hl7.Announced(identifiers=both, family=FAMILY, given=GIVEN, birth_date=BIRTH_DATE, sex=SEX)
    alone = (CX(world.alone.id, shared),)
    yield hl7.Announced(identifiers=alone, family="Solitaire", given="Igor", birth_date="19350101", sex="M")
    for number in range(1, CROWD_SIZE + 1):
        id, given = CX(f"SIM-CROWD-{number}", shared), f"Person{chr(64 + number)}"
        yield hl7.Announced(
            identifiers=(id,), family=CROWD, given=given, birth_date=f"{1940 + 5 * number}0{number % 9 + 1}15", sex="F"
        )


def _announcement(world: World, patient: hl7.Announced) -> Message:
    """From somebody who may feed the other authority: whoever may feed the one for XDS is hardly ever restricted."""
    source = next((each for each in world.other_authority.sources if each != ANYBODY), "SIMULATOR|SIMULATOR")
    application, _, facility = source.rpartition("|")
    route = hl7.Route(
        application=application or facility,
        facility=facility,
        receiving_application=world.domain.application,
        receiving_facility=world.domain.facility,
    )
    return hl7.announce(route, patient)


def _document(node: BackingNode, world: World, xua: XUAMode) -> Known:
    """A laboratory report for the patient."""
    now, unique_id = datetime.now(UTC).strftime("%Y%m%d%H%M%S"), new_oid()
    subject = Subject(
        local_id=world.patient.id,
        local_oid=world.authority.oid,
        family=FAMILY,
        given=GIVEN,
        birth_date=BIRTH_DATE,
        sex=SEX,
    )
    oid = world.domain.home_community_id.removeprefix("urn:oid:")
    content = cda(Report(unique_id=unique_id, subject=subject, laboratory="Simulator", laboratory_oid=oid, time=now))
    source = xds.Source(source_id=oid, author_person="^Simulator", author_institution=f"Simulator^^^^^^^^^{oid}")
    submission = xds.submission(world.patient, source, world.patient, [described_as(world.domain, unique_id, now)])
    body = xds.provide_and_register(submission, ["1@simulator"])
    part = OutgoingPart(
        content_id="1@simulator", media_type="text/xml", size=len(content), chunks=lambda: iter((content,))
    )
    answer = _call(node, Actor.DOCUMENT_REPOSITORY, soap_binding(ITI_41), body, _security(node, world, xua), (part,))
    if not verdict(answer.body).succeeded:
        raise NotSeeded(f"the document was answered {verdict(answer.body)}")
    return Known(unique_id=unique_id, content=content)


def _call(
    node: BackingNode,
    actor: Actor,
    binding: SOAPBinding,
    body: bytes,
    security: bytes,
    parts: tuple[OutgoingPart, ...] = (),
) -> SOAPAnswer:
    return SOAPClient(url=node.url(PATHS[actor])).call(binding, [body], security=security, parts=parts)


def _security(node: BackingNode, world: World, xua: XUAMode) -> bytes:
    if xua is XUAMode.OFF:
        return b""
    service = SOAPClient(url=node.url(PATHS[Actor.X_ASSERTION_PROVIDER]))
    wanted = Wanted(role=DemoRole.LABORATORY, audience=node.audience or world.domain.home_community_id)
    return security_header(request_assertion(service, wanted))


def described_as(domain: AffinityDomain, unique_id: str, now: str) -> xds.Described:
    codes = CodeBook(domain.codes)
    language = codes.assume("languageCode")
    return xds.Described(
        title="Laboratory report",
        mime_type="text/xml",
        coding=xds.Coding(
            class_code=_code(codes, "classCode"),
            type_code=_code(codes, "typeCode"),
            format_code=_code(codes, "formatCode"),
            confidentiality_code=_code(codes, "confidentialityCode"),
            healthcare_facility_type_code=_code(codes, "healthcareFacilityTypeCode"),
            practice_setting_code=_code(codes, "practiceSettingCode"),
            content_type_code=_code(codes, "contentTypeCode"),
        ),
        language_code=language.code if language else "en",
        creation_time=now,
        unique_id=UniqueId(unique_id),
    )


def _code(codes: CodeBook, attribute: str) -> Code:
    return codes.assume(attribute) or Code("any", "2.16.840.1.113883.6.1", "any")
