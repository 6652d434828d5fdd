"""Which group is hers, who is in it, and the code that leads there (T7)."""

from typing import Any

import pytest
from places import AES_KEY, TOKEN

from bot.app.demo.driver import Refused
from bot.wecom import errors
from tags.groups import sync
from tests.shop import Shop


def chat(shop: Shop, name: str = "一群", **more: Any) -> str:
    """A group chat of Lily's."""
    return str(shop.wecom.sim("POST", "group-chats", name=name, owner="lily", **more)["chat_id"])


def tags(shop: Shop, *names: str) -> list[str]:
    """Ids of the profile tags of a single-choice group."""
    group = {"name": "门店", "kind": "profile", "single_choice": True, "tags": names}
    return [tag["id"] for tag in shop.api.post("/tag-groups", group)["tags"]]


def routes(shop: Shop, *wanted: dict[str, Any], text: str = "进群领每周新豆试喝", days: int | None = 3) -> Any:
    """A segment group."""
    body = {"name": "门店社群", "routes": wanted, "invitation": {"text": text}, "remind_after_days": days}
    return shop.api.post("/segment-groups", body)


def tag(shop: Shop, who: str, tag_id: str, on: bool = True) -> None:
    path = f"/customers/{shop.api.customer(who)['id']}/tags/{tag_id}"
    shop.api.put(path) if on else shop.api.delete(path)
    shop.run_jobs()


def joins(shop: Shop, who: str, chat_id: str, **more: Any) -> None:
    shop.wecom.sim("POST", f"group-chats/{chat_id}/members", external_userid=who, **({"join_scene": 3} | more))
    shop.run_jobs()


def leaves(shop: Shop, who: str, chat_id: str) -> None:
    shop.wecom.sim("DELETE", f"group-chats/{chat_id}/members/{who}")
    shop.run_jobs()


def route(shop: Shop, group: Any, place: int = 0) -> Any:
    return shop.api.get(f"/segment-groups/{group['id']}")["routes"][place]


def events(shop: Shop, who: str, *names: str) -> list[str]:
    """Her timeline, these events of it."""
    rows = shop.api.get(f"/customers/{shop.api.customer(who)['id']}/timeline", limit=200)["data"]
    return [one["event"] for one in rows if one["event"] in names]


def pull(shop: Shop) -> int:
    """What `fugou sync` does about groups; how many it read."""
    return sync.group_chats(shop.installation, shop.client, lambda done, total: None)


def known(shop: Shop, name: str) -> str:
    """A contact whose adding has been worked off."""
    who = shop.wecom.add_contact(name)
    shop.run_jobs()
    return who


def test_a_route_has_a_code_that_leads_into_its_chat(shop: Shop) -> None:  # T7
    anna, one = known(shop, "Anna"), chat(shop)
    group = routes(shop, {"tag_id": tags(shop, "西湖店")[0], "chats": [one], "capacity": 200})
    shop.wecom.sim("POST", "scan", qr_code=group["routes"][0]["qr_code"], external_userid=anna)
    shop.run_jobs()
    assert route(shop, group)["joined"] == 1
    assert events(shop, anna, "group.joined", "group.left") == ["group.joined"]
    assert shop.api.customer(anna)["source"]["last"]["channel"] == "group"


def test_joins_and_leaves_told_twice_and_in_the_wrong_order_are_one_each(shop: Shop) -> None:  # T7 G5
    anna, one = known(shop, "Anna"), chat(shop)
    joins(shop, anna, one)
    leaves(shop, anna, one)
    shop.wecom.repeat_last_callback(3)
    shop.run_jobs()
    assert events(shop, anna, "group.joined", "group.left") == ["group.joined", "group.left"]


def test_who_is_nobodys_contact_counts_and_is_recognised_when_she_is_added(shop: Shop) -> None:  # T7
    one = chat(shop)
    group = routes(shop, {"tag_id": tags(shop, "西湖店")[0], "chats": [one]})
    joins(shop, "wmDan", one)
    assert route(shop, group)["joined"] == 1
    shop.wecom.add_contact("Dan", external_userid="wmDan")
    shop.run_jobs()
    tag(shop, "wmDan", route(shop, group)["tag_id"])
    assert events(shop, "wmDan", "group.not_invited", "group.invited") == ["group.not_invited"]


def test_a_dismissed_group_has_nobody_and_no_room(shop: Shop) -> None:  # T7
    anna, one, two = known(shop, "Anna"), chat(shop), chat(shop, "二群")
    group = routes(shop, {"tag_id": tags(shop, "西湖店")[0], "chats": [one, two]})
    joins(shop, anna, one)
    shop.wecom.sim("DELETE", f"group-chats/{one}")
    shop.run_jobs()
    assert (route(shop, group)["joined"], route(shop, group)["open"]) == (0, [two])
    assert events(shop, anna, "group.left") == ["group.left"]


def test_the_next_chat_of_the_pool_comes_when_one_is_full(shop: Shop) -> None:  # T7
    people = [known(shop, name) for name in ("Anna", "Bella", "Cora")]
    one, two = chat(shop), chat(shop, "二群")
    group = routes(shop, {"tag_id": tags(shop, "西湖店")[0], "chats": [one, two], "capacity": 3})
    for who in people:  # Lily and two customers fill the first
        shop.wecom.sim("POST", "scan", qr_code=group["routes"][0]["qr_code"], external_userid=who)
        shop.run_jobs()
    chats = {row["chat_id"]: len(row["members"]) for row in shop.wecom.sim("GET", "group-chats")["data"]}
    assert chats == {one: 3, two: 2}
    leaves(shop, people[0], one)
    assert route(shop, group)["open"] == [one, two]
    assert shop.wecom.calls("externalcontact/groupchat/update_join_way")[-1]["body"]["chat_id_list"] == [one, two]


