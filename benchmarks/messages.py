"""The messages that the benchmarks send, made beforehand. Every patient is invented."""

import os
import uuid
from collections.abc import Iterable
from dataclasses import replace
from hashlib import blake2b
from typing import Any

from affinity.client import xds
from affinity.client.bindings import soap_binding
from affinity.client.codebook import CodeBook
from affinity.domain import load
from ihe.datatypes import CX, HD, Code
from ihe.exchange import OutgoingPart
from ihe.identifiers import UniqueId, new_oid
from ihe.transactions import SOAPBinding, Transaction
from mllp.framing import frame
from soap.head import ENVELOPE_END, request_head
from soap.media import SOAP_XML
from soap.mtom import pack
from xds.ebrim_writing import encode
from xds.iti18 import ITI_18
from xds.iti41 import ITI_41
from xds.iti42 import ITI_42
from xds.iti43 import ITI_43
from xds.model import Author, Submission
from xds.stored_queries import FIND_DOCUMENTS, GET_DOCUMENTS

RED = HD("IHERED", "1.3.6.1.4.1.21367.13.20.1000", "ISO")
DOMAIN = load("connectathon").affinity_domain
REPOSITORY_PATH, REGISTRY_PATH = "/xds/repository", "/xds/registry"
APPROVED = "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')"
ADT = (
    "MSH|^~\\&|LIS|LAB|AFFINITY|AFFINITY|20260401120000+0000||ADT^A28^ADT_A05|{control}|P|2.5||||||UNICODE UTF-8\r"
    "EVN||20260401120000+0000||||20260401115900\r"
    "PID|||{id}^^^IHERED&1.3.6.1.4.1.21367.13.20.1000&ISO^PI||{family}^{given}^Maria^^^^L||{year}{month:02}{day:02}"
    "|F|||{number} rue {street}^^Bourg-l'Essai^^L-{postal}^LUX^H||^PRN^PH^^352^26{phone}|||S\r"
    "PV1||N\r"
)
FAMILIES = ("Muster", "Probst", "Exempel", "Weber", "Essai", "Schmit", "Thill", "Fictif", "Wagner", "Beispill")
GIVEN = ("Anne", "Lea", "Claire", "Julie", "Emma", "Sophie", "Nora", "Mila", "Ida", "Rosa")


LETTERS = str.maketrans("0123456789", "mnoprstuvz")


def announcements(count: int) -> list[bytes]:
    """Frames with ADT^A28, each for a patient never heard of."""
    run = os.urandom(4).hex()
    return [frame(_announcement(f"{run}{number}", number)) for number in range(count)]


def announcement(patient_id: str) -> bytes:
    """One frame with ADT^A28 for this patient."""
    return frame(_announcement(patient_id, 0))


