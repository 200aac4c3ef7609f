"""Traces tell where time goes and whose trace it is, and nothing of the patient; off, they cost and need nothing."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("opentelemetry.sdk", reason="the extra otel is not installed: pip install 'affinity-ihe[otel]'")

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from affinity.audited_database import AuditedDatabase
from affinity.database import Database
from affinity.dispatch import answer
from affinity.settings import Tracing
from affinity.spans import NOTHING, describe, end_tracing, in_request, span, trace_with
from affinity.tracing import OpenTelemetry, TracedStore, tracer
from ihe.exchange import Exchange
from xds.file_store import FileStore
from xds.iti18 import ITI_18

SENDERS = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SECRET = "Ackermann"


@pytest.fixture
def told() -> Iterator[InMemorySpanExporter]:
    """What would be sent to a collector."""
    exporter = InMemorySpanExporter()
    trace_with(OpenTelemetry(SimpleSpanProcessor(exporter)))
    yield exporter
    end_tracing()


def exchange(work: object = None) -> str:
    """What the seams of an exchange do."""
    with span("parse"):
        pass
    with span("handle"), span("database"):
        pass
    describe("ITI-18", "success", "c0ffee")
    return "answer"


def named(spans: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {each.name: each for each in spans.get_finished_spans()}


def test_an_exchange_is_a_tree_named_after_its_transaction(told: InMemorySpanExporter) -> None:
    assert in_request(None, exchange) == "answer"
    found = named(told)
    assert set(found) == {"ITI-18", "parse", "handle", "database"}
    root = found["ITI-18"]
    assert root.parent is None and root.attributes is not None
    assert dict(root.attributes) == {
        "ihe.transaction": "ITI-18",
        "affinity.outcome": "success",
        "affinity.correlation": "c0ffee",
    }
    assert found["parse"].parent == found["handle"].parent == root.context
    assert found["database"].parent == found["handle"].context


def test_a_sender_s_trace_goes_on_and_a_header_that_is_none_is_ignored(told: InMemorySpanExporter) -> None:
    for header in (SENDERS, f"{SECRET}", "00-" + "0" * 32 + "-b7ad6b7169203331-01"):
        in_request(header, exchange)
    first, *others = [each for each in told.get_finished_spans() if each.name == "ITI-18"]
    assert first.context is not None and f"{first.context.trace_id:032x}" == SENDERS.split("-")[1]
    assert first.parent is not None and f"{first.parent.span_id:016x}" == SENDERS.split("-")[2]
    assert [each.parent for each in others] == [None, None]


def test_the_steps_of_a_transaction_are_parts_of_its_trace(told: InMemorySpanExporter) -> None:
    steps: dict[str, Any] = {
        "decode": lambda _wire: "request",
        "handle": lambda request, _port, _exchange: [request],
        "encode": lambda _wire, response, _exchange: response,
    }
    transaction = replace(ITI_18, **steps)
    around = Exchange(correlation_id="c0ffee", received_at=datetime.now(UTC))
    answered = in_request(None, lambda: answer(transaction, None, {ITI_18.responder: None}, around))
    found = named(told)
    assert answered == ["request"] and set(found) == {"ITI-18", "check", "parse", "handle", "encode"}
    assert all(found[each].parent == found["ITI-18"].context for each in ("check", "parse", "handle", "encode"))


def test_an_error_is_told_by_its_kind_alone(told: InMemorySpanExporter) -> None:
    def fail() -> None:
        with span("parse"):
            raise ValueError(f"{SECRET} is no name")

    with pytest.raises(ValueError, match=SECRET):
        in_request(None, fail)
    for each in told.get_finished_spans():
        assert each.attributes is not None and each.attributes["error.type"] == "ValueError"
        assert SECRET not in each.to_json() and each.events == ()


def test_a_write_belongs_to_its_exchange_in_whichever_thread_it_is_done(
    told: InMemorySpanExporter, database: Database
) -> None:
    def work(_connection: object) -> None:
        with span("inside"):
            pass

    in_request(None, lambda: AuditedDatabase(database).write(work))
    found = named(told)
    assert found["inside"].parent == found["database"].context
    assert found["database"].parent == found["request"].context


def test_what_a_store_does_under_its_locks_is_not_the_store_s(told: InMemorySpanExporter, tmp_path: Path) -> None:
    store = TracedStore(FileStore(tmp_path, None))
    sink = store.create()
    sink.write(b"bytes")
    part = sink.finish("1", "text/plain")

    def adopt() -> None:
        with store.adopting((part,), lambda name: True), span("database"):
            pass

    in_request(None, adopt)
    found = named(told)
    assert found["database"].parent == found["store"].parent == found["request"].context
    assert list((tmp_path / "content").glob("*/*/*.plain"))


def test_what_a_store_reads_is_the_store_s(told: InMemorySpanExporter, tmp_path: Path) -> None:
    store = TracedStore(FileStore(tmp_path, None))
    sink = store.create()
    sink.write(b"bytes")
    part = sink.finish("1", "text/plain")
    store.keep(part, store.content(part))
    assert in_request(None, lambda: store.read(store.content(part))) == b"bytes"
    found = named(told)
    assert found["store"].parent == found["request"].context


def test_without_a_setting_nothing_is_traced_and_the_extra_is_not_read() -> None:
    assert tracer(Tracing()) is None
    assert span("parse") is NOTHING and in_request(SENDERS, exchange) == "answer"
    program = "import affinity.server, affinity.tracing, sys; sys.exit('opentelemetry' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
