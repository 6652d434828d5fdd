"""Fixtures of the fault tests: a folder for servers of a test's own, and a shop whose feature leaves traces."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from deeds.driver import make_tables

from bot.core import log
from bot.core.installation import Installation
from bot.core.settings import load


@pytest.fixture(scope="session", autouse=True)
def logs() -> None:
    """Logs as JSON: structlog's own default spends seconds on drawing a traceback."""
    log.configure(load(log_format="json", _env_file=None), "test")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user can enter, as the servers' user must (pytest's own are closed)."""
    made = Path(tempfile.mkdtemp(prefix="fugou-test-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def shop(installation: Installation) -> Installation:
    """An installation with the feature `deeds`."""
    make_tables(installation)
    return installation
