"""The good messages from which the fuzzers start: each is accepted as it is, so that its mutants get far."""

import json
import re
from pathlib import Path

from affinity.bulk import csv_lines
from affinity.bulk import fhir_writing as patient_writing
from affinity.bulk.line import PatientLine
from affinity.bulk.line import read_identifiers as identifiers_of
from affinity.client import xds
from affinity.domain import load
from atna import dicom, fhir
from atna.syslog import SyslogMessage, encode
from consent import bppc, fhir_writing
from ihe.datatypes import CX, HD
from ihe.exchange import OutgoingPart
from ihe.identifiers import UniqueId, new_oid
from mllp.framing import frame
from pix.model import Address, Coded, Demographics, PersonName, Telecom
from soap.mtom import pack
from tests.atna.test_atna_dicom import GOOD as AUDIT_MESSAGE
from tests.consent.test_fhir_consent import nested
from tests.faults.sending import RED, described, submission
from xds.ebrim_writing import encode as submit_objects
from xds.stored_queries import REGISTRY_STORED_QUERIES
from xds.stored_query import Kind, StoredQuery

TESTS = Path(__file__).parents[1]
PATIENT = CX("H1", HD("", RED.universal_id, "ISO"))
H1 = f"H1^^^IHERED&{RED.universal_id}&ISO"
PID = f"PID|||{H1}~L7^^^IHEBLUE||Weber^Ada^M||19700131|F|||1, rue Haute^^Luxembourg^^L-1212||+3521"
V2 = tuple(
    f"MSH|^~\\&|HIS|HOSP|MPI|AGENCY|20260101120000||{trigger}|M{number}|P|{version}\r{body}\r".encode()
    for number, (trigger, version, body) in enumerate(
        (
            ("ADT^A04^ADT_A01", "2.3.1", f"EVN|A04|20260101\r{PID}\rPV1||O"),
            ("ADT^A08^ADT_A01", "2.3.1", f"EVN|A08|20260101\r{PID}\rPV1||O"),
            ("ADT^A40^ADT_A39", "2.3.1", f"EVN|A40|20260101\r{PID}\rMRG|H2^^^IHERED&{RED.universal_id}&ISO"),
            ("ADT^A28^ADT_A05", "2.5", f"EVN||20260101\r{PID}\rPV1||N"),
            ("ADT^A31^ADT_A05", "2.5", f"EVN||20260101\r{PID}\rPV1||N"),
            ("ADT^A24^ADT_A24", "2.5", f"EVN||20260101\r{PID}\rPV1||N\rPID|||H3^^^IHERED||Weber^Ada\rPV1||N"),
            ("ADT^A47^ADT_A30", "2.5", f"EVN||20260101\r{PID}\rMRG|H4^^^IHERED"),
            ("ADT^A01^ADT_A01", "2.5", f"EVN||20260101\r{PID}\rPV1||I|W^1^2||||||||||||||||V1^^^IHERED"),
            ("QBP^Q23^QBP_Q21", "2.5", "QPD|IHE PIX Query|T|H1^^^IHERED|^^^IHEBLUE\rRCP|I"),
            ("QBP^Q22^QBP_Q21", "2.5", "QPD|IHE PDQ Query|T|@PID.5.1^Web*~@PID.7^19700131\rRCP|I|10^RD\rDSC|1"),
            ("QBP^ZV1^QBP_Q21", "2.5", "QPD|IHE PDVQ Query|T|@PV1.3.1^W\rRCP|I|10^RD"),
            ("QCN^J01^QCN_J01", "2.5", "QID|T|IHE PDQ Query"),
        )
    )
)
RESEMBLING = tuple(
    f"MSH|^~\\&|HIS|HOSP|MPI|AGENCY|20260101120000||ADT^A28^ADT_A05|R{number}|P|2.5\rEVN||20260101\r"
    f"PID|||{id}||Brandebourg^Lea||19820407|F\rPV1||N\r".encode()
    for number, id in enumerate(("T1^^^IHERED", "T2^^^IHEBLUE"))
)
"""Two records that a steward is asked about."""
FRAMED = (b"".join(map(frame, V2[:3])), b"\0\r\n" + frame(V2[0])[:-1] + frame(V2[1]))
BLUE = b"1.3.6.1.4.1.21367.13.20.3000"
V3 = tuple(
    path.read_bytes().replace(b'2.25.999.1"', RED.universal_id.encode() + b'"').replace(b'2.25.999.9"', BLUE + b'"')
    for path in sorted((TESTS / "pix/v3/messages").glob("*.xml"))
)
PROVIDED = submission(PATIENT, UniqueId(new_oid()), "d@x")
DESCRIBED = described(UniqueId(new_oid()))
SOURCE = xds.Source(source_id="1.2.3.4", author_person="^Doe", author_institution="Ward")
REGISTERED = submit_objects(xds.submission(PATIENT, SOURCE, PATIENT, [DESCRIBED]))
REFERENCES = (
    b'<rim:ObjectRefList><rim:ObjectRef id="urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d"/></rim:ObjectRefList>'
)
REMOVED = (
    b'<l:RemoveObjectsRequest xmlns:l="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"'
    b' xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">' + REFERENCES + b"</l:RemoveObjectsRequest>"
)
RETRIEVED = xds.retrieve([("2.25.300", "2.25.1"), ("2.25.300", "2.25.2")])
EXAMPLES = {
    Kind.PATIENT_ID: f"'{PATIENT.id}^^^&{RED.universal_id}&ISO'",
    Kind.TIME_FROM: "20260101",
    Kind.TIME_TO: "20270101",
    Kind.CODE: "('11502-2^^2.16.840.1.113883.6.1')",
    Kind.PATTERN: "('^Doe%')",
    Kind.METADATA_LEVEL: "1",
}


