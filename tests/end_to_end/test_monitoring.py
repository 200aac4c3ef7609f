"""What an operator sees of a real node: metrics without patients, the board and the alerts that read them."""

import gzip
import json
import re
import shutil
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from prometheus_client.parser import text_string_to_metric_families
from typer.testing import CliRunner

from affinity.cli import app
from affinity.metrics import OUTCOMES
from tests.end_to_end.conftest import ROOT, RunningNode, start_node

ALERTS = ROOT / "docker/prometheus/alerts.yml"
BOARD = ROOT / "docker/grafana/dashboards/affinity.json"
METRIC = re.compile(r"\b((?:affinity|process)_[a-z_]+)\b")
LABELS = {"code", "kind", "le", "outcome", "partner", "reason", "shown", "state", "transaction", "wire"} | {
    *("database", "file", "part", "python", "subject", "version"),
}
"""Names of labels that a node of the demo domain may show; none of them is an attribute of a patient."""
FEED = """MSH|^~\\&|GLIMS|LAB-MOSELLE|AFFINITY|AFFINITY|20261123||ADT^A28^ADT_A05|MON-1|P|2.5
EVN||20261123
PID|||MON-4711^^^&2.25.334728459024254970897405965636283403456.3.2&ISO||Ackermann^Josephine||19450508|F|||1 Sesame
PV1||N
"""
UNKNOWN = FEED.replace("MON-1", "MON-2").replace("ADT^A28^ADT_A05", "ADT^A99^ADT_A99")
NOBODYS = FEED.replace("MON-1", "MON-3").replace("403456.3.2", "403456.99.99")


class Collector(BaseHTTPRequestHandler):
    """Takes traces as an OpenTelemetry collector does, and keeps their bytes."""

    bodies: ClassVar[list[bytes]] = []
    arrived: ClassVar[threading.Event] = threading.Event()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.bodies.append(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
        if b"ITI-30" in body:
            self.arrived.set()
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """The test looks at what came."""


@pytest.fixture(scope="module")
def collector() -> Iterator[str]:
    """The address of a collector of traces."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, collector: str) -> Iterator[RunningNode]:
    """A node that took a patient, and refused two messages; it is traced."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AFFINITY__TRACING__ENDPOINT", collector)
        environment.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        yield from running(tmp_path_factory)


def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    started = start_node(tmp_path_factory.mktemp("monitored") / "data")
    feed = tmp_path_factory.mktemp("feed") / "feed.hl7"
    for message, exit_code in ((FEED, 0), (UNKNOWN, 1), (NOBODYS, 1)):
        feed.write_text(message)
        assert CliRunner().invoke(app, ["send", str(feed), "--data", str(started.data)]).exit_code == exit_code
    yield started
    started.kill()


@pytest.fixture(scope="module")
def page(node: RunningNode) -> str:
    with urllib.request.urlopen(node.url("/metrics"), timeout=10) as answer:
        return str(answer.read().decode())


