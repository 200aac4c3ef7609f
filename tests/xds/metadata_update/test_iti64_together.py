"""ITI-64 with the real index: queries for documents follow the moved id in the same transaction (ITI TF-2: 3.64)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from affinity.database import Database
from affinity.dispatch import answer
from hl7v2.er7 import parse
from ihe.datatypes import CX
from ihe.domain import AffinityDomain, AssigningAuthority
from ihe.exchange import Exchange
from ihe.transactions import Actor
from pix.iti30 import ITI_30
from pix.iti64 import ITI_64
from pix.manager import PatientIndex
from xds.model import AvailabilityStatus
from xds.query_parameters import Clause
from xds.stored_queries import FIND_DOCUMENTS

XAD, LOCAL = "2.25.101", "2.25.102"
AUTHORITIES = (
    AssigningAuthority(namespace_id="XAD", oid=XAD, issues_xds_ids=True),
    AssigningAuthority(namespace_id="HOSP", oid=LOCAL),
)
FEED = "MSH|^~\\&|HIS|HOSP|A|A|2026||ADT^A28|{control}|P|2.5\rPID|||{ids}||{name}||19880317|F\rPV1||N\r"
CHANGE = (
    "MSH|^~\\&|2.25.77|STATE|A|A|2026||ADT^A43^ADT_A43|{control}|P|2.5\rEVN||2026\r"
    "PID|||{new}^^^&2.25.101&ISO~P-77^^^&2.25.102&ISO|| \rMRG|{previous}^^^&2.25.101&ISO\r"
)


@pytest.fixture
def patients(database: Database, patient: CX, other_patient: CX) -> PatientIndex:
    """The index in place of the fake one, with both patients; P-77 is the first one's number in the hospital."""
    domain = AffinityDomain(
        name="test", home_community_id="", repository_unique_id="2.25.300", assigning_authorities=AUTHORITIES
    )
    index = PatientIndex(domain=domain, database=database, clock=lambda: datetime(2026, 11, 23, tzinfo=UTC))
    send(index, ITI_30, FEED.format(control="1", ids=f"{patient.id}^^^XAD~P-77^^^HOSP", name="Muster^Lea"))
    send(index, ITI_30, FEED.format(control="2", ids=f"{other_patient.id}^^^XAD", name="Muster^Lena"))
    return index


def send(port: Any, transaction: Any, text: str) -> str:
    exchange = Exchange(correlation_id="test", received_at=datetime(2026, 11, 23, tzinfo=UTC))
    reply = answer(transaction, parse(text.encode()), dict.fromkeys(Actor, port), exchange)
    message = parse(reply) if isinstance(reply, bytes) else reply
    return str(message["MSA"].text(1))


def documents(updater: Any, patient: CX) -> list[str]:
    found = updater.holdings.ask(
        FIND_DOCUMENTS,
        XDSDocumentEntryPatientId=Clause((str(patient),)),
        XDSDocumentEntryStatus=Clause((AvailabilityStatus.APPROVED.value,)),
    )
    return [f"{each.unique_id} of {each.patient_id}" for each in found]


def test_the_documents_of_the_moved_id_are_found_under_the_other_patient(
    updater: Any, patient: CX, other_patient: CX
) -> None:
    registry = updater.holdings.registry
    there, back = (
        CHANGE.format(control=control, new=new.id, previous=previous.id)
        for control, new, previous in (("C1", other_patient, patient), ("C2", patient, other_patient))
    )
    assert send(registry, ITI_64, there) == "AA"
    assert (documents(updater, patient), documents(updater, other_patient)) == (
        [],
        [f"2.25.400.1^1 of {other_patient}"],
    )
    assert send(registry, ITI_64, there) == "AA"
    assert len(documents(updater, other_patient)) == 1
    assert send(registry, ITI_64, back) == "AA"
    assert (documents(updater, patient), documents(updater, other_patient)) == ([f"2.25.400.1^1 of {patient}"], [])


def test_a_refused_change_moves_no_document(updater: Any, patient: CX) -> None:
    message = CHANGE.format(control="C1", new="404", previous=patient.id)
    assert send(updater.holdings.registry, ITI_64, message) == "AE"
    assert len(documents(updater, patient)) == 1
