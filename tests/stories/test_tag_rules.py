"""Auto-tag rules: from an encrypted callback or an order to a tag, once, with its reason (T3)."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select

from bot.core import clock
from bot.core.events import EventRow
from bot.operators.models import AuditRow
from tags.autotag import current, firing, service
from tags.autotag.models import TagRule, TagRuleHit
from tags.autotag.reading import Draft
from tags.tagging import service as tagging
from tests.racing import refused as refusals
from tests.racing import together
from tests.shop import Shop
from tests.stories.test_segments import refused, segment
from tests.stories.test_tags import group, in_wecom, told, wecom_id

COFFEE = {"sku": "BEAN", "name": "咖啡豆", "category": "咖啡", "quantity": 1, "unit_price_fen": 5_000}


def rule(shop: Shop, name: str, when: dict[str, Any], *then: dict[str, Any], **more: Any) -> Any:
    return shop.api.post("/tag-rules", {"name": name, "when": when, "then": list(then), **more})


def order(shop: Shop, who: str, number: str, total_fen: int = 5_000, at: str = "") -> None:
    body = {"order_id": number, "customer": {"external_userid": who}, "paid_at": at or clock.now().isoformat()}
    shop.api.post("/orders", {**body, "total_fen": total_fen, "items": [COFFEE]})


def here(shop: Shop, who: str) -> list[str]:
    """Her tags but the computed ones."""
    return sorted(tag["name"] for tag in shop.api.customer(who)["tags"] if tag["kind"] != "computed")


def friend(shop: Shop, name: str, **more: Any) -> str:
    who = shop.wecom.add_contact(name, **more)
    shop.run_jobs()
    return who


@pytest.fixture
def tags(shop: Shop) -> dict[str, str]:
    return group(shop, "习惯", "老客", "咖啡", "大单", "甲", "乙", "丙", kind="profile")


def test_a_second_order_tags_once_and_says_why(shop: Shop, tags: dict[str, str]) -> None:  # T3 G4 G5 C9
    made = rule(
        shop, "复购", {"event": "order.paid"}, {"add_tag": tags["老客"]},
        **{"if": {"orders": {"count": {"gte": 2}}}},
    )  # fmt: skip
    assert made["words"] == "当她下单付款，如果下过单 ≥ 2 次，就打上「老客」。"
    anna = friend(shop, "Anna")
    order(shop, anna, "D1")
    assert here(shop, anna) == []
    at = clock.now().isoformat()
    order(shop, anna, "D2", at=at)
    order(shop, anna, "D2", at=at)
    (tag,) = [one for one in shop.api.customer(anna)["tags"] if one["group"] == "习惯"]
    assert tag["source"] == f"rule:{made['id']}"
    timeline = shop.api.get(f"/customers/{shop.api.customer(anna)['id']}/timeline")["data"]
    (why,) = [one["why"] for one in timeline if one["event"] == "tag.added" and one["data"]["tag"] == "老客"]
    assert "复购" in why
    kept = shop.api.get(f"/tag-rules/{made['id']}")
    assert (kept["hits_7_days"], kept["failed_7_days"], kept["last_hit"]["name"]) == (1, 0, "Anna")


def test_who_came_by_a_channel_is_tagged_in_wecom_too(shop: Shop) -> None:  # T3 T2
    corp = group(shop, "渠道", "门店A")
    code = shop.api.post("/live-codes", {"name": "门店A", "staff": ["lily"], "skip_verify": True, "tags": []})
    rule(shop, "门店A", {"event": "contact.added", "state": [code["state"]]}, {"add_tag": corp["门店A"]})
    anna, bella = friend(shop, "Anna", state=code["state"]), friend(shop, "Bella")
    assert (in_wecom(shop, anna), in_wecom(shop, bella)) == (["门店A"], [])
    shop.wecom.repeat_last_callback()
    shop.run_jobs()
    assert told(shop, anna, "tag.added") == ["门店A"]


@pytest.mark.parametrize(
    ("filters", "fen", "fires"),
    [
        ({"category": ["咖啡"]}, 5_000, True), ({"category": ["茶"]}, 5_000, False), ({"sku": ["BEAN"]}, 5_000, True),
        ({"total_fen": {"gte": 5_001}}, 5_000, False), ({"sku": ["X", "BEAN"], "total_fen": {"gte": 1}}, 5_000, True),
    ],
)  # fmt: skip
def test_an_order_is_asked_for_sku_category_and_amount_now_and_in_history(  # T3
    shop: Shop, tags: dict[str, str], filters: dict[str, Any], fen: int, fires: bool
) -> None:
    body = {"name": "x", "when": {"event": "order.paid", **filters}, "then": [{"add_tag": tags["咖啡"]}]}
    shop.api.post("/tag-rules", body)
    anna = friend(shop, "Anna")
    order(shop, anna, "D1", fen)
    assert here(shop, anna) == (["咖啡"] if fires else [])
    found = shop.api.post("/tag-rules/preview", {"rule": body, "days": 7})
    assert (found["count"], found["changed"]) == (int(fires), 0)


def test_a_dry_run_counts_and_names_whom_it_would_have_hit_and_does_nothing(
    shop: Shop, tags: dict[str, str]
) -> None:  # T3
    anna, bella = friend(shop, "Anna"), friend(shop, "Bella")
    order(shop, anna, "D1")
    order(shop, anna, "D2")
    shop.pass_time(days=10)
    order(shop, bella, "D3")
    body = {"name": "x", "when": {"event": "order.paid"}, "then": [{"add_tag": tags["咖啡"]}]}
    found = shop.api.post("/tag-rules/preview", {"rule": body, "days": 30})
    assert (found["count"], found["changed"]) == (2, 2)
    assert [one["name"] for one in found["sample"]] == ["Bella", "Anna"]
    assert shop.api.post("/tag-rules/preview", {"rule": body, "days": 9})["count"] == 1
    twice = {**body, "if": {"orders": {"count": {"gte": 2}}}}
    found = shop.api.post("/tag-rules/preview", {"rule": twice, "days": 30})
    assert [one["name"] for one in found["sample"]] == ["Anna"]
    assert (here(shop, anna), shop.api.get("/tag-rules")["data"]) == ([], [])


def test_rules_that_would_loop_are_refused_by_name(shop: Shop, tags: dict[str, str]) -> None:  # T3
    rule(shop, "甲到乙", {"event": "tag.added", "tag": tags["甲"]}, {"add_tag": tags["乙"]})
    rule(shop, "乙到丙", {"event": "tag.added", "tag": tags["乙"]}, {"add_tag": tags["丙"]})
    back = {"name": "丙到甲", "when": {"event": "tag.added", "tag": tags["丙"]}, "then": [{"add_tag": tags["甲"]}]}
    answer = refused(shop, "POST", "/tag-rules", 422, back)
    assert answer["cycle"] == ["甲到乙", "乙到丙", "丙到甲"]
    assert "甲到乙" in answer["detail"]
    off = shop.api.post("/tag-rules", {**back, "enabled": False})
    refused(shop, "PATCH", f"/tag-rules/{off['id']}", 422, {"enabled": True})
    anna = friend(shop, "Anna")
    shop.api.put(f"/customers/{shop.api.customer(anna)['id']}/tags/{tags['甲']}")
    assert here(shop, anna) == ["丙", "乙", "甲"]


def test_a_loop_through_a_segment_is_seen(shop: Shop, tags: dict[str, str]) -> None:  # T3 T4
    inside = segment(shop, "无甲", {"none": [{"tag": tags["甲"]}]})
    nested = segment(shop, "无甲有咖啡", {"all": [{"segment": inside["id"]}, {"tag": tags["咖啡"]}]})
    when = {"event": "segment.left", "segment": nested["id"]}
    rule(shop, "打甲", {"event": "segment.entered", "segment": nested["id"]}, {"add_tag": tags["甲"]})
    refused(shop, "POST", "/tag-rules", 422, {"name": "去甲", "when": when, "then": [{"remove_tag": tags["甲"]}]})
    rule(shop, "打乙", when, {"add_tag": tags["乙"]})


def test_a_segments_other_tree_may_not_close_a_loop(shop: Shop, tags: dict[str, str]) -> None:  # T3 T4
    inside = segment(shop, "有咖啡", {"tag": tags["咖啡"]})
    when = {"event": "segment.left", "segment": inside["id"]}
    rule(shop, "打甲", {"event": "segment.entered", "segment": inside["id"]}, {"add_tag": tags["甲"]})
    rule(shop, "去甲", when, {"remove_tag": tags["甲"]})
    answer = refused(shop, "PATCH", f"/segments/{inside['id']}", 422, {"where": {"none": [{"tag": tags["甲"]}]}})
    assert set(answer["cycle"]) == {"打甲", "去甲"}
    assert shop.api.get(f"/segments/{inside['id']}")["where"] == {"tag": tags["咖啡"]}


def test_what_is_wrong_with_a_rule_is_named_by_its_place(shop: Shop, tags: dict[str, str]) -> None:  # T3
    wrong = {
        "name": "x", "when": {"event": "order.paid", "total_fen": {"gte": "1"}}, "if": {"tag": "99"},
        "then": [{"add_tag": "99"}, {"issue_coupon": "1"}],
    }  # fmt: skip
    answer = refused(shop, "POST", "/tag-rules", 422, wrong)
    assert [one["pointer"] for one in answer["errors"]] == ["/when/total_fen/gte", "/then/0/add_tag", "/then/1"]
    assert "add_tag, remove_tag" in answer["errors"][2]["detail"]
    answer = refused(shop, "POST", "/tag-rules", 422, {"name": "x", "when": {"event": "x"}, "then": [{"add_tag": "1"}]})
    assert "order.paid" in answer["errors"][0]["detail"]
    both = [{"add_tag": tags["甲"]}, {"remove_tag": tags["甲"]}]
    refused(shop, "POST", "/tag-rules", 422, {"name": "x", "when": {"event": "order.paid"}, "then": both})


def test_a_tag_that_is_deleted_stops_the_rules_that_name_it(shop: Shop, tags: dict[str, str]) -> None:  # T2 T3 G6
    corp = group(shop, "渠道", "门店A", "门店B")
    made = rule(shop, "门店", {"event": "order.paid"}, {"add_tag": corp["门店A"]})
    other = rule(shop, "别的", {"event": "order.paid"}, {"add_tag": corp["门店B"]})
    (there,) = shop.wecom.sim("GET", "tags")["data"]
    its_id = next(tag["id"] for tag in there["tag"] if tag["name"] == "门店A")
    shop.wecom.sim("DELETE", f"tags/{its_id}")
    shop.run_jobs()
    stopped = shop.api.get(f"/tag-rules/{made['id']}")
    assert (stopped["enabled"], stopped["stopped"]) == (False, "门店A is gone")
    assert shop.api.get(f"/tag-rules/{other['id']}")["enabled"]
    anna = friend(shop, "Anna")
    order(shop, anna, "D1")
    assert here(shop, anna) == ["门店B"]
    refused(shop, "PATCH", f"/tag-rules/{made['id']}", 422, {"enabled": True})
    mended = shop.api.patch(f"/tag-rules/{made['id']}", {"enabled": True, "then": [{"add_tag": tags["甲"]}]})
    assert (mended["enabled"], mended["stopped"], mended["version"]) == (True, "", 3)
    versions = shop.api.get(f"/tag-rules/{made['id']}/versions")["data"]
    assert [one["version"] for one in versions] == [3, 2, 1]
    assert versions[1]["by"].startswith("callback:")
    assert (versions[0]["before"]["enabled"], versions[0]["after"]["enabled"]) == (False, True)


@pytest.fixture
def looping(shop: Shop, tags: dict[str, str]) -> Any:
    """A rule that orders set off, and that sets off two which go round."""
    first = rule(shop, "开始", {"event": "order.paid"}, {"add_tag": tags["甲"]})
    loop = [("去甲", "tag.added", "remove_tag"), ("打甲", "tag.removed", "add_tag")]
    with shop.installation.transaction("test") as session:  # past the service, as a program of another version might
        for name, event, do in loop:
            kept = {"when": {"event": event, "tag": tags["甲"]}, "if_": None, "then": [{do: tags["甲"]}]}
            session.add(TagRule(
                name=name, **kept, enabled=True, stopped="", version=1, created_at=clock.now(), created_by="test"
            ))  # fmt: skip
        current.forget(session)
    return first


def test_a_loop_nobody_saw_ends_and_leaves_nothing_half_done(shop: Shop, looping: Any) -> None:  # T3 G6
    anna = friend(shop, "Anna")
    order(shop, anna, "D1")
    assert here(shop, anna) == []
    assert told(shop, anna, "tag.added") == ["首购"]
    assert shop.api.get(f"/tag-rules/{looping['id']}")["failed_7_days"] == 1
    with shop.installation.transaction("test") as session:
        (failed,) = session.scalars(select(TagRuleHit)).all()
        assert failed.error.startswith("more than 20 rules set off each other: 开始 → 去甲 → 打甲 → 去甲")


def test_a_failed_hit_is_done_once_by_two_taps_and_not_by_a_rule_that_is_off(shop: Shop, looping: Any) -> None:
    # T3 G5 G6
    def retry(hit_id: int) -> str:
        with shop.installation.transaction("test") as session:
            return firing.retry(session, hit_id)

    anna = friend(shop, "Anna")
    for number in ("D1", "D2"):
        order(shop, anna, number)
    with shop.installation.transaction("test") as session:
        tapped, other = session.scalars(select(TagRuleHit.id).order_by(TagRuleHit.id))
    (back,) = (one["id"] for one in shop.api.get("/tag-rules")["data"] if one["name"] == "去甲")
    shop.api.delete(f"/tag-rules/{back}")
    assert refusals(together(*[lambda: retry(tapped)] * 2)) == ["NotFound"]
    assert here(shop, anna) == ["甲"]
    shop.api.patch(f"/tag-rules/{looping['id']}", {"enabled": False})
    assert refusals(together(lambda: retry(other))) == ["Conflict"]


def test_of_two_rules_that_would_loop_saved_at_once_one_is_refused(shop: Shop, tags: dict[str, str]) -> None:  # T3
    both = [
        {
            "name": f"{one}到{other}",
            "when": {"event": "tag.added", "tag": tags[one]},
            "then": [{"add_tag": tags[other]}],
        }
        for one, other in (("甲", "乙"), ("乙", "甲"))
    ]
    with ThreadPoolExecutor(2) as pool:
        statuses = sorted(pool.map(lambda body: shop.api.call("POST", "/tag-rules", body).status_code, both))
    assert statuses == [201, 422]


def test_an_event_whose_listeners_run_twice_at_once_hits_once(shop: Shop, tags: dict[str, str]) -> None:  # T3 G5
    made = rule(shop, "下单", {"event": "order.paid"}, {"add_tag": tags["甲"]}, {"notify_staff": "下单了"})
    anna = friend(shop, "Anna")
    order(shop, anna, "D1")
    with shop.installation.transaction("test") as session:
        event = session.scalars(select(EventRow).where(EventRow.name == "order.paid")).one()
        (live,) = current.waiting_for(session, "order.paid")
    her = int(shop.api.customer(anna)["id"])

    def again(_: int) -> bool:
        with shop.installation.transaction("test") as session:
            return firing.do(session, live, her, event.name, event.id)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(again, range(8))) == [False] * 8
    shop.run_jobs()
    assert len(shop.wecom.inbox(userid="lily")) == 1
    assert shop.api.get(f"/tag-rules/{made['id']}")["hits_7_days"] == 1


def test_an_order_at_many_doors_at_once_is_tagged_by_its_rule_once(shop: Shop, tags: dict[str, str]) -> None:  # T3 G5
    made = rule(shop, "下单", {"event": "order.paid"}, {"add_tag": tags["甲"]})
    anna, at = friend(shop, "Anna"), clock.now().isoformat()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: order(shop, anna, f"D{number % 3}", at=at), range(12)))
    assert told(shop, anna, "tag.added").count("甲") == 1
    assert shop.api.get(f"/tag-rules/{made['id']}")["hits_7_days"] == 3


def test_a_rule_that_changes_the_tags_of_a_change_under_way_is_sound(shop: Shop, tags: dict[str, str]) -> None:  # T1 T3
    rule(shop, "甲带乙", {"event": "tag.added", "tag": tags["甲"]}, {"add_tag": tags["乙"]}, {"remove_tag": tags["丙"]})
    anna = friend(shop, "Anna")
    her = int(shop.api.customer(anna)["id"])
    with shop.installation.transaction("test") as session:
        tagging.change(session, her, add=[int(tags[name]) for name in ("甲", "乙", "丙")])
    assert here(shop, anna) == ["乙", "甲"]
    added, removed = told(shop, anna, "tag.added"), told(shop, anna, "tag.removed")
    assert (added, removed) == (["甲", "乙", "丙"], ["丙"])


def test_a_change_is_seen_by_another_process_within_seconds(shop: Shop, tags: dict[str, str]) -> None:  # T3
    made = rule(shop, "下单", {"event": "order.paid"}, {"add_tag": tags["甲"]})
    anna = friend(shop, "Anna")
    with shop.installation.transaction("test") as session:  # what another process has in memory since two seconds ago
        _, newest, rules = shop.installation.caches[current.CACHE]
        assert [one.id for one in current.waiting_for(session, "order.paid")] == [int(made["id"])]
    shop.api.patch(f"/tag-rules/{made['id']}", {"enabled": False})
    shop.installation.caches[current.CACHE] = (time.monotonic() - current.FRESH_SECONDS, newest, rules)
    order(shop, anna, "D1")
    assert here(shop, anna) == []


def test_a_change_that_stands_after_a_later_one_is_seen_too(
    shop: Shop, tags: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:  # T3
    monkeypatch.setattr(current, "FRESH_SECONDS", 0.0)
    corp = group(shop, "渠道", "门店A")
    rule(shop, "门店", {"event": "order.paid"}, {"add_tag": corp["门店A"]})
    in_wecom_id = wecom_id(shop, "门店A")
    another, ours = dict[str, Any](), shop.installation.caches

    def known_there() -> list[str]:
        shop.installation.caches = another
        with shop.installation.transaction("test") as session:
            names = [one.name for one in current.waiting_for(session, "order.paid")]
        shop.installation.caches = ours
        return names

    with shop.installation.transaction("test") as session:
        service.make(session, Draft("新的", {"event": "order.paid"}, None, [{"add_tag": tags["甲"]}], enabled=True))
        shop.wecom.sim("DELETE", f"tags/{in_wecom_id}")
        shop.run_jobs()
        assert known_there() == []
    assert known_there() == ["新的"]


def test_versions_and_audit_say_who_changed_what(shop: Shop, tags: dict[str, str]) -> None:  # T3 G4
    made = rule(shop, "下单", {"event": "order.paid"}, {"add_tag": tags["甲"]})
    shop.api.patch(f"/tag-rules/{made['id']}", {"name": "下单了", "if": {"tag": tags["乙"]}})
    shop.api.patch(f"/tag-rules/{made['id']}", {"name": "下单了"})
    versions = shop.api.get(f"/tag-rules/{made['id']}/versions")["data"]
    assert [(one["version"], one["by"].partition(":")[0]) for one in versions] == [(2, "api"), (1, "api")]
    assert (versions[0]["before"]["name"], versions[0]["after"]["if"]) == ("下单", {"tag": tags["乙"]})
    with shop.installation.transaction("test") as session:
        actions = session.scalars(select(AuditRow.action).where(AuditRow.target == f"rule:{made['id']}"))
        assert list(actions) == ["tag_rule.made", "tag_rule.changed"]
    shop.api.delete(f"/tag-rules/{made['id']}")
    refused(shop, "GET", f"/tag-rules/{made['id']}", 404)
    assert shop.api.get("/tag-rules")["data"] == []