def samples(page: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    found = (each for family in text_string_to_metric_families(page) for each in family.samples)
    return {(each.name, frozenset(each.labels.items())): each.value for each in found}


def value(page: str, name: str, **labels: str) -> float | None:
    return samples(page).get((name, frozenset(labels.items())))


def test_what_was_refused_is_counted_by_its_code(page: str) -> None:
    assert value(page, "affinity_refused_total", transaction="none", code="201") == 1
    assert value(page, "affinity_requests_total", transaction="ITI-30", outcome="success") == 1
    assert value(page, "affinity_refused_total", transaction="ITI-30", code="204") == 1


def test_queues_and_what_lies_in_the_database_are_measured(page: str) -> None:
    assert value(page, "affinity_database_up") == 1
    assert value(page, "affinity_threads", state="most") == 64
    assert value(page, "affinity_under_way", wire="http") == 1  # the question itself
    assert (value(page, "affinity_database_bytes", part="all") or 0) > 2**16
    assert (value(page, "affinity_disk_bytes", state="free") or 0) > 2**20
    assert value(page, "affinity_stewardship_tasks", kind="overlay") == 0
    assert (value(page, "affinity_certificate_end_seconds", **ended(page)) or 0) > 1.7e9


def ended(page: str) -> dict[str, str]:
    return next(dict(labels) for name, labels in samples(page) if name == "affinity_certificate_end_seconds")


def test_alarms_see_the_first_of_a_kind(page: str) -> None:
    for outcome in OUTCOMES:
        assert value(page, "affinity_requests_total", transaction="ITI-43", outcome=outcome) == 0
    assert value(page, "affinity_access_denied_total", shown="assertion", reason="failed_check") == 0


def test_no_metric_tells_anything_of_a_patient(page: str) -> None:
    for said in ("Ackermann", "Josephine", "MON-4711", "19450508", "Sesame", "MON-1"):
        assert said not in page
    assert {label for _, labels in samples(page) for label, _ in labels} <= LABELS


def test_traces_arrive_and_tell_nothing_of_a_patient(node: RunningNode) -> None:
    assert Collector.arrived.wait(60)
    sent = b"".join(Collector.bodies)
    for name in (b"ITI-30", b"parse", b"check", b"handle", b"database", b"audit", b"affinity.outcome"):
        assert name in sent
    for said in (b"Ackermann", b"Josephine", b"MON-4711", b"19450508", b"Sesame", b"MON-1"):
        assert said not in sent


def expressions(value: Any) -> Iterator[str]:
    """Every PromQL expression of a board."""
    if isinstance(value, dict):
        yield from (each for key in ("expr", "definition") if isinstance(each := value.get(key), str))
        for each in value.values():
            yield from expressions(each)
    elif isinstance(value, list):
        for each in value:
            yield from expressions(each)


@pytest.mark.parametrize("file", [ALERTS, BOARD], ids=lambda file: file.name)
def test_every_metric_that_board_and_alerts_name_is_there(file: Path, page: str) -> None:
    text = file.read_text()
    told = "\n".join(expressions(json.loads(text))) if file.suffix == ".json" else text
    shown = {name for name, _ in samples(page)} | {each for each in re.findall(r"^# TYPE (\S+) ", page, re.MULTILINE)}
    named = {re.sub(r"_bucket$", "", name) for name in METRIC.findall(told)}
    assert len(named) > 15
    assert named - shown == set()


def test_each_alert_is_explained_with_its_severity() -> None:
    declared = re.findall(r"alert: (\w+).*?severity: (\w+)", ALERTS.read_text(), re.DOTALL)
    explained = re.findall(r"^\| `(Affinity\w+)` \| (\w+) \|", (ROOT / "docs/monitoring.md").read_text(), re.MULTILINE)
    assert declared == explained


def promtool(*arguments: str) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not here (Debian: apt-get install prometheus)")
    done = subprocess.run(["promtool", *arguments], cwd=ROOT / "docker/prometheus", capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_understands_the_alerts_and_its_settings() -> None:
    promtool("check", "rules", "alerts.yml")
    promtool("check", "config", "--syntax-only", "prometheus.yml")


def test_the_alerts_that_must_ring_ring_and_only_then() -> None:
    promtool("test", "rules", "alerts.test.yml")


def test_status_shows_the_node_and_its_exit_code_says_that_it_is_well(node: RunningNode) -> None:
    result = CliRunner().invoke(app, ["status", "--data", str(node.data)])
    assert result.exit_code == 0, result.stdout
    assert ": healthy" in result.stdout
    assert "2 since the start, 1 refused, 0 failed" in result.stdout


def test_status_for_a_program_has_parts_and_measures(node: RunningNode) -> None:
    result = CliRunner().invoke(app, ["status", "--url", node.url(""), "--json"])
    (told,) = json.loads(result.stdout)
    assert (result.exit_code, told["health"]) == (0, "ok")
    assert {"check": "ready", "state": "ok", "detail": "ready", "remedy": ""} in told["parts"]
    assert told["measures"]['affinity_requests_total{outcome="rejected",transaction="ITI-30"}'] == 1
