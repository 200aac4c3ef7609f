"""HL7 v2 messages of other systems, each with its verdict and the reason (../shared/samples)."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from affinity.database import Database
from affinity.dispatch import answer
from affinity.hl7_answers import choose
from hl7v2.ack import ack
from hl7v2.er7 import Malformed, parse
from hl7v2.message import Message
from ihe.datatypes import HD
from ihe.domain import AffinityDomain, AssigningAuthority
from ihe.errors import Rejected
from ihe.exchange import Exchange
from ihe.transactions import Actor
from pix.iti8 import ITI_8
from pix.iti9 import ITI_9
from pix.iti21 import ITI_21
from pix.iti22 import ITI_22
from pix.iti30 import ITI_30
from pix.iti31 import ITI_31
from pix.iti64 import ITI_64
from pix.manager import PatientIndex
from tests.pix.test_iti64 import FakeRegistry

ICW = "2.16.840.1.113883.3.37.4.1.1.2"
NATIONAL = ("NID", "ASIP-SANTE-INS-NIR")
ALIASES = {"CHU-X": (HD("CHU-X", "000897406", "N"),)}
"""A French hospital names its authority by its establishment number."""
DOMAIN = AffinityDomain(
    name="samples",
    home_community_id="",
    repository_unique_id="",
    assigning_authorities=tuple(
        AssigningAuthority(
            namespace_id=name, oid=oid, sources=sources, national=name in NATIONAL, aliases=ALIASES.get(name, ())
        )
        for name, oid, sources in (
            ("MPI", f"{ICW}.1.1", ("*",)),
            ("BBB", f"{ICW}.611.1", ("*",)),
            ("HZLN", f"{ICW}.411.1", ("*",)),
            ("XREF2005", "1.3.6.1.4.1.21367.2005.1.2", ("*",)),
            ("HIMSS2005", "1.3.6.1.4.1.21367.2005.1.1", ("*",)),
            ("NIST2010", "2.16.840.1.113883.3.72.5.9.1", ("NIST_SENDER|NIST",)),
            ("TEST", "2.25.1.1", ("*",)),
            ("TEST_A", "2.25.1.2", ("TEST_HARNESS_A|TEST",)),
            ("NID", "2.25.1.9", ("*",)),
            ("ASIP-SANTE-INS-NIR", "1.2.250.1.213.1.4.10", ("*",)),
            ("CHU-X", "2.25.1.20", ("*",)),
        )
    ),
)

RESPONSE = ("AR MSH^1^9^1^1 200", "an answer, not a question")
FRENCH = (
    "AA",
    "an admission; the authority is named by the establishment's number, which the domain lists as an alias",
)
ALONE = {
    "ITI-8/ipf_A01.hl7": ("AE PID^1^3^3^4 204", "KHKN is no name of the OID that this domain calls BBB"),
    "ITI-8/ipf_A04.hl7": ("AA", "three ids of three authorities"),
    "ITI-8/ipf_A08.hl7": ("AA", "the id of an unknown authority is deleted, which changes nothing here"),
    "ITI-8/ipf_A40.hl7": ("AE PID^1^3^1^4 204 MRG^1^1^1^4 204", "130 is no name of the OID of MPI"),
    "ITI-8/ipf_PIX_FEED_MERGE_Maximal_Request.hl7": (
        "AE PID^1^3^1^4 204 MRG^1^1^1^4 204",
        "two unknown authorities, and not the same one",
    ),
    "ITI-8/ipf_PIX_FEED_REG_Maximal_Request.hl7": (
        "AE PID^1^3^2^4 204 PID^1^3^3^4 204",
        "the second and third of three authorities are unknown",
    ),
    "ITI-8/ipf_hl7v2message.hl7": ("AE PID^1^3^1^4 101", "no authority, and the sender has no domain of its own"),
    "ITI-8/ipf_iti8-a01-incomplete.hl7": ("AE PID^1 100", "a feed without a patient"),
    "ITI-8/ipf_iti8-a40-iso-8859-1.hl7": ("AE MSH^1^5 102", "bytes of ISO 8859-1, and MSH-18 does not say so"),
    "ITI-8/ipf_iti8-a40.hl7": (
        "AE PID^1^3^1^4 204 PID^1^3^3^4 204 MRG^1^1^1^4 101",
        "MPI-NS-P is no name of the OID of MPI, CCC is unknown, and an id to merge has no authority",
    ),
    "ITI-8/nist_V2FeedMessageWithWrapper.txt": ("AA", "a plain feed"),
    "ITI-9/ipf_err-1_Response.hl7": RESPONSE,
    "ITI-9/ipf_nf-1_Response.hl7": RESPONSE,
    "ITI-9/ipf_ok-1_Response.hl7": RESPONSE,
    "ITI-9/ipf_ok-2_Response.hl7": RESPONSE,
    "ITI-9/ipf_qbp.hl7": ("AA NF", "a query for demographics; nobody matches"),
    "ITI-9/ipf_rsp.hl7": RESPONSE,
    "ITI-21/ipf_PDQ_ID_Query.hl7": (
        "AE QPD^1^3^3 204 QPD^1^3^6 204",
        "HZLN is no name of 1.2.3.4, and 1.2.3.4.5 is unknown; an account may be of any authority",
    ),
    "ITI-21/ipf_PDQ_Maximal_Query.hl7": ("AA NF", "nobody matches"),
    "ITI-21/ipf_PDQ_Maximal_Query_Response.hl7": RESPONSE,
    "ITI-21/ipf_PDQ_Response.hl7": RESPONSE,
    "ITI-21/ipf_iti-21.hl7": ("AA NF", "nobody matches"),
    "ITI-30-31/ans_ConsentementConsultation_NonOppositionAlimentation.er7": FRENCH,
    "ITI-30-31/ans_NonConsentementConsultation_OppositionAlimentation.er7": FRENCH,
    "ITI-30-31/ans_admission.er7": FRENCH,
    "ITI-30-31/ans_sortie.er7": (
        "AE ZBE^1^4 101 ZBE^1^5 103",
        "a field too many: the action stands in ZBE-5 and the historical indicator in ZBE-6",
    ),
    "ITI-30-31/fr_MDM_T02_cda.hl7": ("AR MSH^1^9^1^1 200", "documents come by ITI-41"),
    "ITI-30-31/fr_ORU_R01_cda.hl7": ("AR MSH^1^9^1^1 200", "results come by ITI-41"),
    "ITI-10/ipf_adt-a31-1.hl7": ("AE PID^1^3^1^4 204", "a notification reads like a feed; its authority is unknown"),
    "ITI-22/ipf_RSP_ZV2.hl7": RESPONSE,
    "ITI-64/ipf_A43.hl7": (
        "AE PID^1^3^1^4 204 PID^1^3^2^4 204 MRG^1^1^1^4 204",
        "the authority of all three ids is not known",
    ),
}
"""Files that stand alone: the verdict, and why."""

SERIES = {
    # An OID that this sender may not feed; the same by namespace id, as it should be.
    "02": {"10": "AE PID^1^3^1^4 204", "20": "AE QPD^1^3^1^1 204", "30": "AA", "40": "AA NF"},
    # A second sender tries to feed the first one's domain.
    "04": {"20": "AA", "30": "AE PID^1^3^1^4 204"},
    # A newborn known by its mother's id alone: PID-5 is required (ITI TF-2: Table 3.8-2).
    "05": {"10": "AA", "20": "AE PID^1^5 101", "30": "AE QPD^1^3^1^1 204"},
    # The register announces a national id; the hospital's JON is the register's JOHN.
    "06": {"20": "AA", "30": "AA", "40": "AA OK RJ-449"},
    "07": {"10": "AA", "20": "AE PID^1^5 101", "30": "AE QPD^1^3^1^1 204", "40": "AA NF"},
    # Known, unknown, a parameter that does not exist, the domains asked for: known, without an id, unknown.
    "11": {
        "10": "AA",
        "20": "AA OK RJ-439",
        "30": "AA NF",
        "40": "AE QPD^1^3^2 103 QPD^1^3^1 101",
        "50": "AA OK RJ-439",
        "60": "AA NF",
        "70": "AE QPD^1^8^1 204",
    },
    # Two patients, then one.
    "16": {
        "10": "AA",
        "15": "AA",
        "20": "AA OK RJ-999 RJ-439",
        "30": "AA",
        "40": "AA NF",
        "50": "AE QPD^1^3^1^1 204",
        "60": "AA OK RJ-439",
    },
}
"""The OpenHIE client registry's tests, step by step: what each message must be answered."""


