"""The migrated schema and the models say the same."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from bot import migrations
from bot.core import db
from bot.core.db import Base
from bot.migrations.compare import include


def test_the_models_describe_the_migrated_schema(database: str) -> None:
    engine = db.connect(database)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": include})
        differences = compare_metadata(context, Base.metadata)
    engine.dispose()
    assert differences == []


def test_every_migration_can_be_taken_back_and_applied_again(database: str) -> None:
    engine = db.connect(database)
    while migrations.current(engine):
        migrations.downgrade(engine, "-1")
        migrations.upgrade(engine, "+1")
        migrations.downgrade(engine, "-1")
    migrations.upgrade(engine)
    assert migrations.current(engine) == migrations.newest()
    engine.dispose()
