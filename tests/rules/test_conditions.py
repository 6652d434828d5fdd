"""Conditions in PostgreSQL against people in memory, over random trees; and what is said of a tree that is none."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from shop import Shop
from sqlalchemy.orm import Session

from bot.core.errors import Unacceptable
from bot.core.installation import Installation
from handlers.points import adjust
from tags.conditions.tree import MOST_DEPTH, MOST_LEAVES, parse
from tags.orders import place, refund
from tags.people import describe, finding, merge
from tags.people import service as people
from tags.tagging import groups
from tags.tagging import service as tagging

NOW = datetime(2026, 11, 24, 4, tzinfo=UTC)  # a Tuesday noon in Shanghai
CATEGORIES, CITIES, GENDERS = ("咖啡", "茶"), ("杭州", "上海"), ("female", "male")
TIERS = (("普通", 0), ("银卡", 100_000), ("金卡", 300_000), ("钻石", 1_000_000))  # P3
RATES = ((50_000, 200), (30_000, 150), (10_000, 100), (0, 0))  # P2: month's net fen, basis points


@dataclass
class Person:
    """What a test knows of one customer. orders: (paid_at, category, fen, refunded fen); tags: since when, by name."""

    gender: str
    city: str
    birthday: date | None
    tags: dict[str, datetime]
    orders: list[tuple[datetime, str, int, int]]
    points: int


def person(n: int) -> Person:
    """The n-th of a varied crowd."""
    orders = []
    for k in range(n % 4):
        fen = 5_000 * (n + 1) * (k + 1)
        at = NOW - timedelta(days=(n * 7 + k * 31) % 300, hours=1)
        orders.append((at, CATEGORIES[(n + k) % 2], fen, (0, fen, n * 100)[(n + k) % 3]))
    tags = {name: NOW - timedelta(days=days) for name, days in (("老客", 40 - n), ("团长", n)) if (n + days) % 3}
    birthday = None if n % 4 == 0 else date(1990, 1 + n % 12, 28)
    return Person(("", *GENDERS)[n % 3], ("", *CITIES)[n % 5 % 3], birthday, tags, orders, earned(orders) + n * 50)


def earned(orders: list[tuple[datetime, str, int, int]]) -> int:
    """Base points of each Shanghai month: floor(net x rate) (P2)."""
    months: dict[tuple[int, int], int] = {}
    for at, _, fen, refunded in orders:
        local = at + timedelta(hours=8)
        months[local.year, local.month] = months.get((local.year, local.month), 0) + fen - refunded
    return sum(net * next(rate for start, rate in RATES if net >= start) // 10_000 for net in months.values())


World = tuple[Session, dict[int, Person], dict[str, str]]


@pytest.fixture
def world(installation: Installation) -> Iterator[World]:
    """Everybody in PostgreSQL, two of them one; people by survivor's id, ids of tags by name."""
    with time_machine.travel(NOW, tick=False), installation.transaction("test") as session:
        groups.create_group(session, "关系", "profile", False, ["老客", "团长"])
        ids = {tag.name: str(tag.id) for _, tags in groups.all_groups(session) for tag in tags}
        known = {settle(session, n, ids): person(n) for n in range(24)}
        gone, into = list(known)[5], list(known)[7]
        merge.merge(session, gone, into, why="one person")
        she, other = known[into], known.pop(gone)
        known[into] = Person(
            she.gender or other.gender, she.city or other.city, she.birthday or other.birthday,
            {**other.tags, **she.tags}, she.orders + other.orders, she.points + other.points,
        )  # fmt: skip
        yield session, known, ids


def settle(session: Session, n: int, tags: dict[str, str]) -> int:
    """One person's facts, put in as features put them in."""
    she, her = person(n), people.make(session, name=f"客{n}")
    fields = {"gender": she.gender, "city": she.city, "birthday": she.birthday}
    describe.change(session, her, describe.Changes(fields, None))
    for name, since in she.tags.items():
        tagging.change(session, her, add=[int(tags[name])], at=since)
    for k, (paid_at, category, fen, refunded) in enumerate(she.orders):
        items = (place.Item(f"S{k}", "货", category, 1, fen),)
        place.place(session, [place.NewOrder(f"D{n}-{k}", her, paid_at, fen, items)])
        if refunded:
            refund.refund(session, f"D{n}-{k}", refund.NewRefund("R", refunded, NOW))
    if n:
        adjust.adjust(session, her, n * 50, "test")
    return her


