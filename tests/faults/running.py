"""A running `fugou up`, driven by its pids and by its API: for tests that kill parts of it."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import requests
from places import SECRET_KEY
from shop import CORP_ID, SECRET
from sqlalchemy import text

from bot import simulator
from bot.app import house
from bot.app.demo.driver import Api, Phone
from bot.core import checks
from bot.core import settings as fugou_settings
from bot.core.installation import Installation
from bot.core.servers import daemon, home
from bot.core.servers.postgres import Postgres
from bot.core.servers.valkey import Valkey
from bot.operators import keys

PATIENCE_SECONDS = 60  # a busy machine takes long to start six Pythons

FUGOU = [sys.executable, "-m", "bot.app.cli"]
AGENT_ID = 1000002
TOKEN, AES_KEY = "callbackToken", "k" * 42 + "0"


class Up:
    """A running `fugou up`: its address and its processes."""

    def __init__(self, process: subprocess.Popen[str], data: Path) -> None:
        self.process, self.data = process, data
        self.said = ""
        assert process.stdout is not None
        while not self.said.startswith("login ") and (line := process.stdout.readline()):
            self.said = line.strip()
            if line.startswith("ready "):
                self.url = line.split()[1]

    def part(self, words: str) -> int | None:
        """The pid of the eldest process below the supervisor whose command line has `words`."""
        return min((pid for pid, line in family(self.process.pid).items() if words in line), default=None)


def family(eldest: int) -> dict[int, str]:
    """A process and all below it that live: pid and command line."""
    listed = subprocess.run(["ps", "-axwwo", "pid=,ppid=,stat=,args="], capture_output=True, text=True, check=True)
    rows = [line.split(None, 3) for line in listed.stdout.splitlines()]
    known = {eldest: "eldest"}
    for _ in range(4):  # supervisor, part, worker process, and what that starts
        known |= {int(row[0]): row[3] for row in rows if int(row[1]) in known and not row[2].startswith("Z")}
    return known


def answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/readyz", timeout=5).status_code == 200
    except requests.RequestException:
        return False


def lives(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


def none_lives(pids: list[int]) -> bool:
    return not any(lives(pid) for pid in pids)


def servers(data: Path) -> list[daemon.Daemon]:
    """The private servers of a data folder."""
    place = home.Home(data)
    return [Postgres(place), Valkey(place)]


def _environment(folder: Path, **settings: str) -> dict[str, str]:
    given = {
        "DATA_DIR": f"{folder}/data", "SECRET_KEY": SECRET_KEY,
        "PUBLIC_URL": "http://fugou.test", "WECOM_API_BASE": "http://127.0.0.1:9/cgi-bin",
        "WECOM_CORP_ID": CORP_ID, "WECOM_AGENT_ID": str(AGENT_ID), "WECOM_APP_SECRET": SECRET,
        "WECOM_CALLBACK_TOKEN": TOKEN, "WECOM_CALLBACK_AES_KEY": AES_KEY,
        "OWNER_PASSWORD": "a password for tests", "LOG_FORMAT": "json", **settings,
    }  # fmt: skip
    return {**os.environ, **{f"FUGOU_{name}": value for name, value in given.items()}}


@cache
def _fresh() -> Path:
    """The folder of an installation in which nothing has happened, made once; a copy is one of a test's own."""
    folder = Path(tempfile.mkdtemp(prefix="fresh-", dir=os.environ["FUGOU_TEST_RUN"]))
    folder.chmod(0o755)
    environment = _environment(folder)
    subprocess.run([*FUGOU, "init", "--yes"], env=environment, cwd=folder, check=True, capture_output=True)
    return folder


@contextmanager
def initialised(**settings: str) -> Iterator[dict[str, str]]:
    """The environment of an installation in a folder of its own, as `fugou init` makes it."""
    with tempfile.TemporaryDirectory(prefix="fugou-test-") as name:
        subprocess.run(["cp", "-a", f"{_fresh()}/.", name], check=True)
        made = _environment(Path(name), **settings)
        yield made
        for server in servers(Path(made["FUGOU_DATA_DIR"])):
            server.stop()  # where a test's kill -9 left it


@contextmanager
def command(environment: dict[str, str], *words: str) -> Iterator[subprocess.Popen[str]]:
    """`fugou` with these words, told to end at the end."""
    folder = Path(environment["FUGOU_DATA_DIR"]).parent
    with subprocess.Popen([*FUGOU, *words], env=environment, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)


