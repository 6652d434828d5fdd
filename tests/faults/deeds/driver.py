"""The engine's tests look and wait through these."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import text

from bot.core import feature
from bot.core.installation import Installation

HERE = Path(__file__).parents[1]
PATIENCE_SECONDS = 60  # a busy machine takes long to start a Python


def make_tables(shop: Installation) -> None:
    feature.load(["deeds"])
    with shop.transaction("test") as session:
        session.execute(text("CREATE TABLE deeds (id bigserial, what text, actor text, cause bigint)"))
        session.execute(text("CREATE TABLE said (what text)"))


def rows(shop: Installation, query: str) -> list[Any]:
    with shop.transaction("test") as session:
        return list(session.scalars(text(query)))


def deeds(shop: Installation) -> list[str]:
    return rows(shop, "SELECT what FROM deeds ORDER BY id")


def permit(shop: Installation) -> None:
    with shop.transaction("test") as session:
        session.execute(text("INSERT INTO said VALUES ('permitted')"))


def until(what: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not what():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def said(shop: Installation, what: str) -> Callable[[], bool]:
    return lambda: what in rows(shop, "SELECT what FROM said")


@contextmanager
def processes(shop: Installation, module: str, count: int = 1, *given: str) -> Iterator[list[subprocess.Popen[bytes]]]:
    """`count` processes of `deeds.<module>` on the installation's database, killed at the end. given: more words."""
    path = os.pathsep.join([str(HERE), str(HERE.parents[1])])
    command = [sys.executable, "-m", f"deeds.{module}", shop.database_url, shop.redis_url, *given]
    started = [subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}) for _ in range(count)]
    try:
        yield started
    finally:
        for process in started:
            process.kill()
            process.wait()