def test_a_chat_that_wecom_made_when_all_were_full_joins_the_pool(shop: Shop) -> None:  # T7
    anna, one = known(shop, "Anna"), chat(shop, capacity=1)
    group = routes(shop, {"tag_id": tags(shop, "西湖店")[0], "chats": [one]})
    joined = shop.wecom.sim("POST", "scan", qr_code=group["routes"][0]["qr_code"], external_userid=anna)
    shop.run_jobs()
    assert joined["chat_id"] != one
    assert (route(shop, group)["chats"], route(shop, group)["joined"]) == ([one, joined["chat_id"]], 1)


def test_hers_is_the_first_route_whose_tag_she_has(shop: Shop) -> None:  # T7
    anna = known(shop, "Anna")
    vip, lake = tags(shop, "贵宾")[0], shop.api.post("/tag-groups", {
        "name": "口味", "kind": "profile", "single_choice": False, "tags": ["手冲"]})["tags"][0]["id"]  # fmt: skip
    one, two = chat(shop), chat(shop, "二群")
    group = routes(shop, {"tag_id": vip, "chats": [one]}, {"tag_id": lake, "chats": [two]})
    tag(shop, anna, lake)
    joins(shop, anna, two)
    assert [route(shop, group, n)["wrong_group"] for n in (0, 1)] == [0, 0]
    tag(shop, anna, vip)
    assert [route(shop, group, n)["wrong_group"] for n in (0, 1)] == [1, 0]
    tag(shop, anna, lake, on=False)
    assert events(shop, anna, "group.assigned", "group.unassigned") == [
        "group.assigned", "group.unassigned", "group.assigned"
    ]  # fmt: skip


def test_what_wecom_refuses_makes_no_segment_group(shop: Shop) -> None:  # T7 G6
    body = {"tag_id": tags(shop, "西湖店")[0], "chats": ["wrNobody"]}
    with pytest.raises(Refused, match="502"):
        routes(shop, body)
    assert shop.api.get("/segment-groups")["data"] == []


@pytest.mark.parametrize(("change", "pointer"), [
    ({"segment_id": "1"}, "/routes/0/segment_id"), ({"tag_id": None, "segment_id": "999"}, "/routes/0/segment_id"),
    ({"tag_id": "999"}, "/routes/0/tag_id"),
    ({"chats": []}, "/routes/0/chats"), ({"capacity": 0}, "/routes/0/capacity"), ({"tag_id": None}, "/routes/0/tag_id"),
])  # fmt: skip
def test_a_bad_route_is_named(shop: Shop, change: dict[str, Any], pointer: str) -> None:  # T7
    wanted = {"tag_id": tags(shop, "西湖店")[0], "chats": [chat(shop)], **change}
    body = {"name": "x", "routes": [wanted], "invitation": {"text": "来"}, "remind_after_days": 3}
    refused = shop.api.call("POST", "/segment-groups", body)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)


def test_an_answer_that_was_lost_is_a_202(shop: Shop) -> None:  # T7 G6
    shop.wecom.sim("POST", "faults", path="externalcontact/groupchat/add_join_way", drop="after")
    body = {"name": "x", "routes": [{"tag_id": tags(shop, "西湖店")[0], "chats": [chat(shop)]}],
            "invitation": {"text": "来"}}  # fmt: skip
    answer = shop.api.call("POST", "/segment-groups", body)
    assert (answer.status_code, answer.json()["routes"][0]["qr_code"]) == (202, None)


def test_a_merge_brings_her_groups_along_and_its_undoing_gives_them_back(shop: Shop) -> None:  # T7 C2
    anna, bella, one = known(shop, "Anna"), known(shop, "Bella"), chat(shop)
    group = routes(shop, {"tag_id": tags(shop, "西湖店")[0], "chats": [one]})
    joins(shop, bella, one)
    her, other = (shop.api.customer(who)["id"] for who in (anna, bella))
    merge = shop.api.post(f"/customers/{other}/merge", {"into": {"customer_id": her}})
    tag(shop, anna, route(shop, group)["tag_id"])
    assert events(shop, anna, "group.not_invited") == ["group.not_invited"]  # she sits there as Bella
    shop.api.post(f"/merges/{merge['id']}/undo")
    assert route(shop, group)["wrong_group"] == 0


def test_a_full_pull_makes_up_for_what_callbacks_did_not_tell(shop: Shop) -> None:  # T7 G6
    anna, one, gone = known(shop, "Anna"), chat(shop), chat(shop, "二群")
    joins(shop, "wmOld", one)
    shop.wecom.sim("POST", "callbacks", url="http://127.0.0.1:9", token=TOKEN, aes_key=AES_KEY)
    joins(shop, anna, one)
    leaves(shop, "wmOld", one)
    new = chat(shop, "三群")
    shop.wecom.sim("DELETE", f"group-chats/{gone}")
    assert pull(shop) == 3
    assert events(shop, anna, "group.joined") == ["group.joined"]
    rows = {row["chat_id"]: row for row in shop.api.get("/group-chats")["data"]}
    assert (rows[one]["people"], rows[new]["name"], rows[gone]["dismissed_at"] is None) == (2, "三群", False)
    assert pull(shop) == 2


def test_a_full_pull_that_was_broken_off_goes_on_where_it_was(shop: Shop) -> None:  # T7 G6
    for name in ("一群", "二群", "三群"):
        chat(shop, name)
    shop.run_jobs()
    shop.wecom.sim("POST", "faults", path="externalcontact/groupchat/get", delay_s=0.01)
    shop.wecom.sim("POST", "faults", path="externalcontact/groupchat/get", errcode=60011)
    with pytest.raises(errors.Refused):
        pull(shop)
    assert pull(shop) == 2
