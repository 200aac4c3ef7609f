"""Patients are taken out: nothing of them is left, the same becomes the same, and what is left is well-formed."""

import hashlib
import json
import re
import unicodedata
from base64 import b64encode
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from conformance.capture.cutting import cut
from conformance.capture.folder import Capture, read
from conformance.capture.pseudonyms import Kind, Pseudonyms, key_in
from conformance.capture.recorded import Message, Recorded, in_memory
from conformance.capture.redacting import NotRedacted, Redaction, write_redacted
from conformance.capture.spool import Spool
from conformance.exchanges import Wire
from hl7v2.er7 import parse
from ihe.exchange import OutgoingPart
from pix import matricule
from soap.mtom import pack
from soap.xml import parse as parse_xml
from tests.xua.stage import AUDIENCE, ISSUER, make_certificate
from xua.envelope import security_header
from xua.people import DemoRole
from xua.sts import DevelopmentSTS

KEY = b"k" * 32
NATIONAL = matricule.complete("19870412017")
AT = datetime(2026, 4, 1, 12, tzinfo=UTC)
OID = "2.999.1"
FEED = (
    "MSH|^~\\&|LIS|LAB|X|Y|20260401120000+0000||ADT^A28^ADT_A05|M1|P|2.5||||||{charset}\r"
    "EVN||20260401120000+0000||||20260401\r"
    f"PID|||ZK-04711^^^LAB&{OID}&ISO^PI~{NATIONAL}^^^NAT&2.999.2&ISO^NI||Wolter-Étoile^Léonie^Roy^^^^L||19870412|F"
    "|||12, rue du Moulin^^Exempelduerf^^L-9999^LU||+352 621 123456\r"
    "NTE|1||Mme Wolter-Étoile a téléphoné\r"
    "OBX|1|TX|x||le patient tousse beaucoup\r"
    "OBX|2|NM|y||4.1\r"
    "ZPI|1|secret de famille\r"
)
NACK = (
    "MSH|^~\\&|X|Y|LIS|LAB|20260401||ACK|M2|P|2.5\r"
    "MSA|AE|M1\rERR||PID^1^3|204^x^y|E|||ZK-04711 is unknown (Wolter-Étoile?)\r"
)
QUERY = (
    "MSH|^~\\&|LIS|LAB|X|Y|20260401||QBP^Q22^QBP_Q21|M3|P|2.5||||||UNICODE UTF-8\r"
    "QPD|IHE PDQ Query|Q1|@PID.5.1.1^Wolter-Étoile~@PID.3.1^ZK-04711~@PID.7^19870412\rRCP|I\r"
)
V3 = f"""<PRPA_IN201301UV02 xmlns="urn:hl7-org:v3"><id root="2.999.9" extension="1"/><subject1><patient>
<id root="{OID}" extension="ZK-04711"/><patientPerson><name><given>Léonie</given><family>Wolter-Étoile</family></name>
<telecom value="tel:+352621123456"/><birthTime value="19870412"/><addr><city>Exempelduerf</city></addr>
<asOtherIDs><id root="2.999.2" extension="{NATIONAL}"/></asOtherIDs></patientPerson>
<providerOrganization><name>Hôpital</name></providerOrganization></patient></subject1></PRPA_IN201301UV02>"""
EBRIM = f"""<ProvideAndRegisterDocumentSetRequest xmlns="urn:ihe:iti:xds-b:2007"><ExtrinsicObject id="Document01">
<Slot name="sourcePatientId"><ValueList><Value>ZK-04711^^^&amp;{OID}&amp;ISO</Value></ValueList></Slot>
<Slot name="hash"><ValueList><Value>{{sha1}}</Value></ValueList></Slot>
<Slot name="sourcePatientInfo"><ValueList><Value>PID-3|ZK-04711^^^&amp;{OID}&amp;ISO</Value>
<Value>PID-5|Wolter-Étoile^Léonie^Roy</Value><Value>PID-7|19870412</Value><Value>PID-8|F</Value></ValueList></Slot>
<Slot name="authorPerson"><ValueList><Value>77^Okonska^Mila</Value></ValueList></Slot>
<Name><LocalizedString value="Bericht Wolter-Étoile"/></Name>
<ExternalIdentifier identificationScheme="urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427"
 value="ZK-04711^^^&amp;{OID}&amp;ISO"/></ExtrinsicObject></ProvideAndRegisterDocumentSetRequest>"""
