"""The command line without a server: wrong use, exit codes, JSON, settings, domains, and what cannot be reached."""

import errno
import json
import re
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from affinity.cli import app
from affinity.cli.failures import explain
from affinity.cli.verbs import ExitCode
from affinity.client.connecting import explain_connection
from affinity.domain import load
from soap.client import FaultReceived

COMMANDS = Path(__file__).parents[2] / "docs/commands.md"
GROUPS = {group.name: group.typer_instance for group in app.registered_groups}
VERBS = (
    *(each.name or "" for each in app.registered_commands),
    *(f"{name} {each.name}" for name, group in GROUPS.items() for each in group.registered_commands),
)
"""Every verb, of a group too: ``send``, ``pix ids``."""
PATIENT = "4711^^^&2.25.3&ISO"
MESSAGE = "MSH|^~\\&|A|B|C|D|1||ADT^A28|1|P|2.5\nPID|||1^^^N||Doe^Jo\n"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty directory: no node of this machine is found."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    """A file with one message."""
    file = tmp_path / "feed.hl7"
    file.write_text(MESSAGE)
    return file


@pytest.fixture
def nowhere() -> str:
    """An address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    return f"127.0.0.1:{port}"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def told(result: Result) -> Any:
    return json.loads(result.stdout)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself_with_examples(verb: str) -> None:
    result = run(*verb.split(), "--help")
    assert result.exit_code == 0
    assert "Examples" in result.stdout and f"affinity {verb}" in result.stdout


def test_the_page_of_commands_has_a_section_for_every_verb() -> None:
    headings = re.findall("^## (affinity .+)$", COMMANDS.read_text(encoding="utf-8"), re.MULTILINE)
    assert {verb for heading in headings for verb in heading.replace("affinity ", "").split(", ")} == set(VERBS)


