"""The stewards' interface without its wire: who is let in, what is not understood, what is answered."""

import json
import stat
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from affinity.database import Database
from affinity.domain import load as load_domain
from affinity.settings import Settings
from affinity.stewardship import bodies
from affinity.stewardship.access import Stewards, development_token, digest
from affinity.stewardship.calls import Call, Reply
from affinity.stewardship.problems import Problem
from affinity.stewardship.routes import StewardshipAPI
from pix.manager import PatientIndex
from pix.model import Demographics, Feed, Identifier, Origin, PersonName

TOKENS = {"anna": "token-of-anna", "ben": "token-of-ben"}
STEWARDS = Stewards(digests={name: digest(token) for name, token in TOKENS.items()})
ANNA = Demographics(names=(PersonName(family="Weber", given="Anna"),), birth_time="19800515", sex="F")
DOMAIN = load_domain("connectathon").affinity_domain
RED, BLUE = DOMAIN.assigning_authorities[0], DOMAIN.assigning_authorities[2]


class Desk:
    """The interface, and short ways to it."""

    def __init__(self, api: StewardshipAPI) -> None:
        self.api = api

    def call(self, method: str, path: str, **given: Any) -> Reply:
        target, _, query = path.partition("?")
        given.setdefault("authorization", f"Bearer {TOKENS[given.pop('who', 'anna')]}")
        return self.api(Call(method=method, path=tuple(target.split("/")), query=query, peer="127.0.0.1", **given))

    def get(self, path: str, **given: Any) -> Reply:
        return self.call("GET", path, **given)

    def post(self, path: str, content: object, **given: Any) -> Reply:
        return self.call("POST", path, content=json.dumps(content).encode(), content_type="application/json", **given)

    def task(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.get("tasks").content["tasks"][0]
        return found


@pytest.fixture
def desk(database: Database) -> Desk:
    """Two records of one person, with a task that asks whether they are."""
    index = PatientIndex(domain=DOMAIN, database=database, clock=lambda: datetime.now(UTC))
    for number, authority in enumerate((RED, BLUE)):
        origin = Origin(source="HIS|HOSP", message_id=str(number), digest="d", answer=b"", transaction="test")
        index.register(Feed(identifiers=(Identifier(authority=authority, id="1"),), demographics=ANNA), origin)
    return Desk(StewardshipAPI(index=index, stewards=STEWARDS))


def id(authority: Any, number: str = "1") -> str:
    return f"{number}^^^{authority.namespace_id}&{authority.oid}&ISO"


def error(reply: Reply) -> tuple[int, str, str]:
    return reply.status, reply.content["error"]["code"], reply.content["error"].get("where", "")


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "Basic token-of-anna",
        "token-of-anna",
        f"Bearer {digest('token-of-anna')}",
        "Bearer token-of-anna " + "x" * 600,
    ],
)
def test_without_a_token_nobody_is_let_in(desk: Desk, authorization: str) -> None:
    assert error(desk.get("tasks", authorization=authorization)) == (401, "unauthorized", "Authorization")
    assert error(desk.post("link", {}, authorization=authorization))[0] == 401


def test_where_no_steward_is_named_the_interface_is_closed(desk: Desk) -> None:
    closed = Desk(StewardshipAPI(index=desk.api.index, stewards=Stewards(digests={})))
    assert error(closed.get("tasks")) == (403, "closed", "")


def test_no_token_is_taken_from_afar_without_tls() -> None:
    authorization = "Bearer token-of-anna"
    with pytest.raises(Problem) as caught:
        STEWARDS.authenticate(authorization, "10.0.0.7", secure=False)
    assert caught.value.status == 403
    assert STEWARDS.authenticate(authorization, "10.0.0.7", secure=True) == "anna"
    assert STEWARDS.authenticate(authorization, "::1", secure=False) == "anna"


def test_the_settings_take_digests_and_no_tokens() -> None:
    assert Settings(stewards={"anna": digest("x")}).stewards
    for name, known in (("anna", "x"), ("Anna Weber", digest("x")), ("anna|evil", digest("x"))):
        with pytest.raises(ValidationError):
            Settings(stewards={name: known})


def test_the_token_of_development_is_its_owners_alone(tmp_path: Path) -> None:
    first, second = development_token(tmp_path), development_token(tmp_path)
    file = tmp_path / "steward.token"
    assert first != second and file.read_text().strip() == second
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["steward.token"]