CDA = f"""<ClinicalDocument xmlns="urn:hl7-org:v3"><recordTarget><patientRole><id root="{OID}" extension="ZK-04711"/>
<patient><name><given>Léonie</given><family>Wolter-Étoile</family></name><birthTime value="19870412"/></patient>
</patientRole></recordTarget><component><section><text>Kalium 4.1</text></section></component></ClinicalDocument>"""
REAL = ("Wolter", "Étoile", "Léonie", "Roy", "19870412", "ZK-04711", NATIONAL, "Moulin", "Exempelduerf", "L-9999")


def er7(text: str, charset: str = "UNICODE UTF-8", codec: str = "utf-8") -> Message:
    return Message(head=b"", text=in_memory(text.replace("{charset}", charset).encode(codec)))


def envelope(body: str, security: bytes = b"") -> bytes:
    soap = "http://www.w3.org/2003/05/soap-envelope"
    return (
        f'<e:Envelope xmlns:e="{soap}"><e:Header>'.encode()
        + security
        + f"</e:Header><e:Body>{body}</e:Body></e:Envelope>".encode()
    )


def over_http(body: bytes, content_type: str = "application/soap+xml; charset=UTF-8") -> Message:
    head = f"POST /x?id=ZK-04711 HTTP/1.1\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return cut(head.encode(), BytesIO(body), Spool())


def submission(document: bytes) -> Message:
    text = EBRIM.replace("{sha1}", hashlib.sha1(document).hexdigest())
    part = OutgoingPart(content_id="1@x", media_type="text/xml", size=len(document), chunks=lambda: iter((document,)))
    content_type, _, chunks = pack(envelope(text), [part], "urn:x")
    return over_http(b"".join(chunks), content_type)


def recorded(number: int, request: Message, answer: Message | None = None) -> Recorded:
    return Recorded(
        number=number,
        wire=Wire.HTTP if request.head else Wire.MLLP,
        transaction=None,
        initiator="client",
        responder="server",
        endpoint=1,
        connection=1,
        began=AT,
        seconds=0,
        request=request,
        answer=answer,
    )


def assertion() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    sts = DevelopmentSTS(ISSUER, key, make_certificate(key))
    patient = f"ZK-04711^^^&{OID}&ISO"
    return security_header(sts.issue(DemoRole.LABORATORY, AT, AUDIENCE, resource_id=patient))


def redacted(directory: Path, *messages: Message, **how: bool) -> list[Message]:
    exchanges = tuple(recorded(number, each) for number, each in enumerate(messages, 1))
    write_redacted(directory / "out", Capture(exchanges=exchanges, redacted=False), Redaction(key=KEY, **how))
    return [each.request for each in read(directory / "out").exchanges]


def everything(directory: Path) -> str:
    files = [each for each in (directory / "out").rglob("*") if each.is_file()]
    return "\n".join(f"{each.name}\n{each.read_bytes().decode('utf-8', 'replace')}" for each in files)


def test_nothing_of_the_patient_is_left_in_any_file(tmp_path: Path) -> None:
    messages = (
        er7(FEED),
        er7(NACK),
        er7(QUERY),
        over_http(envelope(V3)),
        over_http(envelope(EBRIM, assertion())),
        submission(CDA.encode()),
    )
    redacted(tmp_path, *messages)
    left = everything(tmp_path)
    assert [each for each in REAL if each in left] == []
    assert "tousse" not in left and "secret de famille" not in left and "Kalium" not in left


def test_the_same_patient_is_the_same_in_every_standard(tmp_path: Path) -> None:
    feed, query, v3, metadata = redacted(
        tmp_path, er7(FEED), er7(QUERY), over_http(envelope(V3)), over_http(envelope(EBRIM))
    )
    pid = parse(feed.text.content())["PID"]
    local, national = (each.text(1) for each in pid.repetitions(3))
    family, given, birth_date = pid.text(5), pid.text(5, 2), pid.text(7)
    asked = query.text.content().decode()
    assert f"@PID.5.1.1^{family}~@PID.3.1^{local}~@PID.7^{birth_date}" in asked
    person = parse_xml(v3.text.content())
    assert person.findtext(".//{*}family") == family and person.findtext(".//{*}given") == given
    assert {each.get("extension") for each in person.iter("{*}id")} == {"1", local, national}
    assert [each.get("value") for each in person.iter("{*}birthTime")] == [birth_date]
    values = [each.text for each in parse_xml(metadata.text.content()).iter("{*}Value")]
    assert f"PID-5|{family}^{given}^{pid.text(5, 3)}" in values and f"PID-3|{local}^^^&{OID}&ISO" in values