@pytest.mark.parametrize(
    "arguments",
    [
        ("send",),
        ("send", "no-such-file.hl7"),
        ("send", "feed.hl7", "--mllp", "nonsense"),
        ("send", "feed.hl7", "--tls-ca", "feed.hl7"),
        ("send", "feed.hl7", "--cert", "no-such-file.pem"),
        ("pix", "ids", "4711"),
        ("pix", "ids", PATIENT, "--domain", "a&b&c"),
        ("pix", "ids", PATIENT, "--sender", "no bar"),
        ("pix", "ids", "4711^^^NS", "--v3", "http://127.0.0.1:1/pix"),
        ("pix", "ids", PATIENT, "--v3", "http://127.0.0.1:1/pix", "--device", "x"),
        ("pix", "load"),
        ("pix", "load", "no-such-file.csv"),
        ("pix", "load", "feed.hl7"),
        ("pix", "load", "feed.hl7", "--format", "csv"),
        ("pix", "load", "feed.hl7", "--format", "fhir", "--source", "no bar"),
        ("pix", "export", "out.csv"),
        ("pix", "export", "out.txt"),
        ("demo", "population", "0"),
        ("demo", "population", "5", "--out", "people.xml"),
        ("demo", "population", "5", "--domain", "no-such-domain"),
        ("pdq",),
        ("pdq", "--family", "Doe", "--limit", "0"),
        ("pdq", "--family", "Doe", "--approximate", "--v3", "http://127.0.0.1:1/pdq"),
        ("submit", "feed.hl7"),
        ("submit", "feed.hl7", "--patient-id", "4711"),
        ("submit", "feed.hl7", "feed.hl7", "--patient-id", PATIENT, "--unique-id", "1.2"),
        ("submit", "feed.hl7", "--patient-id", PATIENT, "--class-code", "NOPE"),
        ("submit", "feed.hl7", "--patient-id", PATIENT, "--metadata", "feed.hl7"),
        ("submit", "feed.hl7", "--patient-id", PATIENT, "--repository", "http://127.0.0.1:1/x"),
        ("query", "--param", "nonsense"),
        ("query", "--query", "NoSuchQuery"),
        ("query", "--patient-id", PATIENT, "--registry", "ftp://x"),
        ("query", "--patient-id", PATIENT, "--assertion", "feed.hl7"),
        ("query", "--patient-id", PATIENT, "--sts", "http://127.0.0.1:1/sts", "--role", "king"),
        ("query", "--patient-id", PATIENT, "--cert", "feed.hl7"),
        ("query", "--domain", "no-such-domain", "--patient-id", PATIENT, "--sts", "http://127.0.0.1:1/sts"),
        ("retrieve",),
        ("doctor", "--url", "nonsense"),
        ("doctor", "--mllp", "nonsense"),
        ("doctor", "--connect", "nonsense"),
        ("doctor", "--connect", "localhost:1", "--cert", "feed.hl7"),
        ("cert", "show", "feed.hl7"),
        ("cert", "client", "try", "a/b"),
        ("cert", "server", "try"),
        ("cert", "revoke", "try", "feed.hl7"),
        ("init",),
        ("init", ".", "--template", "demo"),
        ("config", "--http-port", "70000"),
        ("up", "--trust", "nonsense"),
        ("up", "--xua", "perhaps"),
    ],
)
def test_wrong_use_is_exit_code_2_and_no_traceback(arguments: tuple[str, ...], feed: Path) -> None:
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stderr and "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("up", "--domain", "no-such-domain"), "no-such-domain: is no directory with a domain.toml"),
        (("serve", "--domain", "demo"), "no issuer is trusted"),
    ],
)
def test_a_server_that_cannot_start_says_why_in_one_sentence(arguments: tuple[str, ...], reason: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "affinity", *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert reason in done.stderr and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("send", "feed.hl7", "--mllp", "{nowhere}"),
        ("pix", "ids", PATIENT, "--mllp", "{nowhere}"),
        ("pdq", "--family", "Doe", "--mllp", "{nowhere}"),
        ("pdq", "--family", "Doe", "--v3", "http://{nowhere}/pdq"),
        ("submit", "feed.hl7", "--patient-id", PATIENT, "--domain", "demo", "--repository", "http://{nowhere}/x"),
        ("query", "--patient-id", PATIENT, "--registry", "http://{nowhere}/x"),
        ("retrieve", "1.2", "--repository", "http://{nowhere}/x", "--out", "new"),
    ],
)
def test_who_does_not_answer_is_exit_code_3(arguments: tuple[str, ...], feed: Path, nowhere: str) -> None:
    result = run(*(each.replace("{nowhere}", nowhere) for each in arguments), "--json")
    assert result.exit_code == 3, result.output
    assert told(result)["exit_code"] == 3 and "nothing listens there" in told(result)["error"]


def test_an_unreadable_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFFINITY__LISTEN__HTTP_PORT", "many")
    result = run("config")
    assert result.exit_code == 2 and "listen.http_port" in result.stderr


def test_config_says_who_set_what_and_shows_no_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "affinity.toml").write_text(
        'database_url = "postgresql+psycopg://user:secret@host/name"\n[listen]\nmllp_port = 1\nhttp_port = 1\n'
    )
    monkeypatch.setenv("AFFINITY__LISTEN__HTTP_PORT", "2")
    result = run("config", "--config", "affinity.toml", "--https-port", "3", "--json")
    settings = {each["key"]: each for each in told(result)}
    said = {name: (settings[f"listen.{name}"]["value"], settings[f"listen.{name}"]["source"]) for name in PORTS}
    assert said == {
        "mllp_port": (1, "file"),
        "http_port": (2, "environment"),
        "https_port": (3, "option"),
        "mllps_port": (2576, "default"),
    }
    assert settings["listen.http_port"]["default"] == 8080
    assert "secret" not in result.stdout and settings["database_url"]["source"] == "file"
    assert "secret" not in run("config", "--config", "affinity.toml").stdout


def test_a_population_goes_into_an_index_and_out_again(tmp_path: Path) -> None:
    made = told(run("demo", "population", "60", "--seed", "4", "--json"))
    assert made["persons"] == 60 and (tmp_path / made["truth"]).read_text().count("\n") == made["records"] + 1
    (first,) = told(run("pix", "load", made["file"], "--json"))
    assert (first["stored"], first["rejected"], first["already"]) == (made["records"], 0, 0)
    assert told(run("pix", "load", made["file"], "--json"))[0]["already"] == made["records"]
    exported = told(run("pix", "export", "out.ndjson", "--json"))
    assert exported["records"] == (tmp_path / "out.ndjson").read_text().count("\n") <= made["records"]
    assert (tmp_path / "out.ndjson").stat().st_mode & 0o077 == 0
    assert run("pix", "load", "out.ndjson", "--dry-run").exit_code == 0


