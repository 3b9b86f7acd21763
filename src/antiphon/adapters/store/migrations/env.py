"""Alembic's entry: runs the migrations on the connection that `schema` gives it, inside its transaction."""

from alembic import context

from antiphon.adapters.store.columns import metadata
from antiphon.adapters.store.tables import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