def test_the_form_stays(tmp_path: Path) -> None:
    (feed,) = redacted(tmp_path, er7(FEED))
    message = parse(feed.text.content())
    pid = message["PID"]
    local, national = (each.text(1) for each in pid.repetitions(3))
    assert [each.isalpha() for each in local] == [each.isalpha() for each in "ZK-04711"] and local[2] == "-"
    assert matricule.is_valid(national) and national.startswith(pid.text(7))
    assert pid.repetitions(3)[0].text(4, 2) == OID and pid.text(8) == "F"
    assert len(pid.text(5)) == len("Wolter-Étoile") and not pid.text(5).isascii()
    texts = [each.text(5) for each in message.all("OBX")]
    assert len(texts[0]) == len("le patient tousse beaucoup") and texts[1] == "4.1"


def test_the_character_set_stays(tmp_path: Path) -> None:
    (feed,) = redacted(tmp_path, er7(FEED, "8859/1", "latin-1"))
    assert b"UNICODE" not in feed.text.content()
    assert parse(feed.text.content())["PID"].text(5).replace("-", "").isalpha()


def test_a_document_becomes_one_of_the_same_size_and_its_hash_is_that_of_the_new_one(tmp_path: Path) -> None:
    (message,) = redacted(tmp_path, submission(CDA.encode()))
    (attachment,) = message.attachments
    assert attachment.blob.size == len(CDA.encode())
    assert hashlib.sha1(attachment.blob.content()).hexdigest() in message.text.content().decode()
    assert f"Content-Length: {message.size}\r\n".encode() in message.head


def test_a_document_that_is_kept_loses_its_patient(tmp_path: Path) -> None:
    (message,) = redacted(tmp_path, submission(CDA.encode()), keep_documents=True)
    kept = message.attachments[0].blob.content().decode()
    assert "Kalium 4.1" in kept and [each for each in REAL if each in kept] == []


def test_a_name_that_a_clerk_writes_in_capitals_without_accents_is_found(tmp_path: Path) -> None:
    metadata = EBRIM.replace("Bericht Wolter-Étoile", "Bericht WOLTER-ETOILE, Leonie")
    (message,) = redacted(tmp_path, over_http(envelope(metadata)))
    title = parse_xml(message.text.content()).find(".//{*}Name/{*}LocalizedString")
    assert title is not None
    words = title.get("value", "").split()
    assert words[0] == "Bericht" and words[1].isupper() and words[1] != "WOLTER-ETOILE," and words[2] != "Leonie"


def test_what_is_asked_for_in_an_address_is_taken_out(tmp_path: Path) -> None:
    asked = cut(b"GET /patients?wsdl&family=M%C3%BCller%20Z HTTP/1.1\r\nHost: a\r\n\r\n", BytesIO(b""), Spool())
    (message,) = redacted(tmp_path, asked)
    assert message.head.startswith(b"GET /patients?wsdl&family=") and b"ller" not in message.head


def test_any_id_of_a_patient_is_one_whatever_the_role(tmp_path: Path) -> None:
    citizen = f'<asCitizen><id root="{OID}" extension="CIT-99887"/></asCitizen><birthTime'
    (message,) = redacted(tmp_path, over_http(envelope(V3.replace("<birthTime", citizen))))
    assert b"CIT-99887" not in message.text.content()


def test_authors_stay_unless_asked_for(tmp_path: Path) -> None:
    (stays,) = redacted(tmp_path / "a", over_http(envelope(EBRIM)))
    (goes,) = redacted(tmp_path / "b", over_http(envelope(EBRIM)), authors=True)
    assert b"Okonska" in stays.text.content() and b"Okonska" not in goes.text.content()


def test_an_assertion_loses_subject_patient_and_signature(tmp_path: Path) -> None:
    before = envelope(EBRIM, assertion())
    (message,) = redacted(tmp_path, over_http(before))
    after = parse_xml(message.text.content())
    for name in ("NameID", "SignatureValue", "DigestValue"):
        assert after.findtext(f".//{{*}}{name}") != parse_xml(before).findtext(f".//{{*}}{name}")
    assert "Okonska" not in str([each.text for each in after.iter("{*}AttributeValue")])


def test_what_cannot_be_read_is_replaced_as_a_whole(tmp_path: Path) -> None:
    broken = over_http(b"<e:Envelope>Wolter")
    (message,) = redacted(tmp_path, broken)
    assert b"Wolter" not in message.text.content() and message.size == broken.size


def test_a_value_that_would_be_left_in_another_spelling_stops_it_all(tmp_path: Path) -> None:
    hidden = FEED.replace("Mme Wolter-Étoile a téléphoné", b64encode("Wolter-Étoile".encode()).decode())
    with pytest.raises(NotRedacted, match=r"0001-unknown-request.hl7 \(name\)"):
        redacted(tmp_path, er7(hidden), keep_text=True)
    assert list(tmp_path.iterdir()) == []