def test_a_file_with_a_wrong_line_is_exit_code_1(tmp_path: Path) -> None:
    (tmp_path / "some.csv").write_text("identifiers,family\n1^^^HOP-PETRUSSE,Weber\n2^^^NOWHERE,Weber\n")
    result = run("pix", "load", "some.csv", "--source", "HIS|HOP-PETRUSSE")
    assert result.exit_code == 1 and "some.csv" in result.stdout
    assert (tmp_path / "some.csv.rejects").read_text().startswith("line,rule,reason\n3,unknown-authority,")


PORTS = ("mllp_port", "http_port", "https_port", "mllps_port")


def test_init_makes_a_domain_with_oids_of_its_own() -> None:
    assert run("init", "mine").exit_code == 0
    mine, demo = load("mine").affinity_domain, load("demo").affinity_domain
    assert mine.home_community_id != demo.home_community_id
    assert {each.oid for each in mine.assigning_authorities}.isdisjoint(each.oid for each in demo.assigning_authorities)
    assert run("init", "mine").exit_code == 2


def test_init_can_keep_the_oids() -> None:
    result = run("init", "mine", "--template", "connectathon", "--keep-oids", "--json")
    assert told(result)["homeCommunityId"] == load("connectathon").affinity_domain.home_community_id


def test_the_doctor_of_nothing_finds_nothing_wrong() -> None:
    result = run("doctor", "--json")
    assert result.exit_code == 0
    assert {each["check"]: each["state"] for each in told(result)} == {
        "domain": "ok",
        "matching": "ok",
        "partners": "ok",
        "data directory": "skipped",
        "document store": "skipped",
        "document key": "skipped",
        "seal key": "skipped",
        "database": "skipped",
        "certificates": "skipped",
        "server": "skipped",
    }


def test_the_doctor_finds_a_broken_domain_a_foreign_database_and_an_unreachable_server(
    tmp_path: Path, nowhere: str
) -> None:
    run("init", "mine")
    (tmp_path / "mine" / "domain.toml").write_text("")
    data = tmp_path / "data"
    data.mkdir()
    (data / "affinity.db").write_bytes(b"no database")
    (data / "ports.json").write_text(json.dumps({"http": int(nowhere.rpartition(":")[2])}))
    result = run("doctor", "--domain", "mine", "--data", data, "--json")
    assert result.exit_code == 1
    wrong = {each["check"]: each for each in told(result) if each["state"] == "FAILED"}
    assert set(wrong) == {"domain", "database", f"http {nowhere}"}
    assert all(each["detail"] for each in wrong.values())


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), "nothing listens there"),
        (TimeoutError(), "nothing came in time"),
        (ConnectionResetError(), "closed the connection in the middle"),
        (socket.gaierror(), "no such host name"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "Network is unreachable"),
        (ssl.SSLError(1, "x"), "handshake failed"),
    ],
)
def test_a_connection_that_fails_is_told_in_words(error: OSError, words: str) -> None:
    assert words in explain_connection(error)


def test_a_defect_is_named_by_its_kind_with_a_way_to_see_more() -> None:
    stopped = explain(ZeroDivisionError("division by zero"))
    assert stopped.code is ExitCode.REFUSED
    assert str(stopped) == "unexpected ZeroDivisionError: division by zero (--debug shows where it happened)"


def test_a_fault_about_the_assertion_says_how_to_give_one() -> None:
    stopped = explain(FaultReceived(400, "Sender", ("InvalidSecurity",), "no"))
    assert stopped.code is ExitCode.REFUSED and "--sts URL" in str(stopped)


def test_debug_shows_where_an_error_came_from(feed: Path, nowhere: str) -> None:
    assert "Traceback" in run("send", feed, "--mllp", nowhere, "--debug").stderr