def _announcement(patient_id: str, number: int) -> bytes:
    """Born on one day of ninety years: were the patients alike, the benchmark would measure how tasks are opened."""
    chance = int.from_bytes(blake2b(patient_id.encode(), digest_size=8).digest())
    return ADT.format(
        control=uuid.uuid4().hex[:20],
        id=patient_id,
        family=_word(patient_id).title(),
        given=GIVEN[number // 10 % 10],
        year=1930 + chance % 90,
        month=chance // 90 % 12 + 1,
        day=chance // 1080 % 28 + 1,
        number=number % 90 + 1,
        street=_word(f"street {number // 90}"),
        postal=1000 + number % 9000,
        phone=f"{number % 1000000:06}",
    ).encode()


def _word(seed: str) -> str:
    """A name that is like no other."""
    return blake2b(seed.encode(), digest_size=5).hexdigest().translate(LETTERS)


def post(path: str, content_type: str, length: int, chunks: Iterable[bytes]) -> bytes:
    """One HTTP request on a connection that stays open."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n"
    )
    return b"".join((head.encode(), *chunks))


def find_documents(patient_id: str, header: bytes = b"") -> bytes:
    """ITI-18 FindDocuments for the approved entries of one patient, whole entries wanted."""
    return asked(ITI_18, REGISTRY_PATH, stored_query_of(patient_id), header)


def stored_query_of(patient_id: str) -> bytes:
    """The body of that question."""
    slots = (
        ("$XDSDocumentEntryPatientId", (xds.quoted(str(xds_id(patient_id))),)),
        ("$XDSDocumentEntryStatus", (APPROVED,)),
    )
    return xds.stored_query(FIND_DOCUMENTS.id, slots)


def get_document(entry_uuid: str) -> bytes:
    """ITI-18 GetDocuments for one entry by its entryUUID."""
    slots = (("$XDSDocumentEntryEntryUUID", (f"({xds.quoted(entry_uuid)})",)),)
    return asked(ITI_18, REGISTRY_PATH, xds.stored_query(GET_DOCUMENTS.id, slots))


def retrieve(unique_id: str, header: bytes = b"") -> bytes:
    """ITI-43 of one document."""
    body = xds.retrieve([(DOMAIN.repository_unique_id, unique_id)])
    return asked(ITI_43, REPOSITORY_PATH, body, header)


def asked(transaction: Transaction[Any, Any, Any, Any, Any], path: str, body: bytes, header: bytes = b"") -> bytes:
    """A SOAP request without attachments; ``header`` holds more elements for the Header."""
    binding = soap_binding(transaction)
    envelope = _head(binding, path, header) + body + ENVELOPE_END
    if binding.mtom:
        return post(path, *pack(envelope, (), binding.action))
    return post(path, f'{SOAP_XML}; charset=UTF-8; action="{binding.action}"', len(envelope), (envelope,))


def provide(patient_id: str, documents: Iterable[bytes], unique_ids: Iterable[str] = (), header: bytes = b"") -> bytes:
    """ITI-41 in one piece: one submission of these documents, each an XOP part."""
    contents = tuple(documents)
    described = described_submission(patient_id, len(contents), unique_ids)
    parts = [part(number, content) for number, content in enumerate(contents)]
    body = xds.provide_and_register(described, [each.content_id for each in parts])
    binding = soap_binding(ITI_41)
    envelope = _head(binding, REPOSITORY_PATH, header) + body + ENVELOPE_END
    return post(REPOSITORY_PATH, *pack(envelope, parts, binding.action))


def part(number: int, content: bytes) -> OutgoingPart:
    """One document in memory."""
    return OutgoingPart(
        content_id=f"document{number}@benchmark",
        media_type="text/plain",
        size=len(content),
        chunks=lambda: iter((content,)),
    )


def xds_id(patient_id: str) -> CX:
    """The patient id as XDS metadata spells it."""
    return CX(patient_id, HD("", RED.universal_id, "ISO"))


def described_submission(patient_id: str, documents: int, unique_ids: Iterable[str] = ()) -> Submission:
    """One submission, each of its entries as full as laboratory reports are: 8 to 10 KB of ebRIM."""
    ids = tuple(unique_ids) or tuple(new_oid() for _ in range(documents))
    described = [
        xds.Described(
            title="Rapport de laboratoire",
            mime_type="text/plain",
            coding=CODING,
            language_code="en-us",
            creation_time="20260401113000",
            unique_id=UniqueId(each),
        )
        for each in ids
    ]
    source = xds.Source(source_id="1.2.3.4", author_person="^Muster", author_institution="Laboratory")
    made = xds.submission(xds_id(patient_id), source, CX(patient_id, RED), described)
    entries = tuple(
        replace(
            each,
            author=AUTHORS,
            service_start_time="20260401080000",
            service_stop_time="20260401083000",
            source_patient_info=("PID-5|Muster^Anne^Maria", "PID-7|19700101", "PID-8|F"),
        )
        for each in made.document_entries
    )
    return replace(made, document_entries=entries)


def registered(patient_id: str) -> bytes:
    """The body of ITI-42: a submission of one entry, as a repository registers it."""
    described = described_submission(patient_id, 1)
    entries = tuple(
        replace(each, hash="0" * 40, size=20_000, repository_unique_id=DOMAIN.repository_unique_id)
        for each in described.document_entries
    )
    return encode(replace(described, document_entries=entries))


def register(patient_id: str) -> bytes:
    """ITI-42 of one entry."""
    return asked(ITI_42, REGISTRY_PATH, registered(patient_id))


def _head(binding: SOAPBinding, path: str, header: bytes = b"") -> bytes:
    return request_head(binding.action, f"urn:uuid:{uuid.uuid4()}", f"http://127.0.0.1{path}", header)


AUTHORS = tuple(
    Author(
        author_person=f"{number}^{family}^{given}^^^Dr^^^&1.2.3.4.5&ISO",
        author_institution=(f"Laboratoire {family}^^^^^&1.2.3.4.5.6&ISO^^^^{number}",),
        author_role=("Attending", "Author"),
        author_specialty=("Clinical pathology",),
        author_telecommunication=(f"^^Internet^{given.lower()}@example.org",),
    )
    for number, (family, given) in enumerate(zip(FAMILIES[:3], GIVEN, strict=False))
)


def _assumed(attribute: str) -> Code:
    code = CodeBook(DOMAIN.codes).assume(attribute)
    assert code is not None, attribute
    return code


CODING = xds.Coding(
    class_code=_assumed("classCode"),
    type_code=_assumed("typeCode"),
    format_code=_assumed("formatCode"),
    confidentiality_code=_assumed("confidentialityCode"),
    healthcare_facility_type_code=_assumed("healthcareFacilityTypeCode"),
    practice_setting_code=_assumed("practiceSettingCode"),
    content_type_code=_assumed("contentTypeCode"),
)