@contextmanager
def up(environment: dict[str, str], *options: str) -> Iterator[Up]:
    with command(environment, "up", "--port", "0", "--workers", "1", *options) as process:
        yield Up(process, Path(environment["FUGOU_DATA_DIR"]))


@contextmanager
def inside(environment: dict[str, str]) -> Iterator[Installation]:
    """The installation itself, its servers running until the block ends, for a look at its rows."""
    with house.opened(settings_of(environment)) as installation:
        yield installation


def settings_of(environment: dict[str, str]) -> fugou_settings.Settings:
    given = {name[6:].lower(): value for name, value in environment.items() if name.startswith("FUGOU_")}
    return fugou_settings.load(**given, _env_file=None)


@dataclass(frozen=True)
class Shop:
    """An installation under `fugou up`, the people of its simulated WeCom, its API, and a look inside."""

    running: Up
    environment: dict[str, str]
    phone: Phone
    api: Api
    installation: Installation

    def fugou(self, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """A command to its end, beside what runs; `settings` replace the installation's."""
        return fugou(self.environment, *words, **settings)

    def scalar(self, sql: str, **given: object) -> Any:
        with self.installation.transaction("test") as session:
            return session.scalar(text(sql), given)

    def added(self, external_userid: str) -> int:
        """How many times it is kept that she has added a member."""
        sql = "SELECT count(*) FROM events WHERE name = 'contact.added' AND data->>'external_userid' = :her"
        return int(self.scalar(sql, her=external_userid))

    def differences(self) -> list[str]:
        """What `fugou verify` finds."""
        with self.installation.transaction("test") as session:
            return [f"{check.name}: {said}" for check in checks.checks for said in check.run(session)]

    @contextmanager
    def customers(self) -> Iterator[list[str]]:
        """Customers come and order, one after the other, while the block runs; the external_userids of all so far."""
        come: list[str] = []
        closing = threading.Event()

        def run() -> None:
            while not closing.wait(0.05):
                come.append(self.phone.add_contact(f"客{len(come):04}"))
                ordered(self.api, len(come))

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield come
        finally:
            closing.set()
            thread.join()


@contextmanager
def shop(**delivery: object) -> Iterator[Shop]:
    """A shop with the member lily. delivery: how its WeCom calls back, as `POST /sim/callbacks` takes it."""
    with (
        simulator.start(CORP_ID, SECRET) as wecom,
        initialised(WECOM_API_BASE=f"{wecom.url}/cgi-bin") as environment,
        inside(environment) as installation,
        up(environment) as running,
    ):
        with installation.transaction("test") as session:
            key = keys.create_api_key(session, "test", ["all"])
        phone = Phone(wecom.url)
        phone.sim("POST", "apps", agentid=AGENT_ID)
        phone.sim("POST", "staff", userid="lily", name="莉莉")
        callback = f"{running.url}/wecom/callback"
        phone.sim("POST", "callbacks", url=callback, token=TOKEN, aes_key=AES_KEY, **delivery)
        yield Shop(running, environment, phone, Api(running.url, key), installation)


def fugou(environment: dict[str, str], *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """`fugou` with these words to its end; what it said is in `stdout` and `stderr`."""
    given = {**environment, **{f"FUGOU_{name}": value for name, value in settings.items()}}
    return subprocess.run(
        [*FUGOU, *words], env=given, cwd=Path(environment["FUGOU_DATA_DIR"]).parent, capture_output=True, text=True,
        stdin=subprocess.DEVNULL, timeout=PATIENCE_SECONDS, check=False,
    )  # fmt: skip


def ordered(api: Api, number: int) -> None:
    """An order of a customer of its own, posted again until it is answered, as a shop's backend does."""
    item = {"sku": "B", "name": "豆", "category": "咖啡", "quantity": 1, "unit_price_fen": 30_000}
    body = {"order_id": f"D{number}", "customer": {"shop_customer_id": f"U{number}"}, "total_fen": 30_000,
            "paid_at": "2026-11-20T04:00:00Z", "items": [item]}  # fmt: skip
    for _ in range(600):  # a part that died five times in a row is started again after 30 s
        try:
            if api.call("POST", "/orders", body).status_code in (200, 201):
                return
        except requests.RequestException:
            pass  # the web part is being killed just now
        time.sleep(0.3)
    raise AssertionError(f"no answer for order D{number}")


def heard(phone: Phone, arrived: list[str]) -> set[str]:
    """Of those who came, whose callback WeCom could deliver before it gave up."""
    told = [one["xml"] for one in phone.sim("GET", "callbacks", last=100_000)["data"] if one["status"] == "delivered"]
    return {her for her in arrived if any(her in xml for xml in told)}
