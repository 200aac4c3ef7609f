"""Elements and data types of v3, one by one."""

import pytest

from pix.model import Address, PersonName, Telecom
from pix.v3_datatypes import address, person_name, telecom
from pix.v3_elements import children, location, time_stamp
from soap.xml import parse


def v3(text: str) -> bytes:
    return f'<root xmlns="urn:hl7-org:v3">{text}</root>'.encode()


@pytest.mark.parametrize(
    ("ts", "dtm"),
    [
        ("19800515", "19800515"),
        ("20260101120000.123+0100", "20260101120000"),
        ("202601011200-0500", "202601011200"),
        ("20260101120000.5", "20260101120000"),
        ("20260101+0100", "20260101"),
        ("1985-05", "1985-05"),
        ("198505-0100", "198505-0100"),
    ],
)
def test_a_time_stamp_loses_fraction_and_zone(ts: str, dtm: str) -> None:
    assert time_stamp(ts) == dtm


def test_a_location_numbers_only_what_repeats() -> None:
    root = parse(v3("<a/><b><id/><id/></b><dataSource><value/></dataSource>"))
    assert location(children(root, "b/id")[1]) == "/root/b/id[2]"
    assert location(children(root, "dataSource/value")[0]) == "/root/dataSource[1]/value"


def test_a_location_begins_at_the_message_not_at_its_envelope() -> None:
    envelope = parse(b'<e:Body xmlns:e="urn:e"><m xmlns="urn:hl7-org:v3"><id/></m></e:Body>')
    assert location(envelope[0][0]) == "/m/id"


def test_an_element_with_a_null_flavor_is_no_value() -> None:
    assert len(children(parse(v3('<id nullFlavor="NI"/><id root="1.2"/>')), "id")) == 1


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("<name>Unknown</name>", PersonName(family="Unknown")),
        ('<name use="L"><given>A</given><family>B</family></name>', PersonName(family="B", given="A", type_code="L")),
        ('<name><family qualifier="BR">C</family></name>', PersonName(family="C", type_code="M")),
        ('<name><family>B</family><family qualifier="BR">C</family></name>', PersonName(family="B", own_family="C")),
        ('<name><family>B</family><suffix qualifier="AC">PhD</suffix></name>', PersonName(family="B", degree="PhD")),
        ("<name><family>van\n   der Berg</family></name>", PersonName(family="van der Berg")),
    ],
)
def test_names(written: str, name: PersonName) -> None:
    assert person_name(parse(v3(written))[0]) == name


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (
            "<addr><streetAddressLine>1, rue A</streetAddressLine><streetAddressLine>Bloc B</streetAddressLine></addr>",
            Address(street="1, rue A", other_designation="Bloc B"),
        ),
        (
            '<addr use="WP"><houseNumber>7</houseNumber><streetName>rue C</streetName></addr>',
            Address(street="7 rue C", street_name="rue C", house_number="7", type_code="B"),
        ),
        ("<addr>7, rue C, Esch</addr>", Address(street="7, rue C, Esch")),
    ],
)
def test_addresses(written: str, expected: Address) -> None:
    assert address(parse(v3(written))[0]) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('<t value="tel:+352-1;ext=2" use="HP"/>', Telecom(number="+352-1", use="PRN", equipment="PH", extension="2")),
        ('<t value="tel:621" use="MC"/>', Telecom(number="621", equipment="CP")),
        ('<t value="fax:26" use="WP"/>', Telecom(number="26", use="WPN", equipment="FX")),
        ('<t value="mailto:a%2Bb@example.lu"/>', Telecom(email="a+b@example.lu", use="NET", equipment="Internet")),
        ('<t value="sip:anna"/>', Telecom(number="sip:anna", text="sip:anna")),
    ],
)
def test_telecommunication_addresses(written: str, expected: Telecom) -> None:
    assert telecom(parse(v3(written))[0]) == expected
