"""The patient's view: who, when, what, why, from which system, derived from the audit, in four languages."""

import csv
import io
from datetime import timedelta

import pytest

from affinity.access_words import ACTIVITIES, COLUMNS, LANGUAGES, as_csv, plain, row, sentence
from affinity.accesses import Activity, Wanted, view
from affinity.consent_api import ConsentAPI
from affinity.stewardship.access import Stewards, digest
from affinity.stewardship.calls import Call, Reply
from atna import store as trail
from atna.entries import Entry, entry
from atna.events import emergency_access
from atna.exchanges import Circumstances, Systems, failed, succeeded
from atna.model import AuditSource, EventOutcomeIndicator
from atna.participants import ThisNode, system
from atna.trail import AuditTrail
from consent import recording
from consent.model import Act, professional
from ihe.audit import ObjectTypeCode, ObjectTypeCodeRole, ParticipantObject
from ihe.audited import Event
from ihe.datatypes import Code
from ihe.exchange import Principal
from tests.consent.stage import APPC, APPC_CONSENT, NATIONAL, NOW, Stage
from xds.iti18 import ITI_18
from xds.iti43 import ITI_43

NODE = ThisNode(source=AuditSource(id="affinity@test"), process_id="1", host="10.0.0.1")
PATIENT = "78^^^&2.999.1&ISO"
DOCTOR = Principal(
    issuer="urn:idp",
    assertion_id="_1",
    name_id="nora",
    subject_id="Dr Nora Kieffer",
    organization=("Hôpital du Nord",),
    organization_id=("urn:oid:2.25.800",),
    roles=(Code("treating-doctor", "2.25.1", "Treating doctor"),),
    purpose_of_use=(Code("TREAT", "2.16.840.1.113883.5.8", "Treatment"),),
    npi="90000022",
)
TOKEN = "a token of a portal"
MINUTE = timedelta(minutes=1)


def whose(id: str = PATIENT) -> ParticipantObject:
    return ParticipantObject(
        id=id,
        id_type=Code("2", "RFC-3881", "Patient Number"),
        type_code=ObjectTypeCode.PERSON,
        role=ObjectTypeCodeRole.PATIENT,
    )


def document(unique_id: str) -> ParticipantObject:
    return ParticipantObject(
        id=unique_id,
        id_type=Code("9", "RFC-3881", "Report Number"),
        type_code=ObjectTypeCode.SYSTEM_OBJECT,
        role=ObjectTypeCodeRole.REPORT,
    )


def around(minutes: int, who: Principal | None = DOCTOR) -> Circumstances:
    systems = Systems(
        initiator=system("HIS|NORD", "10.0.0.9", is_requestor=True, alternative_user_id="CN=his.nord.example"),
        responder=system("https://affinity/xds", "10.0.0.1"),
        source=NODE.source,
    )
    return Circumstances(at=NOW + minutes * MINUTE, systems=systems, principal=who)


def query(minutes: int, who: Principal | None = DOCTOR, id: str = PATIENT) -> list[Entry]:
    return succeeded(ITI_18.audit, [Event(objects=(whose(id),))], around(minutes, who))


def retrieval(minutes: int, unique_id: str) -> list[Entry]:
    return succeeded(ITI_43.audit, [Event(objects=(document(unique_id),))], around(minutes))


def refusal(minutes: int) -> list[Entry]:
    event, outcome = Event(objects=(whose(),)), EventOutcomeIndicator.MINOR_FAILURE
    return failed(ITI_18.audit, [event], around(minutes), outcome, "not yours")


def keep(stage: Stage, *entries: Entry) -> None:
    stage.index.database.write(lambda each: trail.append(each, entries))


def seen(stage: Stage, id: str = "78", **wanted: object) -> list[tuple[Activity, str]]:
    found = stage.index.database.read(lambda each: view(each, stage.patient(id), Wanted(**wanted)))  # type: ignore[arg-type]
    return [(each.activity, each.name) for each in found.accesses]


def test_a_query_tells_who_when_what_why_and_from_where(stage: Stage) -> None:
    keep(stage, *query(0))
    (access,) = stage.index.database.read(lambda each: view(each, stage.patient(), Wanted())).accesses
    assert row(access, "en") == (
        "2026-11-26 12:00:00 UTC",
        "Dr Nora Kieffer",
        "Treating doctor",
        "Hôpital du Nord",
        "looked at the list of documents",
        "Treatment",
        "CN=his.nord.example (10.0.0.9)",
    )


def test_a_retrieval_is_found_by_the_document_and_the_newest_comes_first(stage: Stage) -> None:
    unique_id = stage.submit(APPC_CONSENT, APPC)
    keep(stage, *query(1), *retrieval(2, unique_id), *retrieval(3, "2.25.999.9"))
    assert seen(stage) == [(Activity.READ, "Dr Nora Kieffer"), (Activity.SEARCHED, "Dr Nora Kieffer")]


def test_others_accesses_and_others_patients_are_not_shown(stage: Stage) -> None:
    stage.feed((NATIONAL, "79"), family="Klein", birth="19500101")
    keep(stage, *query(0, id="79^^^&2.999.1&ISO"))
    assert seen(stage) == []
    assert len(seen(stage, "79")) == 1


def test_records_under_a_local_id_of_the_patient_count(stage: Stage) -> None:
    keep(stage, *query(0, id="L-1^^^&1.3.6.1.4.1.21367.13.20.3000&ISO"))
    assert len(seen(stage)) == 1


