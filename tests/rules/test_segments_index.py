"""The bitmaps against SQL while everything changes underneath: facts, time, merges, other processes (T4)."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from test_conditions import person

from bot.core import clock
from bot.core.installation import Installation
from handlers.points import adjust
from tags.conditions.tree import Asked, Leaf, leaves, parse, stored
from tags.orders import place, refund
from tags.people import describe, finding, merge
from tags.people import service as people
from tags.people.models import Customer, Merge
from tags.segments.held import reads
from tags.segments.index import Index, index_of
from tags.tagging import groups
from tags.tagging import service as tagging

CROWD = 12
Trees = list[dict[str, Any]]


@pytest.fixture
def crowd(installation: Installation) -> tuple[list[int], list[int]]:
    """A dozen customers with all kinds of facts, committed; their ids, and those of two tags."""
    with installation.transaction("test") as session:
        groups.create_group(session, "关系", "profile", False, ["老客", "团长"])
        tags = [tag.id for _, found in groups.all_groups(session) for tag in found]
        made = [people.make(session, name=f"客{n}") for n in range(CROWD)]
        for n, her in enumerate(made):
            describe.change(
                session, her, describe.Changes({"city": person(n).city, "birthday": person(n).birthday}, None)
            )
    return made, tags


def trees(tags: list[int]) -> Trees:
    """A tree for each way in which facts and time may move people."""
    old, leader = ({"tag": str(one)} for one in tags)
    return [
        {"all": [old, {"none": [leader]}]},
        {"any": [old, {"field": "city", "is": "杭州"}]},
        {"tag": str(tags[0]), "for_days": 5},
        {"orders": {"category": "咖啡", "count": {"gte": 1}, "within_days": 30}},
        {"orders": {"count": {"lte": 1}, "within_days": 20}},
        {"orders": {"net_fen": {"gte": 30_000}}},
        {"balance": {"gte": 100}},
        {"balance": {"lt": 100}},
        {"tier": "银卡"},
        {"tier": "普通"},
        {"event": "order.paid", "within_days": 10},
        {"last_event": "order.paid", "where": {"total_fen": 20_000}},
        {"lifecycle": "first_buyer", "for_days": 3},
        {"none": [{"field": "birthday", "month": "this"}]},
        {"share": 50, "salt": "x"},
    ]


Act = tuple[str, int, int]
acts = st.tuples(
    st.sampled_from(["tag", "untag", "lend", "order", "refund", "points", "city", "merge", "undo", "wait", "make"]),
    st.integers(0, CROWD - 1), st.integers(0, 3),
)  # fmt: skip


def act(installation: Installation, made: list[int], tags: list[int], what: Act, n: int) -> None:
    """One change, in a transaction of its own."""
    kind, who, how = what
    now = clock.now()
    with installation.transaction("test") as session:
        her = people.survivor(session, made[who])
        if kind == "tag":
            tagging.change(session, her, add=[tags[how % 2]], at=now - timedelta(days=how * 3))
        elif kind == "untag":
            tagging.change(session, her, remove=[tags[how % 2]])
        elif kind == "lend":
            tagging.change(session, her, add=[tags[how % 2]], expires_at=now + timedelta(days=how * 4 + 1))
        elif kind == "order":
            items = (place.Item("S", "货", ("咖啡", "茶")[how % 2], 1, 20_000),)
            at = now - timedelta(days=how * 9)
            place.place(session, [place.NewOrder(f"D{n}", her, at, (how + 1) * 20_000, items)])
        elif kind == "refund":
            _refund(session, n, how)
        elif kind == "points":
            adjust.adjust(session, her, (how + 1) * 40, "test")
        elif kind == "city":
            describe.change(session, her, describe.Changes({"city": ("杭州", "")[how % 2]}, None))
        elif kind == "merge" and (into := people.survivor(session, made[how])) != her:
            merge.merge(session, her, into, why="one person")
        elif kind == "undo" and (found := session.scalar(select(Merge.id).where(Merge.undone_at.is_(None)))):
            merge.undo(session, found)
        elif kind == "make":
            made.append(people.make(session, name=f"新{n}"))


def _refund(session: Any, n: int, how: int) -> None:
    order = session.execute(
        text("SELECT order_id, total_fen - refunded_fen FROM orders ORDER BY id DESC LIMIT 1")
    ).first()
    if order is not None and order[1]:
        refund.refund(session, order[0], refund.NewRefund(f"R{n}", order[1] if how else order[1] // 2, clock.now()))


def by_sql(installation: Installation, tree: dict[str, Any]) -> set[int]:
    with installation.transaction("test") as session:
        return set(session.scalars(finding.meant(session, parse(session, tree, ""))))


@given(steps=st.lists(acts, min_size=1, max_size=12))
def test_after_whatever_happens_the_bitmaps_say_what_sql_says(
    installation: Installation, crowd: tuple[list[int], list[int]], steps: list[Act]
) -> None:  # T4
    made, tags = crowd
    index, other = index_of(installation), Index(installation)
    for step in steps:
        if step[0] == "wait":
            clock.advance(timedelta(days=step[1] + 1).total_seconds())
        else:
            act(installation, made, tags, step, int(clock.now().timestamp() * 1e6))
        for tree in trees(tags):
            with installation.transaction("test") as session:
                parsed = parse(session, tree, "")
            assert set(index.members(parsed)) == by_sql(installation, tree), (tree, steps, step)
    for tree in trees(tags):  # another process, which looked last some time ago
        with installation.transaction("test") as session:
            parsed = parse(session, tree, "")
        assert set(other.members(parsed)) == by_sql(installation, tree), (tree, steps, step)


EXAMPLES: dict[str, dict[str, Any]] = {
    "tag": {"tag": "1", "for_days": 3}, "field": {"field": "birthday", "month": "this"},
    "contact": {"contact": "never"}, "came_by": {"came_by": "kf"}, "share": {"share": 5},
    "event": {"event": "order.paid", "within_days": 3},
    "last_event": {"last_event": "order.paid", "where": {"total_fen": 1}, "within_days": 3},
    "orders": {"orders": {"category": "咖啡", "within_days": 3}}, "imported": {"imported": "1"},
    "consent": {"consent": "marketing", "is": "given"}, "rfm": {"rfm": {"r": [1]}},
    "class": {"class": "未购", "for_days": 3}, "lifecycle": {"lifecycle": "lapsed", "for_days": 3},
    "segment": {"segment": "1", "for_days": 3}, "group_chat": {"group_chat": "wr1"}, "balance": {"balance": {"gte": 1}},
    "tier": {"tier": "金卡", "for_days": 3},
}  # fmt: skip
SEEN_THROUGH = {  # written only in the transaction of a watched table's row that they belong to
    "order_items": "orders", "points_lots": "points_accounts", "refunds": "orders",
}  # fmt: skip


def test_every_leaf_reads_tables_that_are_watched_and_says_whom_time_moves(installation: Installation) -> None:  # T4
    assert set(EXAMPLES) == {kind.key for kind in leaves}
    with installation.transaction("test") as session:
        triggers = text(
            "SELECT DISTINCT event_object_table FROM information_schema.triggers WHERE trigger_name ~ '^watch'"
        )
        watched = set(session.scalars(triggers))
        now = clock.now()
        for example in EXAMPLES.values():
            one = stored(session, example)
            assert isinstance(one, Leaf)
            tables = reads(session, one, now)
            assert {SEEN_THROUGH.get(table, table) for table in tables} <= watched, example
            asked = [Asked(session, Customer.__table__.c.id, at) for at in (now, now + timedelta(days=40))]
            timed = len({str(one.holds(each).compile().params) for each in asked}) > 1
            assert not timed or one.aged(asked[1], now) is not None, example


def test_a_statement_notes_each_customer_once_and_thousands_in_a_word(installation: Installation) -> None:  # T4
    def noted(session: Session, statement: str) -> list[tuple[str, str, int | None]]:
        before = session.scalar(text("SELECT coalesce(max(id), 0) FROM membership_changes"))
        session.execute(text(statement))
        found = text("SELECT home, key, customer_id FROM membership_changes WHERE id > :id")
        return [(home, key, customer_id) for home, key, customer_id in session.execute(found, {"id": before})]

    made = """
        INSERT INTO customers (name, name_key, avatar, gender, city, language, phone_tail, created_at, seen_at)
        SELECT '', '', '', '', '', '', '', now(), now() FROM generate_series(1, 10001)
    """
    with installation.transaction("test") as session:
        anna, bella = people.make(session, name="安娜"), people.make(session, name="贝拉")
        adjust.adjust(session, anna, 10, "试验")
        adjust.adjust(session, bella, 10, "试验")
        both = noted(session, "UPDATE points_accounts SET version = version + 1")
        assert sorted(both) == [("points_accounts", "", anna), ("points_accounts", "", bella)]
        assert noted(session, made) == [("customers", "made", None)]
