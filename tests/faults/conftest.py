"""Fixtures of the fault tests: servers of a test's own, which it may stop and kill."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user can enter, as the servers' user must (pytest's own are closed)."""
    made = Path(tempfile.mkdtemp(prefix="fugou-test-", dir="/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)
