"""Register Document Set-b through its own door, and what other systems send through it."""

from dataclasses import replace
from pathlib import Path

import pytest

from affinity.domain import load
from ihe.errors import Rejected
from ihe.exchange import Exchange, SOAPRequest
from soap.xml import parse, schema
from xds.attributes import Sender
from xds.ebrim import decode
from xds.ebrim_writing import encode
from xds.iti42 import ITI_42
from xds.model import ExtraSlot, Submission
from xds.registry import DocumentRegistry
from xds.responses import ResponseStatus
from xds.rules import all_breaches

RS = "{urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0}"


def answer(request: SOAPRequest, registry: DocumentRegistry, exchange: Exchange) -> bytes:
    """What the door does: decode, handle, encode; or refuse."""
    try:
        warnings = ITI_42.handle(ITI_42.decode(request), registry, exchange)
        reply = ITI_42.encode(request, warnings, exchange)
    except Rejected as rejected:
        reply = ITI_42.refuse(request, rejected, exchange)
    return b"".join(reply.body)


def sent(submission: Submission) -> SOAPRequest:
    return SOAPRequest(parse(encode(submission)))


def test_a_good_submission_succeeds(registry: DocumentRegistry, exchange: Exchange, submission: Submission) -> None:
    root = parse(answer(sent(submission), registry, exchange))
    assert (root.get("status"), len(root)) == (ResponseStatus.SUCCESS.value, 0)


def test_extra_metadata_is_saved_without_a_warning(
    registry: DocumentRegistry, exchange: Exchange, submission: Submission
) -> None:
    entry = replace(submission.document_entries[0], extra=(ExtraSlot("urn:example:ward", ("3",)),))
    root = parse(answer(sent(replace(submission, document_entries=(entry,))), registry, exchange))
    assert (root.get("status"), len(root)) == (ResponseStatus.SUCCESS.value, 0)


def test_a_bad_submission_fails_with_every_error(
    registry: DocumentRegistry, exchange: Exchange, submission: Submission, shared: Path
) -> None:
    entry = replace(submission.document_entries[0], hash=None, creation_time='<"yesterday">')
    body = answer(sent(replace(submission, document_entries=(entry,))), registry, exchange)
    root = parse(body)
    schema(shared / "schemas/ebRS/rs.xsd").assertValid(root)
    errors = {error.get("location"): error for error in root.iter(RS + "RegistryError")}
    assert root.get("status") == ResponseStatus.FAILURE.value
    assert set(errors) == {"DocumentEntry(Document01).hash", "DocumentEntry(Document01).creationTime"}
    assert '<"yesterday">' in errors["DocumentEntry(Document01).creationTime"].get("codeContext", "")
    assert {error.get("errorCode") for error in errors.values()} == {"XDSRegistryMetadataError"}


def test_a_warning_comes_with_success(
    registry: DocumentRegistry, exchange: Exchange, submission: Submission, shared: Path
) -> None:
    misspelt = parse(encode(submission).replace(b"authorSpecialty", b"authorSpeciality"))
    root = parse(answer(SOAPRequest(misspelt), registry, exchange))
    schema(shared / "schemas/ebRS/rs.xsd").assertValid(root)
    assert root.get("status") == ResponseStatus.SUCCESS.value
    assert str(root[0].get("highestSeverity")).endswith("Warning")
    assert root[0][0].get("errorCode") == "XDSExtraMetadataNotSaved"


