"""Citus without Citus: the rules that its distributed tables must keep, held on plain PostgreSQL."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, UniqueConstraint, create_engine, event, inspect
from typer.testing import CliRunner

from affinity.citus import PLAN, Distributed, faults
from affinity.cli import app
from affinity.client import xds
from affinity.domain import load
from affinity.node import Node, open_node
from affinity.settings import Settings
from benchmarks.messages import announcement, described_submission, xds_id
from hl7v2.er7 import parse as parse_er7
from ihe.exchange import Exchange, SOAPRequest
from ihe.transactions import Actor, Transaction
from pix.iti30 import ITI_30
from soap.xml import parse
from xds.iti18 import ITI_18
from xds.iti41 import ITI_41
from xds.iti43 import ITI_43
from xds.stored_queries import FIND_DOCUMENTS, GET_DOCUMENTS

APPROVED = "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')"
OPEN_POINTS = {
    "association": re.compile(r"association\.(source|target)_object (=|IN)"),
    "document_entry": re.compile(r"document_entry\.patient_key = (object|unique_id)_locator\.patient_key"),
}
"""Statements that name no shard, and why they do not: docs/scale-out.md."""


def test_every_key_holds_the_column_that_its_table_is_distributed_by() -> None:
    assert list(faults()) == []


def test_a_key_without_the_column_is_found() -> None:
    table = Table("t", MetaData(), Column("a", Integer, primary_key=True), Column("b", Integer), UniqueConstraint("b"))
    assert sorted(faults((Distributed(table, "b"),))) == ["t: a is unique without b"]
    assert list(faults((Distributed(table, "a"),))) == ["t: b is unique without a"]


def test_tables_that_lie_together_are_distributed_by_columns_of_one_type() -> None:
    by = {each.table: each.table.c[each.by] for each in PLAN}
    for each in PLAN:
        if each.beside is not None:
            assert type(by[each.table].type) is type(by[each.beside].type), each.table.name


def test_the_plan_is_printed_without_a_server() -> None:
    done = CliRunner().invoke(app, ["db", "init", "--citus", "--dry-run", "--json"])
    statements = json.loads(done.stdout)["statements"]
    assert statements[0] == "CREATE EXTENSION IF NOT EXISTS citus"
    assert len(statements) == 1 + len(PLAN)
    assert "create_distributed_table('document_entry', 'patient_key'" in statements[1]


def test_a_server_without_citus_is_refused_and_left_as_it_is(empty_postgresql: str) -> None:
    done = CliRunner().invoke(app, ["db", "init", "--citus", "--database-url", empty_postgresql])
    assert done.exit_code == 2
    assert "no extension citus" in done.stderr
    engine = create_engine(empty_postgresql)
    assert inspect(engine).get_table_names() == []
    engine.dispose()


def test_the_tables_of_a_new_database(empty_postgresql: str) -> None:
    done = CliRunner().invoke(app, ["db", "init", "--database-url", empty_postgresql])
    assert done.exit_code == 0, done.stderr
    engine = create_engine(empty_postgresql)
    assert inspect(engine).has_table("document_entry")
    engine.dispose()


@pytest.fixture
def node(empty_postgresql: str, tmp_path: Path) -> Iterator[Node]:
    settings = Settings(domain="connectathon", data=tmp_path / "data", database_url=empty_postgresql)
    opened = open_node(settings, load("connectathon"))
    yield opened
    opened.close()


def test_every_statement_of_a_hot_path_names_its_shard(node: Node) -> None:
    """A feed, a submission, queries by patient, by uuid and by uniqueId, a retrieval."""
    statements: set[str] = set()
    event.listen(node.database.engine, "before_cursor_execute", lambda _c, _k, said, *_: statements.add(said))
    run_hot_paths(node)
    seen = {each.table.name for each in PLAN for said in statements if names(said, each.table.name)}
    assert seen == {each.table.name for each in PLAN} - {"folder"}
    assert [(name, said) for said in statements for name in strays(said)] == []


def test_a_statement_that_names_no_shard_is_found() -> None:
    assert list(strays("SELECT fragment FROM document_entry WHERE document_entry.entry_uuid = %s")) == [
        "document_entry"
    ]
    assert list(strays("SELECT fragment FROM document_entry WHERE document_entry.patient_key = %s")) == []
    assert list(strays("SELECT 1 FROM a JOIN document_entry ON document_entry.patient_key = a.key")) == [
        "document_entry"
    ]
    assert list(strays("UPDATE document SET removed_at = %s WHERE document.sha256 = %s")) == ["document"]


def names(statement: str, table: str) -> bool:
    return re.search(rf"(FROM|JOIN|INTO|UPDATE|,)\s+{table}\b", statement) is not None


def strays(statement: str) -> Iterator[str]:
    """The distributed tables of which a statement would read every shard, or for which it would be refused."""
    for each in PLAN:
        name, by = each.table.name, each.by
        if not names(statement, name) or (name in OPEN_POINTS and OPEN_POINTS[name].search(statement)):
            continue
        inserts = re.search(rf"INTO {name} \([^)]*\b{by}\b", statement)
        if not inserts and not re.search(rf"\b{name}\.{by} (= %|= ANY|IN \(%)", statement):
            yield name


def run_hot_paths(node: Node) -> None:
    patient = "CITUS-1"
    feed = parse_er7(announcement(patient)[1:-2])
    ITI_30.handle(ITI_30.decode(feed), node.ports[Actor.PIX_MANAGER], exchange())
    submission = described_submission(patient, 1)
    sink = node.store.create()
    sink.write(b"a report")
    part = sink.finish("document@citus", "text/plain")
    soap(node, ITI_41, xds.provide_and_register(submission, ["document@citus"]), {"document@citus": part})
    entry = submission.document_entries[0]
    find = (
        ("$XDSDocumentEntryPatientId", (xds.quoted(str(xds_id(patient))),)),
        ("$XDSDocumentEntryStatus", (APPROVED,)),
    )
    soap(node, ITI_18, xds.stored_query(FIND_DOCUMENTS.id, find))
    for name, value in (("UniqueId", entry.unique_id), ("EntryUUID", entry.entry_uuid)):
        asked = ((f"$XDSDocumentEntry{name}", (f"('{value}')",)),)
        soap(node, ITI_18, xds.stored_query(GET_DOCUMENTS.id, asked))
    repository = node.domain.repository_unique_id
    soap(node, ITI_43, xds.retrieve([(repository, str(entry.unique_id))]))


def soap(node: Node, transaction: Transaction, body: bytes, parts: dict = {}) -> None:  # type: ignore[type-arg]  # noqa: B006
    request = SOAPRequest(body=parse(body), parts=parts)
    transaction.handle(transaction.decode(request), node.ports[transaction.responder], exchange())


def exchange() -> Exchange:
    return Exchange(correlation_id="1", received_at=datetime.now(UTC))
