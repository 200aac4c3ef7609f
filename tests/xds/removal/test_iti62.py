"""Remove Metadata through its own door, what others send through it, and what queries and retrievals say then."""

from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from ihe.errors import Rejected
from ihe.exchange import SOAPReply, SOAPRequest
from soap.xml import parse, schema
from xds.iti62 import ITI_62, MOST
from xds.model import AvailabilityStatus
from xds.stored_queries import GET_ALL

RIM = "{urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0}"
LCM = "{urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0}"
BOTH = tuple(AvailabilityStatus)
SUCCESS = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success"
FAILURE = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure"
UNKNOWN = "urn:uuid:11111111-2222-3333-4444-999999999999"


def request(*uuids: str) -> etree._Element:
    root = etree.Element(LCM + "RemoveObjectsRequest")
    references = etree.SubElement(root, RIM + "ObjectRefList")
    for uuid in uuids:
        etree.SubElement(references, RIM + "ObjectRef", id=uuid)
    return root


def answer(body: etree._Element, holdings: Any) -> SOAPReply:
    """What the door does: decode, handle, encode; or refuse."""
    wire = SOAPRequest(body)
    try:
        removed = ITI_62.handle(ITI_62.decode(wire), holdings.registry, holdings.exchange)
        return ITI_62.encode(wire, removed, holdings.exchange)
    except Rejected as rejected:
        return ITI_62.refuse(wire, rejected, holdings.exchange)


def outcome(body: etree._Element, holdings: Any) -> tuple[str | None, set[str | None]]:
    response = parse(b"".join(answer(body, holdings).body))
    return response.get("status"), {each.get("errorCode") for each in response.iterfind(".//{*}RegistryError")}


def test_success_and_failure_are_valid_answers(administrator: Any, holdings: Any, shared: Path) -> None:
    rs = schema(shared / "schemas/ebRS/rs.xsd")
    for uuids in ([UNKNOWN], administrator.ids().values()):
        rs.assertValid(parse(b"".join(answer(request(*uuids), holdings).body)))
    assert administrator.ids() == {}


def test_an_error_names_the_object_in_its_context(administrator: Any, holdings: Any) -> None:
    ids = administrator.ids()
    response = parse(b"".join(answer(request(ids["SS1-DE1"]), holdings).body))
    (error,) = response.iterfind(".//{*}RegistryError")
    assert ids["DE1"] in str(error.get("codeContext"))
    assert "3.62.4.1.3" in str(error.get("codeContext"))


def test_a_request_that_names_nothing_fails(holdings: Any) -> None:
    assert outcome(request(), holdings) == (FAILURE, {"XDSRegistryError"})


def test_a_query_removes_nothing(administrator: Any, holdings: Any) -> None:
    body = request(*administrator.ids().values())
    body.insert(0, etree.Element(RIM + "AdhocQuery", id="urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d"))
    assert outcome(body, holdings) == (FAILURE, {"XDSRegistryError"})
    assert len(administrator.ids()) == 7


@pytest.mark.parametrize(("scope", "status"), [("DeleteAll", SUCCESS), ("DeleteRepositoryItemOnly", FAILURE)])
def test_a_deletion_scope_other_than_the_default_is_refused(
    scope: str, status: str, administrator: Any, holdings: Any
) -> None:
    body = request(*administrator.ids().values())
    body.set("deletionScope", f"urn:oasis:names:tc:ebxml-regrep:DeletionScopeType:{scope}")
    assert outcome(body, holdings)[0] == status


def test_a_request_is_bounded(holdings: Any) -> None:
    assert outcome(request(*[UNKNOWN] * (MOST + 1)), holdings) == (FAILURE, {"XDSRegistryError"})


def test_what_was_removed_is_in_no_answer(administrator: Any, holdings: Any, patient: Any) -> None:
    administrator.remove("DE1", "SS1-DE1", "FD1-DE1", "SS1-(FD1-DE1)")
    statuses: dict[str, Any] = {f"XDS{kind}Status": BOTH for kind in ("DocumentEntry", "SubmissionSet", "Folder")}
    found = holdings.ask(GET_ALL, patientId=(patient,), MetadataLevel=(2,), **statuses)
    assert sorted(type(each).__name__ for each in found) == ["Association", "Folder", "SubmissionSet"]


SAMPLES = {
    "ihe_RemoveMetadataRequest_SOAP.xml": "four objects that this registry does not have",
    "nist_30000_remove_remove.xml": "the test of an unknown id",
    "nist_30003_remove_remove.xml": "the id is a placeholder of the test engine",
    "nist_30003_remove_remove_fd_and_de.xml": "the ids are placeholders of the test engine",
    "xcasrc_iti62-iti40-request.xml": "an object that this registry does not have",
}


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_are_read_and_what_they_name_is_unknown(name: str, holdings: Any, shared: Path) -> None:
    root = parse((shared / "samples/ITI-62" / name).read_bytes())
    body = next(root.iter(LCM + "RemoveObjectsRequest"))
    assert outcome(body, holdings) == (FAILURE, {"UnresolvedReferenceException"}), SAMPLES[name]


def test_every_sample_has_a_verdict(shared: Path) -> None:
    assert {path.name for path in (shared / "samples/ITI-62").glob("*.xml")} == set(SAMPLES)


def test_nist_removes_a_membership_and_not_all_but_the_set(administrator: Any, holdings: Any, shared: Path) -> None:
    """The form of 30003: with our ids for its placeholders its three steps end as its test plan says."""
    ids = administrator.ids()
    text = (shared / "samples/ITI-62/nist_30003_remove_remove_fd_and_de.xml").read_text()
    names = {"Document01": "DE1", "Folder01": "FD1", "SS2DocHMAssoc": "SS1-DE1", "SS2FolHMAssoc": "SS1-FD1"}
    names |= {"SS2FDDEHMAssoc": "SS1-(FD1-DE1)", "Fol2DocAssoc": "FD1-DE1"}
    for placeholder, name in names.items():
        text = text.replace(f"${placeholder}$", ids[name])
    assert outcome(parse(text.encode()), holdings) == (FAILURE, {"XDSUnreferencedObjectException"})
    assert outcome(request(ids["SS1"]), holdings) == (FAILURE, {"ReferencesExistException"})
    assert outcome(request(ids["FD1-DE1"], ids["SS1-(FD1-DE1)"]), holdings) == (SUCCESS, set())
