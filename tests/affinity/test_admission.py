"""Who is let in with which message: by certificate, or by source ids where the domain allows it, never by a claim."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from structlog.testing import capture_logs

from affinity.admission import Admission, NotAdmitted, Reason, Shown
from affinity.allowances import Allowances
from affinity.metrics import exposition
from affinity.not_admitted import as_fault, as_hl7, as_metadata_error
from affinity.partners import Agreement, Allowance, CertifiedName, Partners, SourceId, SourceKind, fingerprint
from affinity.sender_ids import sender_ids
from hl7v2.ack import ack
from hl7v2.er7 import parse
from ihe.exchange import Exchange, SOAPRequest
from ihe.partners import Partner, Quirk, Validation
from soap.xml import parse as parse_xml
from xds.iti41 import ITI_41
from xds.iti42 import ITI_42

KEY = ec.generate_private_key(ec.SECP256R1())
NOW = datetime(2026, 11, 26, tzinfo=UTC)
LIS, HIS = SourceId(SourceKind.HL7V2, "LIS|LAB"), SourceId(SourceKind.HL7V2, "HIS|WARD")


def certificate(common_name: str, issuer: str = "Partners CA", *names: x509.GeneralName) -> bytes:
    """A certificate as TLS has verified it; who signed it is no matter here."""
    subject = x509.Name.from_rfc4514_string(f"CN={common_name},O=Partners")
    builder = x509.CertificateBuilder(
        x509.Name.from_rfc4514_string(f"CN={issuer}"), subject, KEY.public_key(), x509.random_serial_number()
    )
    builder = builder.not_valid_before(NOW - timedelta(1)).not_valid_after(NOW + timedelta(1))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
    return builder.sign(KEY, SHA256()).public_bytes(Encoding.DER)


LAB_NODE, WARD_NODE, STRANGER = certificate("lab"), certificate("ward"), certificate("stranger")
LAB = Agreement(
    partner=Partner(name="lab", validation=Validation.LENIENT),
    fingerprints=frozenset({fingerprint(LAB_NODE)}),
    sources=frozenset({LIS, SourceId(SourceKind.DOCUMENTS, "1.2.3"), SourceId(SourceKind.HL7V3, "1.2.4")}),
    transactions=frozenset({"ITI-8", "ITI-41"}),
)
WARD = Agreement(
    partner=Partner(name="ward"),
    names=(CertifiedName(authority="CN=Partners CA", subject="CN=ward,O=Partners"),),
    sources=frozenset({HIS}),
    transactions=None,
)


def admission(**options: Any) -> Admission:
    options.setdefault("admits_unknown", False)
    return Admission(partners=Partners((LAB, WARD), **options))


def enter(node: Admission, certificate: bytes | None, source: SourceId = LIS, transaction: str = "ITI-8") -> str | None:
    agreement = node.admit(Shown(peer="10.0.0.7", certificate=certificate), (source,), transaction)
    node.check_sources(agreement, (source,), "10.0.0.7")
    return agreement.partner.name if agreement else None


def refusal(node: Admission, *arguments: Any) -> NotAdmitted:
    with pytest.raises(NotAdmitted) as caught:
        enter(node, *arguments)
    return caught.value


def test_a_pinned_certificate_is_its_partners() -> None:
    assert enter(admission(), LAB_NODE) == "lab"


def test_a_certified_name_is_its_partners() -> None:
    assert enter(admission(), WARD_NODE, HIS) == "ward"
    assert enter(admission(), certificate("ward"), HIS) == "ward"


def test_the_same_name_of_another_authority_is_not() -> None:
    assert refusal(admission(), certificate("ward", "Other CA"), HIS).reason is Reason.UNKNOWN


@pytest.mark.parametrize(
    ("san", "name"),
    [
        ("dns:LIS.example.org", x509.DNSName("lis.example.org")),
        ("uri:urn:oid:1.2.3", x509.UniformResourceIdentifier("urn:oid:1.2.3")),
        ("email:lis@example.org", x509.RFC822Name("lis@example.org")),
    ],
)
def test_an_alternative_name_is_a_name(san: str, name: x509.GeneralName) -> None:
    known = CertifiedName(authority="CN=Partners CA", san=san)
    assert known.fits(x509.load_der_x509_certificate(certificate("x", "Partners CA", name)))
    assert not known.fits(x509.load_der_x509_certificate(certificate("x")))


def test_who_is_no_partner_is_refused_and_counted() -> None:
    with capture_logs() as logs:
        assert refusal(admission(), STRANGER).reason is Reason.UNKNOWN
    assert logs == [
        {
            "event": "partner refused",
            "log_level": "warning",
            "partner": "(none)",
            "reason": "no partner",
            "peer": "10.0.0.7",
        }
    ]
    assert b'affinity_not_admitted_total{partner="(none)",reason="no partner"}' in exposition()


def test_a_partner_does_not_speak_under_the_id_of_another() -> None:
    assert refusal(admission(), LAB_NODE, HIS).reason is Reason.FOREIGN_SOURCE
    assert refusal(admission(), LAB_NODE, SourceId(SourceKind.HL7V2, "NO|BODY")).reason is Reason.FOREIGN_SOURCE


def test_who_is_no_partner_and_admitted_does_not_speak_under_the_id_of_one() -> None:
    node = admission(admits_unknown=True)
    assert enter(node, STRANGER, SourceId(SourceKind.HL7V2, "NO|BODY")) is None
    assert refusal(node, STRANGER, LIS).reason is Reason.FOREIGN_SOURCE


def test_without_tls_ids_are_a_claim_that_nobody_believes() -> None:
    assert refusal(admission(), None).reason is Reason.UNKNOWN
    assert refusal(admission(admits_unknown=True), None).reason is Reason.FOREIGN_SOURCE


def test_without_tls_ids_choose_the_partner_where_the_domain_allows_it() -> None:
    assert enter(admission(by_source=True), None) == "lab"
    assert refusal(admission(by_source=True), STRANGER).reason is Reason.UNKNOWN


def test_a_partner_uses_what_was_agreed() -> None:
    refused = refusal(admission(), LAB_NODE, LIS, "ITI-21")
    assert refused.reason is Reason.NOT_AGREED
    assert "does not provide for ITI-21" in refused.text
    assert enter(admission(), WARD_NODE, HIS, "ITI-21") == "ward"


def test_a_rate_is_kept_and_recovers() -> None:
    now = [0.0]
    slow = Agreement(
        partner=Partner(name="slow"),
        fingerprints=frozenset({fingerprint(LAB_NODE)}),
        sources=None,
        transactions=None,
        allowance=Allowance(requests_per_second=2, burst=3),
    )
    node = Admission(partners=Partners((slow,)), allowances=Allowances(lambda: now[0]))
    for _ in range(3):
        enter(node, LAB_NODE)
    refused = refusal(node, LAB_NODE)
    assert (refused.reason, refused.wait) == (Reason.TOO_FAST, 1)
    now[0] = 0.5
    enter(node, LAB_NODE)
    assert refusal(node, LAB_NODE).reason is Reason.TOO_FAST


MESSAGE = parse(b"MSH|^~\\&|LIS|LAB|MPI|AGENCY|20261123||ADT^A04|1|P|2.5\rPID|1||77^^^NS\r")


@pytest.mark.parametrize(
    ("reason", "code", "error", "location"),
    [
        (Reason.UNKNOWN, "AE", "103", "MSH^1^3"),
        (Reason.FOREIGN_SOURCE, "AE", "103", "MSH^1^3"),
        (Reason.NOT_AGREED, "AR", "201", "MSH^1^9"),
        (Reason.TOO_FAST, "AR", "207", ""),
    ],
)
def test_hl7_v2_says_what_is_wrong_and_where(reason: Reason, code: str, error: str, location: str) -> None:
    refused = as_hl7(NotAdmitted(reason, "A sentence", observed=HIS, wait=2 if reason is Reason.TOO_FAST else 0))
    answer = ack(MESSAGE, refused, Exchange(correlation_id="c", received_at=NOW))
    assert answer is not None
    assert answer["MSA"].text(1) == code
    (err,) = answer.all("ERR")
    assert (err.text(3, 1), err.raw(2)) == (error, location)
    assert "A sentence" in err.text(7) and "3.19.6.1.3" in err.text(7)


@pytest.mark.parametrize(
    ("reason", "status", "wait"), [(Reason.UNKNOWN, 403, 0), (Reason.NOT_AGREED, 403, 0), (Reason.TOO_FAST, 429, 2)]
)
def test_soap_has_a_status_of_its_own_for_each(reason: Reason, status: int, wait: int) -> None:
    fault = as_fault(NotAdmitted(reason, "A sentence", wait=wait))
    assert (fault.status, fault.wait) == (status, wait)
    assert fault.reason == "A sentence (ITI TF-2: 3.19.6.1.3)"


@pytest.mark.parametrize(
    ("transaction", "code"), [(ITI_41, "XDSRepositoryMetadataError"), (ITI_42, "XDSRegistryMetadataError")]
)
def test_a_foreign_source_id_is_an_error_of_metadata(transaction: Any, code: str) -> None:
    refused = NotAdmitted(Reason.FOREIGN_SOURCE, "A sentence", observed=SourceId(SourceKind.DOCUMENTS, "1.2.9"))
    (breach,) = as_metadata_error(refused, transaction).breaches
    assert (str(breach.code), breach.location, breach.observed) == (code, "SubmissionSet.sourceId", "1.2.9")


def test_a_submission_speaks_under_every_source_id_that_it_holds() -> None:
    rim = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
    scheme = "urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832"
    identifiers = "".join(
        f'<r:ExternalIdentifier identificationScheme="{each}" value=" {value} "/>'
        for each, value in ((scheme, "1.2.3"), (scheme.upper().replace("URN:UUID", "urn:uuid"), "1.2.9"), ("x", "7"))
    )
    body = parse_xml(f'<x xmlns:r="{rim}"><r:RegistryPackage>{identifiers}</r:RegistryPackage></x>'.encode())
    assert [each.value for each in sender_ids(SOAPRequest(body))] == ["1.2.3", "1.2.9"]


def test_a_v3_message_speaks_under_its_senders_device() -> None:
    body = parse_xml(
        b'<PRPA_IN201309UV02 xmlns="urn:hl7-org:v3"><sender><device><id root="1.2.4"/></device></sender>'
        b'<receiver><device><id root="9.9"/></device></receiver></PRPA_IN201309UV02>'
    )
    assert sender_ids(SOAPRequest(body)) == (SourceId(SourceKind.HL7V3, "1.2.4"),)


def test_an_hl7_v2_message_speaks_under_msh_3_and_4() -> None:
    assert sender_ids(MESSAGE) == (LIS,)


@pytest.mark.parametrize(
    ("validation", "day", "forgiven"),
    [
        (Validation.STRICT, None, False),
        (Validation.STRICT, date(2026, 11, 26), True),
        (Validation.STRICT, date(2026, 11, 25), False),
        (Validation.LENIENT, None, True),
        (Validation.RECORD_ONLY, None, True),
    ],
)
def test_a_quirk_is_forgiven_to_its_last_day_and_noted(
    validation: Validation, day: date | None, forgiven: bool
) -> None:
    noted: list[str] = []
    partner = Partner(name="lis", quirks={Quirk.OID_PREFIX: day} if day else {})
    exchange = Exchange(
        correlation_id="c", received_at=NOW, partner=partner, validation=validation, on_forgiven=noted.append
    )
    assert exchange.forgive(Quirk.OID_PREFIX) is forgiven
    assert noted == (["oid-prefix"] if forgiven else [])