def test_who_gets_another_id_takes_accesses_along_and_who_gets_the_old_one_sees_none_of_them(stage: Stage) -> None:
    keep(stage, *query(1))
    stage.now += 2 * MINUTE
    stage.rename("78", "178")
    keep(stage, *query(3, id="178^^^&2.999.1&ISO"))
    stage.now += 4 * MINUTE
    stage.feed((NATIONAL, "78"), family="Klein", birth="19500101")
    assert [len(seen(stage, each)) for each in ("178", "78")] == [2, 0]
    keep(stage, *query(7))
    assert [len(seen(stage, each)) for each in ("178", "78")] == [2, 1]


def test_a_refused_attempt_is_shown_as_refused_and_a_system_as_a_system(here: Stage) -> None:
    keep(here, *refusal(0), *query(1, who=None))
    view_of = here.index.database.read(lambda each: view(each, here.patient(), Wanted()))
    assert [(each.refused, each.name) for each in view_of.accesses] == [(False, ""), (True, "Dr Nora Kieffer")]
    assert row(view_of.accesses[0], "fr")[1] == "(un système)"
    assert "refusé" in row(view_of.accesses[1], "fr")[4]


def test_a_time_bounds_the_view(here: Stage) -> None:
    keep(here, *query(0), *query(5), *query(9))
    assert len(seen(here, since=NOW + MINUTE, until=NOW + 9 * MINUTE)) == 1
    assert not here.index.database.read(lambda each: view(each, here.patient(), Wanted(limit=2))).complete


def broken_glass(stage: Stage) -> None:
    act = Act(actor="npi:90000022", reason="unconscious", at=NOW)
    until = NOW + timedelta(hours=8)
    stage.index.database.write(
        lambda each: recording.break_glass(each, stage.patient(), professional("90000022"), act, until=until, level="R")
    )
    keep(stage, entry(emergency_access(NODE, NOW, DOCTOR, (PATIENT,), "unconscious")), *query(1))


def test_an_emergency_comes_first_and_its_accesses_are_marked(stage: Stage) -> None:
    broken_glass(stage)
    keep(stage, *query(60 * 9))
    found = stage.index.database.read(lambda each: view(each, stage.patient(), Wanted()))
    (notice,) = found.notices
    assert (notice.name, notice.reason, notice.reviewed) == ("Dr Nora Kieffer", "unconscious", False)
    assert [each.emergency for each in found.accesses] == [False, True, True]
    assert [each.activity for each in found.accesses][-1] is Activity.BROKE_GLASS
    assert row(found.accesses[1], "de")[5].startswith("NOTFALL")
    assert sentence(notice, "lb").startswith("Dr Nora Kieffer huet Är Akt am Noutfall opgemaach, den 26.11.2026 12:00")


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_is_said_in_every_language(here: Stage, language: str) -> None:
    assert all(language in each for each in (*COLUMNS.values(), *ACTIVITIES.values()))
    assert set(ACTIVITIES) == set(Activity)
    broken_glass(here)
    found = here.index.database.read(lambda each: view(each, here.patient(), Wanted()))
    assert len(list(csv.reader(io.StringIO(as_csv(found.accesses, language))))) == 1 + len(found.accesses)
    assert plain(found, language)["emergencies"][0]["text"]


def test_a_cell_is_no_formula_for_a_spreadsheet(here: Stage) -> None:
    rogue = Principal(issuer="urn:idp", assertion_id="_2", name_id="x", subject_id="=HYPERLINK(1)", npi="1")
    keep(here, *query(0, rogue))
    found = here.index.database.read(lambda each: view(each, here.patient(), Wanted()))
    assert list(csv.reader(io.StringIO(as_csv(found.accesses, "en"))))[1][1] == "'=HYPERLINK(1)"


def ask(stage: Stage, query: str, token: str = TOKEN, path: tuple[str, ...] = ("accesses",)) -> Reply:
    database = stage.index.database
    api = ConsentAPI(
        index=stage.index,
        trail=AuditTrail(database=database, node=NODE),
        stewards=Stewards(digests={"portal": digest(TOKEN)}),
        clock=lambda: NOW,
    )
    return api(Call(method="GET", path=path, query=query, authorization=f"Bearer {token}", peer="127.0.0.1"))


ENCODED = "patient=78%5E%5E%5E%262.999.1%26ISO"


def test_the_interface_tells_the_same_and_that_somebody_asked_is_recorded(stage: Stage) -> None:
    keep(stage, *query(0))
    reply = ask(stage, f"{ENCODED}&lang=fr")
    assert reply.status == 200
    (access,) = reply.content["accesses"]
    assert (access["name"], access["text"]) == ("Dr Nora Kieffer", "a consulté la liste des documents")
    recorded = stage.index.database.read(lambda each: trail.search(each, trail.Search(users=("portal",))))
    assert len(recorded) == 1


@pytest.mark.parametrize(
    ("query", "token", "status"),
    [
        (ENCODED, "another token", 401),
        ("patient=78", TOKEN, 422),
        ("patient=99%5E%5E%5E%262.999.1%26ISO", TOKEN, 404),
        (f"{ENCODED}&lang=pt", TOKEN, 422),
        (f"{ENCODED}&since=yesterday", TOKEN, 422),
        (f"{ENCODED}&colour=red", TOKEN, 400),
    ],
)
def test_what_the_interface_refuses(here: Stage, query: str, token: str, status: int) -> None:
    assert ask(here, query, token).status == status


def test_there_is_nothing_else_below_the_path(here: Stage) -> None:
    assert ask(here, ENCODED, path=("documents",)).status == 404
