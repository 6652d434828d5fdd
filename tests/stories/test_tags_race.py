"""Both sides end in step: whatever is done in whatever order, and by many hands at once (T2, G5)."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from shop import Shop
from sqlalchemy import select
from test_tags import befriend, group, here, in_the_end, in_wecom, mark, put, take, verified

from bot.wecom.inbox import InboxRow
from bot.wecom.lane import Lane


def test_whatever_many_hands_do_at_once_both_sides_end_in_step(shop: Shop) -> None:  # T2 G5
    tags = group(shop, "t", "a", "b", "c") | group(shop, "s", "x", "y", single_choice=True)
    customers = [befriend(shop, name, "lily", "leo") for name in ("Anna", "Bella", "Cora")]
    ended = threading.Event()
    lane = threading.Thread(target=Lane(shop.installation, shop.client, threads=8).run, args=(ended,))
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
    in_the_end(shop)
    for who in customers:
        assert in_wecom(shop, who, "lily") == in_wecom(shop, who, "leo") == here(shop, who)
    with shop.installation.transaction("test") as session:
        assert session.scalars(select(InboxRow.error).where(InboxRow.attempts > 0)).all() == []
    assert verified(shop) == []


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["put", "take", "mark", "unmark", "run", "lose", "busy"]),
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(["lily", "leo"]),
    ),
    max_size=8,
)


@given(acts=ACTS)
def test_whatever_both_sides_do_they_end_in_step(shop: Shop, acts: list[Any]) -> None:  # T2 G5
    tags = group(shop, "t", "a", "b", "c") if not shop.api.get("/tag-groups")["data"] else listed(shop)
    anna = befriend(shop, "Anna", "lily", "leo")
    for act, name, staff in acts:
        match act:
            case "put":
                put(shop, anna, tags[name])
            case "take":
                take(shop, anna, tags[name])
            case "mark":
                mark(shop, anna, staff, add=(name,))
            case "unmark":
                mark(shop, anna, staff, remove=(name,))
            case "run":
                shop.run_jobs()
            case "lose":
                shop.wecom.sim("POST", "faults", path="externalcontact/mark_tag", drop="after", times=1)
            case "busy":
                shop.wecom.sim("POST", "faults", path="externalcontact/mark_tag", errcode=-1, times=1)
        shop.pass_time(seconds=2)
    shop.wecom.sim("DELETE", "faults")
    in_the_end(shop)
    assert in_wecom(shop, anna, "lily") == in_wecom(shop, anna, "leo") == here(shop, anna)
    assert verified(shop) == []


def listed(shop: Shop) -> dict[str, str]:
    return {tag["name"]: tag["id"] for one in shop.api.get("/tag-groups")["data"] for tag in one["tags"]}
