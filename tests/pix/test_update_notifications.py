"""The messages of ITI-10 and ITI-46 as others see them: hl7apy, the official schema and WSDL, a foreign sample."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lxml.etree import _Element

from hl7v2.er7 import parse, serialize
from hl7v2.message import Message
from ihe.datatypes import CX, HD
from ihe.domain import AffinityDomain
from ihe.identifiers import PatientKey
from ihe.transactions import SOAPBinding
from mllp.validation import Validator
from pix.iti10 import Route, update_person_information
from pix.iti46 import ITI_46, Devices, record_revised
from pix.model import PersonName
from pix.update_notifications import Notification, State
from pix.v3_answers import Community
from soap.xml import parse as parse_xml
from tests.pix.v3.desk import complaints

WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
WSAW = "{http://www.w3.org/2006/05/addressing/wsdl}"
AT = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
TOLD = Notification(
    number=1,
    subscriber="CARD",
    person=PatientKey(1),
    identifiers=(
        CX("1", HD("HOSP", "2.25.999.1", "ISO"), "PI"),
        CX("2&3", HD("HOSP", "2.25.999.1", "ISO")),
        CX("7", HD("CLINIC", "2.25.999.2", "ISO"), "PI"),
    ),
    names=(PersonName(family="Wéber", given="Anna", type_code="L"),),
    message_id="0123456789abcdef0123456789abcdef",
    at=AT,
    state=State.PENDING,
    attempts=0,
    due=AT,
    error=None,
)
ROUTE = Route(application="AFFINITY", facility="AFFINITY", receiving_application="EHR", receiving_facility="EHR_HOSP")


@pytest.fixture
def devices(domain: AffinityDomain) -> Devices:
    return Devices(sender="2.25.1", receiver="2.25.2", community=Community.of(domain))


@pytest.fixture(scope="module")
def validator() -> Iterator[Validator]:
    found = Validator(timeout=60)
    yield found
    found.close()


def told() -> Message:
    return parse(serialize(update_person_information(TOLD, ROUTE)))


def test_the_message_to_the_letter() -> None:
    """ITI TF-2: 3.10.4.1.2.1 to 3.10.4.1.2.4."""
    assert serialize(update_person_information(TOLD, ROUTE)).decode().split("\r") == [
        "MSH|^~\\&|AFFINITY|AFFINITY|EHR|EHR_HOSP|20261123083000+0000||ADT^A31^ADT_A05|0123456789abcdef0123|P|2.5",
        "EVN||20261123083000+0000",
        "PID|||1^^^HOSP&2.25.999.1&ISO^PI~2\\T\\3^^^HOSP&2.25.999.1&ISO~7^^^CLINIC&2.25.999.2&ISO^PI|| ",
        "PV1||N",
        "",
    ]


def test_hl7apy_misses_the_name_that_ihe_does_not_want_and_nothing_else(validator: Validator) -> None:
    """To it "a single space character" in PID-5 (ITI TF-2: 3.10.4.1.2.3) is nothing."""
    assert [each.location for each in validator.check(told())] == ["PID^1^5"]
    named = serialize(told()).replace(b"|| \r", b"||Weber\r")
    assert validator.check(parse(named)) == ()


def test_a_foreign_sample_has_the_same_fields(shared: Path) -> None:
    """Another manager's message: what it fills, we fill, but EVN-1, which is optional (Table C.2.4-1)."""
    sample = parse((shared / "samples/ITI-10/ipf_adt-a31-1.hl7").read_bytes().strip().replace(b"\n", b"\r"))
    ours = told()
    assert [each.name for each in ours.segments] == [each.name for each in sample.segments]
    for theirs in sample.segments:
        filled = [number for number in range(1, len(theirs.fields) + 1) if theirs.raw(number).strip()]
        assert [number for number in filled if not ours[theirs.name].raw(number)] == (
            [1] if theirs.name == "EVN" else []
        )


def revised(devices: Devices, notification: Notification = TOLD) -> _Element:
    return parse_xml(record_revised(notification, devices))


def value(body: _Element, path: str, attribute: str) -> str | None:
    found = body.find("/".join(f"{{*}}{step}" for step in path.split("/")))
    return None if found is None else found.get(attribute)


def test_the_wrappers_are_those_of_the_table(devices: Devices) -> None:
    """ITI TF-2: Table 3.46.4.1.3-1."""
    body = revised(devices)
    assert value(body, "interactionId", "extension") == "PRPA_IN201302UV02"
    assert value(body, "processingModeCode", "code") == "T"
    assert value(body, "acceptAckCode", "code") == "AL"
    assert len(body.findall("{*}receiver/{*}device")) == 1
    assert value(body, "receiver/device/id", "root") == "2.25.2"
    assert value(body, "controlActProcess/code", "code") == "PRPA_TE201302UV02"
    assert value(body, "controlActProcess/subject/registrationEvent/statusCode", "code") == "active"
    assert value(body, "id", "root") == f"2.25.{0x0123456789ABCDEF0123456789ABCDEF}"
    assert next(body.iter("{*}replacementOf", "{*}inReplacementOf"), None) is None


def test_all_ids_are_those_of_the_patient_and_the_name_is_there_to_verify_them(devices: Devices) -> None:
    """ITI TF-2: 3.46.4.1.2.1: then "the OtherIDs class shall not be used"."""
    body = revised(devices)
    patient = "controlActProcess/subject/registrationEvent/subject1/patient"
    ids = body.iterfind("/".join(f"{{*}}{step}" for step in f"{patient}/id".split("/")))
    assert [(each.get("root"), each.get("extension")) for each in ids] == [
        ("2.25.999.1", "1"),
        ("2.25.999.1", "2&3"),
        ("2.25.999.2", "7"),
    ]
    assert value(body, f"{patient}/statusCode", "code") == "active"
    assert body.findtext(".//{*}patientPerson/{*}name/{*}family") == "Wéber"
    assert next(body.iter("{*}asOtherIDs"), None) is None


@pytest.mark.parametrize("names", [TOLD.names, ()], ids=["with a name", "of whom nobody has a name"])
def test_the_official_schema_has_nothing_against_it(
    names: tuple[PersonName, ...], devices: Devices, shared: Path
) -> None:
    assert complaints(revised(devices, replace(TOLD, names=names))) == []


def test_the_official_wsdl_has_our_names(shared: Path) -> None:
    wsdl = parse_xml((shared / "schemas/wsdl/PIXConsumer.wsdl").read_bytes())
    (binding,) = ITI_46.bindings
    assert isinstance(binding, SOAPBinding)
    port_type = wsdl.find(f"{WSDL}portType")
    assert port_type is not None
    operation = port_type.find(f"{WSDL}operation")
    assert operation is not None
    directions = [operation.find(f"{WSDL}{each}") for each in ("input", "output")]
    assert operation.get("name") == binding.operation
    assert [each.get(f"{WSAW}Action") for each in directions if each is not None] == [
        binding.action,
        binding.reply_action,
    ]