Send = Callable[[bytes], str]


@pytest.fixture
def send(database: Database) -> Send:
    """Send bytes; MSA-1, then the errors' places and codes, or the status of a query and the ids that it found."""
    index = PatientIndex(
        domain=DOMAIN, database=database, clock=lambda: datetime.now(UTC), is_national_id=lambda _: True
    )
    ports = dict.fromkeys(
        (Actor.PIX_MANAGER, Actor.PATIENT_DEMOGRAPHICS_SUPPLIER, Actor.PATIENT_ENCOUNTER_CONSUMER), index
    )
    ports |= {Actor.DOCUMENT_REGISTRY: FakeRegistry(index)}

    def sent(data: bytes) -> str:
        exchange = Exchange(correlation_id=secrets.token_hex(8), received_at=datetime.now(UTC))
        try:
            message = parse(data.strip(b"\x0b\x1c\r\n"))
            transaction = choose(message, (ITI_8, ITI_30, ITI_9, ITI_21, ITI_22, ITI_31, ITI_64))
        except Malformed as malformed:
            return _verdict(ack(malformed.header, malformed, exchange))
        except Rejected as rejected:
            return _verdict(ack(message, rejected, exchange))
        reply = answer(transaction, message, ports, exchange)
        return _verdict(parse(reply) if isinstance(reply, bytes) else reply)

    return sent


