"""``affinity conform serve``: what it tells a program and a person, how it ends, what it leaves behind."""

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from io import StringIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from rich.console import Console
from typer.testing import CliRunner

from affinity.cli import app
from affinity.cli.conform_screens import LiveScreen
from affinity.cli.conform_watch import Watching, watch
from affinity.cli.verbs import ExitCode
from conformance.clients.session import Behind, Session, Wanted, listening
from conformance.clients.suites import client_suite
from conformance.evidence.bundle import read
from conformance.simulators.faults import FaultKind
from tests.conformance.clients.play import until
from tests.conformance.clients.test_client_suites import described
from tests.conformance.clients.web import LIS

STEPS = ("submit-report", "replace-report")


def wanted(folder: Path) -> Wanted:
    suite = client_suite("document-source")
    return Wanted(suite=replace(suite, steps=suite.steps[:2]), folder=folder)


def lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


@contextmanager
def vendor(act, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let a client act in a thread of its own as soon as the suite listens."""
    from affinity.cli import conform_watch

    threads: list[threading.Thread] = []

    @contextmanager
    def watched(*arguments) -> Iterator[Session]:
        with listening(*arguments) as session:
            threads.append(threading.Thread(target=act, args=(session,)))
            threads[0].start()
            yield session

    monkeypatch.setattr(conform_watch, "listening", watched)
    yield
    threads[0].join(30)


def test_a_program_reads_one_object_a_line(behind: Behind, tmp_path: Path, capsys, monkeypatch) -> None:
    def act(session: Session) -> None:
        for step in STEPS:
            LIS(session).act(step)

    watching = Watching(system="our LIS", until_done=True, seconds=60, as_json=True)
    with vendor(act, monkeypatch):
        code = watch(wanted(tmp_path), watching, lambda *_: nullcontext(behind))
    assert code is ExitCode.DONE
    told = lines(capsys.readouterr().out)
    assert [each["event"] for each in told[:2]] == ["listening", "waiting"]
    assert [each["name"] for each in told if each["event"] == "step"] == list(STEPS)
    assert {each["transaction"] for each in told if each["event"] == "exchange"} == {"ITI-41", "ITI-18"}
    assert told[0]["words"]["patient"] == str(behind[1].patient)
    assert told[-1]["event"] == "end"
    assert [each["step"] for each in told[-1]["exchanges"]] == ["submit-report", "replace-report", "replace-report"]
    evidence = Path(told[-1]["evidence"])
    assert read(evidence).passed
    seen = json.loads(ZipFile(evidence).read("seen.json"))["exchanges"]
    assert [each["door"] for each in seen] == ["http"] * 3
    assert ZipFile(evidence).read("messages/0001-answer.http").startswith(b"HTTP/1.1 200 OK")
    assert not (tmp_path / "ports.json").exists()


def test_a_person_reads_what_is_wrong_and_what_to_do_next(behind: Behind, tmp_path: Path, capsys, monkeypatch) -> None:
    def act(session: Session) -> None:
        LIS(session, step="submit-report", change=described(creation_time="2026-11-23")).act("submit-report")
        until(session, lambda: session.course.step == "replace-report")
        signal.raise_signal(signal.SIGTERM)

    watching = Watching(system="our LIS", until_done=False, seconds=None, as_json=False)
    with vendor(act, monkeypatch):
        code = watch(wanted(tmp_path), watching, lambda *_: nullcontext(behind))
    assert code is ExitCode.REFUSED
    told = capsys.readouterr().out
    assert "BROKEN submit-report" in told
    assert "found: 2026-11-23" in told
    assert "replace-report: Replace the report" in told
    assert list(tmp_path.glob("evidence-*.zip")), "the evidence is written when somebody stops it"


def test_the_table_shows_every_step_and_the_last_exchanges(listen) -> None:
    session = listen("document-source")
    drawn = Console(file=StringIO(), force_terminal=True, width=160)
    LIS(session).act("submit-report")
    with LiveScreen(session, drawn) as shown:
        shown.draw()
    text = drawn.file.getvalue()  # type: ignore[attr-defined]
    for stand in session.course.snapshot():
        assert stand.step.name in text
    assert "ITI-41 at http" in text
    assert "Replace the report" in text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--suite", "nothing"], "there are patient-identity-source"),
        (["--suite", "document-source", "--skip", "nothing"], "the steps of document-source are submit-report"),
        (["--suite", "document-source", "--fault", "ITI-41 2 explode"], "is no fault"),
        (["--suite", "document-source", "--cert", "own.pem"], "given together"),
    ],
)
def test_what_cannot_be_meant_is_refused(options: list[str], said: str) -> None:
    told = CliRunner().invoke(app, ["conform", "serve", *options])
    assert told.exit_code == ExitCode.WRONG_USE
    assert said in told.output


def test_the_help_names_every_suite_and_every_fault() -> None:
    told = CliRunner().invoke(app, ["conform", "serve", "--help"], env={"COLUMNS": "500"}).output
    from conformance.clients.suites import client_suites

    for name in (*(each.name for each in client_suites()), *FaultKind):
        assert name in told
