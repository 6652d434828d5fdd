"""The condition builder, trees to forms and back: what a page shows of a tree, sent as it stands, is that tree."""

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from consoles import console_app
from flask import Flask, render_template_string
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from bot.app.features import FEATURES
from bot.core.installation import Installation
from tags.autotag.editor import Editor
from tags.conditions.compact import pack, unpack
from tags.conditions.controls import Drawn
from tags.conditions.draft import Draft, changed, read
from tags.conditions.tree import MOST_DEPTH, leaves
from tags.timeline.service import askable

PAGE = "{% import 'conditions/builder.html' as conditions %}{{ conditions.builder(draft) }}"

words = st.text("咖啡A1 ", min_size=1, max_size=6).map(str.strip).filter(bool)
days = st.integers(1, 3_660)
ids = st.integers(1, 10**12).map(str)
signs = st.sampled_from(["gte", "gt", "lte", "lt", "eq"])
compares = st.dictionaries(signs, st.integers(-(10**15), 10**15), min_size=1, max_size=3)
measures = st.dictionaries(signs, st.floats(-(10**9), 10**9).filter(lambda one: one % 1 != 0), min_size=1, max_size=2)
scores = st.sets(st.integers(1, 5), min_size=1).map(sorted)
paid = st.fixed_dictionaries(
    {}, optional={"order_id": words, "pieces": st.integers(0, 9), "total_fen": st.integers(0, 10**13)}
)
asked = st.fixed_dictionaries({}, optional={
    "within_days": days, "sku": words, "category": words, "count": compares, "net_fen": compares,
})  # fmt: skip


def leaf_of(required: dict[str, Any], **optional: Any) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(required, optional=optional)


LEAVES: dict[str, st.SearchStrategy[Any]] = {
    "field": st.one_of(
        leaf_of({"field": st.sampled_from(["city", "name"]), "is": words}),
        leaf_of({"field": st.just("gender"), "is": st.sampled_from(["female", "male"])}),
        leaf_of({"field": st.sampled_from(["city", "language"]), "in": st.lists(words, min_size=1, max_size=4)}),
        leaf_of({"field": st.sampled_from(["city", "phone", "birthday"]), "exists": st.booleans()}),
        leaf_of({"field": st.just("birthday"), "month": st.one_of(st.integers(1, 12), st.just("this"))}),
        leaf_of({"field": st.just("bottles"), "number": st.one_of(compares, measures)}),
        leaf_of({"field": st.just("since"), "within_days": days}),
        leaf_of({"field": st.just("since"), "older_than_days": days}),
    ),
    "contact": leaf_of({"contact": st.sampled_from(["active", "lost", "never"])}, staff=words),
    "came_by": leaf_of({"came_by": st.sampled_from(["live_code", "kf", "import"])}, state=words),
    "share": leaf_of({"share": st.integers(1, 99)}, salt=words),
    "event": leaf_of({"event": st.just("order.paid")}, within_days=days, count=compares, where=paid.filter(bool)),
    "last_event": st.one_of(
        leaf_of({"last_event": st.just("order.paid"), "where": paid.filter(bool)}, within_days=days),
        leaf_of({"last_event": st.just("points.earned"), "where": leaf_of({"pending": st.booleans()})}),
    ),
    "tag": leaf_of({"tag": ids}, for_days=days),
    "orders": leaf_of({"orders": asked}),
    "rfm": leaf_of({"rfm": leaf_of({}, r=scores, f=scores, m=scores).filter(bool)}),
    "class": leaf_of({"class": st.sampled_from(["重要价值", "一般挽留", "未购"])}, for_days=days),
    "consent": leaf_of({"consent": st.just("marketing"), "is": st.sampled_from(["given", "unknown"])}),
    "imported": leaf_of({"imported": ids}),
    "lifecycle": leaf_of({"lifecycle": st.sampled_from(["lapsed", "won_back"])}, for_days=days),
    "segment": leaf_of({"segment": ids}, for_days=days),
    "group_chat": leaf_of({"group_chat": words}),
    "balance": leaf_of({"balance": compares}),
    "tier": leaf_of({"tier": words}, for_days=days),
}