def compared(compare: dict[str, int], number: int) -> bool:
    signs: dict[str, Callable[[int, int], bool]] = {
        "gte": int.__ge__, "gt": int.__gt__, "lte": int.__le__, "lt": int.__lt__, "eq": int.__eq__,
    }  # fmt: skip
    return all(signs[sign](number, value) for sign, value in compare.items())


def holds(tree: dict[str, Any], she: Person, her: int, tags: dict[str, str]) -> bool:
    """What the contract says a tree means, said once more."""
    if "all" in tree:
        return all(holds(node, she, her, tags) for node in tree["all"])
    if "any" in tree:
        return any(holds(node, she, her, tags) for node in tree["any"])
    if "none" in tree:
        return not any(holds(node, she, her, tags) for node in tree["none"])
    if "tag" in tree:
        since = next((since for name, since in she.tags.items() if tags[name] == tree["tag"]), None)
        return since is not None and since <= NOW - timedelta(days=tree.get("for_days", 0))
    if "field" in tree:
        value = getattr(she, tree["field"])
        if "exists" in tree:
            return bool(value) == tree["exists"]
        if "month" in tree:
            return value is not None and value.month == (11 if tree["month"] == "this" else tree["month"])
        return value in tree.get("in", [tree.get("is")])
    if "orders" in tree:
        asks = tree["orders"]
        found = [
            fen - refunded for at, category, fen, refunded in she.orders
            if refunded < fen and category == asks.get("category", category)
            and at > NOW - timedelta(days=asks.get("within_days", 9_999))
        ]  # fmt: skip
        times = asks.get("count", {"gte": 0 if "net_fen" in asks else 1})
        return compared(times, len(found)) and compared(asks.get("net_fen", {}), sum(found))
    if "balance" in tree:
        return compared(tree["balance"], she.points)
    if "tier" in tree:
        begun = NOW - timedelta(days=tree.get("for_days", 0))
        moments = {begun, NOW, *(at for at, *_ in she.orders if begun <= at)}  # none is older than 12 months
        spends = [sum(fen - refunded for at, _, fen, refunded in she.orders if at <= moment) for moment in moments]
        return {[name for name, start in TIERS if spent >= start][-1] for spent in spends} == {tree["tier"]}
    if "event" in tree:
        paid = [at for at, *_ in she.orders if at > NOW - timedelta(days=tree.get("within_days", 9_999))]
        return compared(tree.get("count", {"gte": 1}), len(paid))
    drawn = int.from_bytes(hashlib.sha256(f"{tree['salt']}:{her}".encode()).digest()[:4], "big")
    return drawn % 10_000 < tree["share"] * 100


compares = st.dictionaries(st.sampled_from(["gte", "gt", "lte", "lt", "eq"]), st.integers(0, 4), min_size=1, max_size=2)
many = st.integers(0, 400_000)
spans = st.integers(1, 300)
optional = {"within_days": spans}
leaf_trees = st.one_of(
    st.fixed_dictionaries({"tag": st.sampled_from(["老客", "团长"])}, optional={"for_days": st.integers(1, 50)}),
    st.builds(lambda value: {"field": "gender", "is": value}, st.sampled_from(GENDERS)),
    st.builds(lambda value: {"field": "city", "in": value}, st.lists(st.sampled_from(CITIES), min_size=1)),
    st.fixed_dictionaries({"field": st.sampled_from(["city", "birthday"]), "exists": st.booleans()}),
    st.builds(lambda month: {"field": "birthday", "month": month}, st.one_of(st.integers(1, 12), st.just("this"))),
    st.fixed_dictionaries({"orders": st.fixed_dictionaries({}, optional={
        **optional, "category": st.sampled_from(CATEGORIES), "count": compares,
        "net_fen": st.builds(lambda sign, fen: {sign: fen}, st.sampled_from(["gte", "lt"]), many),
    })}),
    st.builds(lambda sign, points: {"balance": {sign: points}}, st.sampled_from(["gte", "lt"]), st.integers(0, 3_000)),
    st.fixed_dictionaries({"tier": st.sampled_from([name for name, _ in TIERS])}, optional={"for_days": spans}),
    st.fixed_dictionaries({"event": st.just("order.paid")}, optional={**optional, "count": compares}),
    st.builds(lambda share, salt: {"share": share, "salt": salt}, st.integers(1, 99), st.text("ab", max_size=2)),
)  # fmt: skip


