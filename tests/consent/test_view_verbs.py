"""``affinity consent accesses``, ``import`` and ``export``, as a person types them, beside a data directory."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from affinity.cli import app
from affinity.domain import load
from affinity.node import open_node
from affinity.settings import Settings
from ihe.datatypes import CX, HD
from pix.model import Demographics, Feed, Identifier, Origin, PersonName

RUN = CliRunner()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data directory of the demo domain, with one patient."""
    directory = tmp_path / "data"
    loaded = load("demo")
    node = open_node(Settings(domain="demo", data=directory), loaded)
    authority = next(each for each in loaded.affinity_domain.assigning_authorities if each.issues_xds_ids)
    who = Demographics(names=(PersonName(family="Weber", given="Anna"),), birth_time="19800515", sex="F")
    feed = Feed(identifiers=(Identifier(authority=authority, id="A-1"),), demographics=who)
    from ihe.transactions import Actor

    origin = Origin(source="HIS|H", message_id="1", digest="1", answer=b"AA", transaction="ITI-30")
    node.ports[Actor.PIX_MANAGER].register(feed, origin)
    node.close()
    return directory


@pytest.fixture
def patient() -> str:
    authority = next(each for each in load("demo").affinity_domain.assigning_authorities if each.issues_xds_ids)
    return str(CX("A-1", HD("", authority.oid, "ISO")))


def run(data: Path, *words: str) -> "tuple[int, str]":
    result = RUN.invoke(app, ["consent", *words, "--domain", "demo", "--data", str(data)])
    return result.exit_code, result.stdout


def consent(patient: str, **change: object) -> str:
    id, authority = patient.split("^^^&")
    resource = {
        "resourceType": "Consent",
        "status": "active",
        "scope": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]
        },
        "category": [{"coding": [{"system": "http://loinc.org", "code": "57016-8"}]}],
        "patient": {"identifier": {"system": f"urn:oid:{authority.removesuffix('&ISO')}", "value": id}},
        "provision": {
            "type": "permit",
            "provision": [
                {
                    "type": "deny",
                    "actor": [{"reference": {"type": "Organization", "identifier": {"value": "urn:oid:2.999.7"}}}],
                }
            ],
        },
    }
    return json.dumps(resource | change)


def test_a_consent_goes_in_and_comes_out_and_the_view_tells_of_it(data: Path, patient: str, tmp_path: Path) -> None:
    file = tmp_path / "consent.json"
    file.write_text(consent(patient))
    code, told = run(data, "import", str(file), "--reason", "signed at the counter", "--json")
    assert code == 0, told
    assert json.loads(told)["patient"] == patient
    code, told = run(data, "export", patient)
    assert code == 0
    assert {each["type"] for each in json.loads(told)["provision"]["provision"]} == {"permit", "deny"}
    code, told = run(data, "accesses", patient, "--lang", "fr", "--all")
    assert code == 0
    assert told.startswith("Quand")
    target = tmp_path / "accesses.csv"
    code, _ = run(data, "accesses", patient, "--lang", "de", "--csv", str(target))
    assert code == 0
    assert target.read_text().startswith("Wann,Wer,Funktion")
    assert target.stat().st_mode & 0o777 == 0o600


def test_what_cannot_be_kept_to_is_named_and_nothing_is_done(data: Path, patient: str, tmp_path: Path) -> None:
    file = tmp_path / "consent.json"
    file.write_text(consent(patient, implicitRules="urn:x"))
    result = RUN.invoke(
        app, ["consent", "import", str(file), "--reason", "x", "--domain", "demo", "--data", str(data), "--json"]
    )
    assert result.exit_code == 1
    assert "Consent.implicitRules" in json.loads(result.stdout)["error"]
    code, _ = run(data, "history", patient)
    assert code == 0


def test_an_unknown_patient_is_wrong_use(data: Path, patient: str) -> None:
    code, _ = run(data, "accesses", patient.replace("A-1", "A-2"))
    assert code == 2
