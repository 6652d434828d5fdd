"""Many hands at once on the same customers' tags, in the API, in WeCom and in the lane's threads (T2, G5)."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

from shop import Shop
from sqlalchemy import select
from test_tags import befriend, group, here, in_wecom, mark, open_calls, put, settle_lost, take, verified

from bot.wecom.inbox import InboxRow
from bot.wecom.lane import Lane


def test_whatever_many_hands_do_at_once_both_sides_end_in_step(shop: Shop) -> None:  # T2 G5
    tags = group(shop, "t", "a", "b", "c") | group(shop, "s", "x", "y", single_choice=True)
    customers = [befriend(shop, name, "lily", "leo") for name in ("Anna", "Bella", "Cora")]
    ended = threading.Event()
    lane = threading.Thread(target=Lane(shop.installation, shop.client, slots=8).run, args=(ended,))
    lane.start()

    def play(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(15):
            who, name, staff = dice.choice(customers), dice.choice(list(tags)), dice.choice(["lily", "leo"])
            match dice.choice(["put", "take", "mark", "unmark"]):
                case "put":
                    put(shop, who, tags[name])
                case "take":
                    take(shop, who, tags[name])
                case "mark":
                    mark(shop, who, staff, add=(name,))
                case "unmark":
                    mark(shop, who, staff, remove=(name,))

    try:
        with ThreadPoolExecutor(6) as hands:
            for done in [hands.submit(play, seed) for seed in range(6)]:
                done.result(timeout=120)
    finally:
        ended.set()
        lane.join()
    shop.run_jobs()
    while open_calls(shop):
        settle_lost(shop)
    for who in customers:
        assert in_wecom(shop, who, "lily") == in_wecom(shop, who, "leo") == here(shop, who)
    with shop.installation.transaction("test") as session:
        assert session.scalars(select(InboxRow.error).where(InboxRow.attempts > 0)).all() == []
    assert verified(shop) == []