def grouped(node: st.SearchStrategy[Any], least: int = 1) -> st.SearchStrategy[Any]:
    nodes = st.lists(node, min_size=least, max_size=3)
    return st.dictionaries(st.sampled_from(["all", "any", "none"]), nodes, min_size=1, max_size=1)


trees = grouped(st.recursive(leaf_trees, grouped, max_leaves=6), least=2)


def named(tree: Any, tags: dict[str, str]) -> Any:
    """The tree with ids in place of the names of tags."""
    if isinstance(tree, dict):
        return {key: tags[value] if key == "tag" else named(value, tags) for key, value in tree.items()}
    return [named(one, tags) for one in tree] if isinstance(tree, list) else tree


@given(tree=trees)
def test_a_tree_means_the_same_people_in_sql_for_one_customer_and_in_the_contracts_words(
    world: World, tree: dict[str, Any]
) -> None:  # T4
    session, known, tags = world
    tree = named(tree, tags)
    parsed = parse(session, tree, "/where")
    expected = {her for her, she in known.items() if holds(tree, she, her, tags)}
    assert set(session.scalars(finding.meant(session, parsed))) == expected
    assert {her for her in list(known)[::5] if finding.is_meant(session, parsed, her)} == expected & set(
        list(known)[::5]
    )
    assert parsed.json() == tree


@pytest.mark.parametrize(
    ("tree", "pointer", "expected"),
    [
        ([], "/where", "expected a condition"),
        ({}, "/where", "expected exactly one of all, any, none"),
        ({"all": []}, "/where/all", "at least one condition; found a list that is empty"),
        ({"any": {"tag": "1"}}, "/where/any", "found an object"),
        ({"all": [{"balance": {"gte": 1}}, {"none": [{"tag": "999"}]}]}, "/where/all/1/none/0/tag", "no tag 999"),
        ({"all": [{"balance": {"gte": 1}}], "any": []}, "/where", "found all, any"),
        ({"balance": {"gte": 1}, "tier": "金卡"}, "/where", "found balance, tier"),
        ({"balance": {}}, "/where/balance", "expected at least one of gte, gt, lte, lt, eq"),
        ({"balance": {"gte": True}}, "/where/balance/gte", "valid integer"),
        ({"balance": {"atleast": 1}}, "/where/balance/atleast", "not permitted"),
        ({"orders": {"within_days": 0}}, "/where/orders/within_days", "greater than or equal to 1"),
        ({"field": "city"}, "/where", "exactly one of is, in, exists beside the field city"),
        ({"field": "birthday", "is": "1990-01-01"}, "/where", "exactly one of exists, month"),
        ({"tier": "铂金"}, "/where/tier", "expected one of 普通, 银卡, 金卡, 钻石; found 铂金"),
        ({"event": "order.sent"}, "/where/event", "expected one of contact.added"),
        ({"last_event": "order.paid", "where": {"weight": 1}}, "/where/where/weight", "has no field weight"),
        ({"group_chat": "wrX"}, "/where/group_chat", "there is no group chat wrX"),
    ],
)
def test_what_is_no_tree_is_refused_with_the_place(
    session: Session, tree: Any, pointer: str, expected: str
) -> None:  # T4
    with pytest.raises(Unacceptable) as caught:
        parse(session, tree, "/where")
    found = {fault.pointer: fault.detail for fault in caught.value.faults}
    assert expected in found[pointer], found


def test_every_bad_place_is_named_at_once(session: Session) -> None:  # T4
    with pytest.raises(Unacceptable) as caught:
        parse(session, {"any": [{"tag": "999"}, {"balance": {"gte": 0}}, {"all": [7]}]}, "/rule/if")
    assert [fault.pointer for fault in caught.value.faults] == ["/rule/if/any/0/tag", "/rule/if/any/2/all/0"]


def test_a_tree_is_as_deep_and_as_wide_as_a_person_still_reads(session: Session) -> None:  # T4
    leaf: dict[str, Any] = {"balance": {"gte": 1}}
    deep = leaf
    for _ in range(MOST_DEPTH):
        deep = {"all": [deep]}
    parse(session, deep, "")
    parse(session, {"any": [leaf] * MOST_LEAVES}, "")
    for tree in ({"all": [deep]}, {"any": [leaf] * (MOST_LEAVES + 1)}):
        with pytest.raises(Unacceptable, match="at most"):
            parse(session, tree, "")


