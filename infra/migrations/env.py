"""Runs the migrations on the connection of `modulo.adapters.postgres.schema`, each in a transaction of its own."""

from alembic import context

from modulo.adapters.postgres.tables import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, transaction_per_migration=True
)
with context.begin_transaction():
    context.run_migrations()
