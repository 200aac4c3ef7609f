"""What single values must look like (ITI TF-3: 4.2.3)."""

import re
from collections.abc import Callable, Iterator
from itertools import chain

from ihe.citations import tf2, tf3
from ihe.errors import ErrorCode
from ihe.identifiers import is_oid
from ihe.rules import Offence, Offender, Rule, rule
from xds import hl7_forms
from xds.attribute_values import authors, rows, values, values_of, where
from xds.model import Submission
from xds.value_lengths import LONG_NAME, too_long

METADATA = ErrorCode.REGISTRY_METADATA_ERROR
TIMES = (
    "DocumentEntry.creationTime",
    "DocumentEntry.serviceStartTime",
    "DocumentEntry.serviceStopTime",
    "SubmissionSet.submissionTime",
    "Folder.lastUpdateTime",
)
OIDS = ("DocumentEntry.repositoryUniqueId", "SubmissionSet.sourceId", "SubmissionSet.uniqueId", "Folder.uniqueId")
HOMES = tuple(f"{kind}.homeCommunityId" for kind in ("SubmissionSet", "DocumentEntry", "Folder", "Association"))
TITLE_LENGTHS = {"DocumentEntry.title": 127, "SubmissionSet.title": 255, "Folder.title": 256}
_SHA1 = re.compile(r"[0-9a-fA-F]{40}")
_TOKEN = r"[A-Za-z0-9!#$&^_.+-]{1,127}"
_MEDIA_TYPE = re.compile(rf"{_TOKEN}/{_TOKEN}(\s*;\s*{_TOKEN}=({_TOKEN}|\"[^\"]*\"))*")
_URN = re.compile(r"urn:[A-Za-z0-9][A-Za-z0-9-]{0,31}:[A-Za-z0-9()+,\-.:=@;$_!*'%/?#]+", re.IGNORECASE)
_URI = re.compile(r"[^\s<>\"{}|\\^`]+")


def _malformed(submission: Submission, form: Callable[[str], str | None], *names: str) -> Iterator[Offence]:
    for each, attribute, value in values(submission, *names):
        fault = form(value)
        if fault:
            yield Offence(where(each, attribute.name), observed=value, expected=fault)


@rule(METADATA, tf3("Table 4.2.3.1.7-2, DTM"))
def times_are_dtm(submission: Submission) -> Iterator[Offender]:
    """Times are DTM values in UTC."""
    yield from _malformed(submission, hl7_forms.dtm, *TIMES)


@rule(METADATA, tf2("3.42.4.1.3.3.6"))
def services_stop_after_they_start(submission: Submission) -> Iterator[Offender]:
    """serviceStartTime is before or equal to serviceStopTime."""
    for entry in submission.document_entries:
        start, stop = entry.service_start_time or "", entry.service_stop_time or ""
        precision = min(len(start), len(stop))
        if start[:precision] > stop[:precision]:
            yield Offence(where(entry, "serviceStopTime"), observed=stop, expected=f"not before {start}")


@rule(METADATA, tf3("4.2.3.2.10"))
def hashes_are_sha1(submission: Submission) -> Iterator[Offender]:
    """A hash is SHA-1 in 40 hexadecimal digits."""
    for each, attribute, hash in values(submission, "DocumentEntry.hash"):
        if not _SHA1.fullmatch(hash):
            yield Offence(where(each, attribute.name), observed=hash)


@rule(METADATA, tf3("4.2.3.2.13"))
def languages_are_tags(submission: Submission) -> Iterator[Offender]:
    """languageCode is a language identifier of RFC 5646."""
    yield from _malformed(submission, hl7_forms.language, "DocumentEntry.languageCode")


@rule(METADATA, tf3("4.2.3.2.15"))
def mime_types_are_media_types(submission: Submission) -> Iterator[Offender]:
    """mimeType is a media type: type/subtype."""
    for each, attribute, mime_type in values(submission, "DocumentEntry.mimeType"):
        if not _MEDIA_TYPE.fullmatch(mime_type):
            yield Offence(where(each, attribute.name), observed=mime_type)


@rule(METADATA, tf3("4.2.3.2.18, 4.2.3.3.9, 4.2.3.3.12, 4.2.3.4.9"))
def identifiers_are_oids(submission: Submission) -> Iterator[Offender]:
    """repositoryUniqueId, sourceId and the uniqueIds of SubmissionSet and Folder are OIDs of at most 64 characters."""
    for each, attribute, oid in values(submission, *OIDS):
        if not is_oid(oid):
            yield Offence(where(each, attribute.name), observed=oid)


@rule(METADATA, tf3("4.2.3.2.12"))
def communities_are_oid_urns(submission: Submission) -> Iterator[Offender]:
    """homeCommunityId is an OID as a URN: urn:oid:1.2.3."""
    for each, attribute, home in values(submission, *HOMES):
        if not home.startswith("urn:oid:") or not is_oid(home.removeprefix("urn:oid:")):
            yield Offence(where(each, attribute.name), observed=home)


@rule(METADATA, tf3("Table 4.2.3.1.7-2, XCN"))
def persons_are_xcn(submission: Submission) -> Iterator[Offender]:
    """legalAuthenticator and authorPerson are persons or machines as XCN."""
    yield from _malformed(submission, hl7_forms.xcn, "DocumentEntry.legalAuthenticator")
    for each, attribute, author in authors(submission):
        if author.author_person and (fault := hl7_forms.xcn(author.author_person)):
            place = where(each, f"{attribute.name}.authorPerson")
            yield Offence(place, observed=author.author_person, expected=fault)