def test_a_task_is_listed_read_taken_and_decided(desk: Desk) -> None:
    listed = desk.task()
    assert listed["kind"] == "potential duplicate" and listed["owner"] is None
    assert [(each["family"], each["birth_date"]) for each in listed["records"]] == [("Weber", "19800515")] * 2
    number = listed["number"]
    read = desk.get(f"tasks/{number}").content
    assert read["choices"] == ["link", "never-link", "ignore"]
    assert read["explanation"]["stored"]["fields"] and not read["explanation"]["one_person"]
    taken = desk.post(f"tasks/{number}/assign", {"version": read["version"]}).content
    assert taken["owner"] == "anna"
    decided = desk.post(
        f"tasks/{number}/decision", {"choice": "link", "version": taken["version"], "reason": "same passport"}
    )
    assert decided.status == 200 and not decided.content["open"] and decided.content["decision"] == "link"
    told = desk.get(f"records?id={id(RED).replace('&', '%26')}").content
    mine = [each for each in told["events"] if each["actor"] == "steward|anna"]
    assert {each["reason"] for each in mine if each["type"] != "task-assigned"} == {"same passport"}
    assert {each["transaction"] for each in mine} == {"stewardship"}


def test_of_two_stewards_the_second_is_told_what_the_first_did(desk: Desk) -> None:
    task = desk.task()
    path, version = f"tasks/{task['number']}", task["version"]
    assert desk.post(f"{path}/assign", {"version": version}, who="anna").status == 200
    late = desk.post(f"{path}/decision", {"choice": "link", "version": version, "reason": "mine"}, who="ben")
    assert error(late) == (409, "stale", "version")
    assert late.content["task"]["owner"] == "anna" and late.content["task"]["open"]


def test_a_task_may_be_given_to_another_steward_and_to_nobody_else(desk: Desk) -> None:
    task = desk.task()
    path = f"tasks/{task['number']}/assign"
    given = desk.post(path, {"version": task["version"], "owner": "ben"}).content
    assert given["owner"] == "ben"
    for other in ("eve", {"name": "ben"}, ["ben"], 1):
        assert error(desk.post(path, {"version": given["version"], "owner": other})) == (422, "invalid", "owner")
    assert desk.post(path, {"version": given["version"], "owner": None}).content["owner"] is None


@pytest.mark.parametrize(
    ("content", "where"),
    [
        ({"choice": "link"}, "version"),
        ({"choice": "link", "version": 1}, "reason"),
        ({"choice": "link", "version": 1, "reason": "  "}, "reason"),
        ({"choice": "link", "version": 1, "reason": None}, "reason"),
        ({"choice": "link", "version": 1, "reason": "x" * 2001}, "reason"),
        ({"choice": "link", "version": "1", "reason": "x"}, "version"),
        ({"choice": "link", "version": True, "reason": "x"}, "version"),
        ({"choice": "link", "version": 2**63, "reason": "x"}, "version"),
        ({"choice": "marry", "version": 1, "reason": "x"}, "choice"),
        ({"choice": ["link"], "version": 1, "reason": "x"}, "choice"),
        ({"choice": "link", "version": 1, "reason": "x", "surviving": "1^^^X"}, "surviving"),
        ({"choice": "merge", "version": 1, "reason": "x", "surviving": "nonsense"}, "surviving"),
        ({"choice": "merge", "version": 1, "reason": "x", "surviving": "1^^^NOWHERE"}, "surviving"),
        ({"choice": "link", "version": 1, "raeson": "x"}, "raeson"),
    ],
)
def test_a_decision_that_cannot_be_meant_says_where(desk: Desk, content: object, where: str) -> None:
    number = desk.task()["number"]
    assert error(desk.post(f"tasks/{number}/decision", content)) == (422, "invalid", where)
    assert desk.task()["number"] == number


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "syntax"),
        (b"{", "syntax"),
        (b"[]", "syntax"),
        (b"null", "syntax"),
        (b'{"reason": NaN}', "syntax"),
        (b'{"reason": "\xff"}', "syntax"),
        (b'{"reason": "\\ud800"}', "syntax"),
        (b'{"\\udc00": 1}', "syntax"),
        (b'{"reason": "\\u0000"}', "syntax"),
        (b'{"reason": "a", "reason": "b"}', "syntax"),
        (b"[" * 15_000, "syntax"),
        (b'{"version": ' + b"1" * 10_000 + b"}", "syntax"),
        (None, "too-large"),
    ],
)
def test_hostile_bodies_are_refused_in_a_sentence(desk: Desk, content: bytes | None, code: str) -> None:
    reply = desk.call("POST", "link", content=content, content_type="application/json; charset=utf-8")
    assert reply.status in (400, 413) and reply.content["error"]["code"] == code


def test_a_parameter_holds_no_nul(desk: Desk) -> None:
    assert error(desk.get("tasks?source=%00")) == (400, "parameter", "source")


