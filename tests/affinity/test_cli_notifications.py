"""``affinity pix notifications`` and ``resend`` on the database of a node, also while its server has it open."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from affinity.cli import app
from affinity.domain import SHIPPED, load
from affinity.domain_model import LoadedDomain
from affinity.node import Node, open_node
from affinity.settings import Settings
from ihe.domain import AssigningAuthority
from ihe.transactions import Actor
from pix import store_notifications as store
from pix.manager import PatientIndex
from pix.model import Origin
from pix.update_notifications import Attempt, State
from tests.pix.scene import Scene

SUBSCRIBERS = """[[subscriber]]
name = "cardiology"
wire = "mllp://127.0.0.1:1"
application = "CARDIO"
facility = "HOSP"
"""


@pytest.fixture
def loaded(tmp_path: Path) -> LoadedDomain:
    directory = tmp_path / "domain"
    shutil.copytree(SHIPPED / "connectathon", directory)
    (directory / "subscribers.toml").write_text(SUBSCRIBERS)
    return load(directory)


@pytest.fixture(params=["sqlite", "postgresql"])
def node(request: pytest.FixtureRequest, tmp_path: Path, loaded: LoadedDomain) -> Iterator[Node]:
    """A node with three dead letters and one notification that waits; its couriers do not run."""
    url = request.getfixturevalue("empty_postgresql") if request.param == "postgresql" else None
    settings = Settings(domain=str(tmp_path / "domain"), data=tmp_path / "data", database_url=url)
    opened = open_node(settings, loaded)
    scene = scene_of(opened.ports[Actor.PIX_MANAGER], loaded)
    for number in range(1, 5):
        scene.feed(f"IHERED:{number}")
    kill = [
        Attempt(number=number, state=State.DEAD, attempts=1, due=datetime.now(UTC), error="AE: 204")
        for number in (1, 2, 3)
    ]
    opened.database.write(lambda connection: store.note_attempts(connection, kill))
    scene.change("IHERED:3", "IHERED:33")
    yield opened
    opened.close()


def scene_of(index: PatientIndex, loaded: LoadedDomain, first: int = 1) -> Scene:
    numbers = count(first)

    def origin(source: str = "HIS|HOSP") -> Origin:
        number = next(numbers)
        return Origin(source=source, message_id=f"M{number}", digest=f"d{number}", answer=b"AA", transaction="test")

    authorities: tuple[AssigningAuthority, ...] = loaded.affinity_domain.assigning_authorities
    return Scene(index, origin, authorities)


Run = Callable[..., Result]


@pytest.fixture
def run(node: Node, tmp_path: Path) -> Run:
    """Run a verb on the node's data."""
    where = ["--data", str(tmp_path / "data")]
    if node.database.url.get_backend_name() == "postgresql":
        where += ["--database-url", node.database.url.render_as_string(hide_password=False)]
    return lambda *words: CliRunner().invoke(app, ["pix", *words, *where])


def told(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_what_waits_and_what_is_dead_is_listed(run: Run) -> None:
    found = told(run("notifications", "--json"))
    assert [(each["number"], each["state"]) for each in found] == [
        (1, "dead"),
        (2, "dead"),
        (3, "dead"),
        (4, "pending"),
        (5, "pending"),
    ]
    assert found[0]["identifiers"][0] == {"id": "1", "namespace_id": "IHERED", "oid": "1.3.6.1.4.1.21367.13.20.1000"}
    assert found[0]["error"] == "AE: 204"


def test_states_and_subscribers_are_chosen(run: Run) -> None:
    assert len(told(run("notifications", "--state", "pending", "--json"))) == 2
    assert told(run("notifications", "--subscriber", "nobody", "--json")) == []
    assert len(told(run("notifications", "--limit", "1", "--json"))) == 1


def test_people_read_a_sum_and_a_table(run: Run) -> None:
    result = run("notifications")
    assert "cardiology: 3 dead" in result.stdout and "cardiology: 2 pending" in result.stdout
    assert "IHERED:33" in result.stdout


def test_a_dead_letter_is_sent_again_by_its_number(run: Run) -> None:
    assert told(run("resend", "2", "--json")) == [{"number": 2, "state": "pending"}]
    assert [each["number"] for each in told(run("notifications", "--state", "pending", "--json"))] == [2, 4, 5]


def test_all_are_sent_again_but_one_whose_list_has_changed(run: Run) -> None:
    result = run("resend", "--all")
    assert result.exit_code == 0
    assert "1 to cardiology: will be sent again" in result.stdout
    assert "3 to cardiology: is not sent again, for the list of ids has changed since" in result.stdout
    assert told(run("notifications", "--state", "dead", "--json")) == []


@contextmanager
def reopened(node: Node, path: Path) -> Iterator[Node]:
    """Another start, with the domain as it is now."""
    url = node.database.url.render_as_string(hide_password=False)
    settings = Settings(domain=str(path / "domain"), data=path / "again", database_url=url)
    opened = open_node(settings, load(path / "domain"))
    yield opened
    opened.close()


def test_who_was_taken_out_and_comes_back_is_told_what_is_true_still(
    run: Run, node: Node, loaded: LoadedDomain, tmp_path: Path
) -> None:
    """What changed meanwhile was left for others: the list that waited would never be corrected."""
    (tmp_path / "domain" / "subscribers.toml").write_text(SUBSCRIBERS.replace("cardiology", "radiology"))
    with reopened(node, tmp_path) as other:
        scene_of(other.ports[Actor.PIX_MANAGER], loaded, 100).change("IHERED:4", "IHERED:44")
    (tmp_path / "domain" / "subscribers.toml").write_text(SUBSCRIBERS)
    with reopened(node, tmp_path):
        pass
    assert told(run("notifications", "--state", "pending", "--json")) == []
    again = told(run("resend", "--all", "--subscriber", "cardiology", "--json"))
    assert {each["number"]: each["state"] for each in again} == {
        1: "pending",
        2: "pending",
        3: "outdated",
        4: "outdated",
        5: "pending",
    }


@pytest.mark.parametrize("words", [("resend",), ("resend", "4"), ("resend", "99"), ("resend", "1", "--all")])
def test_wrong_use_is_exit_code_2(words: tuple[str, ...], run: Run) -> None:
    result = run(*words)
    assert result.exit_code == 2 and result.stderr


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["pix", "notifications", "--data", str(tmp_path / "nothing")])
    assert result.exit_code == 2 and "affinity.db is not there" in result.stderr
    assert not (tmp_path / "nothing").exists()
