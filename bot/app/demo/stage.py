"""A demo started and stopped: data folder, servers, simulated WeCom, parts, seeded shop; then what happens, told."""

import os
import random
import secrets
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.progress import Progress
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import simulator
from bot.app import serve
from bot.app.demo import seed
from bot.app.demo.driver import Api, Phone, Refused
from bot.app.house import joined, prepare
from bot.app.parts import ALL, part, web_part
from bot.app.supervisor import Supervisor
from bot.core import clock
from bot.core import settings as fugou_settings
from bot.core.events import EventRow
from bot.core.installation import Installation, installation_of
from bot.core.servers import private_servers
from bot.operators import accounts, keys
from tags.people.models import Customer
from tags.timeline import service as timeline

CORP_ID, AGENT_ID = "ww0fugou0demo0corp", 1000002
AES_KEY = "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR"  # of a corp that exists on this machine alone
LOOK_SECONDS = 0.5
PAUSE_SECONDS = (8.0, 30.0)  # between two things that the crowd does, at speed 1


@dataclass(frozen=True)
class Demo:
    """A demo that runs: where it answers, who drives it from outside, what opens it. login: a one-time token."""

    address: str
    installation: Installation
    api: Api
    phone: Phone
    cafe: seed.Cafe
    key: str
    login: str

    @property
    def lines(self) -> tuple[str, ...]:
        """What is printed once it is ready."""
        phone = f"phone {self.phone.url}/phone"
        return f"ready {self.address}", phone, _login_line(self.address, self.login), f"apikey {self.key}"


@contextmanager
def open_demo(
    port: int, customers: int | None, seed_number: int, data: Path | None, stop: threading.Event
) -> Iterator[Demo]:
    """Everything on one machine, ready, until the block ends; seeded, unless `customers` is None.

    data: a folder to keep everything in; without it nothing is kept.
    """
    with ExitStack() as stack:
        folder = data or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fugou-demo-")))
        if data is None:
            folder.chmod(0o711)  # PostgreSQL runs as a user of its own where we are root
        token = secrets.token_urlsafe(16)
        secret = _kept(folder, "wecom.secret", secrets.token_urlsafe(24))
        again = int(_kept(folder, "wecom.port", "0"))  # the pictures of its codes have addresses
        wecom = stack.enter_context(simulator.start(CORP_ID, secret, data=folder / "wecom.json", port=again))
        (folder / "wecom.port").write_text(wecom.url.rpartition(":")[2])
        number = stack.enter_context(serve.reserved("127.0.0.1", port))
        address = serve.url("127.0.0.1", number)
        environment = {
            "DATA_DIR": str(folder.resolve()), "PUBLIC_URL": address,
            "SECRET_KEY": _kept(folder, "demo.key", secrets.token_urlsafe(32)),
            "CLOCK": "shared",
            "WECOM_API_BASE": f"{wecom.url}/cgi-bin", "WECOM_OAUTH_URL": f"{wecom.url}/connect/oauth2/authorize",
            "WECOM_CORP_ID": CORP_ID, "WECOM_AGENT_ID": str(AGENT_ID), "WECOM_APP_SECRET": secret,
            "WECOM_CALLBACK_TOKEN": token, "WECOM_CALLBACK_AES_KEY": AES_KEY,
        }  # fmt: skip
        os.environ.update({f"FUGOU_{name}": value for name, value in environment.items()})
        settings = fugou_settings.load(_env_file=None)
        servers = stack.enter_context(private_servers(settings))
        installation = stack.enter_context(joined(settings, servers))
        prepare(installation)
        with installation.transaction("cli") as session:
            if accounts.find_operator(session, "owner") is None:
                accounts.add_operator(session, "owner", "owner")
            key = keys.create_api_key(session, "demo", ["all"])
        phone = Phone(wecom.url)
        if customers is not None:  # there before the scheduler first looks for accounts: welcomes link to it
            phone.sim("POST", "kf/accounts", name="山野咖啡客服", open_kfid=seed.KF)
        parts = [web_part("127.0.0.1", number, installation.id, 1, serve.THREADS), *map(part, ALL)]
        stack.enter_context(Supervisor(parts, upkeep=servers.ensure))
        serve.wait_ready(address, installation.id, stop)
        api = Api(address, key)
        phone.sim("POST", "apps", agentid=AGENT_ID)
        callback = f"{address}/wecom/callback"
        phone.sim("POST", "callbacks", url=callback, token=token, aes_key=AES_KEY)
        cafe = _seeded(api, phone, customers, seed_number)
        with installation.transaction("cli") as session:
            login = accounts.one_time_login(session, "owner")
        yield Demo(address, installation, api, phone, cafe, key, login)


