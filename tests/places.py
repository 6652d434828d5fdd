"""Where a test runs: a copy of a database, the settings of an installation, a whole shop on both."""

import itertools
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from shop import CORP_ID, SECRET, Shop, opened
from sqlalchemy import text

from bot.app.features import load_features
from bot.core import clock
from bot.core import settings as fugou_settings
from bot.core.installation import Installation
from bot.core.servers import Servers

TOKEN, AES_KEY = "callbackToken", "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR"
SECRET_KEY = "a secret key for tests, long enough to be one"
_numbers = itertools.count()


@contextmanager
def copied(servers: Servers, template: str) -> Iterator[str]:
    """The address of a copy of the database `template`, which nobody may be connected to; dropped at the end."""
    name = f"t{os.getpid()}_{next(_numbers)}"
    with server(servers) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    yield address(servers, name)
    with server(servers) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def set_up() -> Iterator[fugou_settings.Settings]:
    """The settings of an installation that talks to a simulator at `wecom_api_base`, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="fugou") as folder:
        yield fugou_settings.load(
            data_dir=Path(folder), secret_key=SECRET_KEY, public_url="http://fugou.test", clock="shared",
            wecom_api_base="http://127.0.0.1:9/cgi-bin", wecom_corp_id=CORP_ID, wecom_agent_id=1000002,
            wecom_app_secret=SECRET, wecom_callback_token=TOKEN, wecom_callback_aes_key=AES_KEY, _env_file=None,
        )  # fmt: skip


@contextmanager
def shop_of(
    servers: Servers, database: str, settings: fugou_settings.Settings, corp: Path | None = None
) -> Iterator[Shop]:
    """A whole shop: web server, simulated WeCom, API key, all on free ports; see tests/shop.py.

    corp: where its WeCom was written to, and is at the end; None begins with an empty one.
    """
    made: list[Installation] = []

    def installation_of(changed: fugou_settings.Settings) -> Installation:
        made.append(Installation(changed, database, servers.redis_url))
        with made[0].transaction("test") as session:
            session.execute(text("UPDATE installation SET id = gen_random_uuid()"))
        return made[0]

    load_features()
    with opened(installation_of, settings, corp) as shop:
        yield shop
    made[0].close()
    clock.follow(None)


def server(servers: Servers) -> psycopg.Connection[tuple[object, ...]]:
    """A connection to the private server itself, outside every test's database."""
    return psycopg.connect(servers.database_url.replace("+psycopg", "", 1), autocommit=True)


def address(servers: Servers, name: str) -> str:
    """The SQLAlchemy address of a database of the private server."""
    head, _, query = servers.database_url.partition("?")
    return f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")
