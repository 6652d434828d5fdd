"""The demo's shop, 山野咖啡, filled from outside: by its people and the REST API, the same for the same seed.

Everybody a rule speaks of should be there: one-time buyers, regulars, who gave something back, buyers nobody has as a
contact.
"""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot.app.demo.driver import Api, Phone
from bot.core import clock

BRAND = "山野咖啡"
STAFF = {"wangmin": "王敏", "zhaolei": "赵磊", "linxiao": "林晓"}
SURNAMES = "陈林黄张李王吴刘蔡杨许郑谢郭洪曾邱廖赖周叶苏庄吕江何萧罗高潘"
GIVEN = (
    "静怡", "雅婷", "志明", "思远", "佳宁", "子涵", "晓雯", "俊杰",
    "若溪", "明轩", "可欣", "宇航", "诗涵", "嘉豪", "梦琪", "一诺",
)  # fmt: skip
GOODS = (
    ("YJF250", "耶加雪菲 250g", "咖啡豆", 8_800),
    ("GS250", "花魁 250g", "咖啡豆", 12_800),
    ("GE30", "挂耳组合 30 片", "挂耳", 9_900),
    ("LC6", "冷萃液 6 瓶", "冷萃", 13_800),
    ("V60", "V60 手冲壶套装", "器具", 26_800),
    ("KC1", "手冲初级班", "课程", 39_900),
)
KF = "wkshop"


@dataclass
class Cafe:
    """What a demo and its crowd act on."""

    codes: list[dict[str, Any]]
    tags: dict[str, str]
    chats: list[str]


def furnish(api: Api, phone: Phone) -> Cafe:
    """The shop before anybody comes: members, tags, groups, live codes, a default welcome."""
    api.patch("/settings", {"brand_name": BRAND, "kf_servicers": list(STAFF)})
    for userid, name in STAFF.items():
        phone.sim("POST", "staff", userid=userid, name=name)
        phone.sim("POST", "kf/servicers", open_kfid=KF, userid=userid)
    tags: dict[str, str] = {}
    for name, single, words in (
        ("门店", True, ["西湖店", "滨江店", "小红书"]),
        ("口味", True, ["浅烘", "中烘", "深烘"]),
        ("兴趣", False, ["手冲", "意式", "冷萃", "课程"]),
    ):
        group = api.post("/tag-groups", {"name": name, "kind": "corp", "single_choice": single, "tags": words})
        tags |= {tag["name"]: tag["id"] for tag in group["tags"]}
    chats = [
        phone.sim("POST", "group-chats", name=name, owner=owner)["chat_id"]
        for name, owner in (("西湖店手冲一群", "wangmin"), ("滨江店手冲一群", "zhaolei"))
    ]
    stores = zip(("西湖店", "滨江店"), chats, strict=True)
    pool = {
        "name": "门店社群",
        "routes": [{"tag_id": tags[store], "chats": [chat], "capacity": 200} for store, chat in stores],
        "invitation": {"text": "进群可以领每周的新豆试喝，群里有人教手冲"},
        "remind_after_days": 3,
    }
    group_id = api.post("/segment-groups", pool)["id"]
    codes = []
    for name, staff, store in (
        ("西湖店桌贴", "wangmin", "西湖店"),
        ("滨江店收银台", "zhaolei", "滨江店"),
        ("小红书 11 月", "linxiao", "小红书"),
    ):
        text = f"{{客户昵称}}，欢迎来到山野咖啡{store.removeprefix('小红书')}，我是{{员工}}。想喝什么，随时问我"
        code = {"name": name, "staff": [staff], "skip_verify": True, "tags": [tags[store]], "welcome": {"text": text}}
        codes.append(api.post("/live-codes", {**code, "segment_group_id": group_id}))
    welcome = {"text": "{客户昵称}，你好，我是山野咖啡的{员工}。问积分、等级点这里：{链接}"}
    api.post("/welcome-rules", {"name": "默认", "when": {}, **welcome, "enabled": True})
    return Cafe(codes, tags, chats)


def populate(api: Api, phone: Phone, cafe: Cafe, customers: int, seed: int, tell: Callable[[int, int], None]) -> None:
    """Let `customers` people come and most of them buy, in the 400 days before now; `tell(done, total)` as it goes."""
    people = random.Random(seed)  # noqa: S311  # a story, not a secret
    lives = [_life(people, number) for number in range(customers)]
    done = 0
    with ThreadPoolExecutor(4) as pool:
        for _ in pool.map(lambda life: _live(api, phone, cafe, life), lives):
            done += 1
            tell(done, customers)


@dataclass(frozen=True)
class _Life:
    number: int
    name: str
    code: int | None
    gender: int
    tastes: tuple[str, ...]
    orders: tuple[tuple[float, int], ...]  # days ago, which of GOODS
    returns: bool


def _life(people: random.Random, number: int) -> _Life:
    name = people.choice(SURNAMES) + people.choice(GIVEN)
    regular = people.random() < 0.35
    bought = people.randint(2, 7) if regular else people.choice((0, 1, 1, 1))
    days = sorted((people.uniform(0.2, 400) for _ in range(bought)), reverse=True)
    orders = tuple((each, people.randrange(len(GOODS))) for each in days)
    code = None if people.random() < 0.08 and orders else people.randrange(3)
    tastes = (people.choice(("浅烘", "中烘", "深烘")), people.choice(("手冲", "意式", "冷萃", "课程")))
    return _Life(number, name, code, people.choice((1, 2, 2)), tastes if regular else (), orders, people.random() < 0.1)


def _live(api: Api, phone: Phone, cafe: Cafe, life: _Life) -> None:
    if life.code is None:
        customer: dict[str, str] = {"shop_customer_id": f"U-{life.number:05}"}
    else:
        scan = {"qr_code": cafe.codes[life.code]["qr_code"], "name": life.name}
        customer = {"external_userid": phone.sim("POST", "scan", **scan)["external_userid"]}
    for serial, (days, goods) in enumerate(life.orders):
        sku, name, category, price = GOODS[goods]
        paid_at = clock.now() - timedelta(days=days)
        order_id = f"D{paid_at:%Y%m%d}-{life.number:04}{serial}"
        item = {"sku": sku, "name": name, "category": category, "quantity": 1, "unit_price_fen": price}
        order = {"order_id": order_id, "customer": customer, "total_fen": price, "items": [item]}
        api.post("/orders", {**order, "paid_at": paid_at.isoformat()})
        if life.returns and serial == 0:
            refund = {"refund_id": f"R-{order_id}", "amount_fen": price // 2, "refunded_at": clock.now().isoformat()}
            api.post(f"/orders/{order_id}/refunds", refund)
    if life.tastes and life.code is not None:
        her = api.customer(customer["external_userid"])["id"]
        for taste in life.tastes:
            api.put(f"/customers/{her}/tags/{cafe.tags[taste]}")