def watch(demo: Demo, stop: threading.Event) -> None:
    """Print what happens, as it is kept, and another login once the last is used or over, until `stop`."""
    last, login = 0, demo.login
    with demo.installation.transaction("cli") as session:
        last = session.scalar(select(EventRow.id).order_by(EventRow.id.desc()).limit(1)) or 0
    while not stop.wait(LOOK_SECONDS):
        with demo.installation.transaction("cli") as session:
            if not accounts.may_be_used(session, login):
                login = accounts.one_time_login(session, "owner")
                click.echo(_login_line(demo.address, login))
            rows = session.scalars(select(EventRow).where(EventRow.id > last).order_by(EventRow.id).limit(200)).all()
            _tell(session, [row for row in rows if row.customer_id is not None])
            last = rows[-1].id if rows else last


def _login_line(address: str, token: str) -> str:
    return f"login {address}/console/login/{token}"


def _tell(session: Session, rows: Sequence[EventRow]) -> None:
    zone = installation_of(session).settings.timezone
    named = select(Customer.id, Customer.name).where(Customer.id.in_([row.customer_id for row in rows]))
    names = dict(iter(session.execute(named)))
    for row, entry in zip(rows, timeline.entries(session, rows, "zh_CN"), strict=True):
        name = names.get(row.customer_id or 0) or f"客户 {row.customer_id}"
        click.echo(f"{entry.at.astimezone(zone):%m-%d %H:%M:%S}  {name}  {entry.told.text}")


def crowd(demo: Demo, seed_number: int, speed: float, stop: threading.Event) -> None:
    """Let customers come, ask and buy now and then; `speed` times as often as people do, the clock moving along."""
    people = random.Random(seed_number + 1)  # noqa: S311  # a story, not a secret
    known = [one["external_userid"] for one in demo.phone.sim("GET", "contacts")["data"]]
    serial = 0
    while not stop.is_set():
        pause = people.uniform(*PAUSE_SECONDS)
        if stop.wait(pause / speed):
            return
        if speed > 1:
            clock.advance(pause - pause / speed)
        serial += 1
        try:
            _act(demo, people, known, serial)
        except Refused as refused:
            click.echo(f"        ({refused})", err=True)


def _act(demo: Demo, people: random.Random, known: list[str], serial: int) -> None:
    chosen = people.random()
    if chosen < 0.3 or not known:
        name = people.choice(seed.SURNAMES) + people.choice(seed.GIVEN)
        code = people.choice(demo.cafe.codes)["qr_code"]
        known.append(demo.phone.sim("POST", "scan", qr_code=code, name=name)["external_userid"])
    elif chosen < 0.65:
        words = people.choice(("我的积分", "积分还有多少", "等级", "帮助", "我想换个口味"))
        demo.phone.say(people.choice(known), words, seed.KF)
    else:
        sku, name, category, price = people.choice(seed.GOODS)
        item = {"sku": sku, "name": name, "category": category, "quantity": 1, "unit_price_fen": price}
        demo.api.order(people.choice(known), f"L{int(time.time())}-{serial}", price, items=[item])


def _seeded(api: Api, phone: Phone, customers: int | None, seed_number: int) -> seed.Cafe:
    there = api.get("/live-codes")["data"]
    if customers is None or there:  # of a folder that was kept
        return seed.Cafe(there, {}, [])
    cafe = seed.furnish(api, phone)
    with Progress(transient=True) as bar:
        task = bar.add_task("客人到店 customers arriving", total=customers)
        tell: Callable[[int, int], Any] = lambda done, total: bar.update(task, completed=done)  # noqa: E731
        seed.populate(api, phone, cafe, customers, seed_number, tell)
    return cafe


def _kept(folder: Path, name: str, fresh: str) -> str:
    """A secret of this data folder: one that is kept needs the same next time."""
    file = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        file.write_text(fresh)
        file.chmod(0o600)
    return file.read_text()