@rule(METADATA, tf3("Table 4.2.3.1.7-2, XON"))
def institutions_are_xon(submission: Submission) -> Iterator[Offender]:
    """authorInstitution is an organisation as XON."""
    for each, attribute, author in authors(submission):
        for institution in author.author_institution:
            if fault := hl7_forms.xon(institution):
                place = where(each, f"{attribute.name}.authorInstitution")
                yield Offence(place, observed=institution, expected=fault)


@rule(METADATA, tf3("Table 4.2.3.1.7-2, XTN"))
def telecommunications_are_xtn(submission: Submission) -> Iterator[Offender]:
    """authorTelecommunication is an electronic mail address or a telephone number as XTN."""
    for each, attribute, author in authors(submission):
        for telecommunication in author.author_telecommunication:
            if fault := hl7_forms.xtn(telecommunication):
                place = where(each, f"{attribute.name}.authorTelecommunication")
                yield Offence(place, observed=telecommunication, expected=fault)


@rule(METADATA, tf3("4.2.3.1.4"))
def authors_are_named(submission: Submission) -> Iterator[Offender]:
    """An author has an authorPerson, an authorInstitution or an authorTelecommunication."""
    for each, attribute, author in authors(submission):
        if not (author.author_person or author.author_institution or author.author_telecommunication):
            yield where(each, attribute.name)


@rule(METADATA, tf3("4.2.3.3.7"))
def recipients_are_addressed(submission: Submission) -> Iterator[Offender]:
    """intendedRecipient is an organisation, a person or a telecommunications address, as XON|XCN|XTN."""
    yield from _malformed(submission, hl7_forms.intended_recipient, "SubmissionSet.intendedRecipient")


@rule(METADATA, tf3("4.2.3.2.23"))
def patient_info_is_fields_of_pid(submission: Submission) -> Iterator[Offender]:
    """sourcePatientInfo holds fields of the PID segment, PID-7 and PID-8 at most once."""
    yield from _malformed(submission, hl7_forms.patient_field, "DocumentEntry.sourcePatientInfo")
    for entry in submission.document_entries:
        fields = [value[:6] for value in entry.source_patient_info]
        for field in ("PID-7|", "PID-8|"):
            if fields.count(field) > 1:
                yield Offence(where(entry, "sourcePatientInfo"), observed=f"{field[:-1]} more than once")


@rule(METADATA, tf3("Table 4.2.3.1.7-2, CXi"))
def references_are_cxi(submission: Submission) -> Iterator[Offender]:
    """referenceIdList holds identifiers as CXi."""
    yield from _malformed(submission, hl7_forms.cxi, "DocumentEntry.referenceIdList")


@rule(METADATA, tf3("4.2.3.2.27"))
def uris_are_uris(submission: Submission) -> Iterator[Offender]:
    """URI is a Uniform Resource Identifier."""
    for each, attribute, uri in values(submission, "DocumentEntry.URI"):
        if not _URI.fullmatch(uri):
            yield Offence(where(each, attribute.name), observed=uri)


@rule(METADATA, tf3("4.2.3.2.24, 4.2.3.3.11, 4.2.3.4.8"))
def titles_are_short(submission: Submission) -> Iterator[Offender]:
    """A title has less than 128 characters, of a SubmissionSet less than 256, of a Folder at most 256."""
    for name, limit in TITLE_LENGTHS.items():
        for each, attribute, title in values(submission, name):
            if len(title.value) > limit:
                yield Offence(where(each, attribute.name), observed=f"{len(title.value)} characters")


@rule(METADATA, tf3("4.2.3.1.1"))
def values_fit_ebrim(submission: Submission) -> Iterator[Offender]:
    """No value is longer than its place in ebRIM: 256 characters, or 1024 in a LocalizedString."""
    if too_long(chain.from_iterable(map(values_of, submission.objects))):
        for each, attribute, value in rows(submission):
            for text in too_long((value,)):
                yield Offence(where(each, attribute.name), observed=f"{len(text)} characters")
    for each in submission.objects:
        for slot in each.extra:
            if any(len(text) > LONG_NAME for text in (slot.name, *slot.values)):
                yield where(each, slot.name)


@rule(METADATA, tf3("4.2.3.1.6"))
def extra_attributes_are_urns(submission: Submission) -> Iterator[Offender]:
    """The name of an extra metadata attribute is a URN, and none of urn:ihe:."""
    for each in submission.objects:
        for slot in each.extra:
            if not _URN.fullmatch(slot.name) or slot.name.lower().startswith("urn:ihe:"):
                yield Offence(where(each, slot.name), observed=slot.name)


VALUE_RULES: tuple[Rule[Submission], ...] = (
    times_are_dtm,
    services_stop_after_they_start,
    hashes_are_sha1,
    languages_are_tags,
    mime_types_are_media_types,
    identifiers_are_oids,
    communities_are_oid_urns,
    persons_are_xcn,
    institutions_are_xon,
    telecommunications_are_xtn,
    authors_are_named,
    recipients_are_addressed,
    patient_info_is_fields_of_pid,
    references_are_cxi,
    uris_are_uris,
    titles_are_short,
    values_fit_ebrim,
    extra_attributes_are_urns,
)
