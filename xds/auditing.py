"""The audit records of XDS.b: who is spoken of, and which documents (3.18.5.1, 3.41.5.1, 3.42.5.1, 3.43.6.1, 3.51.5.1).

What a refused request names is recorded as far as it can be read.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping

from lxml.etree import _Element

from ihe.audit import (
    EXPORT,
    IMPORT,
    PATIENT_RECORD,
    QUERY,
    SUBMISSION_SET,
    Detail,
    EventActionCode,
    EventOutcomeIndicator,
    ParticipantObject,
    patient,
    query,
    report,
    submission_set,
)
from ihe.audited import Audit, Describe, Event, Recorded
from ihe.citations import Citation
from ihe.datatypes import CX, Code
from ihe.errors import Breach
from ihe.exchange import SOAPRequest
from ihe.identifiers import EntryUUID, UniqueId
from soap.xml import serialize
from xds.adhoc_query import RIM, AdhocQuery, queried_patients, slots
from xds.adhoc_query_response import Answer
from xds.document_requests import DocumentRequest
from xds.ebrim import Decoded, decode
from xds.model import AssociationType, MetadataObject, ObjectType
from xds.query_literals import Unreadable, read
from xds.removal import Removed
from xds.store import Registered

METADATA = "IHE XDS Metadata"
ENCODING = Detail("QueryEncoding", b"UTF-8")
HOME = "urn:ihe:iti:xca:2010:homeCommunityId"
OF_RETRIEVAL = ("Repository Unique ID", "ihe:homeCommunityID")
"""Types of the details of a retrieved document: other words than elsewhere, as 3.43.6.1.2 notes itself."""
OF_REMOVAL = ("urn:ihe:iti:xds:2007:repositoryUniqueId", HOME)
PATIENT_PARAMETERS = frozenset(
    {"$XDSDocumentEntryPatientId", "$XDSSubmissionSetPatientId", "$XDSFolderPatientId", "$patientId"}
)
_TEXTS: Mapping[MetadataObject | ObjectType | AssociationType, tuple[str, str]] = {
    MetadataObject.SUBMISSION_SET: (SUBMISSION_SET.code, "submission set classification node"),
    MetadataObject.FOLDER: ("urn:uuid:d9d542f3-6cc4-48b6-8870-ea235fbc94c2", "folder classification node"),
    ObjectType.STABLE: (ObjectType.STABLE.value, "document entry object type"),
    ObjectType.ON_DEMAND: (ObjectType.ON_DEMAND.value, "on-demand document entry object type"),
    AssociationType.HAS_MEMBER: (AssociationType.HAS_MEMBER.value, "has-member association type"),
    AssociationType.RPLC: (AssociationType.RPLC.value, "replacement relationship association type"),
    AssociationType.XFRM: (AssociationType.XFRM.value, "transformation relationship association type"),
    AssociationType.APND: (AssociationType.APND.value, "append relationship association type"),
    AssociationType.XFRM_RPLC: (
        AssociationType.XFRM_RPLC.value,
        "replace-transformation relationship association type",
    ),
    AssociationType.SIGNS: (AssociationType.SIGNS.value, "digital signature relationship association type"),
}
KINDS = {kind: Code(code, METADATA, text) for kind, (code, text) in _TEXTS.items()}
"""ParticipantObjectIDTypeCode of what is removed (RMD: 3.62.5.1.2)."""
UNKNOWN_OBJECT = Code("urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject", METADATA, "registry object")
FAILED = EventOutcomeIndicator.MINOR_FAILURE


def queried(citation: Citation, type: Code) -> Audit:
    """A query of the registry: an event for each patient it names, else for each whose metadata it was shown."""

    def describe(wire: SOAPRequest, asked: AdhocQuery | None, answer: Answer | None) -> Iterator[Event]:
        parameters = _query(wire.body, type, answer)
        named = _patients_asked(wire.body) if asked is None else map(str, queried_patients(asked))
        patients = tuple(named) or _patients_shown(answer)
        for each in patients:
            yield Event(objects=(patient([each]), parameters))
        if not patients:
            yield Event(objects=(parameters,))

    return Audit(citation=citation, event=QUERY, type=type, action=EventActionCode.EXECUTE, describe=describe)


def submitted(citation: Citation, type: Code, action: EventActionCode = EventActionCode.CREATE) -> Audit:
    """A submission of metadata, with or without documents: its patient and its SubmissionSet."""
    return Audit(
        citation=citation,
        event=IMPORT,
        type=type,
        action=action,
        describe=_submission,
        recorded=Recorded.WITH_THE_CHANGE,
    )


def _query(body: _Element, type: Code, answer: Answer | None) -> ParticipantObject:
    element = body.find(f"{{{RIM}}}AdhocQuery")
    id, home = ("", "") if element is None else (element.get("id", "").strip(), element.get("home", ""))
    home = home or (answer.home if answer else "")
    details = (ENCODING, Detail(HOME, home.encode())) if home else (ENCODING,)
    return query(type, serialize(body), *details, id=id or None)


def _patients_asked(body: _Element) -> Iterator[str]:
    for asked in body.iterchildren(f"{{{RIM}}}AdhocQuery"):
        for name, values in slots(asked):
            if name in PATIENT_PARAMETERS:
                for text in values:
                    yield from _literals(text)


def _literals(text: str) -> Iterator[str]:
    try:
        yield from (each.text for each in read(text) if each.text)
    except Unreadable:
        yield text


def _patients_shown(answer: Answer | None) -> tuple[str, ...]:
    if answer is None:
        return ()
    keys = dict.fromkeys(each.patient_key for each in answer.objects if each.patient_key in answer.patients)
    return tuple(dict.fromkeys(str(answer.patients[key]) for key in keys))


def _submission(wire: SOAPRequest, request: object, _result: object) -> Iterator[Event]:
    metadata = getattr(request, "metadata", request)
    submission = (metadata if isinstance(metadata, Decoded) else decode(wire.body)).submission
    if submission is None:
        yield Event()
        return
    each = submission.submission_set
    whose = () if each.patient_id is None else (patient([str(each.patient_id)]),)
    yield Event(objects=(*whose, submission_set(each.unique_id)))


def removed_metadata(citation: Citation, type: Code) -> Audit:
    """Objects of the registry that were removed, by patient; of a refused request, those that it names."""

    def describe(wire: SOAPRequest, named: tuple[EntryUUID, ...] | None, removed: Removed | None) -> Iterator[Event]:
        if removed is None:
            yield Event(objects=tuple(report(each, id_type=UNKNOWN_OBJECT) for each in named or ()))
            return
        for key, whose in removed.patients.items():
            gone = tuple(_removed(each) for each in removed.objects if each.patient_key == key)
            yield Event(objects=(patient([str(whose)]), *gone))

    return Audit(
        citation=citation,
        event=PATIENT_RECORD,
        type=type,
        action=EventActionCode.DELETE,
        describe=describe,
        recorded=Recorded.WITH_THE_CHANGE,
    )


def _removed(each: Registered) -> ParticipantObject:
    kind = each.object_type or each.association_type or each.kind
    return report(each.entry_uuid, id_type=KINDS.get(kind, UNKNOWN_OBJECT))


def documents(
    requests: Iterable[DocumentRequest],
    owners: Mapping[UniqueId, Collection[CX]],
    types: tuple[str, str],
    outcome: EventOutcomeIndicator = EventOutcomeIndicator.SUCCESS,
    breaches: Iterable[Breach] = (),
) -> Iterator[Event]:
    """An event for each patient, of the documents that had one outcome."""
    by_owner: dict[CX | None, list[DocumentRequest]] = {}
    for each in requests:
        for owner in owners.get(each.document_unique_id) or (None,):
            by_owner.setdefault(owner, []).append(each)
    description = "; ".join([breach.code_context for breach in breaches]) or None
    for owner, named in by_owner.items():
        whose = () if owner is None else (patient([str(owner)]),)
        objects = (*whose, *[_document(each, types) for each in named])
        yield Event(objects=objects, outcome=outcome, description=description)


def _document(request: DocumentRequest, types: tuple[str, str]) -> ParticipantObject:
    repository, home = types
    details = [Detail(repository, request.repository_unique_id.encode())]
    if request.home_community_id is not None:
        details.append(Detail(home, request.home_community_id.encode()))
    return report(request.document_unique_id, *details)


def exported(citation: Citation, type: Code, describe: Describe) -> Audit:
    """Documents on their way out: the repository is the source (3.43.6.1.2)."""
    return Audit(
        citation=citation,
        event=EXPORT,
        type=type,
        action=EventActionCode.READ,
        describe=describe,
        answers_as_source=True,
    )


def removed_documents(citation: Citation, type: Code, describe: Describe) -> Audit:
    """Documents that were made irretrievable (RMD: 3.86.5.1.2)."""
    return Audit(
        citation=citation,
        event=PATIENT_RECORD,
        type=type,
        action=EventActionCode.DELETE,
        describe=describe,
        recorded=Recorded.WITH_THE_CHANGE,
    )