def _slots(query: StoredQuery) -> list[tuple[str, tuple[str, ...]]]:
    others = "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')"
    shut_out = query.exactly_one[1:]
    return [(each.name, (EXAMPLES.get(each.kind, others),)) for each in query.parameters if each.name not in shut_out]


QUERIES = tuple((query, tuple(_slots(query))) for query in REGISTRY_STORED_QUERIES)
ASKED = tuple(xds.stored_query(query.id, slots) for query, slots in QUERIES)


def envelope(body: bytes) -> bytes:
    """A SOAP message of today's profiles."""
    return (
        b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing">'
        b'<s:Header><a:Action s:mustUnderstand="1">urn:ihe:iti:2007:RegistryStoredQuery</a:Action>'
        b"<a:MessageID>urn:uuid:1</a:MessageID><a:ReplyTo><a:Address>http://www.w3.org/2005/08/addressing/anonymous"
        b'</a:Address></a:ReplyTo><a:To s:mustUnderstand="1">http://x/</a:To></s:Header><s:Body>%b</s:Body></s:Envelope>'
    ) % body


def packaged() -> bytes:
    """A package with two parts, after a line with its media type."""
    parts = [
        OutgoingPart(content_id=name, media_type="text/plain", size=4, chunks=lambda: iter((b"text",)))
        for name in ("d@x", "e@x")
    ]
    media, _, chunks = pack(envelope(PROVIDED), parts, "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b")
    return media.encode() + b"\n" + b"".join(chunks)


SYSLOG = encode(SyslogMessage(content=AUDIT_MESSAGE, hostname="h", app_name="a", proc_id="1"))
CONSENTS = ((TESTS / "consent/bppc.xml").read_bytes(), (TESTS / "consent/appc.xml").read_bytes())
INLINED = re.sub(rb"<[a-z:]*Include[^>]*/>", b"QUJD", PROVIDED)
EBRIM = (INLINED, REGISTERED, REMOVED, RETRIEVED)
ENVELOPES = tuple(map(envelope, (PROVIDED, *ASKED[:2])))
PACKAGE = packaged()
INLINE = PACKAGE.replace(b"<s:Body>", b"<s:Body>" + b"QUJD" * 60)
PACKAGES = (PACKAGE, INLINE, b"application/soap+xml\n" + ENVELOPES[0])
PERMITTED = nested({"period": {"end": "2026-12-31"}})
FHIR_CONSENTS = (json.dumps(fhir_writing.write(bppc.read(CONSENTS[0]))).encode(), json.dumps(PERMITTED).encode())

