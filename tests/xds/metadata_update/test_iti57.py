"""Update Document Set through its own door, and what other systems send through it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lxml.etree import _Element

from ihe.datatypes import CX, HD
from ihe.errors import Rejected
from ihe.exchange import SOAPRequest
from ihe.identifiers import UniqueId
from soap.xml import parse, schema
from xds.ebrim import decode
from xds.ebrim_writing import encode
from xds.iti57 import ITI_57
from xds.model import AvailabilityStatus, DocumentAvailability, DocumentEntry, MetadataObject, Submission
from xds.stored_queries import GET_DOCUMENTS

ENTRY = MetadataObject.DOCUMENT_ENTRY
OF_STATUS = "urn:uuid:e0985823-dc50-45a5-a6c8-a11a829893bd"
LID = "urn:uuid:20744602-ba65-44e9-87ee-a52303a5183e"
SENT_TO = CX("714f4004f80540c", HD("", "1.3.6.1.4.1.21367.2005.3.7", "ISO"))


def answer(body: _Element, holdings: Any) -> _Element:
    """What the door does: decode, handle, encode; or refuse."""
    wire = SOAPRequest(body)
    try:
        warnings = ITI_57.handle(ITI_57.decode(wire), holdings.registry, holdings.exchange)
        reply = ITI_57.encode(wire, warnings, holdings.exchange)
    except Rejected as rejected:
        reply = ITI_57.refuse(wire, rejected, holdings.exchange)
    return parse(b"".join(reply.body))


def test_success_and_failure_are_valid_answers(updater: Any, entry: DocumentEntry, shared: Path) -> None:
    rs = schema(shared / "schemas/ebRS/rs.xsd")
    new = updater.version(entry, updater.latest(ENTRY))
    request = encode(updater.pack(new, updater.link(new.entry_uuid, 1)))
    schema(shared / "schemas/ebRS/lcm.xsd").assertValid(parse(request))
    first, again = (answer(parse(request), updater.holdings) for _ in range(2))
    for each in (first, again):
        rs.assertValid(each)
    assert str(first.get("status")).endswith(":Success")
    errors = {error.get("location"): error.get("errorCode") for error in again.iterfind(".//{*}RegistryError")}
    assert errors == {
        f"DocumentEntry({new.entry_uuid}).PreviousVersion": "XDSMetadataVersionError",
        "SubmissionSet(Update01).uniqueId": "XDSDuplicateUniqueIdInRegistry",
    }


def test_an_answer_with_versions_is_valid(updater: Any, entry: DocumentEntry, shared: Path) -> None:
    new = updater.version(entry, updater.latest(ENTRY))
    updater.update(new, updater.link(new.entry_uuid, 1))
    found = updater.holdings.ask(GET_DOCUMENTS, XDSDocumentEntryUniqueId=(entry.unique_id,), MetadataLevel=(2,))
    assert [(each.version, each.logical_id == each.entry_uuid) for each in found] == [(1, True), (2, False)]


@pytest.fixture
def receiver(holdings: Any, patients: Any) -> Any:
    """A registry of a domain that allows every code and knows the patient of IHE's example."""
    patients.keys[SENT_TO] = 3
    domain = replace(holdings.registry.domain, codes={})
    return replace(holdings, registry=replace(holdings.registry, domain=domain))


SAMPLES = {
    "ihe_update.xml": ["UnresolvedReferenceException"],
    "ipf_SubmitObjectsRequest_ebrs30_update.xml": ["UnresolvedReferenceException"] * 2,
}
"""IHE's example 01, and IPF's with a change of status added; the errors where nothing of it is registered."""


def original(update: Submission) -> Submission:
    """What must have been registered before an update: its entry with the logicalID as entryUUID."""
    (new,) = update.document_entries
    assert new.logical_id is not None
    return replace(
        update,
        submission_set=replace(update.submission_set, unique_id=UniqueId("2.25.500.99")),
        document_entries=(replace(new, entry_uuid=new.logical_id, logical_id=None, document_availability=None),),
        associations=(replace(update.associations[0], target_object=new.logical_id, previous_version=None),),
    )


@pytest.mark.parametrize("name", SAMPLES)
def test_the_published_example_updates_what_it_names(
    name: str, receiver: Any, another_report: Callable[..., Submission], shared: Path
) -> None:
    request = (shared / "samples/ITI-57" / name).read_bytes()
    update = decode(parse(request)).submission
    assert update is not None
    receiver.register(another_report(2, entry_uuid=OF_STATUS))
    receiver.register(original(update))
    assert str(answer(parse(request), receiver).get("status")).endswith(":Success")
    other, *versions = receiver.of(ENTRY)
    assert [(each.version, each.logical_id) for each in versions] == [(1, LID), (2, LID)]
    changed = AvailabilityStatus.DEPRECATED if name.startswith("ipf") else AvailabilityStatus.APPROVED
    offline = DocumentAvailability.OFFLINE if name.startswith("ipf") else None
    (found,) = receiver.ask(GET_DOCUMENTS, XDSDocumentEntryEntryUUID=(versions[1].entry_uuid,), MetadataLevel=(2,))
    assert (other.status, found.document_availability) == (changed, offline)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_published_example_needs_what_it_updates(name: str, receiver: Any, shared: Path) -> None:
    reply = answer(parse((shared / "samples/ITI-57" / name).read_bytes()), receiver)
    assert [each.get("errorCode") for each in reply.iterfind(".//{*}RegistryError")] == SAMPLES[name]


EBRIM_21 = (
    "nist_20000_update_single_fd.xml",
    "nist_20002_eval_missing_slot_newstatus.xml",
    "nist_20003_success_update_new_version_and_status.xml",
    "nist_40001b_patientId_update.xml",
)


@pytest.mark.parametrize("name", EBRIM_21)
def test_ebrim_2_1_is_no_submission(name: str, holdings: Any, shared: Path) -> None:
    """NIST keeps its tests in this form and converts them; on the wire it was never legal."""
    reply = answer(parse((shared / "samples/nist-ebrim21-dialect" / name).read_bytes()), holdings)
    assert [each.get("errorCode") for each in reply.iterfind(".//{*}RegistryError")] == ["XDSMetadataUpdateError"]


def test_an_original_sent_as_an_update_is_refused(holdings: Any, shared: Path) -> None:
    """NIST's test 40000c: the content of a registration under the action of an update."""
    reply = answer(parse((shared / "samples/ITI-92/nist_40000_original_single_doc.xml").read_bytes()), holdings)
    assert "XDSInvalidRequestException" in {each.get("errorCode") for each in reply.iterfind(".//{*}RegistryError")}


def test_every_sample_has_a_verdict(shared: Path) -> None:
    names = {path.name for path in (shared / "samples/ITI-57").glob("*.xml")}
    assert names == set(SAMPLES)
