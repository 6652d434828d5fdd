"""Opening an installation for a command: settings, private servers where none are named, the schema it needs."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from bot import migrations
from bot.app.features import load_features
from bot.core import settings as fugou_settings
from bot.core.errors import Refusal
from bot.core.events import make_partitions
from bot.core.installation import Installation, create_identity
from bot.core.servers import Servers, private_servers
from bot.core.settings import Settings


class NotMigrated(Refusal):
    """The database's schema is not the one this program expects."""


class Unreached(Refusal):
    """The database does not let us in; the sentence has its words."""


@contextmanager
def opened(settings: Settings, *, pool_size: int = 10, migrated: bool = True) -> Iterator[Installation]:
    """The installation that `settings` name, its servers running until the block ends.

    migrated: raise NotMigrated in one sentence where the schema is not this program's.
    """
    with private_servers(settings) as servers, joined(settings, servers, pool_size=pool_size) as installation:
        if migrated:
            check_schema(installation)
        yield installation


def check_schema(installation: Installation) -> None:
    """Raise NotMigrated in one sentence where the schema is not this program's."""
    at = migrations.current(installation.engine)
    if at != migrations.newest():
        found = f"stands at {at}" if at else "is empty"
        raise NotMigrated(f"the database {found}, it needs {migrations.newest()}; run: fugou db upgrade")


@contextmanager
def joined(settings: Settings, servers: Servers, *, pool_size: int = 10) -> Iterator[Installation]:
    """An installation on servers that somebody else keeps running. Raises Unreached."""
    load_features()
    if gc.get_freeze_count() == 0:  # what is loaded stays: a look through it each time took a fifth of an import
        gc.collect()
        gc.freeze()
    installation = Installation(settings, servers.database_url, servers.redis_url, pool_size)
    try:
        _reach(installation)
        yield installation
    finally:
        installation.close()


def _reach(installation: Installation) -> None:
    try:
        installation.engine.connect().close()
    except OperationalError as error:
        said = " ".join(str(error.orig).split())
        raise Unreached(f"the database of FUGOU_DATABASE_URL can't be reached: {said}") from None


def keyed_settings() -> Settings:
    """The settings of a command that opens the database. Raises BadSettings, for a missing SECRET_KEY too."""
    settings = fugou_settings.load()
    settings.require("secret_key")
    return settings


def prepare(installation: Installation, to: str = "head") -> None:
    """Bring the schema up to `to`, give the database its identity, make the next months' partitions."""
    migrations.upgrade(installation.engine, to)
    with installation.engine.begin() as connection:
        if connection.execute(text("SELECT to_regclass('events')")).scalar() is not None:
            make_partitions(connection)
    with installation.transaction("system") as session:
        create_identity(session, installation.settings)
