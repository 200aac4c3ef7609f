"""Stewards at work on a real node: the verbs of the command line, the interface over HTTP and TLS, who is kept out."""

import json
import os
import re
import shutil
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from affinity.cli import app
from affinity.client.stewardship import RequestRefused, StewardClient
from affinity.database import Database
from affinity.pki import development_pki
from affinity.stewardship.access import digest
from pix.replay import rebuild
from tests.end_to_end.conftest import RunningNode, Start, start_node

RED, BLUE = "IHERED&1.3.6.1.4.1.21367.13.20.1000&ISO", "IHEBLUE&1.3.6.1.4.1.21367.13.20.3000&ISO"
FEED = """MSH|^~\\&|HIS|RED|AFFINITY|AFFINITY|20261123||ADT^A28^ADT_A05|S-{number}|P|2.5
EVN||20261123
PID|||{id}||{family}^{given}||{born}|F
PV1||N
"""
NUMBERS = count(1)
TOKENS = {"anna": "anna-" + "a" * 40, "ben": "ben-" + "b" * 40}
Run = Callable[..., Result]


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def told(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """A node with two stewards of the settings beside the developer."""
    for name, token in TOKENS.items():
        os.environ[f"AFFINITY__STEWARDS__{name.upper()}"] = digest(token)
    started = start_node(tmp_path_factory.mktemp("stewards") / "data", "--domain", "connectathon")
    for name in TOKENS:
        del os.environ[f"AFFINITY__STEWARDS__{name.upper()}"]
    yield started
    started.kill()


@pytest.fixture
def run(node: RunningNode) -> Run:
    return lambda *arguments: invoke("pix", *arguments, "--data", node.data)


@pytest.fixture
def feed(node: RunningNode, tmp_path: Path) -> Callable[..., Result]:
    def send(id: str, family: str = "Wagner", given: str = "Léa", born: str = "19800515") -> Result:
        file = tmp_path / "feed.hl7"
        file.write_text(FEED.format(number=next(NUMBERS), id=id, family=family, given=given, born=born))
        return invoke("send", file, "--data", node.data)

    return send


@pytest.fixture
def doubtful(feed: Callable[..., Result], run: Run) -> Callable[[], Any]:
    """Make two records that resemble each other; the open task that asks whether they are one person."""

    def make() -> Any:
        number = next(NUMBERS)
        family = f"Nom{''.join(chr(97 + int(digit)) * 2 for digit in str(number))}"
        for authority in (RED, BLUE):
            assert feed(f"{number}^^^{authority}", family, born=f"19{number % 90 + 10}0101").exit_code == 0
        (task,) = told(run("tasks", "--id", f"{number}^^^IHERED", "--json"))["tasks"]
        return task

    return make


def ids(task: Any) -> list[str]:
    return [each["id"] for each in task["records"]]


def client(node: RunningNode, who: str) -> StewardClient:
    return StewardClient(url=node.url("/pix/stewardship"), token=TOKENS[who])


def ask(node: RunningNode, path: str, **headers: str) -> tuple[int, Any]:
    request = urllib.request.Request(node.url(f"/pix/stewardship/{path}"), headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def raw(node: RunningNode, head: str, body: bytes = b"") -> bytes:
    with socket.create_connection(("127.0.0.1", node.ports["http"]), timeout=20) as opened:
        opened.sendall(head.replace("\n", "\r\n").encode() + body)
        received = b""
        while more := opened.recv(65536):
            received += more
        return received


def test_the_life_of_a_task_on_the_command_line(run: Run, doubtful: Callable[[], Any]) -> None:
    task = doubtful()
    number, (one, other) = task["number"], ids(task)
    table = run("tasks", "--kind", "potential-duplicate").stdout
    assert str(number) in table and "IHERED" in table and "potential duplicate" in table
    shown = run("task", number).stdout
    assert "potential duplicate, open, of nobody" in shown and "given" in shown and "bits" in shown
    assert f"affinity pix decide {number} link|never-link|ignore" in shown
    assert "of developer" in run("take", number).stdout
    assert str(number) not in run("tasks", "--unowned").stdout
    assert "of nobody" in run("release", number).stdout
    assert "closed: link" in run("decide", number, "link", "--reason", "same passport").stdout
    explained = run("explain", one, other).stdout
    assert "are one person today" in explained and "same passport" in explained and "speaks against" in explained
    story = run("history", one).stdout
    assert "task-decided" in story and "steward|developer" in story and "same passport" in story
    person = told(run("person", one, "--json"))
    assert {each["id"] for each in person["records"]} == {one, other}
    assert set(person["provenance"]) == set(person["demographics"]) and "birth time" in run("person", other).stdout
    again = run("decide", number, "link", "--reason", "x")
    assert again.exit_code == 1 and "is closed: link" in again.stderr


def test_what_differs_is_marked(run: Run, feed: Callable[..., Result]) -> None:
    number = next(NUMBERS)
    assert feed(f"{number}^^^{RED}", "Overlay").exit_code == 0
    assert feed(f"{number}^^^{RED}", "Quite", "Different").exit_code == 0
    (task,) = told(run("tasks", "--id", f"{number}^^^IHERED", "--kind", "overlay", "--json"))["tasks"]
    shown = run("task", task["number"]).stdout
    (names,) = [line for line in shown.splitlines() if "names" in line]
    assert names.split() == ["≠", "names", "Overlay", "Léa", "Quite", "Different"]
    assert not any(line.startswith("≠") for line in shown.splitlines() if "birth" in line)


@pytest.mark.parametrize("choice", ["link", "never-link", "ignore"])
def test_every_choice_for_two_authorities(run: Run, doubtful: Callable[[], Any], choice: str) -> None:
    task = doubtful()
    decided = told(run("decide", task["number"], choice, "--reason", "x", "--json"))
    assert (decided["open"], decided["decision"]) == (False, choice)
    explained = told(run("explain", *ids(task), "--json"))
    assert explained["one_person"] == (choice == "link")


def test_merge_split_and_taking_back(run: Run, feed: Callable[..., Result]) -> None:
    number = next(NUMBERS)
    two = [f"{number}-{letter}^^^{RED}" for letter in "ab"]
    for each in two:
        assert feed(each, "Doppel", born="19900909").exit_code == 0
    (task,) = told(run("tasks", "--id", two[0], "--json"))["tasks"]
    merged = run("decide", task["number"], "merge", "--surviving", two[1], "--reason", "registered twice")
    assert merged.exit_code == 0, merged.output
    assert run("ids", two[0]).exit_code == 1
    assert run("unmerge", two[0], "--reason", "wrong").exit_code == 0
    assert run("ids", two[0]).exit_code == 0
    assert run("link", *two, "--reason", "x").exit_code == 0
    assert run("split", two[1], "--reason", "x").exit_code == 0
    assert not told(run("explain", *two, "--json"))["one_person"]
    assert run("withdraw", *two, "--reason", "x").exit_code == 0
    assert run("never-link", *two, "--reason", "x").exit_code == 0
    refused = run("unmerge", two[0], "--reason", "x")
    assert refused.exit_code == 1 and "nothing to take back" in refused.stderr


def test_a_reason_is_needed(run: Run, node: RunningNode, doubtful: Callable[[], Any]) -> None:
    task = doubtful()
    assert run("decide", task["number"], "link").exit_code == 2
    assert run("decide", task["number"], "link", "--reason", " ").exit_code == 1
    with pytest.raises(RequestRefused) as caught:
        client(node, "anna").post("link", {"ids": ids(task)})
    assert caught.value.status == 422 and caught.value.content["error"]["where"] == "reason"


def test_a_refused_feed_is_counted_for_its_source(run: Run, feed: Callable[..., Result]) -> None:
    assert feed("1^^^NOWHERE&1.2.3&ISO").exit_code == 1
    (source,) = [each for each in told(run("statistics", "--json"))["sources"] if each["source"] == "HIS|RED"]
    assert source["refused"]["204"] >= 1
    assert "HIS|RED" in run("statistics").stdout


def test_two_stewards_at_once_and_one_wins(node: RunningNode, doubtful: Callable[[], Any]) -> None:
    task = doubtful()
    path, version = f"tasks/{task['number']}/decision", task["version"]

    def decide(who: str, choice: str) -> int:
        try:
            client(node, who).post(path, {"choice": choice, "version": version, "reason": who})
        except RequestRefused as refused:
            assert refused.content["task"]["decision"] in ("link", "never-link")
            return refused.status
        return 200

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(decide, ["anna", "ben"] * 2, ["link", "never-link"] * 2))
    assert sorted(outcomes) == [200, 409, 409, 409]


def test_whoever_has_no_token_learns_nothing(node: RunningNode) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic YW5uYTphbm5h"}):
        status, answer = ask(node, "tasks", **headers)
        assert status == 401 and set(answer) == {"error"}
    assert ask(node, "nowhere")[0] == 401
    status, answer = ask(node, "tasks", Authorization=f"Bearer {TOKENS['anna']}")
    assert status == 200 and "tasks" in answer
    assert not any(token in line for token in TOKENS.values() for line in node.log)


def test_over_mutual_tls(node: RunningNode, tmp_path: Path) -> None:
    pki = development_pki(node.data / "pki")
    tls = ("--tls-ca", pki.authority.certificate, "--cert", pki.client.certificate, "--key", pki.client.key)
    file = tmp_path / "token"
    file.write_text(TOKENS["ben"] + "\n")
    url = f"https://127.0.0.1:{node.ports['https']}"
    asked = invoke("pix", "tasks", "--json", "--url", url, "--token-file", file, *tls)
    assert asked.exit_code == 0 and "tasks" in json.loads(asked.stdout)
    # The development node's own token is not sent to an address that was typed.
    assert invoke("pix", "tasks", "--url", url, *tls).exit_code == 2
    bare = invoke("pix", "tasks", "--url", url, "--token-file", file, *tls[:2])
    assert bare.exit_code == 3


def test_bodies_that_are_hostile(node: RunningNode) -> None:
    head = (
        "POST /pix/stewardship/link HTTP/1.1\nHost: x\nConnection: close\nContent-Type: {kind}\n"
        f"Authorization: Bearer {TOKENS['anna']}\n"
    )
    good = head.format(kind="application/json")
    assert b"413" in raw(node, f"{good}Content-Length: 20000\n\n", b"x" * 20_000).split(b"\r\n")[0]
    chunk = b"4e20\r\n" + b"x" * 20_000 + b"\r\n0\r\n\r\n"
    assert b"413" in raw(node, f"{good}Transfer-Encoding: chunked\n\n", chunk).split(b"\r\n")[0]
    assert b"415" in raw(node, f"{head.format(kind='text/xml')}Content-Length: 2\n\n", b"{}").split(b"\r\n")[0]
    assert b"400" in raw(node, f"{good}Content-Length: 3\n\n", b"{{{").split(b"\r\n")[0]
    assert b"400" in raw(node, f"{good}Content-Length: 0\n\n").split(b"\r\n")[0]


def test_soap_is_spoken_beside_the_interface_as_before(node: RunningNode) -> None:
    with urllib.request.urlopen(node.url("/pix?wsdl"), timeout=20) as answer:
        assert b"definitions" in answer.read()
    soap = "POST /pix{path} HTTP/1.1\nHost: x\nConnection: close\nContent-Type: application/json\nContent-Length: 2\n\n"
    for path in ("", "/", "/stewardships"):
        assert raw(node, soap.format(path=path), b"{}").startswith(b"HTTP/1.1 415")


GUIDE = Path(__file__).parents[2] / "docs/stewardship.md"
EXAMPLES = re.findall(r"^```sh\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the examples of the guide are for curl, which is not here")
def test_the_examples_of_the_guide_run_one_after_the_other(node: RunningNode, doubtful: Callable[[], Any]) -> None:
    task = doubtful()
    one, other = ids(task)
    given = {"TASK": str(task["number"]), "VERSION": str(task["version"]), "ONE": one, "OTHER": other}
    environment = {**os.environ, **given, "NODE": node.url(""), "TOKEN": TOKENS["anna"]}
    assert len(EXAMPLES) == 5
    answers = []
    for example in EXAMPLES:
        ran = subprocess.run(["sh", "-c", example], env=environment, capture_output=True, check=True, timeout=30)
        answers.append(json.loads(ran.stdout))
    assert not any("error" in each for each in answers), answers
    _, read, decided, explained, withdrawn = answers
    assert read["open"] and decided["decision"] == "link" and explained["one_person"]
    assert withdrawn["done"] == "withdraw"


def test_a_token_is_made_and_shown_once() -> None:
    made = told(invoke("pix", "token", "anna", "--json"))
    assert made["digest"] == digest(made["token"]) and len(made["token"]) >= 40
    shown = invoke("pix", "token", "anna").stdout
    assert "[stewards]" in shown and '"anna" = "sha256:' in shown
    assert invoke("pix", "token", "Anna Weber").exit_code == 2


def test_no_token_and_no_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AFFINITY_STEWARD_TOKEN", raising=False)
    nobody = invoke("pix", "tasks", "--data", tmp_path)
    assert nobody.exit_code == 2 and "affinity pix token" in nobody.stderr
    monkeypatch.setenv("AFFINITY_STEWARD_TOKEN", "x")
    assert invoke("pix", "tasks", "--url", "http://127.0.0.1:9").exit_code == 3
    assert invoke("pix", "tasks", "--url", "ftp://x").exit_code == 2


def test_config_says_that_the_interface_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "/pix/stewardship is closed" in invoke("config").stdout
    monkeypatch.setenv("AFFINITY__STEWARDS__ANNA", digest("x"))
    listed = {each["key"]: each for each in told(invoke("config", "--json"))}
    assert (listed["stewards"]["value"], listed["stewards"]["source"]) == (["anna"], "environment")


def test_what_was_decided_is_in_the_log_and_can_be_replayed(start: Start, tmp_path: Path) -> None:
    node = start("--domain", "connectathon")
    file = tmp_path / "feed.hl7"
    for authority in (RED, BLUE):
        file.write_text(FEED.format(number=next(NUMBERS), id=f"1^^^{authority}", family="Kox", given="Li", born="1970"))
        assert invoke("send", file, "--data", node.data).exit_code == 0
    (task,) = told(invoke("pix", "tasks", "--json", "--data", node.data))["tasks"]
    decided = invoke("pix", "decide", task["number"], "link", "--reason", "x", "--data", node.data)
    assert decided.exit_code == 0, decided.output
    assert node.terminate() == 0
    database = Database(f"sqlite:///{node.data / 'affinity.db'}")
    done = database.write(lambda connection: rebuild(connection, lambda _: None))
    database.close()
    assert done.events > 4 and done.differing == ()
