"""Segments: saved trees, counted and listed, in use and given up (T4)."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from racing import waited_for
from shop import Shop
from sqlalchemy import text
from test_tags import group

from bot.core import checks, clock
from tags.people import service as people


def refused(shop: Shop, method: str, path: str, status: int, body: Any = None) -> Any:
    """The problem document of a request that is refused with `status`."""
    answer = shop.api.call(method, path, body)
    assert answer.status_code == status, answer.text
    return answer.json()


def segment(shop: Shop, name: str, where: dict[str, Any]) -> Any:
    return shop.api.post("/segments", {"name": name, "where": where})


def told(shop: Shop, who: str) -> list[tuple[str, str]]:
    """The comings and goings in her timeline: event and segment."""
    her = shop.api.get("/customers", q=who)["data"][0]["id"]
    events = shop.api.get(f"/customers/{her}/timeline", limit=200)["data"]
    return [(one["event"], one["data"]["segment"]) for one in events if one["event"].startswith("segment.")]


def verified(shop: Shop) -> list[str]:
    with shop.installation.transaction("test") as session:
        return [said for one in checks.checks if one.name.startswith("segments") for said in one.run(session)]


def members(shop: Shop, segment_id: str) -> list[str]:
    return sorted(one["name"] for one in shop.api.get(f"/segments/{segment_id}/members")["data"])


@pytest.fixture
def three(shop: Shop) -> dict[str, str]:
    """Anna and Bea drink coffee, Cleo does not."""
    tags = group(shop, "爱好", "咖啡", "茶", kind="profile")
    for name in ("Anna", "Bea", "Cleo"):
        shop.wecom.add_contact(name, staff="lily")
    shop.run_jobs()
    return tags


def test_a_saved_tree_is_counted_listed_and_narrows_the_customer_list(shop: Shop, three: dict[str, str]) -> None:  # T4
    anna, bea, _ = (shop.api.get("/customers", q=name)["data"][0] for name in ("Anna", "Bea", "Cleo"))
    shop.api.put(f"/customers/{anna['id']}/tags/{three['咖啡']}")
    shop.api.put(f"/customers/{bea['id']}/tags/{three['咖啡']}")
    made = segment(shop, "爱咖啡", {"tag": three["咖啡"]})
    assert (made["count"], made["words"]) == (2, "有标签「咖啡」")
    assert members(shop, made["id"]) == ["Anna", "Bea"]
    assert {one["name"] for one in shop.api.get("/customers", segment=made["id"])["data"]} == {"Anna", "Bea"}
    others = {"none": [{"segment": made["id"]}]}
    seen = shop.api.post("/segments/preview", {"where": others})
    assert (seen["count"], [one["name"] for one in seen["sample"]]) == (1, ["Cleo"])


def test_what_is_wrong_in_a_tree_is_named_by_its_place(shop: Shop) -> None:  # T4
    wrong = {"all": [{"field": "gender", "is": "female"}, {"tag": "99"}]}
    answer = refused(shop, "POST", "/segments", 422, {"name": "x", "where": wrong})
    assert [one["pointer"] for one in answer["errors"]] == ["/where/all/1/tag"]


def test_a_segment_in_use_stays_and_none_names_itself(shop: Shop, three: dict[str, str]) -> None:  # T4
    inner = segment(shop, "爱咖啡", {"tag": three["咖啡"]})
    outer = segment(shop, "不爱咖啡", {"none": [{"segment": inner["id"]}]})
    answer = refused(shop, "DELETE", f"/segments/{inner['id']}", 409)
    assert "不爱咖啡" in answer["detail"]
    circle = {"any": [{"tag": three["茶"]}, {"segment": outer["id"]}]}
    refused(shop, "PATCH", f"/segments/{inner['id']}", 422, {"where": circle})
    shop.api.delete(f"/segments/{outer['id']}")
    shop.api.delete(f"/segments/{inner['id']}")
    refused(shop, "GET", f"/segments/{inner['id']}", 404)


def test_who_saves_over_anothers_change_is_told(shop: Shop, three: dict[str, str]) -> None:  # T4
    made = segment(shop, "爱咖啡", {"tag": three["咖啡"]})
    shop.api.patch(f"/segments/{made['id']}", {"name": "咖啡客", "version": 1})
    answer = refused(shop, "PATCH", f"/segments/{made['id']}", 409, {"where": {"tag": three["茶"]}, "version": 1})
    assert answer["version"] == 2


def test_who_comes_and_goes_is_told_once_and_who_was_there_already_is_not(shop: Shop, three: dict[str, str]) -> None:
    # T4 G5
    anna, bea, _ = (shop.api.get("/customers", q=name)["data"][0]["id"] for name in ("Anna", "Bea", "Cleo"))
    shop.api.put(f"/customers/{anna}/tags/{three['咖啡']}")
    segment(shop, "爱咖啡", {"tag": three["咖啡"]})
    segment(shop, "无标签", {"none": [{"tag": three["咖啡"]}, {"tag": three["茶"]}]})
    shop.run_jobs()
    assert told(shop, "Anna") == told(shop, "Bea") == []
    shop.api.put(f"/customers/{bea}/tags/{three['咖啡']}")
    shop.run_jobs()
    shop.pass_time(seconds=2)
    shop.run_jobs()
    assert sorted(told(shop, "Bea")) == [("segment.entered", "爱咖啡"), ("segment.left", "无标签")]
    shop.api.delete(f"/customers/{anna}/tags/{three['咖啡']}")
    shop.pass_time(seconds=2)
    shop.run_jobs()
    assert sorted(told(shop, "Anna")) == [("segment.entered", "无标签"), ("segment.left", "爱咖啡")]
    assert told(shop, "Cleo") == []
    assert verified(shop) == []


def test_time_alone_lets_her_enter_and_leave(shop: Shop, three: dict[str, str]) -> None:  # T4 G3
    anna = shop.api.get("/customers", q="Anna")["data"][0]["id"]
    segment(shop, "三十天内下单", {"orders": {"within_days": 30}})
    inner = segment(shop, "爱咖啡", {"tag": three["咖啡"]})
    segment(shop, "爱咖啡十天", {"segment": inner["id"], "for_days": 10})
    order = {"order_id": "A1", "customer": {"customer_id": anna}, "total_fen": 9_900, "items": []}
    shop.api.post("/orders", {**order, "paid_at": clock.now().isoformat()})
    shop.api.put(f"/customers/{anna}/tags/{three['咖啡']}")
    shop.run_jobs()
    assert sorted(told(shop, "Anna")) == [("segment.entered", "三十天内下单"), ("segment.entered", "爱咖啡")]
    shop.pass_time(days=11)
    shop.run_jobs()
    assert told(shop, "Anna")[-1] == ("segment.entered", "爱咖啡十天")
    shop.pass_time(days=20)
    shop.run_jobs()
    assert told(shop, "Anna")[-1] == ("segment.left", "三十天内下单")
    assert verified(shop) == []


def test_another_tree_moves_people_without_a_word_also_where_a_segment_goes_by_another(
    shop: Shop, three: dict[str, str]
) -> None:  # T4
    anna = shop.api.get("/customers", q="Anna")["data"][0]["id"]
    inner = segment(shop, "爱茶", {"tag": three["茶"]})
    outer = segment(shop, "不爱茶", {"none": [{"segment": inner["id"]}]})
    shop.api.put(f"/customers/{anna}/tags/{three['咖啡']}")
    shop.run_jobs()
    shop.api.patch(f"/segments/{inner['id']}", {"where": {"tag": three["咖啡"]}})
    shop.pass_time(seconds=2)
    shop.run_jobs()
    assert members(shop, outer["id"]) == ["Bea", "Cleo"]
    assert told(shop, "Anna") == []
    shop.api.delete(f"/customers/{anna}/tags/{three['咖啡']}")
    shop.pass_time(seconds=2)
    shop.run_jobs()
    assert sorted(told(shop, "Anna")) == [("segment.entered", "不爱茶"), ("segment.left", "爱茶")]


def test_two_workers_tell_a_coming_and_a_going_in_turns(shop: Shop, three: dict[str, str]) -> None:  # T4 G5
    anna = shop.api.get("/customers", q="Anna")["data"][0]["id"]
    segment(shop, "爱咖啡", {"tag": three["咖啡"]})
    one, other = shop.installation.caches, dict[str, Any]()
    for caches, move in ((other, "GET"), (one, "PUT"), (other, "DELETE")):
        shop.installation.caches = caches
        shop.api.call(move, f"/customers/{anna}/tags/{three['咖啡']}")
        shop.pass_time(seconds=2)
        shop.run_jobs()
    assert sorted(told(shop, "Anna")) == [("segment.entered", "爱咖啡"), ("segment.left", "爱咖啡")]


def test_moves_of_a_tree_that_was_changed_meanwhile_are_not_told(shop: Shop, three: dict[str, str]) -> None:  # T4
    anna, bea, _ = (shop.api.get("/customers", q=name)["data"][0]["id"] for name in ("Anna", "Bea", "Cleo"))
    inner = segment(shop, "爱咖啡", {"tag": three["咖啡"]})
    outer = segment(shop, "爱咖啡的", {"segment": inner["id"]})
    shop.run_jobs()
    for her in (anna, bea):
        shop.api.put(f"/customers/{her}/tags/{three['咖啡']}")
    with shop.installation.transaction("test") as session:
        people.lock(session, int(anna))
        with ThreadPoolExecutor(1) as worker:
            shop.pass_time(seconds=2)
            stepping = worker.submit(shop.run_jobs)  # has seen who came, and waits for her
            assert waited_for(session)
            shop.api.patch(f"/segments/{inner['id']}", {"where": {"tag": three["茶"]}})
            session.commit()
            stepping.result(60)
    shop.pass_time(seconds=2)
    shop.run_jobs()
    assert told(shop, "Anna") == told(shop, "Bea") == []
    assert members(shop, outer["id"]) == []
    assert verified(shop) == []


@pytest.mark.parametrize("damage", ["'x'", "set_byte(members, length(members) - 1, 9)"])
def test_a_damaged_snapshot_is_not_believed(shop: Shop, three: dict[str, str], damage: str) -> None:  # T4
    anna, bea, _ = (shop.api.get("/customers", q=name)["data"][0]["id"] for name in ("Anna", "Bea", "Cleo"))
    made = segment(shop, "爱咖啡", {"tag": three["咖啡"]})
    shop.api.put(f"/customers/{anna}/tags/{three['咖啡']}")
    shop.pass_time(minutes=11)
    shop.run_jobs()
    shop.api.put(f"/customers/{bea}/tags/{three['咖啡']}")  # after the snapshot
    for written in ("members", damage):
        with shop.installation.transaction("test") as session:
            changed = session.execute(
                text(f"UPDATE leaf_snapshots SET members = {written} WHERE leaf ~ 'tag' RETURNING 1")
            )
            assert len(changed.all()) == 1
        shop.installation.caches.pop("segments")  # a process that starts
        assert members(shop, made["id"]) == ["Anna", "Bea"]