VERDICTS: dict[str, tuple[set[str], str]] = {
    "ITI-41/ihe_ProvideAndRegisterDocumentSet-bRequest_SOAP.xml": (
        {"Association(as01).associationType", "DocumentEntry(Document01)", "SubmissionSet(SubmissionSet01).sourceId"},
        "HasMember as it was before the URNs of Table 4.2.2-1, so the entry has no link; sourceId is no OID",
    ),
    "ITI-41/nist_ReposAcceptanceTest-1111_SubmitRplc_single_doc.xml": (
        {"Association(myRplcAssocId)"},
        "a template: the UUID to replace is a variable",
    ),
    "ITI-41/nist_ReposAcceptanceTest-1111_SubmitSingleDoc_single_doc.xml": (set(), ""),
    "ITI-41/nist_ReposAcceptanceTest-1112_SubmitApnd_single_doc.xml": (
        {"Association(myApndAssocId)"},
        "a template: the UUID to append to is a variable",
    ),
    "ITI-41/nist_ReposAcceptanceTest-1113_SubmitFolderwDoc_fol_doc.xml": (set(), ""),
    "ITI-41/nist_ReposAcceptanceTest-1113_SubmitTwoDocs_two_doc.xml": (set(), ""),
    "ITI-41/nist_pnr-element-order.xml": (set(), "elements out of order say the same; we send them in order"),
    "ITI-41/nist_soap-noaction-pnr.xml": (set(), ""),
    "ITI-41/nist_soap-pnr.xml": (set(), ""),
    "ITI-41/xcasrc_PnR_request.xml": (
        {
            *(
                f"DocumentEntry(Document02).{name}"
                for name in (
                    "author",
                    "classCode",
                    "confidentialityCode",
                    "formatCode",
                    "healthcareFacilityTypeCode",
                    "practiceSettingCode",
                    "typeCode",
                    "uniqueId",
                    "patientId",
                )
            ),
            "SubmissionSet02",
            "RegistryObjectList",
        },
        "the object was renamed but not in what is nested in it, and the SubmissionSet's label names another object",
    ),
    "ITI-42/ihe_RegisterDocumentSet-bRequest.xml": (
        {
            "Association(as01).associationType",
            "DocumentEntry(Document01)",
            "DocumentEntry(Document01).hash",
            "DocumentEntry(Document01).repositoryUniqueId",
            "DocumentEntry(Document01).size",
            "SubmissionSet(SubmissionSet01).sourceId",
        },
        "HasMember without URN, a sourceId that is no OID, and nothing that the repository adds",
    ),
    **{
        f"ITI-42/ipf_SubmitObjectsRequest_{name}.xml": (
            {
                "DocumentEntry(Document01).author",  # a warning: authorSpeciality
                "DocumentEntry(Document01).identificationScheme",
                "DocumentEntry(Document01).hash",
                "DocumentEntry(Document01).repositoryUniqueId",
                "DocumentEntry(Document01).size",
                "DocumentEntry(Document01).patientId",
                "SubmissionSet(SubmissionSet01).author",
                "SubmissionSet(SubmissionSet01).classificationScheme",
                "SubmissionSet(SubmissionSet01).identificationScheme",
                "SubmissionSet(SubmissionSet01).contentTypeCode",
                "SubmissionSet(SubmissionSet01).uniqueId",
                "SubmissionSet(SubmissionSet01).patientId",
                "SubmissionSet(SubmissionSet01).sourceId",
            },
            "schemes broken by a blank, authorSpeciality misspelt, nothing that the repository adds",
        )
        for name in ("ebrs30", "ebrs3_extra_metadata")
    },
    **{
        f"ITI-42/nist_15801_{name}_original.xml": (
            {
                "DocumentEntry(Document01).patientId",
                "SubmissionSet(SubmissionSet01).patientId",
                "SubmissionSet(SubmissionSet01).uniqueId",
            },
            "a template: the ids are variables",
        )
        for name in ("hash", "legalAuthenticator", "serviceStartTime", "sourcePatientInfo")
    },
    "ITI-42/openxds_document_addendum.xml": (
        {
            "DocumentEntry(doc1).patientId",
            "SubmissionSet(SubmissionSet).patientId",
            "Association(app-doc)",
            "DocumentEntry(doc1).hash",
            "DocumentEntry(doc1).repositoryUniqueId",
            "DocumentEntry(doc1).size",
            "SubmissionSet(SubmissionSet).uniqueId",
            "DocumentEntry(doc1).legalAuthenticator",
            "DocumentEntry(doc1).author.authorPerson",
            "SubmissionSet(SubmissionSet).author.authorPerson",
        },
        "a template: the ids are variables; XCN.9 has a namespace id beside the OID",
    ),
    "ITI-42/openxds_submit_document.xml": (
        {
            "DocumentEntry($doc1).patientId",
            "SubmissionSet(SubmissionSet).patientId",
            "DocumentEntry($doc1).hash",
            "DocumentEntry($doc1).repositoryUniqueId",
            "DocumentEntry($doc1).size",
            "SubmissionSet(SubmissionSet).uniqueId",
            "DocumentEntry($doc1).legalAuthenticator",
            "DocumentEntry($doc1).author.authorPerson",
            "SubmissionSet(SubmissionSet).author.authorPerson",
        },
        "a template: the ids are variables; XCN.9 has a namespace id beside the OID",
    ),
    "ITI-61/ihe_RegisterOnDemandDocumentEntryRequest_SOAP.xml": (
        {
            "Association(as01).associationType",
            "DocumentEntry(Document01)",
            "DocumentEntry(Document01).repositoryUniqueId",
            "SubmissionSet(SubmissionSet01).sourceId",
        },
        "HasMember without URN, a sourceId that is no OID, no repositoryUniqueId",
    ),
}
"""Where each message of another system breaks rules, codes of the domain apart, and why."""
SENDERS = {
    "ITI-41": Sender.XDS_DOCUMENT_SOURCE,
    "ITI-42": Sender.XDS_DOCUMENT_REPOSITORY,
    "ITI-61": Sender.XDS_ON_DEMAND_SOURCE,
}


@pytest.mark.parametrize("name", VERDICTS)
def test_the_verdict_on_other_systems(name: str, shared: Path) -> None:
    domain = replace(load("connectathon").affinity_domain, codes={})
    decoded = decode(parse((shared / "samples" / name).read_bytes()))
    found = {breach.location for breach in all_breaches(decoded, SENDERS[name[:6]], domain)}
    assert found == VERDICTS[name][0], VERDICTS[name][1]


def test_no_sample_is_forgotten(shared: Path) -> None:
    samples = {
        f"{folder}/{path.name}"
        for folder in SENDERS
        for path in (shared / "samples" / folder).glob("*.xml")
        if b"RegistryObjectList" in path.read_bytes()
    }
    assert samples == set(VERDICTS)


@pytest.mark.parametrize("name", [name for name, (broken, _) in VERDICTS.items() if not broken])
def test_what_was_read_from_others_is_written_again(name: str, shared: Path) -> None:
    decoded = decode(parse((shared / "samples" / name).read_bytes()))
    assert decoded.submission is not None
    assert decode(parse(encode(decoded.submission))) == decoded
