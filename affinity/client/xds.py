"""Bodies of a Document Source and a Document Consumer (ITI TF-2: 3.41, 3.18, 3.43)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from ihe.datatypes import CX, Code
from ihe.identifiers import EntryUUID, UniqueId, new_entry_uuid, new_oid
from soap.xml import escape
from xds.document_requests import XDS_B
from xds.ebrim_writing import encode
from xds.model import (
    Association,
    AssociationType,
    Author,
    DocumentEntry,
    LocalizedString,
    Submission,
    SubmissionSet,
    SubmissionSetStatus,
)

SYMBOLIC_SET = EntryUUID("SubmissionSet01")
XOP = "http://www.w3.org/2004/08/xop/include"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coding:
    """The codes of one document, from the lists of the affinity domain."""

    class_code: Code
    type_code: Code
    format_code: Code
    confidentiality_code: Code
    healthcare_facility_type_code: Code
    practice_setting_code: Code
    content_type_code: Code


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """One document to submit; times are DTM in UTC."""

    title: str
    mime_type: str
    coding: Coding
    language_code: str
    creation_time: str
    unique_id: UniqueId


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Who submits: its source id (an OID), and the author as XCN and XON."""

    source_id: str
    author_person: str
    author_institution: str


def submission(patient_id: CX, source: Source, source_patient_id: CX, documents: Iterable[Described]) -> Submission:
    """Describe documents of one patient as one submission, each document by its symbolic id ``Document01``..."""
    described = tuple(documents)
    author = (Author(author_person=source.author_person, author_institution=(source.author_institution,)),)
    entries = tuple(
        _entry(number, patient_id, source_patient_id, each, author) for number, each in enumerate(described, start=1)
    )
    packing_slip = SubmissionSet(
        entry_uuid=SYMBOLIC_SET,
        submission_time=datetime.now(UTC).strftime("%Y%m%d%H%M%S"),
        title=(LocalizedString(described[0].title),),
        author=author,
        content_type_code=described[0].coding.content_type_code,
        patient_id=patient_id,
        source_id=source.source_id,
        unique_id=UniqueId(new_oid()),
    )
    return assemble(packing_slip, entries)


def assemble(
    packing_slip: SubmissionSet, entries: tuple[DocumentEntry, ...], replaced: str | None = None
) -> Submission:
    """Put documents under their packing slip; the first replaces the registered entry ``replaced``, if there is one."""
    members = tuple(_member(packing_slip.entry_uuid, entry.entry_uuid) for entry in entries)
    relations = (_replacement(entries[0].entry_uuid, EntryUUID(replaced)),) if replaced else ()
    return Submission(submission_set=packing_slip, document_entries=entries, associations=(*members, *relations))


def symbolic_id(number: int) -> EntryUUID:
    """``Document01``: the id of a DocumentEntry until the registry gives it one (ITI TF-3: 4.2.3.1.5)."""
    return EntryUUID(f"Document{number:02}")


def _entry(
    number: int, patient_id: CX, source_patient_id: CX, document: Described, author: tuple[Author, ...]
) -> DocumentEntry:
    coding = document.coding
    return DocumentEntry(
        entry_uuid=symbolic_id(number),
        mime_type=document.mime_type,
        creation_time=document.creation_time,
        language_code=document.language_code,
        source_patient_id=source_patient_id,
        title=(LocalizedString(document.title),),
        author=author,
        class_code=coding.class_code,
        confidentiality_code=(coding.confidentiality_code,),
        format_code=coding.format_code,
        healthcare_facility_type_code=coding.healthcare_facility_type_code,
        practice_setting_code=coding.practice_setting_code,
        type_code=coding.type_code,
        patient_id=patient_id,
        unique_id=document.unique_id,
    )


def _member(packing_slip: EntryUUID, entry: EntryUUID) -> Association:
    return Association(
        entry_uuid=new_entry_uuid(),
        association_type=AssociationType.HAS_MEMBER,
        source_object=packing_slip,
        target_object=entry,
        submission_set_status=SubmissionSetStatus.ORIGINAL,
    )


def _replacement(entry: EntryUUID, replaced: EntryUUID) -> Association:
    return Association(
        entry_uuid=new_entry_uuid(),
        association_type=AssociationType.RPLC,
        source_object=entry,
        target_object=replaced,
    )


def provide_and_register(described: Submission, content_ids: Iterable[str]) -> bytes:
    """ProvideAndRegisterDocumentSetRequest, each document an xop:Include of its part (ITI TF-2: 3.41.4.1.2)."""
    documents = b"".join(
        b'<xdsb:Document id="%b"><xop:Include xmlns:xop="%b" href="cid:%b"/></xdsb:Document>'
        % (escape(entry.entry_uuid), XOP.encode(), escape(content_id))
        for entry, content_id in zip(described.document_entries, content_ids, strict=True)
    )
    request = b'<xdsb:ProvideAndRegisterDocumentSetRequest xmlns:xdsb="%b">' % XDS_B.encode()
    return request + encode(described) + documents + b"</xdsb:ProvideAndRegisterDocumentSetRequest>"


def retrieve(documents: Iterable[tuple[str, str]], home: str | None = None) -> bytes:
    """RetrieveDocumentSetRequest for pairs of repositoryUniqueId and documentUniqueId (ITI TF-2: 3.43.4.1.2)."""
    community = b"<HomeCommunityId>%b</HomeCommunityId>" % escape(home) if home else b""
    requests = b"".join(
        b"<DocumentRequest>%b<RepositoryUniqueId>%b</RepositoryUniqueId><DocumentUniqueId>%b</DocumentUniqueId>"
        b"</DocumentRequest>" % (community, escape(repository), escape(document))
        for repository, document in documents
    )
    return b'<RetrieveDocumentSetRequest xmlns="%b">%b</RetrieveDocumentSetRequest>' % (XDS_B.encode(), requests)


def stored_query(query_id: str, slots: Iterable[tuple[str, Iterable[str]]], return_type: str = "LeafClass") -> bytes:
    """AdhocQueryRequest; values are ready, texts in quotes (``quoted``) (ITI TF-2: 3.18.4.1.2.3.5)."""
    written = b"".join(
        b'<rim:Slot name="%b"><rim:ValueList>%b</rim:ValueList></rim:Slot>'
        % (escape(name), b"".join(b"<rim:Value>%b</rim:Value>" % escape(value) for value in values))
        for name, values in slots
    )
    return (
        b'<query:AdhocQueryRequest xmlns:query="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"'
        b' xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">'
        b'<query:ResponseOption returnComposedObjects="true" returnType="%b"/>'
        b'<rim:AdhocQuery id="%b">%b</rim:AdhocQuery></query:AdhocQueryRequest>'
        % (escape(return_type), escape(query_id), written)
    )


def quoted(text: str) -> str:
    """A text as a stored query spells it: in single quotes, its own quotes doubled (ITI TF-2: 3.18.4.1.2.3.5)."""
    return "'" + text.replace("'", "''") + "'"
