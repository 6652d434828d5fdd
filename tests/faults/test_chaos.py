"""Everything dies at random under duplicated and reordered callbacks; each effect is there once (G5, G6, W1, P2)."""

import os
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from deeds.driver import until
from running import Shop, Up, answers, family, heard, ordered, shop
from sqlalchemy import text

from bot.app.demo.driver import Api, Phone

ALL = os.environ.get("FUGOU_TESTS") == "all"
CUSTOMERS = 2_000 if ALL else 300
PARTS = ("parts web", "parts lanes", "parts hot-1", "parts hot-2", "parts scheduler", "valkey-server", "postgres -D")
SEED = int(os.environ.get("FUGOU_CHAOS_SEED", "20261124"))
SETTLE_SECONDS = 600 if ALL else 180
# A member takes 30 messages a minute, so those that tell him of late welcomes wait their turn; they are not counted.
UNSETTLED = """
    SELECT count(*) FROM outbox
    WHERE state IN ('sending', 'unknown') OR (state = 'waiting' AND call <> 'message_send')
"""


def test_each_effect_is_once_whatever_dies_under_duplicated_and_reordered_callbacks() -> None:  # G5 G6 W1 P2
    chance = random.Random(SEED)
    with shop(duplicate=True, reorder=True, retry_s=5.0) as town:
        group = town.api.post("/tag-groups", {"name": "门店", "kind": "corp", "tags": ["西湖店"]})
        channel = {"name": "桌贴", "staff": ["lily"], "skip_verify": True, "tags": [group["tags"][0]["id"]]}
        code = town.api.post("/live-codes", {**channel, "welcome": {"text": "欢迎{name}"}})
        calm = threading.Event()
        killer = threading.Thread(target=kill_at_random, args=(town.running, chance, calm))
        killer.start()
        with ThreadPoolExecutor(8) as pool:
            come = pool.map(lambda number: live(town.phone, town.api, code["qr_code"], number), range(CUSTOMERS))
            arrived = list(come)
        calm.set()
        killer.join()
        until(lambda: answers(town.running.url))
        settle(town)
        assert_each_once(town, arrived)


def live(phone: Phone, api: Api, qr_code: str, number: int) -> str:
    """One customer scans the code; her order is posted again until it is answered, as a shop's backend does."""
    her: str = phone.sim("POST", "scan", qr_code=qr_code, name=f"客{number:04}")["external_userid"]
    ordered(api, number)
    return her


def kill_at_random(running: Up, chance: random.Random, calm: threading.Event) -> None:
    while not calm.wait(chance.uniform(1.0, 4.0)):
        words = chance.choice(PARTS)
        victims = [pid for pid, command in family(running.process.pid).items() if words in command]
        for pid in victims[:1]:
            os.kill(pid, signal.SIGKILL)


def settle(town: Shop) -> None:
    """Wait until WeCom has given up retrying and nothing is left to do here."""
    end = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < end:
        waiting = town.phone.sim("GET", "callbacks", last=0)["waiting"]
        left = town.scalar("SELECT count(*) FROM inbox WHERE done_at IS NULL AND parked_at IS NULL")
        out = town.scalar(UNSETTLED)
        if not (waiting or left or out):
            return
        time.sleep(1)
    with town.installation.transaction("test") as session:
        sql = "SELECT call, state, min(attempts), max(error), count(*) FROM outbox WHERE state <> 'sent' GROUP BY 1, 2"
        kinds = [tuple(row) for row in session.execute(text(sql))]
    raise AssertionError(f"seed {SEED}: {waiting} callbacks, {left} inbox and {out} outbox rows are left: {kinds}")


def assert_each_once(town: Shop, arrived: list[str]) -> None:
    told = heard(town.phone, arrived)
    assert len(told) > CUSTOMERS * 0.9, f"seed {SEED}: WeCom could hardly deliver"
    sql = "SELECT data->>'external_userid', count(*) FROM events WHERE name = 'contact.added' GROUP BY 1"
    with town.installation.transaction("test") as session:
        added = dict(iter(session.execute(text(sql))))
    assert {her: added.get(her) for her in told} == dict.fromkeys(told, 1), f"seed {SEED}"
    assert town.differences() == [], f"seed {SEED}"
    assert town.scalar("SELECT count(*) FROM orders") == CUSTOMERS
    assert town.scalar("SELECT count(*) FROM points_entries WHERE points > 0") >= CUSTOMERS
    for her in told:
        welcomes = [one for one in town.phone.inbox(her) if one["via"] == "welcome"]
        assert len(welcomes) <= 1, f"seed {SEED}: welcomed twice"
    late = town.scalar("SELECT count(*) FROM outbox WHERE call = 'send_welcome_msg' AND state <> 'sent'")
    welcomed = sum(1 for her in told if town.phone.texts_to(her))
    assert welcomed + late >= len(told), f"seed {SEED}: somebody was neither welcomed nor told late"