def group_of(nodes: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.lists(nodes, min_size=1, max_size=3)
    return st.dictionaries(st.sampled_from(["all", "any", "none"]), lists, min_size=1, max_size=1)


trees = group_of(st.recursive(st.one_of(*LEAVES.values()), group_of, max_leaves=8))


class Browser(HTMLParser):
    """What a browser would send of a page: the fields as they stand, no button pressed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.sent: MultiDict[str, Any] = MultiDict()
        self._select, self._options = "", dict[str, bool]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        value = given.get("value") or ""
        if tag == "input" and (given.get("type") not in ("checkbox", "radio") or "checked" in given):
            self.sent.add(str(given["name"]), value)
        if tag == "select":
            self._select, self._options = str(given["name"]), {}
        if tag == "option":
            self._options[value] = "selected" in given

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":  # the first one where none is selected
            self.sent.add(self._select, max(self._options, key=lambda value: self._options[value]))


@pytest.fixture
def page(installation: Installation) -> Iterator[tuple[Flask, Session]]:
    made = console_app(installation, *[name for name in FEATURES if name != "bot.operators"])
    with made.test_request_context(), installation.transaction("test") as session:
        yield made, session


def shown(session: Session, tree: Any) -> MultiDict[str, Any]:
    return Browser(render_template_string(PAGE, draft=Draft(session, tree))).sent


@given(tree=trees)
def test_any_tree_becomes_fields_and_the_same_tree_again(page: tuple[Flask, Session], tree: Any) -> None:  # T4
    assert read(page[1], shown(page[1], tree)) == tree


@given(tree=trees)
def test_any_tree_goes_through_an_address(tree: Any) -> None:  # T4
    assert unpack(pack(tree), "/where") == tree


def test_every_leaf_there_is_can_be_shown(page: tuple[Flask, Session]) -> None:  # T4
    assert {kind.key for kind in leaves} <= set(LEAVES), "a new leaf: add what it may be to LEAVES"


@given(name=st.sampled_from(sorted(LEAVES)))
def test_a_leaf_chosen_just_now_begins_as_its_feature_says_and_stays_so(
    page: tuple[Flask, Session], name: str
) -> None:  # T4
    begun = read(page[1], MultiDict({"t.kind": "all", "t.0.kind": name, "t.0.was": "tag" if name != "tag" else ""}))
    assert next(iter(begun["all"][0])) == name
    assert read(page[1], shown(page[1], begun)) == begun


def test_every_event_can_be_chosen_and_offers_the_fields_people_know(page: tuple[Flask, Session]) -> None:  # T4
    offered = {}
    for kind, _called in askable:
        drawn = Draft(page[1], {"event": kind.name}).root.nodes[0].parts
        [where] = [part for part in drawn if isinstance(part, Drawn) and part.kind == "said"]
        offered[kind.name] = [one.value for one in where.options]
    assert offered["order.paid"] == ["order_id", "month", "total_fen", "points_used", "first_item", "pieces"]
    assert offered["points.spent"] == ["order_id", "points"]


def test_a_rules_event_and_a_filter_called_kind_do_not_meet(page: tuple[Flask, Session]) -> None:  # T3
    sent = MultiDict({"when.which": "link.clicked", "when.was": "link.clicked", "when.kind": "invitation"})
    assert Editor.sent(page[1], sent).json["when"] == {"event": "link.clicked", "kind": "invitation"}


@pytest.mark.parametrize(
    ("op", "expected"),
    [
        ("leaf.", {"any": [{"tag": "1"}, {"all": [{"tag": "2"}]}, {}]}),
        ("leaf.1", {"any": [{"tag": "1"}, {"all": [{"tag": "2"}, {}]}]}),
        ("group.", {"any": [{"tag": "1"}, {"all": [{"tag": "2"}]}, {"all": [{}]}]}),
        ("group.1", {"any": [{"tag": "1"}, {"all": [{"tag": "2"}, {"any": [{}]}]}]}),
        ("del.0", {"any": [{"all": [{"tag": "2"}]}]}),
        ("del.1", {"any": [{"tag": "1"}]}),
        ("del.1.0", {"any": [{"tag": "1"}]}),
        ("del.7", {"any": [{"tag": "1"}, {"all": [{"tag": "2"}]}]}),
        ("del.0.3", {"any": [{"all": [{"tag": "2"}]}]}),
        ("save", {"any": [{"tag": "1"}, {"all": [{"tag": "2"}]}]}),
    ],
)
def test_the_buttons_add_and_take_away(op: str, expected: Any) -> None:  # T4
    assert changed({"any": [{"tag": "1"}, {"all": [{"tag": "2"}]}]}, op) == expected


@given(sent=st.dictionaries(st.from_regex(r"t(\.[0-9]{1,3}){0,12}\.(kind|was|tag|orders\.count\.sign)", fullmatch=True),
                            st.text(max_size=9) | st.sampled_from(["all", "none", *LEAVES])))  # fmt: skip
def test_whatever_is_sent_is_laid_out(page: tuple[Flask, Session], sent: dict[str, str]) -> None:  # T4
    draft = Draft.sent(page[1], MultiDict(sent))
    assert render_template_string(PAGE, draft=draft)
    assert draft.tree is None or draft.unfilled == ""


def test_each_bad_place_is_marked_in_the_readers_words(page: tuple[Flask, Session]) -> None:  # T4
    tree = {"all": [{"tag": "999"}, {"any": [{"balance": {"gte": "viele"}}, {"orders": {"within_days": 0}}, {}]}]}
    draft = Draft(page[1], tree)
    html = render_template_string(PAGE, draft=draft)
    for at, said in (
        ("t.0.tag", "这个标签已经没有了"),
        ("t.1.0.balance", "要填整数"),
        ("t.1.1.orders.within_days", "不能小于 1"),
        ("t.1.2", "请选择条件"),
    ):
        assert said in html.partition(f'id="{at}.error"')[2].partition("</span>")[0]
    assert draft.tree is None


def test_a_tree_too_deep_or_too_wide_is_not_counted_and_says_why(page: tuple[Flask, Session]) -> None:  # T4
    deep: Any = {"balance": {"gte": 1}}
    for _ in range(MOST_DEPTH + 1):
        deep = {"all": [deep]}
    assert Draft(page[1], deep).unfilled == "expected at most 5 groups within each other"
    wide = Draft(page[1], {"any": [{"balance": {"gte": 1}}] * 101})
    assert wide.unfilled == "has 101 leaves, expected at most 100"
    assert wide.root.count is None
