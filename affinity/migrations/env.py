"""Alembic's entry: run the migrations on the engine that the caller opened."""

from alembic import context

from affinity.schema import METADATA

with context.config.attributes["engine"].begin() as connection:
    context.configure(connection=connection, target_metadata=list(METADATA), render_as_batch=False)
    with context.begin_transaction():
        context.run_migrations()