def test_a_patient_called_like_an_element_is_no_leak(tmp_path: Path) -> None:
    named = V3.replace("Wolter-Étoile", "name")
    (message,) = redacted(tmp_path, over_http(envelope(named)))
    assert parse_xml(message.text.content()).findtext(".//{*}family") != "name"


def test_the_same_key_makes_the_same_capture(tmp_path: Path) -> None:
    file = tmp_path / "secret.key"
    assert key_in(file) == key_in(file) != key_in(None)
    assert file.stat().st_mode & 0o077 == 0
    (one,), (other,) = redacted(tmp_path / "a", er7(FEED)), redacted(tmp_path / "b", er7(FEED))
    assert one.text.content() == other.text.content()


def test_the_index_says_that_it_is_redacted(tmp_path: Path) -> None:
    redacted(tmp_path, er7(FEED))
    assert json.loads((tmp_path / "out/index.json").read_text())["redacted"] is True


words = st.text("aeiouzkéßЖλ-' 'AZ0123456789", min_size=1, max_size=14)


@given(kind=st.sampled_from(Kind), value=words)
def test_a_pseudonym_has_the_form_of_its_value(kind: Kind, value: str) -> None:
    made = Pseudonyms(KEY).of(kind, value)
    assert len(made) == len(value)
    assert made == Pseudonyms(KEY).of(kind, value)
    if kind in (Kind.ID, Kind.NAME, Kind.PLACE, Kind.PERSON):
        assert [(each.isalpha(), each.isdigit()) for each in made] == [(e.isalpha(), e.isdigit()) for e in value]
    if any(map(str.isalnum, value)) and len(value) > 3:
        assert made != value


@given(value=st.text("aeioubcdéèüñ", min_size=4, max_size=12))
def test_a_name_without_accents_in_capitals_is_still_that_name(value: str) -> None:
    pseudonyms = Pseudonyms(KEY)
    plain = "".join(unicodedata.normalize("NFD", each)[0] for each in value)
    folded = [
        "".join(unicodedata.normalize("NFD", each)[0] for each in pseudonyms.of(Kind.NAME, spelled)).lower()
        for spelled in (value, plain, plain.upper())
    ]
    assert len(set(folded)) == 1


@given(day=st.dates(min_value=date(1905, 1, 1), max_value=date(2026, 1, 1)), serial=st.integers(0, 999))
def test_a_matricule_stays_valid_and_agrees_with_the_moved_birth_date(day: date, serial: int) -> None:
    pseudonyms, written = Pseudonyms(KEY), day.strftime("%Y%m%d")
    moved = pseudonyms.of(Kind.DATE, written)
    assert timedelta(0) < datetime.strptime(written, "%Y%m%d") - datetime.strptime(moved, "%Y%m%d") < timedelta(1501)
    made = pseudonyms.of(Kind.ID, matricule.complete(f"{written}{serial:03}"))
    assert matricule.is_valid(made) and made.startswith(moved)
    dashed = f"{written[:4]}-{written[4:6]}-{written[6:]}"
    assert pseudonyms.of(Kind.DATE, dashed).replace("-", "") == moved


@given(values=st.lists(st.text("ab", min_size=2, max_size=3), min_size=2, max_size=6, unique=True))
def test_no_pseudonym_is_a_real_value(values: list[str]) -> None:
    pseudonyms = Pseudonyms(KEY, frozenset(values))
    assert not {pseudonyms.of(Kind.NAME, each) for each in values} & set(values)


def test_messages_of_other_systems_lose_their_patients(tmp_path: Path, shared: Path) -> None:
    files = [each for each in sorted((shared / "samples").rglob("*")) if each.suffix in (".hl7", ".xml")]
    contents = [each.read_bytes() for each in files if each.stat().st_size < 2**20]
    messages = [over_http(each) if each.lstrip().startswith(b"<") else er7_bytes(each) for each in contents]
    after = [each.text.content() for each in redacted(tmp_path, *messages)]
    births = re.compile(rb"(?:birthTime value=\"|^PID(?:\|[^|]*){6}\|)(\d{8})", re.MULTILINE)
    before = [births.findall(each.text.content().replace(b"\r", b"\n")) for each in messages]
    assert sum(map(bool, before)) > 30
    for real, text in zip(before, after, strict=True):
        assert not set(real) & set(births.findall(text.replace(b"\r", b"\n")))


def er7_bytes(content: bytes) -> Message:
    return Message(head=b"", text=in_memory(content))
