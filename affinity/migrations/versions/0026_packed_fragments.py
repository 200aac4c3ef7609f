"""Fragments packed, in batches; on SQLite the tables that find objects without a second copy of their keys.

Packed and unpacked fragments are both read, so each batch is committed by itself, and a migration that was interrupted
goes on where it was.
"""

import sys
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

from xds.compact import MARKUP, pack, unpack

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

BATCH = 1000
"""Rows of one commit."""
TELL = 100_000
"""Rows after which progress is told."""
KIND = sa.String(32)


def upgrade() -> None:
    """Apply."""
    _remake(False)
    with op.get_context().autocommit_block():
        for name in ("document_entry", "submission_set", "folder", "association"):
            _convert(name, pack, True)


def downgrade() -> None:
    """Take back."""
    with op.get_context().autocommit_block():
        for name in ("document_entry", "submission_set", "folder", "association"):
            _convert(name, unpack, False)
    _remake(True)


def _finding() -> dict[str, tuple[sa.Column[Any], ...]]:
    """The tables that find objects, in the order of their keys, which are all that they are read by."""
    return {
        "object_locator": (
            sa.Column("entry_uuid", sa.String(45), primary_key=True),
            sa.Column("kind", KIND, nullable=False),
            sa.Column("patient_key", sa.BigInteger, nullable=False),
            sa.Column("id", sa.BigInteger, nullable=False),
        ),
        "unique_id_locator": (
            sa.Column("unique_id", sa.Text, primary_key=True),
            sa.Column("entry_uuid", sa.String(45), primary_key=True),
            sa.Column("kind", KIND, nullable=False),
            sa.Column("patient_key", sa.BigInteger, nullable=False),
            sa.Column("id", sa.BigInteger, nullable=False),
        ),
        "uid_ledger": (
            sa.Column("unique_id", sa.Text, primary_key=True),
            sa.Column("kind", KIND, nullable=False),
            sa.Column("hash", sa.String(40)),
            sa.Column("size", sa.BigInteger),
        ),
    }


def _remake(with_rowid: bool) -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    for name, columns in _finding().items():
        listed = ", ".join(each.name for each in columns)
        key = ", ".join(each.name for each in columns if each.primary_key)
        op.execute(f"DROP TABLE IF EXISTS remade_{name}")
        op.create_table(f"remade_{name}", *columns, sqlite_with_rowid=with_rowid)
        op.execute(f"INSERT INTO remade_{name} ({listed}) SELECT {listed} FROM {name} ORDER BY {key}")
        op.drop_table(name)
        op.rename_table(f"remade_{name}", name)


def _convert(name: str, convert: Callable[[bytes], bytes], unpacked: bool) -> None:
    """Convert the fragments that are ``unpacked``, or the others."""
    connection = op.get_bind()
    table = sa.table(name, *(sa.column(each) for each in ("patient_key", "id", "fragment")))
    key = sa.tuple_(table.c.patient_key, table.c.id)
    first = sa.func.substr(table.c.fragment, 1, 1)
    markup = sa.literal(MARKUP, sa.LargeBinary)
    some = (
        sa.select(table)
        .where(first == markup if unpacked else first != markup)
        .order_by(table.c.patient_key, table.c.id)
        .limit(BATCH)
    )
    change = (
        sa.update(table)
        .where(table.c.patient_key == sa.bindparam("of"), table.c.id == sa.bindparam("at"))
        .values(fragment=sa.bindparam("converted", type_=sa.LargeBinary))
    )
    done, rows = 0, connection.execute(some).all()
    while rows:
        connection.exec_driver_sql("BEGIN")
        connection.execute(
            change, [{"of": row.patient_key, "at": row.id, "converted": convert(row.fragment)} for row in rows]
        )
        connection.exec_driver_sql("COMMIT")
        done += len(rows)
        if not done % TELL:
            print(f"{name}: {done:,} fragments", file=sys.stderr, flush=True)
        last = (rows[-1].patient_key, rows[-1].id)
        rows = connection.execute(some.where(key > sa.tuple_(*map(sa.literal, last)))).all()
