"""Runs the steps that a database has not seen yet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from data.errors import StoreError

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

_LOCK = 5_701_2012  # any number: processes that start together take turns on it


def settings(connection: sa.Connection) -> Config:
    """What Alembic needs to know."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def upgrade(engine: Engine) -> None:
    """Bring the database to the newest shape; StoreError if a newer version already did more."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        config = settings(connection)
        steps = ScriptDirectory.from_config(config)
        current = MigrationContext.configure(connection).get_current_revision()
        if current == steps.get_current_head():
            return
        if current is not None and current not in {one.revision for one in steps.walk_revisions()}:
            raise StoreError(
                "The database was brought up to date by a newer version of Fairtier. Use that "
                "version, or restore a back-up made with this one."
            )
        command.upgrade(config, "head")