ONE_ID, OTHER_ID = "T1^^^IHERED", "T2^^^IHEBLUE"
DECLARED = (
    json.dumps({"ids": [ONE_ID, OTHER_ID], "reason": "the same birth date"}).encode(),
    json.dumps({"ids": [ONE_ID], "reason": "typed wrong"}).encode(),
)


def stewardship(task: int) -> tuple[bytes, ...]:
    """Requests of stewards, one of them about a task that was not changed yet."""
    decided = {"choice": "merge", "surviving": ONE_ID}, {"choice": "split", "leaving": OTHER_ID}, {"choice": "ignore"}
    said = {"reason": "called the ward", "version": task}
    return (
        b"GET tasks?kind=potential-duplicate&authority=IHERED&source=HIS&owner=anna&id=T1^^^IHERED&after=0&limit=10\n",
        *(b"GET tasks/%d\n" % task, b"GET statistics\n", b"GET person?id=T1%5E%5E%5EIHERED\n"),
        *(b"GET records?id=T1^^^IHERED&before=10&limit=3\n", b"GET explain?one=T1^^^IHERED&other=T2^^^IHEBLUE\n"),
        b"POST tasks/%d/assign\n" % task + json.dumps(said | {"owner": "anna"}).encode(),
        *(b"POST tasks/%d/decision\n" % task + json.dumps(each | said).encode() for each in decided),
        *(b"POST %b\n" % name + DECLARED[0] for name in (b"link", b"never-link", b"withdraw")),
        *(b"POST %b\n" % name + DECLARED[1] for name in (b"split", b"unmerge")),
    )


ACCESSES = (
    f"GET accesses?patient=H1%5E%5E%5E%26{RED.universal_id}%26ISO&lang=fr&since=2026-01-01&until=2026-02-01T00:00:00Z"
    "&everything=true&limit=10\n".encode(),
)
AUDIT_EVENT = json.dumps(fhir.write(dicom.read(AUDIT_MESSAGE))).encode()
BATCH = json.dumps(
    {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [{"request": {"method": "POST", "url": "AuditEvent"}, "resource": json.loads(AUDIT_EVENT)}],
    }
).encode()
AUDIT_REQUESTS = (
    b"GET AuditEvent?date=ge2012-01-01&date=le2031-01-01&agent.identifier=urn:oid:1.2|x"
    b"&patient.identifier=urn:oid:1.2|H1&entity.identifier=x&entity.role=1&source.identifier=y&type=http://dicom.nema.org/resources/ontology/DCM|110112"
    b"&subtype=urn:ihe:event-type-code|ITI-18&outcome=http://terminology.hl7.org/CodeSystem/audit-event-outcome|0"
    b"&address=127.0.0.1&_count=5&_cursor=9&_format=xml\n",
    *(b"GET AuditEvent/1\n", b"GET metadata?_format=json\n", b"POST AuditEvent\n" + AUDIT_EVENT, b"POST \n" + BATCH),
)
WEBER = Demographics(
    names=(PersonName(family="Weber", given="Ada", further_given="M", prefix="Dr"),),
    aliases=(PersonName(family="Klein", given="Ada"),),
    mothers_maiden_names=(PersonName(family="Thill"),),
    birth_time="19700131",
    sex="F",
    addresses=(Address(street="1, rue Haute", city="Luxembourg", postal_code="1212", country="LU"),),
    home_phones=(Telecom(number="+3521", use="PRN"),),
    business_phones=(Telecom(email="a@b"),),
    languages=(Coded(code="fr"),),
    nationality=Coded(code="LU"),
    multiple_birth="Y",
    birth_order="2",
    death_time="20260101",
)
LINE = PatientLine(
    source="HIS|HOSP",
    identifiers=identifiers_of(load("connectathon").affinity_domain, "H1^^^IHERED^PI~L7^^^IHEBLUE"),
    demographics=WEBER,
)
CSV = (
    (csv_lines.header() + csv_lines.write(LINE)).encode(),
    b"identifiers;family;given;birth_time\nH1^^^IHERED;Weber;Ada;19700131\n",
)
PATIENTS = (patient_writing.write(LINE).encode(),)
