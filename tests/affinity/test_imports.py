"""What a process does not need it does not import: a node stays small, and a verb begins at once."""

import subprocess
import sys

import pytest

NODE = "affinity.cli, affinity.development, affinity.production, affinity.serving.worker"
NOT_FOR_A_NODE = frozenset(
    {"alembic", "conformance", "hdrh", "hl7apy", "mako", "obstore", "opentelemetry", "psycopg", "pytest", "zeep"}
)
NOT_FOR_A_VERB = frozenset({"cryptography", "lxml", "pydantic", "rapidfuzz", "rich", "spyne", "sqlalchemy", "twisted"})


@pytest.mark.parametrize(
    ("wanted", "unwanted"),
    [
        pytest.param(NODE, NOT_FOR_A_NODE, id="node on SQLite"),
        pytest.param("affinity.cli", NOT_FOR_A_NODE | NOT_FOR_A_VERB, id="command line"),
    ],
)
def test_nothing_is_imported_before_it_is_needed(wanted: str, unwanted: frozenset[str]) -> None:
    program = f"import sys, {wanted}; print(*sys.modules)"
    told = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True)
    loaded = told.stdout.split()
    assert len(loaded) > 100
    assert unwanted.isdisjoint(loaded)
