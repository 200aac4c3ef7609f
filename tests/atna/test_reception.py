"""Our Audit Record Repository: what becomes of every message that others send, good or bad (ITI TF-2: 3.20.4.1.3)."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atna import dicom
from atna.compact import unpack
from atna.entries import Subject, number
from atna.model import AuditSource
from atna.reception import Arrival, Reception, Transport, receive
from atna.syslog import SyslogMessage, encode
from tests.atna.test_atna_dicom import GOOD

NODE = AuditSource(id="arr.example")
NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
HEADER = b"<85>1 2026-03-01T08:59:59Z sender app 7 IHE+RFC-3881 - "

OLD_CODES = "codes are in the attribute code of RFC 3881, not in csd-code"
HALF = "a code lacks codeSystemName or originalText (ITI TF-2: 3.20.7.1.3)"
SILENT = "an ActiveParticipant lacks UserIsRequestor"
OLD_SOURCE = "AuditSourceIdentification has the attribute code of RFC 3881, not AuditSourceTypeCode"
NOT_ONE = "the root element is not AuditMessage"

SAMPLES = {
    "ehdsi_application-start.xml": ("110120", f"{OLD_CODES}; {HALF}"),
    "ehdsi_create-patient-record.xml": ("ITI-8", f"{OLD_CODES}; {HALF}"),
    "ehdsi_hcpauthenticationauditmessage.xml": ("ITI-40", None),
    "ehdsi_patientserviceretrievetauditmessage.xml": ("ITI-39", None),
    "epd_iti-18-log.xml": ("ITI-18", SILENT),
    "epd_iti-41-log.xml": ("ITI-41", f"{SILENT}; {OLD_SOURCE}"),
    "epd_iti-45-log.xml": ("ITI-45", None),
    "ihe_ITI-62_DocumentAdministrator_audit_message.xml": ("unreadable-audit-record", NOT_ONE),
    "ihe_ITI-62_DocumentRegistry_audit_message.xml": ("unreadable-audit-record", NOT_ONE),
    "ipf_pdq.xml": ("ITI-21", None),
    "ipf_pdqv3.xml": ("ITI-47", None),
    "ipf_pixfeed.xml": ("ITI-8", None),
    "ipf_pixfeedmerge.xml": ("ITI-8", None),
    "ipf_pixquery.xml": ("ITI-9", None),
    "ipf_pixv3feed.xml": ("ITI-44", None),
    "ipf_pixv3query.xml": ("ITI-45", None),
    "ipf_start.xml": ("110120", None),
    "ipf_xcpd.xml": ("ITI-55", None),
}
"""Every sample: the event as which it is stored, and what is noted to be wrong with it."""


def arrived(data: bytes, complaint: str | None = None) -> Arrival:
    return Arrival(
        data=data, at=NOW, peer="CN=sender", address="10.0.0.1", transport=Transport.TLS, complaint=complaint
    )


def kept(reception: Reception) -> bytes:
    return unpack(reception.entry.message)


def test_every_sample_is_in_the_table(shared: Path) -> None:
    assert {each.name for each in (shared / "samples" / "ATNA").iterdir()} == set(SAMPLES)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_stored_as_the_table_says(shared: Path, name: str) -> None:
    sample = (shared / "samples" / "ATNA" / name).read_bytes()
    reception = receive(arrived(HEADER + sample), NODE)
    event, complaint = SAMPLES[name]
    assert (reception.entry.event, reception.complaint) == (event, complaint)
    if complaint != NOT_ONE:
        assert kept(reception) == sample
        assert reception.header == HEADER
    else:
        assert dicom.read(kept(reception)).objects[0].details[0].value == HEADER + sample


@given(data=st.binary(max_size=300) | st.binary(max_size=50).map(lambda each: HEADER + GOOD[:200] + each))
def test_whatever_comes_is_kept_whole(data: bytes) -> None:
    reception = receive(arrived(data), NODE)
    message = dicom.read(kept(reception))
    if reception.entry.event == "unreadable-audit-record":
        assert message.objects[0].details[0].value == data
        assert reception.complaint
    else:
        assert kept(reception) in data


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (GOOD, "no PRI"),
        (HEADER, "not well-formed"),
        (HEADER + b"su: root on tty1", "not well-formed"),
        (HEADER + GOOD[:-30], "not well-formed"),
        (HEADER + b"<!DOCTYPE a>" + GOOD, "document type declaration"),
        (HEADER + GOOD.replace(b"2012-01-01T00:00:00Z", b"0001-01-01T00:00:00+14:00"), "cannot be read"),
    ],
)
def test_what_is_no_audit_message_is_kept_and_says_why(data: bytes, complaint: str) -> None:
    reception = receive(arrived(data), NODE)
    assert reception.entry.event == "unreadable-audit-record"
    assert complaint in (reception.complaint or "")
    message = dicom.read(kept(reception))
    assert message.event.outcome_description == reception.complaint
    assert message.participants[0].user_id == "CN=sender"
    assert message.source.id == "arr.example"


def test_what_is_known_of_the_frame_and_what_is_read_are_both_noted() -> None:
    reception = receive(arrived(HEADER + GOOD + b"\n\0", "longer than allowed"), NODE)
    assert reception.complaint == "longer than allowed; NUL bytes after the message"


def test_a_patient_is_found_whatever_stands_beside_the_id(shared: Path) -> None:
    sample = (shared / "samples" / "ATNA" / "ehdsi_create-patient-record.xml").read_bytes()
    made = receive(arrived(encode(SyslogMessage(content=sample))), NODE).entry
    assert made.patient == number(Subject.PATIENT, "101^^^&1.3.6.1.4.1.21367.2010.1.2.300&ISO")
