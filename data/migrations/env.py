"""What Alembic runs for every command: the steps, on the connection it was given."""

from alembic import context

from data.database import SCHEMA

context.configure(connection=context.config.attributes["connection"], target_metadata=SCHEMA)
context.run_migrations()
