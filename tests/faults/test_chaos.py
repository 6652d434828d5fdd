"""Everything dies at random under duplicated and reordered callbacks; each effect is there once (G5, G6, W1, P2)."""

import itertools
import os
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from deeds.driver import until
from running import Up, answers, family, initialised, up
from sqlalchemy import text

from bot import simulator
from bot.app.demo.driver import Api, Phone
from bot.app.house import joined
from bot.core import checks
from bot.core import settings as fugou_settings
from bot.core.installation import Installation
from bot.core.servers import private_servers
from bot.operators import keys

ALL = os.environ.get("FUGOU_TESTS") == "all"
CUSTOMERS = 2_000 if ALL else 300
PARTS = ("parts web", "parts lanes", "parts hot", "parts scheduler", "valkey-server", "bin/postgres -D")
SEED = int(os.environ.get("FUGOU_CHAOS_SEED", "20261124"))
SETTLE_SECONDS = 600 if ALL else 180
# A member takes 30 messages a minute, so those that tell him of late welcomes wait their turn; they are not counted.
UNSETTLED = """
    SELECT count(*) FROM outbox
    WHERE state IN ('sending', 'unknown') OR (state = 'waiting' AND call <> 'message_send')
"""


@pytest.mark.long
def test_each_effect_is_once_whatever_dies_under_duplicated_and_reordered_callbacks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # G5 G6 W1 P2
    chance = random.Random(SEED)
    corp = {"corp_id": "ww0123456789abcdef", "secret": "app-secret"}
    with simulator.start(**corp) as wecom, initialised(WECOM_API_BASE=f"{wecom.url}/cgi-bin") as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        settings = fugou_settings.load(_env_file=None)
        with (
            private_servers(settings) as servers,
            joined(settings, servers) as installation,
            up(environment) as running,
        ):
            with installation.transaction("test") as session:
                key = keys.create_api_key(session, "chaos", ["all"])
            phone, api = Phone(wecom.url), Api(running.url, key)
            phone.sim("POST", "apps", agentid=1000002)
            phone.sim("POST", "staff", userid="lily", name="莉莉")
            phone.sim("POST", "callbacks", url=f"{running.url}/wecom/callback", token="callbackToken",
                      aes_key="k" * 42 + "0", duplicate=True, reorder=True, retry_s=5.0)  # fmt: skip
            group = api.post("/tag-groups", {"name": "门店", "kind": "corp", "tags": ["西湖店"]})
            channel = {"name": "桌贴", "staff": ["lily"], "skip_verify": True, "tags": [group["tags"][0]["id"]]}
            code = api.post("/live-codes", {**channel, "welcome": {"text": "欢迎{name}"}})
            calm = threading.Event()
            killer = threading.Thread(target=kill_at_random, args=(running, chance, calm))
            killer.start()
            with ThreadPoolExecutor(8) as pool:
                arrived = list(pool.map(lambda number: live(phone, api, code["qr_code"], number), range(CUSTOMERS)))
            calm.set()
            killer.join()
            until(lambda: answers(running.url))
            settle(installation, phone)
            assert_each_once(installation, phone, arrived)


def live(phone: Phone, api: Api, qr_code: str, number: int) -> str:
    """One customer scans the code; her order is posted again until it is answered, as a shop's backend does."""
    her: str = phone.sim("POST", "scan", qr_code=qr_code, name=f"客{number:04}")["external_userid"]
    for attempt in itertools.count():
        try:
            item = {"sku": "B", "name": "豆", "category": "咖啡", "quantity": 1, "unit_price_fen": 30_000}
            body = {"order_id": f"D{number}", "customer": {"shop_customer_id": f"U{number}"}, "total_fen": 30_000,
                    "paid_at": "2026-11-20T04:00:00Z", "items": [item]}  # fmt: skip
            answer = api.call("POST", "/orders", body)
            if answer.status_code in (200, 201):
                return her
        except requests.RequestException:
            pass  # the web part is being killed just now
        assert attempt < 200, "no answer for an order"
        time.sleep(0.3)
    return her


def kill_at_random(running: Up, chance: random.Random, calm: threading.Event) -> None:
    while not calm.wait(chance.uniform(1.0, 4.0)):
        words = chance.choice(PARTS)
        victims = [pid for pid, command in family(running.process.pid).items() if words in command]
        for pid in victims[:1]:
            os.kill(pid, signal.SIGKILL)


def settle(installation: Installation, phone: Phone) -> None:
    """Wait until WeCom has given up retrying and nothing is left to do here."""
    end = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < end:
        waiting = phone.sim("GET", "callbacks", last=0)["waiting"]
        left = counted(installation, "SELECT count(*) FROM inbox WHERE done_at IS NULL AND parked_at IS NULL")
        out = counted(installation, UNSETTLED)
        if not (waiting or left or out):
            return
        time.sleep(1)
    with installation.transaction("test") as session:
        sql = "SELECT call, state, min(attempts), max(error), count(*) FROM outbox WHERE state <> 'sent' GROUP BY 1, 2"
        kinds = [tuple(row) for row in session.execute(text(sql))]
    raise AssertionError(f"seed {SEED}: {waiting} callbacks, {left} inbox and {out} outbox rows are left: {kinds}")


def assert_each_once(installation: Installation, phone: Phone, arrived: list[str]) -> None:
    delivered = [one for one in phone.sim("GET", "callbacks", last=100_000)["data"] if one["status"] == "delivered"]
    heard = {her for her in arrived if any(her in one["xml"] for one in delivered)}
    assert len(heard) > CUSTOMERS * 0.9, f"seed {SEED}: WeCom could hardly deliver"
    sql = "SELECT data->>'external_userid', count(*) FROM events WHERE name = 'contact.added' GROUP BY 1"
    with installation.transaction("test") as session:
        added = dict(iter(session.execute(text(sql))))
        assert {her: added.get(her) for her in heard} == dict.fromkeys(heard, 1), f"seed {SEED}"
        wrong = [f"{check.name}: {said}" for check in checks.checks for said in check.run(session)]
        assert wrong == [], f"seed {SEED}"
        points = session.execute(text("SELECT count(*), sum(points) FROM points_entries WHERE points > 0")).one()
    assert counted(installation, "SELECT count(*) FROM orders") == CUSTOMERS
    assert points[0] >= CUSTOMERS
    for her in heard:
        assert len([one for one in phone.inbox(her) if one["via"] == "welcome"]) <= 1, f"seed {SEED}: welcomed twice"
    late = counted(installation, "SELECT count(*) FROM outbox WHERE call = 'send_welcome_msg' AND state <> 'sent'")
    welcomed = sum(1 for her in heard if phone.texts_to(her))
    assert welcomed + late >= len(heard), f"seed {SEED}: somebody was neither welcomed nor told late"


def counted(installation: Installation, sql: str) -> int:
    with installation.transaction("test") as session:
        return int(session.execute(text(sql)).scalar_one())
