"""The tables over the machines of a Citus cluster: the registry by patient, what finds an object by its own name.

The patient index, access rights and the audit trail stay whole, on the coordinator (docs/scale-out.md says why).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, ForeignKeyConstraint, PrimaryKeyConstraint, Table, UniqueConstraint, text

from affinity.schema import METADATA
from xds import tables as xds

EXTENSION = "citus"


@dataclass(frozen=True, slots=True)
class Distributed:
    """A table whose rows lie where ``by`` says; those ``beside`` one another lie together for the same value."""

    table: Table
    by: str
    beside: Table | None = None

    @property
    def statement(self) -> str:
        """What distributes it."""
        beside = f", colocate_with => '{self.beside.name}'" if self.beside is not None else ", colocate_with => 'none'"
        return f"SELECT create_distributed_table('{self.table.name}', '{self.by}'{beside})"


PLAN = (
    Distributed(xds.document_entry, "patient_key"),
    Distributed(xds.submission_set, "patient_key", xds.document_entry),
    Distributed(xds.folder, "patient_key", xds.document_entry),
    Distributed(xds.association, "patient_key", xds.document_entry),
    Distributed(xds.object_locator, "entry_uuid"),
    Distributed(xds.uid_ledger, "unique_id"),
    Distributed(xds.unique_id_locator, "unique_id", xds.uid_ledger),
    Distributed(xds.document, "unique_id", xds.uid_ledger),
)


def faults(plan: tuple[Distributed, ...] = PLAN) -> Iterator[str]:
    """What Citus would refuse: a key that cannot be unique in one shard, a reference to another shard's rows."""
    for each in plan:
        for key in each.table.constraints:
            if isinstance(key, UniqueConstraint | PrimaryKeyConstraint) and each.by not in key.columns:
                yield f"{each.table.name}: {', '.join(key.columns.keys())} is unique without {each.by}"
        for index in each.table.indexes:
            if index.unique and each.by not in index.columns:
                yield f"{each.table.name}: {index.name} is unique without {each.by}"
    for table in (table for metadata in METADATA for table in metadata.sorted_tables):
        for constraint in table.constraints:
            if isinstance(constraint, ForeignKeyConstraint):
                yield f"{table.name}: refers to {constraint.referred_table.name}"


def steps() -> tuple[str, ...]:
    """Every statement, in order; those of tables that are distributed already are passed over when it is done."""
    return (f"CREATE EXTENSION IF NOT EXISTS {EXTENSION}", *(each.statement for each in PLAN))


def is_available(connection: Connection) -> bool:
    """Claim that the server has the extension's files."""
    found = connection.execute(
        text("SELECT count(*) FROM pg_available_extensions WHERE name = :name"), {"name": EXTENSION}
    )
    return bool(found.scalar_one())


def distribute(connection: Connection) -> tuple[str, ...]:
    """Distribute what is not; the names of the tables. Rows that are there already are moved, and writers wait."""
    connection.execute(text(f"CREATE EXTENSION IF NOT EXISTS {EXTENSION}"))
    there = set(connection.execute(text("SELECT logicalrelid::text FROM pg_dist_partition")).scalars())
    missing = [each for each in PLAN if each.table.name not in there]
    for each in missing:
        connection.execute(text(each.statement))
    return tuple(each.table.name for each in missing)
