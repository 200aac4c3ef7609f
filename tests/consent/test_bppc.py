"""Acknowledgements of BPPC: one good document, one change, one verdict (ITI TF-3: 5.1)."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from consent import bppc
from consent.statements import Period, PolicyId, Statement
from ihe.datatypes import CX, HD
from ihe.errors import ErrorCode, Rejected

GOOD = (Path(__file__).parent / "bppc.xml").read_text()
POLICY = PolicyId("share", "2.25.46")


def changed(old: str, new: str) -> bytes:
    assert old in GOOD
    return GOOD.replace(old, new).encode()


def test_the_golden_document_is_valid_and_read_as_it_says(shared: Path) -> None:
    schema = shared / "schemas/CDA/cdar2/infrastructure/cda/CDA.xsd"
    etree.XMLSchema(etree.parse(schema)).assertValid(etree.fromstring(GOOD))
    document = bppc.read(GOOD.encode())
    year = Period(datetime(2026, 1, 2, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    assert document.statements == (Statement(rule=POLICY, period=year),)
    assert document.patients == (CX("L-1", HD("", "1.3.6.1.4.1.21367.13.20.3000", "ISO")),)
    assert (document.id, document.description) == ("2.25.44^7", "Consent to Share Information")
    assert document.written == datetime(2026, 1, 2, 8, 30, tzinfo=UTC)


def test_a_document_with_a_scanned_part_says_the_same() -> None:
    scanned = bppc.read(changed("1.3.6.1.4.1.19376.1.5.3.1.1.7", "1.3.6.1.4.1.19376.1.5.3.1.1.7.1"))
    assert scanned == bppc.read(GOOD.encode())


def test_without_a_high_the_consent_has_no_end() -> None:
    (statement,) = bppc.read(changed('<high value="20261231"/>', "")).statements
    assert statement.period.end is None


def test_other_service_events_are_no_acknowledgements() -> None:
    other = '<documentationOf><serviceEvent classCode="PCPR"/></documentationOf><documentationOf typeCode="DOC">'
    assert bppc.read(changed('<documentationOf typeCode="DOC">', other)) == bppc.read(GOOD.encode())


REFUSED = {
    "another document": ('"urn:hl7-org:v3"', '"urn:x"', "The root of a BPPC document"),
    "no template": ('root="1.3.6.1.4.1.19376.1.5.3.1.1.7"', 'root="1.2.3"', "A BPPC document names its template"),
    "no acknowledgement": ("1.3.6.1.4.1.19376.1.5.3.1.2.6", "1.2.3", "A BPPC document has a serviceEvent"),
    "an intention": (
        'classCode="ACT" moodCode="EVN"',
        'classCode="ACT" moodCode="INT"',
        "An acknowledgement is an ACT",
    ),
    "no policy": ('code="share" ', "", "An acknowledgement has the code"),
    "a policy of nobody": ('codeSystem="2.25.46"', 'codeSystem="ours"', "An acknowledgement has the code"),
    "no beginning": ('<low value="20260102"/>', "", "The effectiveTime has a low"),
    "an unknown end": ('<high value="20261231"/>', '<high nullFlavor="UNK"/>', "The effectiveTime has a low"),
    "a day that is none": ("20261231", "20261331", "The effectiveTime has a low"),
    "a width": ('<high value="20261231"/>', '<width value="1" unit="a"/>', "The effectiveTime has a low"),
    "two patients": (
        "<recordTarget>",
        "<recordTarget><patientRole/></recordTarget><recordTarget>",
        "A consent is that",
    ),
    "a DTD": ("<ClinicalDocument", '<!DOCTYPE a [<!ENTITY b "c">]><ClinicalDocument', "A consent is well-formed XML"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_breaks_the_specification_is_refused_and_named(name: str) -> None:
    old, new, text = REFUSED[name]
    with pytest.raises(Rejected) as caught:
        bppc.read(changed(old, new))
    assert caught.value.codes == {ErrorCode.INVALID_DOCUMENT_CONTENT}
    assert any(each.text.startswith(text) for each in caught.value.breaches), caught.value.breaches


def test_acknowledgements_of_one_document_have_one_time() -> None:
    event = GOOD[GOOD.index("<documentationOf") : GOOD.index("<component>")]
    with pytest.raises(Rejected) as caught:
        bppc.read(changed(event, event + event.replace("20261231", "20271231")))
    assert "one effectiveTime" in caught.value.breaches[0].text


@given(moment=st.datetimes(datetime(1900, 1, 1), datetime(2999, 1, 1)), digits=st.sampled_from((4, 6, 8, 10, 12, 14)))
def test_a_time_of_any_precision_covers_the_moment_it_was_cut_from(moment: datetime, digits: int) -> None:
    text = moment.strftime("%Y%m%d%H%M%S")[:digits]
    (statement,) = bppc.read(changed('20260102"/>', f'{text}"/>').replace(b"20261231", text.encode())).statements
    assert statement.period.start and statement.period.end
    assert statement.period.start <= moment.replace(tzinfo=UTC) < statement.period.end
