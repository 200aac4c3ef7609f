"""``affinity saml``: what it issues is what it verifies, and what is wrong with the rest is told."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from typer.testing import CliRunner, Result

from affinity.cli import app
from affinity.pki import development_pki
from soap.xml import serialize
from xua.keys import make_stranger
from xua.people import PEOPLE, DemoRole
from xua.sts import Defect, DevelopmentSTS

NURSE = PEOPLE[DemoRole.NURSE]
PATIENT = "1234^^^&2.25.77&ISO"


def saml(*words: object) -> Result:
    return CliRunner().invoke(app, ["saml", *map(str, words)])


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """The data directory of a development node that is not running."""
    development_pki(tmp_path / "data" / "pki")
    return tmp_path / "data"


def test_what_is_issued_is_verified(node: Path, tmp_path: Path) -> None:
    token = tmp_path / "nurse.xml"
    issued = saml("issue", "--role", "nurse", "--patient", PATIENT, "--data", node, "--out", token)
    assert issued.exit_code == 0, issued.output
    verified = saml("verify", token, "--data", node, "--json")
    assert verified.exit_code == 0, verified.output
    told = json.loads(verified.stdout)
    assert told["accepted"] and told["principal"]["name_id"] == NURSE.name_id
    assert told["principal"]["resource_id"] == PATIENT
    assert NURSE.name in saml("verify", token, "--data", node).stdout


def test_standard_output_is_the_assertion_and_nothing_else(node: Path, tmp_path: Path) -> None:
    issued = saml("issue", "--data", node)
    assert issued.stdout.startswith("<saml2:Assertion") and issued.stdout.endswith("</saml2:Assertion>\n")
    message = saml("issue", "--data", node, "--soap")
    file = tmp_path / "message.xml"
    file.write_text(message.stdout)
    told = json.loads(saml("explain", file, "--data", node, "--json").stdout)
    assert told["accepted"] and {each["verdict"] for each in told["checks"]} == {"passed"}


@pytest.mark.parametrize("defect", Defect)
def test_every_defect_is_issued_and_explained(node: Path, tmp_path: Path, defect: Defect) -> None:
    file = tmp_path / "token.xml"
    assert saml("issue", "--defect", defect, "--soap", "--data", node, "--out", file).exit_code == 0
    told = saml("explain", file, "--data", node, "--json")
    assert told.exit_code == 1
    (failed, *_) = [each for each in json.loads(told.stdout)["checks"] if each["verdict"] == "FAILED"]
    assert failed["found"] and failed["rule"]
    shown = saml("verify", file, "--data", node)
    assert shown.exit_code == 1 and f"refused at {failed['check']}" in shown.stdout


def test_an_issuer_is_trusted_when_it_is_named(node: Path, tmp_path: Path) -> None:
    key, certificate = make_stranger(datetime.now(UTC))
    pem, token = tmp_path / "idp.pem", tmp_path / "token.xml"
    pem.write_bytes(certificate.public_bytes(Encoding.PEM))
    idp = DevelopmentSTS("https://idp.example", key, certificate)
    token.write_bytes(serialize(idp.issue(DemoRole.NURSE, datetime.now(UTC), "urn:ours")))
    asked = ("verify", token, "--data", node, "--audience", "urn:ours")
    refused = saml(*asked)
    assert refused.exit_code == 1 and "is not trusted" in refused.stdout
    assert saml(*asked, "--trust", f"https://idp.example={pem}").exit_code == 0
    late = saml(*asked, "--trust", f"https://idp.example={pem}", "--at", "2099-01-01T00:00:00Z")
    assert late.exit_code == 1 and "not valid now" in late.stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("issue", "--role", "astronaut"), "--role is one of"),
        (("issue", "--defect", "rusty"), "--defect is one of"),
        (("verify", __file__), "not well-formed XML"),
    ],
)
def test_wrong_use_is_told_in_one_sentence(node: Path, words: tuple[str, ...], sentence: str) -> None:
    result = saml(*words, "--data", node)
    assert result.exit_code == 2 and sentence in result.stderr and "Traceback" not in result.output


def test_nothing_is_issued_without_a_development_node(tmp_path: Path) -> None:
    result = saml("issue", "--data", tmp_path)
    assert result.exit_code == 2 and "no development node" in result.stderr
