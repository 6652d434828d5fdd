"""Alembic's entry: one transaction per upgrade, one upgrade at a time."""

from alembic import context
from sqlalchemy import text

from bot.app.features import load_features
from bot.core import jobs, ticks  # noqa: F401  # their tables
from bot.core.db import Base
from bot.migrations.compare import include

TURN = 20_260_101  # an advisory lock of ours: two processes that start together migrate one after the other


def run() -> None:
    load_features()
    with context.config.attributes["engine"].connect() as connection:
        context.configure(connection=connection, target_metadata=Base.metadata, include_object=include)
        with context.begin_transaction():
            connection.execute(text(f"SELECT pg_advisory_xact_lock({TURN})"))
            connection.execute(text("SET LOCAL lock_timeout = '10s'"))
            context.run_migrations()


run()
