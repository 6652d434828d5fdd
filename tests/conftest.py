"""Fixtures: one private PostgreSQL and Valkey a run (shared by its workers), one database and key prefix a test."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from places import SECRET_KEY, address, copied, server, set_up, shop_of
from shop import Shop
from sqlalchemy import text
from sqlalchemy.orm import Session

from bot import migrations
from bot.app.features import load_features
from bot.core import clock, db
from bot.core import settings as fugou_settings
from bot.core.events import make_partitions
from bot.core.installation import Installation, create_identity
from bot.core.servers import Servers, private_servers

hypothesis_settings.register_profile(
    "short", max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
hypothesis_settings.register_profile("long", parent=hypothesis_settings.get_profile("short"), max_examples=300)
hypothesis_settings.load_profile("long" if os.environ.get("FUGOU_TESTS") == "all" else "short")


MEMORY, ROOM = Path("/dev/shm"), 6 << 30  # bytes


def pytest_configure(config: pytest.Config) -> None:
    """Make the run's folder, which xdist's workers inherit; open to the user PostgreSQL runs as.

    All temporary files are kept in memory where there is room: a test's database is nine hundred small files, whose
    copy takes 30 ms there and up to 800 on a disk.
    """
    if "FUGOU_TEST_RUN" not in os.environ:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # hundreds of processes are started; each would compile it all
        if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM:
            os.environ["TMPDIR"], tempfile.tempdir = str(MEMORY), None
        os.environ["FUGOU_TEST_RUN"] = tempfile.mkdtemp(prefix="fugou-run-")
        Path(os.environ["FUGOU_TEST_RUN"]).chmod(0o711)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop("FUGOU_TEST_RUN"), ignore_errors=True)


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """The run's private servers; every worker of a run holds the same data folder, the last one out stops them."""
    data = Path(os.environ["FUGOU_TEST_RUN"]) / "servers"
    with private_servers(fugou_settings.load(data_dir=data, _env_file=None), fast=True) as started:
        yield started


@pytest.fixture(scope="session")
def template(servers: Servers) -> str:
    """The name of a migrated, empty database that each test's is copied from."""
    name = f"template_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    with server(servers) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    engine = db.connect(address(servers, name))
    load_features()
    migrations.upgrade(engine)
    with engine.begin() as connection:
        make_partitions(connection)
    with Session(engine) as session, session.begin():
        create_identity(session, fugou_settings.load(secret_key=SECRET_KEY, _env_file=None))
    engine.dispose()
    return name


@pytest.fixture
def database(servers: Servers, template: str) -> Iterator[str]:
    """The address of a database of this test alone."""
    with copied(servers, template) as url:
        yield url


@pytest.fixture
def settings() -> Iterator[fugou_settings.Settings]:
    """The settings of an installation that talks to a simulator at `wecom_api_base`."""
    with set_up() as made:
        yield made


@pytest.fixture
def installation(servers: Servers, database: str, settings: fugou_settings.Settings) -> Iterator[Installation]:
    """An installation on a database of its own, with its own id, so its keys in Valkey are its own too."""
    load_features()
    made = Installation(settings, database, servers.redis_url)
    with made.transaction("test") as session:
        session.execute(text("UPDATE installation SET id = gen_random_uuid()"))
    yield made
    made.close()
    clock.follow(None)


@pytest.fixture
def shop(servers: Servers, database: str, settings: fugou_settings.Settings) -> Iterator[Shop]:
    """A whole shop on a database of its own, in which nothing has happened."""
    with shop_of(servers, database, settings) as made:
        yield made


@pytest.fixture
def session(installation: Installation) -> Iterator[Session]:
    """A transaction as actor `test`, committed at the end of the test."""
    with installation.transaction("test") as opened:
        yield opened
