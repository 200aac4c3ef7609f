"""The identity feed of HL7 v3 at the Document Registry of a real node: who is fed there may have documents."""

from affinity.client import xds
from affinity.client.stored_queries import find_query, slots
from ihe.transactions import SOAPBinding
from pix.iti44_registry import ITI_44_REGISTRY
from soap.client import SOAPClient
from soap.xml import parse, serialize
from tests.end_to_end.conftest import RunningNode
from tests.pix.v3.desk import MESSAGES
from xds.iti18 import ITI_18

RED = "1.3.6.1.4.1.21367.13.20.1000"
PATIENT = f"V3-1^^^&{RED}&ISO"


def documents(node: RunningNode) -> str | None:
    """What the registry says of the patient's documents: its status, or the error code."""
    query = find_query("FindDocuments")
    (binding,) = ITI_18.bindings
    assert isinstance(binding, SOAPBinding)
    body = xds.stored_query(query.id, slots(query, PATIENT, (), ()))
    answer = SOAPClient(url=node.url("/xds/registry")).call(binding, [body]).body
    codes = [code for each in answer.iter() if (code := each.get("errorCode"))]
    return codes[0] if codes else answer.get("status", "").rpartition(":")[2]


def test_a_patient_who_is_fed_to_the_registry_is_known_there(connectathon: RunningNode) -> None:
    assert documents(connectathon) == "XDSUnknownPatientId"
    added = (MESSAGES / "iti44_added.xml").read_text()
    message = added.replace('root="2.25.999.1" extension="H-1"', f'root="{RED}" extension="V3-1"')
    binding = ITI_44_REGISTRY.bindings[0]
    assert isinstance(binding, SOAPBinding)
    answer = SOAPClient(url=connectathon.url("/xds/registry")).call(binding, [serialize(parse(message.encode()))]).body
    assert [each.get("code") for each in answer.iter("{urn:hl7-org:v3}typeCode")] == ["CA"]
    assert documents(connectathon) == "Success"