def _verdict(reply: Message | None) -> str:
    assert reply is not None
    errors = [f"{each.raw(2)} {each.text(3)}" for each in reply.all("ERR")]
    if "QAK" not in reply or errors:
        return " ".join((reply["MSA"].text(1), *errors))
    found = [repetition.text() for each in reply.all("PID") for repetition in each.repetitions(3)]
    return " ".join((reply["MSA"].text(1), reply["QAK"].text(2), *found))


@pytest.mark.parametrize("name", ALONE)
def test_a_message_of_another_system(shared: Path, send: Send, name: str) -> None:
    verdict, reason = ALONE[name]
    assert send((shared / "samples" / name).read_bytes()) == verdict, reason


@pytest.mark.parametrize("number", SERIES)
def test_a_series_of_openhie_in_order(shared: Path, send: Send, number: str) -> None:
    folder = shared / "samples" / "OHIE-CR"
    verdicts = {step: send((folder / f"santempi_OHIE-CR-{number}-{step}.txt").read_bytes()) for step in SERIES[number]}
    assert verdicts == SERIES[number]


def test_no_file_is_left_out(shared: Path) -> None:
    folders = ("ITI-8", "ITI-9", "ITI-10", "ITI-21", "ITI-22", "ITI-30-31", "ITI-64")
    present = {f"{folder}/{path.name}" for folder in folders for path in (shared / "samples" / folder).iterdir()}
    series = {f"santempi_OHIE-CR-{number}-{step}.txt" for number, steps in SERIES.items() for step in steps}
    assert present <= set(ALONE)
    assert {path.name for path in (shared / "samples" / "OHIE-CR").iterdir()} <= series
