"""Alembic's entry: run the migrations on the engine that the caller opened, each in a transaction of its own."""

from alembic import context

from affinity.schema import METADATA

with context.config.attributes["engine"].connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=list(METADATA),
        render_as_batch=False,
        transactional_ddl=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
