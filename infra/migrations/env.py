"""Runs the migrations inside the transaction that `modulo.adapters.postgres_schema` opened."""

from alembic import context

from modulo.adapters.postgres_tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
