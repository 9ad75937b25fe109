"""The migrations, by Alembic; `gateway.accounts.migrate` runs them."""
