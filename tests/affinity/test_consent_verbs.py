"""``affinity consent``: what a desk does, why somebody sees something, what another policy would change."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from affinity.cli import app
from affinity.console import operator
from affinity.domain import SHIPPED, DomainError, load, read_access
from affinity.node import open_node
from affinity.settings import Settings
from atna.events import LOCAL_SERVICE_STARTED
from atna.store import Search, search
from atna.tables import audit_event
from consent.policy import Mode
from ihe.datatypes import CX, HD, Code
from ihe.identifiers import PatientKey
from ihe.transactions import Actor
from pix.manager import PatientIndex
from pix.model import NOTHING_KNOWN, Feed, Identifier, Origin
from tests.consent import shelf
from tests.xds.queries.conftest import make_entry

DSP = "2.25.334728459024254970897405965636283403456.3.2"
PATIENT = f"DSP-1^^^&{DSP}&ISO"
ROLE = "treating-doctor^^2.25.185014298127404816031548209217553690417"
CARE = "TREAT^^2.16.840.1.113883.5.8"
WHO = ("--patient", PATIENT, "--principal", "npi:90000022", "--role", ROLE, "--purpose", CARE)
Run = Callable[..., Any]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A node of the demo domain, closed again, with one patient and one laboratory report."""
    directory = tmp_path / "data"
    loaded = load("demo")
    node = open_node(Settings(domain="demo", data=directory), loaded)
    index: PatientIndex = node.ports[Actor.PIX_MANAGER]
    authority = next(each for each in loaded.affinity_domain.assigning_authorities if each.oid == DSP)
    feed = Feed(identifiers=(Identifier(authority=authority, id="DSP-1"),), demographics=NOTHING_KNOWN)
    index.register(
        feed, Origin(source="GLIMS|LAB-MOSELLE", transaction="ITI-30 A28", message_id="1", digest="", answer=b"AA")
    )
    key = index.database.read(lambda c: index.resolve(c, CX("DSP-1", HD("", DSP, "ISO"))))
    assert key is not None
    report = make_entry(key.id, type_code=Code("11502-2", "2.16.840.1.113883.6.1", "Laboratory report"))
    shelf.put(node.database, [(1, PatientKey(key.key), report, False)])
    node.close()
    return directory


@pytest.fixture
def run(data: Path) -> Run:
    return lambda *words: CliRunner().invoke(app, ["consent", *map(str, words), "--data", str(data)])


def told(result: Any) -> Any:
    return json.loads(result.stdout)


def test_a_relationship_lets_a_doctor_in_and_every_step_is_kept(run: Run, data: Path) -> None:
    assert run("record", "open", PATIENT, "--reason", "signed").exit_code == 0
    assert run("explain", *WHO).exit_code == 1
    done = run("relate", PATIENT, "npi:90000022", "--kind", "treating-doctor", "--reason", "declared", "--json")
    assert done.exit_code == 0
    shown = run("explain", *WHO, "--json")
    assert shown.exit_code == 0
    assert [each["seen"] for each in told(shown)["documents"]] == [True]
    assert {each["rule"] for each in told(shown)["patient"]} >= {"relationship", "record"}
    assert run("end", PATIENT, told(done)["event"], "--reason", "moved away").exit_code == 0
    assert run("explain", *WHO).exit_code == 1
    history = told(run("history", PATIENT, "--json"))
    assert [each["type"] for each in history][:3] == [
        "relationship-ended",
        "relationship-declared",
        "record-opened",
    ]
    node = open_node(Settings(domain="demo", data=data), load("demo"))
    recorded = node.database.read(lambda c: len(c.execute(select(audit_event)).all()))
    node.close()
    assert recorded >= 3


def test_the_audit_trail_names_the_account_whoever_is_said_to_have_decided(run: Run, data: Path) -> None:
    run("record", "open", PATIENT, "--reason", "signed", "--actor", "Léa Brandebourg")
    node = open_node(Settings(domain="demo", data=data), load("demo"))
    used = Search(events=(LOCAL_SERVICE_STARTED.code,))
    trail = node.database.read(lambda c: [each.message for each in search(c, used)])
    node.close()
    [act] = [each for each in trail if "Brandebourg" in str(each.event.outcome_description)]
    assert str(act.event.outcome_description).endswith("decided by Léa Brandebourg: signed")
    assert operator() in [each.user_id for each in act.participants]
    assert told(run("history", PATIENT, "--json"))[0]["actor"] == "Léa Brandebourg"


