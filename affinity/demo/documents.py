"""The two documents of the demonstration: a CDA laboratory report and a PDF of it, about an invented patient."""

from dataclasses import dataclass
from xml.sax.saxutils import escape


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whom a report is about. ``birth_date`` is YYYYMMDD, ``sex`` is F or M."""

    local_id: str
    local_oid: str
    family: str
    given: str
    birth_date: str
    sex: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A laboratory result: potassium, as a physician would get it. Times are YYYYMMDDhhmmss UTC."""

    unique_id: str
    subject: Subject
    laboratory: str
    laboratory_oid: str
    time: str
    value: str = "4.1"


def cda(report: Report) -> bytes:
    """Render a CDA R2 laboratory report with one coded section (HL7 CDA R2; body as XD-LAB orders it)."""
    return CDA.format(**_texts(report)).encode()


def pdf(report: Report) -> bytes:
    """Render the same result as a one-page PDF 1.4 file."""
    text = _texts(report)
    lines = (
        f"{text['laboratory']} - Laboratory report",
        f"Patient: {text['family']} {text['given']}, born {text['birth_date']}, {text['sex']}",
        f"Potassium [Moles/volume] in serum: {text['value']} mmol/L   (3.5 - 5.1)",
    )
    shown = "".join(f"({_pdf_escape(line)}) Tj 0 -22 Td " for line in lines)
    stream = f"BT /F1 13 Tf 60 780 Td {shown}ET".encode("latin-1", "replace")
    return _pdf_file(stream)


def _texts(report: Report) -> dict[str, str]:
    subject = report.subject
    values = {name: getattr(subject, name) for name in subject.__slots__}
    values |= {name: getattr(report, name) for name in report.__slots__ if name != "subject"}
    return {name: escape(value, {'"': "&quot;"}) for name, value in values.items()}


def _pdf_escape(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def _pdf_file(stream: bytes) -> bytes:
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    )
    file, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(file)
    return file + b"xref\n0 6\n0000000000 65535 f \n" + table + trailer


CDA = """<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <realmCode code="LU"/>
  <typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
  <templateId root="1.3.6.1.4.1.19376.1.3.3"/>
  <id root="{unique_id}"/>
  <code code="11502-2" codeSystem="2.16.840.1.113883.6.1" displayName="Laboratory report"/>
  <title>Laboratory report</title>
  <effectiveTime value="{time}+0000"/>
  <confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25"/>
  <languageCode code="fr-LU"/>
  <recordTarget>
    <patientRole>
      <id root="{local_oid}" extension="{local_id}"/>
      <patient>
        <name><given>{given}</given><family>{family}</family></name>
        <administrativeGenderCode code="{sex}" codeSystem="2.16.840.1.113883.5.1"/>
        <birthTime value="{birth_date}"/>
      </patient>
    </patientRole>
  </recordTarget>
  <author>
    <time value="{time}+0000"/>
    <assignedAuthor>
      <id root="{laboratory_oid}" extension="GLIMS"/>
      <assignedAuthoringDevice><softwareName>GLIMS</softwareName></assignedAuthoringDevice>
      <representedOrganization><id root="{laboratory_oid}"/><name>{laboratory}</name></representedOrganization>
    </assignedAuthor>
  </author>
  <custodian>
    <assignedCustodian>
      <representedCustodianOrganization>
        <id root="{laboratory_oid}"/>
        <name>{laboratory}</name>
      </representedCustodianOrganization>
    </assignedCustodian>
  </custodian>
  <component>
    <structuredBody>
      <component>
        <section>
          <templateId root="1.3.6.1.4.1.19376.1.3.3.2.1"/>
          <code code="18719-5" codeSystem="2.16.840.1.113883.6.1" displayName="Chemistry studies (set)"/>
          <title>Chemistry</title>
          <text>
            <table>
              <thead><tr><th>Analysis</th><th>Result</th><th>Unit</th><th>Reference</th></tr></thead>
              <tbody><tr><td>Potassium</td><td>{value}</td><td>mmol/L</td><td>3.5 - 5.1</td></tr></tbody>
            </table>
          </text>
          <entry typeCode="DRIV">
            <templateId root="1.3.6.1.4.1.19376.1.3.1"/>
            <act classCode="ACT" moodCode="EVN">
              <code code="18719-5" codeSystem="2.16.840.1.113883.6.1" displayName="Chemistry studies (set)"/>
              <statusCode code="completed"/>
              <entryRelationship typeCode="COMP">
                <observation classCode="OBS" moodCode="EVN">
                  <templateId root="1.3.6.1.4.1.19376.1.3.1.6"/>
                  <code code="2823-3" codeSystem="2.16.840.1.113883.6.1" displayName="Potassium"/>
                  <statusCode code="completed"/>
                  <effectiveTime value="{time}+0000"/>
                  <value xsi:type="PQ" value="{value}" unit="mmol/L"/>
                </observation>
              </entryRelationship>
            </act>
          </entry>
        </section>
      </component>
    </structuredBody>
  </component>
</ClinicalDocument>
"""