def test_a_tree_is_read_back_in_words(world: World) -> None:  # T4
    session, _, tags = world
    tree = parse(session, {"all": [
        {"tag": tags["老客"], "for_days": 30},
        {"any": [
            {"orders": {"category": "咖啡", "within_days": 90, "count": {"gte": 2}}},
            {"orders": {"net_fen": {"gte": 10_050, "lt": 20_000}}},
        ]},
        {"none": [{"field": "gender", "is": "male"}, {"event": "order.refunded", "within_days": 7}]},
    ]}, "")  # fmt: skip
    assert tree.words(session, "zh_CN") == (
        "有标签「老客」已满 30 天，并且（近 90 天买过「咖啡」 ≥ 2 次，或者下过单，共付 ≥ 100.5 < 200 元），"
        "并且并非（性别是「男」，或者近 7 天有过「退款」）"
    )
    assert tree.words(session, "en") == (
        "has had the tag “老客” for 30 days, and (bought “咖啡” in the last 90 days ≥ 2 times, or ordered, paying "
        "≥ 100.5 < 200 yuan in all), and not (gender is “male”, or “was refunded” happened in the last 7 days)"
    )


def test_a_tier_is_held_since_an_order_came_into_the_twelve_months_or_left_them(installation: Installation) -> None:
    # T4 P3
    with time_machine.travel(NOW, tick=False), installation.transaction("test") as session:
        her = people.make(session, name="Anna")
        paid_at = datetime(2025, 10, 20, 4, tzinfo=UTC)  # left the 12 months on 20 October 2026, 35 days ago
        place.place(session, [place.NewOrder("D1", her, paid_at, 150_000, ())])
        for tier, days, expected in (
            ("普通", 34, True), ("普通", 35, True), ("普通", 36, False), ("银卡", 1, False), ("普通", None, True),
        ):  # fmt: skip
            tree = {"tier": tier} if days is None else {"tier": tier, "for_days": days}
            assert _meant(session, tree, her) == expected, (tier, days)
        place.place(session, [place.NewOrder("D2", her, NOW - timedelta(days=3), 100_000, ())])
        held = [days for days in range(1, 8) if _meant(session, {"tier": "银卡", "for_days": days}, her)]
        assert held == [1, 2, 3]


def _meant(session: Session, tree: dict[str, Any], her: int) -> bool:
    return finding.is_meant(session, parse(session, tree, ""), her)


def test_contacts_sources_groups_and_last_events_are_asked_for(shop: Shop) -> None:  # T4 C1 C5
    shop.wecom.sim("POST", "staff", userid="leo", name="里奥")
    anna = shop.wecom.add_contact("Anna", staff="lily", state="poster")
    bella = shop.wecom.add_contact("Bella", staff="leo")
    chat = shop.wecom.sim("POST", "group-chats", name="一群", owner="lily")["chat_id"]
    shop.wecom.sim("POST", f"group-chats/{chat}/members", external_userid=bella, join_scene=3)
    shop.run_jobs()
    shop.wecom.sim("DELETE", f"contacts/{bella}", userid="leo", by="customer")
    shop.run_jobs()
    item = {"sku": "B", "name": "豆", "category": "咖啡", "quantity": 1, "unit_price_fen": 100}
    for number, fen in enumerate((30_000, 100)):
        order = {"order_id": f"D{number}", "customer": {"external_userid": anna}, "items": [item], "total_fen": fen}
        shop.api.post("/orders", {**order, "paid_at": f"2026-11-2{number}T04:00:00Z"})
    ids = {shop.api.customer(one)["id"]: name for one, name in ((anna, "anna"), (bella, "bella"))}

    def meant(tree: dict[str, Any]) -> set[str]:
        with shop.installation.transaction("test") as session:
            found = session.scalars(finding.meant(session, parse(session, tree, "")))
            return {ids[str(one)] for one in found}

    assert meant({"contact": "active"}) == {"anna"}
    assert meant({"contact": "lost"}) == {"bella"}
    assert meant({"contact": "never", "staff": "leo"}) == {"anna"}
    assert meant({"came_by": "add_way", "state": "poster"}) == {"anna"}
    assert meant({"group_chat": chat}) == {"bella"}
    assert meant({"last_event": "order.paid", "where": {"total_fen": 100}}) == {"anna"}
    assert meant({"last_event": "order.paid", "where": {"total_fen": 30_000}}) == set()
    assert meant({"event": "order.paid", "where": {"total_fen": 30_000}}) == {"anna"}
