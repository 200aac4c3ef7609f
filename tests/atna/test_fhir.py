"""AuditEvent: what is written reads the same, and stands where ITI-20 and ITI-81 look for it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atna import dicom
from atna.fhir import NotAnAuditEvent, read, write
from atna.model import AuditMessage, AuditSource, Detail
from ihe.audit import ParticipantObject
from ihe.datatypes import Code
from tests.atna.test_atna_dicom import GOOD, MESSAGES, displays, foreign


def normal(message: AuditMessage) -> AuditMessage:
    """As FHIR can say it: no empty strings, no empty codes, DICOM's role first."""
    return replace(
        message,
        event=_filled(message.event),
        participants=tuple(map(_filled, message.participants)),
        source=replace(_filled(message.source), id=message.source.id),
        objects=tuple(map(_filled, message.objects)),
    )


def _filled(value: Any) -> Any:
    return replace(value, **{name: _said(name, getattr(value, name)) for name in value.__slots__})


def _said(name: str, value: Any) -> Any:
    if isinstance(value, Code):
        return value if value.code else Code("x", value.scheme, value.display)
    if name == "roles":
        return tuple(sorted((_said("", each) for each in value), key=lambda each: each.scheme != "DCM"))
    if isinstance(value, tuple):
        return tuple(_said("", each) for each in value)
    if isinstance(value, Detail):
        return Detail("" if value.type == "-" else value.type, value.value)
    return None if value in ("", b"") and name != "user_id" else value


@settings(max_examples=200)
@given(sent=MESSAGES.map(normal))
def test_what_is_written_reads_the_same(sent: AuditMessage) -> None:
    received = read(write(sent))
    assert received == sent
    assert displays(received) == displays(sent)


SCHEMES = [
    "DCM",
    "IHE Transactions",
    "RFC-3881",
    "1.0.14265.1",
    "urn:oid:1.2.3",
    "http://x.org/cs",
    "HealthShare",
    "urn:ihe",
]
IDS = [
    "a^^^&1.2.3&ISO",
    "a^^^NS&1.2.3&ISO^PI",
    "a^^^NS&&ISO",
    "a^^^&http://x.org/p&URI",
    "a^^^&urn:oid:1.2&URI",
    "1.2^3",
    "urn:oid:1.2",
]


@given(
    scheme=st.sampled_from(SCHEMES),
    id=st.sampled_from(IDS),
)
def test_every_way_to_name_a_scheme_and_an_id_comes_back(scheme: str, id: str) -> None:
    sent = replace(dicom.read(GOOD), objects=(ParticipantObject(id=id, id_type=Code("2", scheme, "Patient Number")),))
    assert read(write(sent)) == sent


@pytest.mark.parametrize("name", foreign())
def test_messages_of_other_systems_say_the_same_in_fhir(shared: Path, name: str) -> None:
    message = normal(dicom.read((shared / "samples" / "ATNA" / name).read_bytes()))
    assert read(write(message)) == message


def test_a_patient_id_stands_where_a_search_looks_for_it(shared: Path) -> None:
    message = dicom.read((shared / "samples" / "ATNA" / "ehdsi_create-patient-record.xml").read_bytes())
    written = write(message, id="7")
    assert list(written) == [
        "resourceType",
        "id",
        "type",
        "subtype",
        "action",
        "recorded",
        "outcome",
        "agent",
        "source",
        "entity",
    ]
    assert written["type"] == {
        "system": "http://dicom.nema.org/resources/ontology/DCM",
        "code": "110110",
        "display": "Patient Record",
    }
    assert written["subtype"][0]["system"] == "urn:ihe:event-type-code"
    assert written["recorded"] == "2009-10-22T11:23:45.530Z"
    patient = written["entity"][0]["what"]
    assert patient["type"] == "Patient"
    assert patient["identifier"]["system"] == "urn:oid:1.3.6.1.4.1.21367.2010.1.2.300"
    assert patient["identifier"]["value"] == "101"
    assert written["agent"][1]["type"]["coding"][0]["code"] == "110152"
    assert written["agent"][1]["role"][0]["coding"][0]["code"] == "110153"
    assert written["agent"][1]["network"] == {"address": "xds-ibm.lgs.com", "type": "1"}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"resourceType": "Patient"}, "no AuditEvent"),
        ({"recorded": "2026-01-01T00:00:00"}, "recorded"),
        ({"recorded": 7}, "wrong kind"),
        ({"outcome": "5"}, "outcome"),
        ({"action": "X"}, "action"),
        ({"agent": [{}]}, "requestor"),
        ({"source": {}}, "observer"),
        ({"type": None}, "wrong kind"),
        ({"type": {"code": {}}}, "wrong kind: AuditEvent.type.code"),
        ({"agent": [{"requestor": True, "name": []}]}, "wrong kind: AuditEvent.agent.name"),
        (
            {"entity": [{"detail": [{"type": "x", "valueString": 1}]}]},
            "wrong kind: AuditEvent.entity.detail.valueString",
        ),
        ({"entity": [{"query": "!"}]}, "query"),
    ],
)
def test_what_is_no_audit_event_is_refused_with_what_is_wrong(change: dict[str, Any], complaint: str) -> None:
    good = write(dicom.read(GOOD))
    assert read(good)
    with pytest.raises(NotAnAuditEvent, match=complaint):
        read(good | change)


def test_an_unknown_source_is_no_source() -> None:
    assert read(write(replace(dicom.read(GOOD), source=AuditSource(id="")))).source.id == ""