def test_a_text_may_speak_of_escapes() -> None:
    body = bodies.body("application/json", b'{"reason": "\\\\u0000 and \\u00e9 and \\ud83e\\uddea"}')
    assert body.reason == "\\u0000 and \u00e9 and \U0001f9ea"


@given(content=st.binary(max_size=200))
def test_no_bytes_are_answered_by_a_traceback(content: bytes) -> None:
    try:
        bodies.body("application/json", content)
    except Problem as problem:
        assert problem.status == 400


@given(query=st.text(max_size=60))
def test_no_query_is_answered_by_a_traceback(query: str) -> None:
    try:
        bodies.parameters(query, "id")
    except Problem as problem:
        assert problem.status == 400


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "text/json"])
def test_another_content_type_is_refused(desk: Desk, kind: str) -> None:
    assert error(desk.call("POST", "link", content=b"{}", content_type=kind))[:2] == (415, "media-type")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "tasks/1/decision", 405),
        ("DELETE", "tasks", 405),
        ("POST", "statistics", 405),
        ("GET", "", 404),
        ("GET", "tasks/1/2/3", 404),
        ("GET", "tasks/x", 404),
        ("GET", "tasks/999999", 404),
        ("GET", "tasks/" + "9" * 30, 404),
        ("GET", "__class__", 404),
        ("GET", "tasks?kind=love", 400),
        ("GET", "tasks?after=-1", 400),
        ("GET", "tasks?unknown=1", 400),
        ("GET", "tasks?after=1&after=2", 400),
        ("GET", "tasks?authority=NOWHERE", 422),
        ("GET", "records", 422),
        ("GET", "records?id=404^^^IHERED", 404),
        ("GET", "person", 422),
        ("GET", "person?id=404^^^IHERED", 404),
        ("GET", "explain?one=1^^^IHERED&other=1^^^IHERED", 422),
        ("GET", "explain?one=1^^^IHERED&other=404^^^IHERED", 404),
    ],
)
def test_what_is_not_there_or_not_offered(desk: Desk, method: str, path: str, status: int) -> None:
    reply = desk.call(method, path)
    assert reply.status == status and reply.content["error"]["text"]


def test_what_is_said_without_a_task_and_taken_back(desk: Desk) -> None:
    ids = [id(RED), id(BLUE)]
    explain = f"explain?{urlencode({'one': ids[0], 'other': ids[1]})}"
    assert desk.post("link", {"ids": ids, "reason": "known to me"}).content == {"done": "link", "ids": ids}
    told = desk.get(explain).content
    assert told["one_person"]
    decision = told["decision"]
    assert (decision["same"], decision["basis"], decision["by"], decision["reason"]) == (
        True,
        "steward",
        "steward|anna",
        "known to me",
    )
    assert desk.post("split", {"ids": ids[1:], "reason": "was wrong"}).status == 200
    assert not desk.get(explain).content["one_person"]
    assert desk.post("withdraw", {"ids": ids, "reason": "open again"}).status == 200
    assert desk.get(explain).content["decision"] is None
    assert desk.task()["kind"] == "potential duplicate"
    assert desk.post("never-link", {"ids": ids, "reason": "cousins"}).status == 200
    assert desk.get("tasks").content["tasks"] == []


@pytest.mark.parametrize(
    ("path", "ids", "code"),
    [
        ("unmerge", [f"1^^^{RED.namespace_id}"], "204"),
        ("link", [f"1^^^{RED.namespace_id}", f"404^^^{RED.namespace_id}"], "204"),
        ("link", [f"1^^^{RED.namespace_id}"] * 2, "not-possible"),
        ("split", [f"1^^^{RED.namespace_id}"], "not-possible"),
        ("link", [f"1^^^{RED.namespace_id}"], "invalid"),
        ("link", f"1^^^{RED.namespace_id}", "invalid"),
        ("link", [1, 2], "invalid"),
        ("link", ["x" * 400, "y"], "invalid"),
    ],
)
def test_what_cannot_be_said(desk: Desk, path: str, ids: object, code: str) -> None:
    reply = desk.post(path, {"ids": ids, "reason": "x"})
    assert (reply.status, reply.content["error"]["code"]) == (422, code)


def test_statistics_are_counted_once_a_minute(desk: Desk) -> None:
    first = desk.get("statistics").content
    assert first["sources"][0]["records"] == 2
    assert desk.get("statistics").content == first


def test_an_error_that_nobody_foresaw_is_not_hidden(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("defect")

    monkeypatch.setattr(PatientIndex, "apply", fails)
    with pytest.raises(RuntimeError):
        desk.post("link", {"ids": [id(RED), id(BLUE)], "reason": "x"})
