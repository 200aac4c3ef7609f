"""CDA documents: one good document, one change, one finding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from conformance.validating import validate
from conformance.validators.context import Context
from tests.conformance.mutations import mutations

ANY = Context()
REPORT = """<?xml version="1.0"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
  <templateId root="1.3.6.1.4.1.19376.1.3.3"/>
  <id root="2.999.7"/>
  <code code="11502-2" codeSystem="2.16.840.1.113883.6.1"/>
  <effectiveTime value="20261126090000+0000"/>
  <confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25"/>
  <languageCode code="fr-LU"/>
  <recordTarget><patientRole><id root="2.999.1" extension="P-1"/></patientRole></recordTarget>
  <author><time value="20261126"/><assignedAuthor><id root="2.999.2"/></assignedAuthor></author>
  <custodian><assignedCustodian><representedCustodianOrganization><id root="2.999.2"/>
  </representedCustodianOrganization></assignedCustodian></custodian>
  <participant typeCode="REF"><templateId root="1.3.6.1.4.1.19376.1.3.3.1.6"/>
    <associatedEntity classCode="PROV"/></participant>
  <component><structuredBody><component><section>
    <templateId root="1.3.6.1.4.1.19376.1.3.3.2.1"/>
    <code code="18719-5" codeSystem="2.16.840.1.113883.6.1"/>
    <component><section>
      <templateId root="1.3.6.1.4.1.19376.1.3.3.2.2"/>
      <code code="26436-6" codeSystem="2.16.840.1.113883.6.1"/>
      <text><paragraph ID="k">Potassium 4.1<footnoteRef IDREF="f"/></paragraph><footnote ID="f">sic</footnote></text>
      <entry><templateId root="1.3.6.1.4.1.19376.1.3.1"/><act classCode="ACT" moodCode="EVN">
        <code code="18719-5" codeSystem="2.16.840.1.113883.6.1"/>
        <text><reference value="#k"/></text>
        <statusCode code="completed"/>
      </act></entry>
    </section></component>
  </section></component></structuredBody></component>
</ClinicalDocument>
"""
BODY = REPORT[REPORT.index("<component>") : REPORT.index("</ClinicalDocument>")]
PDF = '<text mediaType="application/pdf" representation="B64">JVBERg==</text>'
SCAN = REPORT.replace('<templateId root="1.3.6.1.4.1.19376.1.3.3"/>', "").replace(
    BODY, f"<component><nonXMLBody>{PDF}</nonXMLBody></component>"
)


def found(text: str) -> list[str]:
    return [f"{each.level} {each.location}" for each in validate(text.encode(), ANY).findings]


@pytest.mark.parametrize("document", [REPORT, SCAN])
def test_nothing_is_found_in_a_good_document(document: str) -> None:
    assert found(document) == []


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ('root="2.16.840.1.113883.1.3"', 'root="2.999"', "SHALL /ClinicalDocument/typeId"),
        ('value="20261126090000', 'value="20261326090000', "SHALL /ClinicalDocument/effectiveTime/@value"),
        ('value="20261126"', 'value="20261126" nullFlavor="UNK"', "SHALL /ClinicalDocument/author/time/@nullFlavor"),
        ('codeSystem="2.16.840.1.113883.5.25"', "", "SHOULD /ClinicalDocument/confidentialityCode/@codeSystem"),
        ('"fr-LU"', '"fr_LU"', "SHALL /ClinicalDocument/languageCode/@code"),
        ('<id root="2.999.1" extension="P-1"/>', "", "SHALL /ClinicalDocument/recordTarget/patientRole/id"),
        ('ID="f"', 'ID="k"', "SHALL "),
        ('IDREF="f"', 'IDREF="g"', "SHALL "),
        ('"#k"', '"#l"', "SHOULD "),
        ("<paragraph", "<marquee/><paragraph", "SHALL "),
        ('typeCode="REF"', 'typeCode="IND"', "SHALL /ClinicalDocument/participant/templateId/@root"),
        ("19376.1.3.3.2.1", "19376.1.3.3.2.9", "SHALL /ClinicalDocument/component"),
        ("19376.1.3.3.2.2", "19376.1.3.3.2.9", "SHALL "),
        ('<templateId root="1.3.6.1.4.1.19376.1.3.1"/>', "", "SHALL "),
        ("<component><section>\n      <t", "<text>x</text><component><section>\n      <t", "SHALL "),
        ('<code code="26436-6" codeSystem="2.16.840.1.113883.6.1"/>', "", "SHALL "),
    ],
)
def test_one_change_is_one_finding(old: str, new: str, where: str) -> None:
    assert old in REPORT
    told = found(REPORT.replace(old, new, 1))
    assert told and all(each.startswith(where) for each in told)
    assert len(told) == 1 or where == "SHALL "


@pytest.mark.parametrize(
    ("old", "new", "level"),
    [
        ("JVBERg==", "", "SHALL"),
        ("JVBERg==", "JVBERg=", "SHALL"),
        ('mediaType="application/pdf" ', "", "SHOULD"),
    ],
)
def test_an_encapsulated_body_holds_what_it_says(old: str, new: str, level: str) -> None:
    assert found(SCAN.replace(old, new)) == [
        f"{level} /ClinicalDocument/component/nonXMLBody/text" + ("/@mediaType" if level == "SHOULD" else "")
    ]


def test_an_extension_is_no_deviation() -> None:
    extended = REPORT.replace("<patientRole>", '<patientRole xmlns:s="urn:hl7-org:sdtc" s:x="1"><s:y/>')
    assert found(extended) == []


@given(st.data())
def test_no_changed_document_breaks_a_validator(data: st.DataObject) -> None:
    root = etree.fromstring(REPORT.encode())
    every = list(mutations(root))
    validate(etree.tostring(every[data.draw(st.integers(0, len(every) - 1))].of(root)), ANY)
