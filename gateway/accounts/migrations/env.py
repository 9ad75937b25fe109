"""What Alembic runs a migration in: the connection and transaction that `migrate` has opened."""

from alembic import context

from gateway.accounts.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
