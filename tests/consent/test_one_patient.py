"""An assertion about one patient: another's documents answer like documents that nobody has, by whatever door."""

from dataclasses import replace
from typing import Any

import pytest

from affinity.client import xds
from affinity.one_patient import PatientBoundAccess
from ihe.access import OPEN
from ihe.datatypes import CX, HD, Code
from ihe.exchange import Exchange, Principal, SOAPRequest
from ihe.identifiers import UniqueId
from soap.xml import parse
from tests.consent.stage import DOMAIN, HOSPITAL, NATIONAL, NOW, Stage
from xds.iti18 import ITI_18
from xds.iti43 import ITI_43
from xds.iti51 import ITI_51
from xds.stored_queries import FIND_DOCUMENTS_FOR_MULTIPLE_PATIENTS, GET_DOCUMENTS

CODES = {"confidentialityCode": frozenset({Code("N", "2.16.840.1.113883.5.25", "Normal")})}
ANNA, ANNA_AT_THE_HOSPITAL, BOB = CX("78", HD("", NATIONAL.oid, "ISO")), CX("L-1", HD("", HOSPITAL.oid, "ISO")), "79"
TEXT, REPORT = "<report/>", "urn:example:report"
NOBODYS = UniqueId("2.25.400.999999")


@pytest.fixture
def bound(stage: Stage) -> Stage:
    """An open domain, in which assertions about one patient are kept to."""
    domain = replace(DOMAIN, codes=CODES)
    index = replace(stage.index, domain=domain)
    access = PatientBoundAccess(access=OPEN, index=index)
    registry = replace(stage.registry, domain=domain, patients=index, access=access)
    stage.index, stage.registry = index, registry
    stage.repository = replace(stage.repository, registry=registry, access=access)
    stage.feed((NATIONAL, BOB), family="Muller", birth="19500101")
    return stage


def exchange(about: CX | None, *, patient_bound: bool = True) -> Exchange:
    resource_id = None if about is None else str(about)
    principal = Principal(
        issuer="i", assertion_id="_1", name_id="n", resource_id=resource_id, patient_bound=patient_bound
    )
    return Exchange(correlation_id="c", received_at=NOW, principal=principal)


def retrieved(stage: Stage, document: UniqueId, exchange: Exchange) -> tuple[int, set[str]]:
    """How many documents come, and the errors but for the id that they repeat."""
    request = f"<RepositoryUniqueId>2.25.300</RepositoryUniqueId><DocumentUniqueId>{document}</DocumentUniqueId>"
    body = f'<R xmlns="urn:ihe:iti:xds-b:2007"><DocumentRequest>{request}</DocumentRequest></R>'
    found = ITI_43.handle(ITI_43.decode(SOAPRequest(parse(body.encode()))), stage.repository, exchange)
    return len(found.found), {f"{each.code} {each.text}".replace(document, "ID") for each in found.breaches}


def queried(stage: Stage, transaction: Any, query: str, slots: Any, exchange: Exchange) -> int:
    asked = transaction.decode(SOAPRequest(parse(xds.stored_query(query, slots))))
    return len(transaction.handle(asked, stage.registry, exchange).objects)


def known(stage: Stage, document: UniqueId, exchange: Exchange) -> int:
    slots = (("$XDSDocumentEntryUniqueId", (f"('{document}')",)),)
    return queried(stage, ITI_18, GET_DOCUMENTS.id, slots, exchange)


def test_documents_of_another_are_like_documents_of_nobody(bound: Stage) -> None:
    own, others = bound.submit(TEXT, REPORT), bound.submit(TEXT, REPORT, id=BOB)
    for about in (ANNA, ANNA_AT_THE_HOSPITAL):
        asking = exchange(about)
        assert retrieved(bound, own, asking) == (1, set()) and known(bound, own, asking) == 1
        assert retrieved(bound, others, asking) == retrieved(bound, NOBODYS, asking) != (1, set())
        assert known(bound, others, asking) == known(bound, NOBODYS, asking) == 0


def test_an_assertion_about_somebody_unknown_shows_nothing(bound: Stage) -> None:
    own = bound.submit(TEXT, REPORT)
    for about in (replace(ANNA, id="4711"), CX("78", HD("", "2.25.4242", "ISO"))):
        assert retrieved(bound, own, exchange(about))[0] == known(bound, own, exchange(about)) == 0


@pytest.mark.parametrize("asking", [exchange(None), exchange(ANNA, patient_bound=False)])
def test_without_a_patient_the_domains_own_rights_hold(bound: Stage, asking: Exchange) -> None:
    others = bound.submit(TEXT, REPORT, id=BOB)
    assert retrieved(bound, others, asking) == (1, set()) and known(bound, others, asking) == 1


def test_a_query_over_all_patients_finds_the_one(bound: Stage) -> None:
    for id in ("78", BOB):
        bound.submit(TEXT, REPORT, id=id)
    slots = (
        ("$XDSDocumentEntryStatus", ("('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')",)),
        ("$XDSDocumentEntryClassCode", ("('57016-8^^2.16.840.1.113883.6.1')",)),
    )
    of_all = queried(bound, ITI_51, FIND_DOCUMENTS_FOR_MULTIPLE_PATIENTS.id, slots, exchange(None))
    of_one = queried(bound, ITI_51, FIND_DOCUMENTS_FOR_MULTIPLE_PATIENTS.id, slots, exchange(ANNA))
    assert (of_all, of_one) == (2, 1)
