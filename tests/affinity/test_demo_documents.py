"""The demonstration's documents are what they claim to be."""

from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from affinity.demo.documents import Report, Subject, cda, pdf
from conformance.validating import validate
from conformance.validators.context import Context

SUBJECT = Subject(local_id="4711", local_oid="1.2.3", family="Weber", given="Léa", birth_date="19870412", sex="F")
REPORT = Report(unique_id="1.2.3.4", subject=SUBJECT, laboratory="Labo", laboratory_oid="1.2.4", time="20261101080000")


@pytest.fixture
def schema(shared: Path) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(shared / "schemas/CDA/cdar2/infrastructure/cda/CDA.xsd")))


@pytest.mark.parametrize("family", ["Weber", 'Weber & <Cie> "Nord"'])
def test_the_report_is_a_valid_cda_document(schema: etree.XMLSchema, family: str) -> None:
    document = etree.fromstring(cda(replace(REPORT, subject=replace(SUBJECT, family=family))))
    schema.assertValid(document)
    assert document.findtext(".//{urn:hl7-org:v3}family") == family


def test_nothing_is_found_in_the_report() -> None:
    assert validate(cda(REPORT), Context()).findings == ()


def test_the_pdf_points_to_each_of_its_objects() -> None:
    file = pdf(replace(REPORT, laboratory="Labo (Nord)"))
    table = int(file.split(b"startxref\n")[1].split()[0])
    offsets = [int(line[:10]) for line in file[table:].split(b"\n")[3:8]]
    assert [file[offset : offset + 7] for offset in offsets] == [b"%d 0 obj" % number for number in range(1, 6)]
    assert rb"Labo \(Nord\)" in file