def test_what_a_patient_forbids_counts_more(run: Run) -> None:
    run("record", "open", PATIENT, "--reason", "signed")
    run("relate", PATIENT, "npi:90000022", "--kind", "treating-doctor", "--reason", "declared")
    [document] = told(run("explain", *WHO, "--json"))["documents"]
    for forbid, allow in (
        (("exclude", PATIENT, "npi:90000022"), ("admit", PATIENT, "npi:90000022")),
        (("mask", PATIENT, document["uniqueId"]), ("unmask", PATIENT, document["uniqueId"])),
        (("record", "close", PATIENT), ("record", "open", PATIENT)),
        (("record", "suspend", PATIENT), ("record", "open", PATIENT)),
    ):
        assert run(*forbid, "--reason", "my wish").exit_code == 0
        assert run("explain", *WHO, "--document", document["uniqueId"]).exit_code == 1
        assert run(*allow, "--reason", "my wish").exit_code == 0
        assert run("explain", *WHO, "--document", document["uniqueId"]).exit_code == 0


def test_an_emergency_waits_for_its_review(run: Run) -> None:
    run("record", "open", PATIENT, "--reason", "signed")
    broken = told(run("break-glass", PATIENT, "npi:90000022", "--reason", "unconscious", "--json"))
    [waiting] = told(run("emergencies", "--json"))
    assert (waiting["who"], waiting["why"], waiting["patient"]) == ("npi:90000022", "unconscious", PATIENT)
    urgent = ("--purpose", "ETREAT^^2.16.840.1.113883.5.8")
    assert run("explain", *WHO, *urgent).exit_code == 0
    assert run("review", PATIENT, broken["event"], "--reason", "justified").exit_code == 0
    assert told(run("emergencies", "--json")) == []


def test_what_cannot_be_meant_is_told(run: Run) -> None:
    for words in (
        ("relate", PATIENT, "90000022", "--kind", "treating-doctor", "--reason", "x"),
        ("exclude", "DSP-1", "npi:1", "--reason", "x"),
        ("exclude", f"NOBODY^^^&{DSP}&ISO", "npi:1", "--reason", "x"),
        ("mask", PATIENT, "1.2", "--profession", "astrologer", "--reason", "x"),
        ("break-glass", PATIENT, "organization:1.2", "--reason", "x"),
        ("exclude", PATIENT, "npi:1", "--reason", " "),
    ):
        assert run(*words).exit_code == 2, words


def test_what_if_counts_who_would_see_more_and_who_less(run: Run, tmp_path: Path) -> None:
    run("record", "open", PATIENT, "--reason", "signed")
    proposed = tmp_path / "access.toml"
    shipped = (SHIPPED / "demo" / "access.toml").read_text(encoding="utf-8")
    proposed.write_text(shipped, encoding="utf-8")
    assert "Nobody would see more or less" in run("what-if", "--policy", proposed).stdout
    proposed.write_text(shipped.replace('reads = ["laboratory"]', "reads = []"), encoding="utf-8")
    outcome = told(run("what-if", "--policy", proposed, "--json"))
    assert outcome["lost"] == {"laboratory with a relationship": 1} and outcome["gained"] == {}


def test_a_wrong_policy_says_every_fault(tmp_path: Path) -> None:
    file = tmp_path / "access.toml"
    file.write_text('mode = "dsp"\n[confidentiality]\nN = ["N"]\n[professions.doctor]\nraeds = ["*"]\n')
    with pytest.raises(DomainError) as caught:
        read_access(file)
    assert {each.key for each in caught.value.faults} == {"confidentiality.N.1", "professions.doctor.raeds"}
    file.write_text('mode = "dsp"\n[confidentiality]\nN = ["N^^1.2"]\n[professions.doctor]\nreads = ["labs"]\n')
    with pytest.raises(DomainError, match="labs is no category"):
        read_access(file)


def test_the_connectathon_is_open_and_the_demonstration_is_not() -> None:
    assert load("connectathon").access.mode is Mode.OPEN
    policy = load("demo").access
    assert policy.mode is Mode.DSP and not policy.without_record
    assert {each.name for each in policy.professions} == {"referring-doctor", "treating-doctor", "laboratory", "nurse"}
