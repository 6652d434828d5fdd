"""Segment groups over time: edited, full, wrong, twice, missed; who was there before, who belongs elsewhere (T7)."""

from datetime import timedelta
from typing import Any

import pytest
from places import AES_KEY, TOKEN
from racing import together

from bot.core import clock
from handlers.invites import jobs as invites
from tags.tagging import service as tagging
from tests.shop import Shop
from tests.stories.test_groups import chat, events, joins, known, leaves, route, routes, tag, tags
from tests.stories.test_invites import cards, opened, writes


def fans(shop: Shop) -> str:
    """The id of a tag of a group that is not single-choice."""
    group = {"name": "口味", "kind": "profile", "single_choice": False, "tags": ["手冲"]}
    return str(shop.api.post("/tag-groups", group)["tags"][0]["id"])


def change(shop: Shop, group: Any, **what: Any) -> Any:
    answer = shop.api.patch(f"/segment-groups/{group['id']}", what)
    shop.run_jobs()
    return answer


def belonging(shop: Shop, group: Any, **query: Any) -> list[tuple[str, str, str]]:
    """(name, status, reason) of who belongs to it."""
    rows = shop.api.get(f"/segment-groups/{group['id']}/members", **query)["data"]
    return [(row["name"], row["status"], row["reason"]) for row in rows]


def told(shop: Shop, userid: str) -> list[str]:
    """What a member was told by the app about groups."""
    inbox = shop.wecom.sim("GET", "inbox", userid=userid)["data"]
    return [one["text"]["content"] for one in inbox if "现在归别的群" in one["text"]["content"]]


def friend(shop: Shop, name: str) -> str:
    """A contact with an open 微信客服 window."""
    who = known(shop, name)
    writes(shop, who)
    return who


def test_without_room_an_invitation_waits_and_leaves_when_somebody_goes(shop: Shop) -> None:  # T7 G6
    anna, bella, one = friend(shop, "Anna"), known(shop, "Bella"), chat(shop)
    lake = tags(shop, "西湖店")[0]
    joins(shop, bella, one)
    group = routes(shop, {"tag_id": lake, "chats": [one], "capacity": 2})  # Lily and Bella
    tag(shop, anna, lake)
    assert (cards(shop, anna), belonging(shop, group)) == ([], [("Anna", "waiting", "full")])
    assert route(shop, group)["full_since"] is not None
    leaves(shop, bella, one)
    shop.pass_time(seconds=61)
    shop.run_jobs()
    assert (len(cards(shop, anna)), belonging(shop, group)) == (1, [("Anna", "invited", "")])
    assert route(shop, group)["full_since"] is None


def test_without_room_an_invitation_leaves_when_a_chat_is_added(shop: Shop) -> None:  # T7 G6
    anna, one, two = friend(shop, "Anna"), chat(shop), chat(shop, "二群")
    lake = tags(shop, "西湖店")[0]
    joins(shop, known(shop, "Bella"), one)
    group = routes(shop, {"tag_id": lake, "chats": [one], "capacity": 2})
    tag(shop, anna, lake)
    there = {"id": route(shop, group)["id"], "tag_id": lake, "chats": [one, two], "capacity": 2}
    change(shop, group, routes=[there])
    shop.pass_time(seconds=61)
    shop.run_jobs()
    assert len(cards(shop, anna)) == 1
    assert "邀请您加入群聊「二群」" in opened(shop, cards(shop, anna)[0]).text


def test_of_two_for_the_last_place_one_is_invited_and_the_other_waits(shop: Shop) -> None:  # T7
    people = [friend(shop, name) for name in ("Anna", "Bella")]
    lake, one = tags(shop, "西湖店")[0], chat(shop)
    group = routes(shop, {"tag_id": lake, "chats": [one], "capacity": 2})  # Lily, and one more
    shop.run_jobs()
    ids = [shop.api.customer(who)["id"] for who in people]
    together(*(lambda her=her: shop.api.put(f"/customers/{her}/tags/{lake}") for her in ids))  # type: ignore[misc]

    def deliver(number: int) -> None:
        with shop.installation.transaction("test") as session:
            invites.deliver(session, invitation_id=number)

    together(lambda: deliver(1), lambda: deliver(2))
    shop.run_jobs()
    assert sorted(len(cards(shop, who)) for who in people) == [0, 1]
    assert sorted(status for _name, status, _reason in belonging(shop, group)) == ["invited", "waiting"]
    shop.pass_time(days=1, seconds=1)  # she who was invited has not come: the place is not hers for ever
    shop.run_jobs()
    assert [len(cards(shop, who)) for who in people] == [1, 1]


def test_a_tag_that_goes_while_the_invitation_leaves_is_one_invitation_or_none(shop: Shop) -> None:  # T7 C9
    anna, lake = friend(shop, "Anna"), tags(shop, "西湖店")[0]
    group = routes(shop, {"tag_id": lake, "chats": [chat(shop)]})
    her = shop.api.customer(anna)["id"]
    shop.run_jobs()
    shop.api.put(f"/customers/{her}/tags/{lake}")

    def deliver() -> None:
        with shop.installation.transaction("test") as session:
            invites.deliver(session, invitation_id=1)

    together(deliver, lambda: shop.api.delete(f"/customers/{her}/tags/{lake}"))
    shop.run_jobs()
    sent = len(cards(shop, anna))
    assert sent in (0, 1)
    assert len(events(shop, anna, "group.invited")) == sent
    assert len(events(shop, anna, "group.not_invited")) == 1 - sent
    assert belonging(shop, group) == []


def test_what_is_leaving_when_she_belongs_elsewhere_counts_as_sent(shop: Shop) -> None:  # T7 C9
    anna, lake = friend(shop, "Anna"), tags(shop, "西湖店")[0]
    routes(shop, {"tag_id": lake, "chats": [chat(shop)]})
    her = shop.api.customer(anna)["id"]
    shop.run_jobs()
    shop.api.put(f"/customers/{her}/tags/{lake}")
    with shop.installation.transaction("test") as session:
        invites.deliver(session, invitation_id=1)
    shop.api.delete(f"/customers/{her}/tags/{lake}")
    shop.run_jobs()
    assert len(cards(shop, anna)) == 1
    assert events(shop, anna, "group.invited", "group.not_invited") == ["group.invited"]


def test_who_was_there_before_belongs_and_is_invited_when_asked(shop: Shop) -> None:  # T7
    anna, bella, lake = friend(shop, "Anna"), friend(shop, "Bella"), tags(shop, "西湖店")[0]
    for who in (anna, bella):
        tag(shop, who, lake)
    one = chat(shop)
    group = routes(shop, {"tag_id": lake, "chats": [one]})
    joins(shop, bella, one)
    assert belonging(shop, group) == [("Anna", "not_invited", ""), ("Bella", "joined", "")]
    assert cards(shop, anna) == []
    shop.api.post(f"/segment-groups/{group['id']}/invitations")
    shop.run_jobs()
    assert (len(cards(shop, anna)), cards(shop, bella)) == (1, [])
    assert belonging(shop, group, status="invited") == [("Anna", "invited", "")]


def test_who_was_there_before_is_invited_at_once_where_the_maker_says_so(shop: Shop) -> None:  # T7
    anna, lake = friend(shop, "Anna"), tags(shop, "西湖店")[0]
    tag(shop, anna, lake)
    body = {"name": "门店社群", "routes": [{"tag_id": lake, "chats": [chat(shop)]}], "invitation": {"text": "来"}}
    shop.api.post("/segment-groups", body | {"invite_existing": True})
    shop.run_jobs()
    assert len(cards(shop, anna)) == 1


def test_a_tag_or_segment_that_a_segment_group_routes_by_stays_until_it_is_closed(shop: Shop) -> None:  # T2 T4 T7
    tag_id = tags(shop, "西湖店")[0]
    one = shop.api.post("/segments", {"name": "会下单的", "where": {"orders": {}}})["id"]
    group = routes(shop, {"tag_id": tag_id, "chats": [chat(shop)]}, {"segment_id": one, "chats": [chat(shop, "二群")]})
    for path in (f"/tags/{tag_id}", f"/segments/{one}"):
        answer = shop.api.call("DELETE", path)
        assert (answer.status_code, answer.json()["used_by"]) == (409, [f"segment_group:{group['id']}"])
    shop.api.delete(f"/segment-groups/{group['id']}")
    for path in (f"/tags/{tag_id}", f"/segments/{one}"):
        shop.api.delete(path)


def test_a_removed_route_loses_its_code_and_its_people(shop: Shop) -> None:  # T7
    anna, vip, brew = friend(shop, "Anna"), tags(shop, "贵宾")[0], fans(shop)
    one, two = chat(shop), chat(shop, "二群")
    group = routes(shop, {"tag_id": vip, "chats": [one]}, {"tag_id": brew, "chats": [two]})
    tag(shop, anna, vip)
    tag(shop, anna, brew)
    second = route(shop, group, 1)
    change(shop, group, routes=[{"id": second["id"], "tag_id": brew, "chats": [two]}], invite_existing=True)
    rest = shop.api.get(f"/segment-groups/{group['id']}")["routes"]
    assert [(one["id"], one["belong"]) for one in rest] == [(second["id"], 1)]
    assert len(shop.wecom.calls("externalcontact/groupchat/del_join_way")) == 1
    assert len(cards(shop, anna)) == 2
    assert "「二群」" in opened(shop, cards(shop, anna)[0]).text  # the old card leads to where she belongs now


def test_the_order_of_routes_decides_anew_when_it_is_changed(shop: Shop) -> None:  # T7
    anna, vip, brew = friend(shop, "Anna"), tags(shop, "贵宾")[0], fans(shop)
    one, two = chat(shop), chat(shop, "二群")
    group = routes(shop, {"tag_id": vip, "chats": [one]}, {"tag_id": brew, "chats": [two]})
    tag(shop, anna, vip)
    tag(shop, anna, brew)
    first, second = (route(shop, group, n)["id"] for n in (0, 1))
    change(shop, group, routes=[
        {"id": second, "tag_id": brew, "chats": [two]}, {"id": first, "tag_id": vip, "chats": [one]}
    ])  # fmt: skip
    assert [(one["id"], one["belong"]) for one in shop.api.get(f"/segment-groups/{group['id']}")["routes"]] == [
        (second, 1), (first, 0)
    ]  # fmt: skip


def test_name_text_and_reminder_are_changed_and_reach_wecom(shop: Shop) -> None:  # T7
    anna, lake = friend(shop, "Anna"), tags(shop, "西湖店")[0]
    group = routes(shop, {"tag_id": lake, "chats": [chat(shop)]})
    answer = change(shop, group, name="新的名字", invitation={"text": "新的话"}, remind_after_days=None)
    assert (answer["name"], answer["invitation"]["text"], answer["remind_after_days"]) == ("新的名字", "新的话", None)
    assert shop.wecom.calls("externalcontact/groupchat/update_join_way")[-1]["body"]["room_base_name"] == "新的名字"
    tag(shop, anna, lake)
    assert any("新的话" in str(one) for one in shop.wecom.inbox(anna))
    assert change(shop, group, name="再改")["remind_after_days"] is None


@pytest.mark.parametrize(("wrong", "pointer"), [
    ({"id": "999"}, "/routes/0/id"), ({"when_full": "new_chat", "capacity": 50}, "/routes/0/when_full"),
    ({"capacity": 201}, "/routes/0/capacity"), ({"chats": []}, "/routes/0/chats"),
])  # fmt: skip
def test_a_bad_change_is_named_and_changes_nothing(shop: Shop, wrong: dict[str, Any], pointer: str) -> None:  # T7
    group = routes(shop, {"tag_id": (lake := tags(shop, "西湖店")[0]), "chats": [(one := chat(shop))]})
    before = shop.api.get(f"/segment-groups/{group['id']}")
    body = {"routes": [{"id": before["routes"][0]["id"], "tag_id": lake, "chats": [one], **wrong}]}
    refused = shop.api.call("PATCH", f"/segment-groups/{group['id']}", body)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)
    assert shop.api.get(f"/segment-groups/{group['id']}") == before


def test_a_new_route_that_wecom_refuses_leaves_the_others_alone(shop: Shop) -> None:  # T7 G6
    lake, one = tags(shop, "西湖店")[0], chat(shop)
    group = routes(shop, {"tag_id": lake, "chats": [one]})
    there = {"id": route(shop, group)["id"], "tag_id": lake, "chats": [one]}
    body = {"routes": [there, {"tag_id": fans(shop), "chats": ["wrNobody"]}]}
    assert shop.api.call("PATCH", f"/segment-groups/{group['id']}", body).status_code == 502
    assert [one["id"] for one in shop.api.get(f"/segment-groups/{group['id']}")["routes"]] == [there["id"]]


def test_a_closed_segment_group_invites_nobody_and_forgets_nothing(shop: Shop) -> None:  # T7
    anna, lake = friend(shop, "Anna"), tags(shop, "西湖店")[0]
    group = routes(shop, {"tag_id": lake, "chats": [chat(shop)]})
    tag(shop, anna, lake)
    shop.api.delete(f"/segment-groups/{group['id']}")
    shop.run_jobs()
    bella = friend(shop, "Bella")
    tag(shop, bella, lake)
    assert cards(shop, bella) == []
    assert opened(shop, cards(shop, anna)[0]).status_code == 410
    assert shop.api.call("PATCH", f"/segment-groups/{group['id']}", {"name": "x"}).status_code == 409
    assert shop.api.get(f"/segment-groups/{group['id']}")["closed_at"] is not None


def test_lists_name_who_sits_wrong_and_who_sits_twice(shop: Shop) -> None:  # T7
    anna, bella, vip, brew = known(shop, "Anna"), known(shop, "Bella"), tags(shop, "贵宾")[0], fans(shop)
    one, two = chat(shop), chat(shop, "二群")
    group = routes(shop, {"tag_id": vip, "chats": [one]}, {"tag_id": brew, "chats": [two]})
    for who in (anna, bella):
        tag(shop, who, vip)
        joins(shop, who, two)
    for chat_id in (one, two):
        joins(shop, "wmDan", chat_id)
    path = f"/segment-groups/{group['id']}"
    wrong = shop.api.get(f"{path}/wrong-group", limit=1)
    assert [(row["chat_id"], row["route_id"]) for row in wrong["data"]] == [(two, route(shop, group)["id"])]
    rest = shop.api.get(f"{path}/wrong-group", limit=1, cursor=wrong["next_cursor"])
    hers = {row["customer_id"] for row in [*wrong["data"], *rest["data"]]}
    assert hers == {shop.api.customer(who)["id"] for who in (anna, bella)}
    assert rest["next_cursor"] is None
    joins(shop, anna, one)
    twice = {row["external_userid"]: row["chats"] for row in shop.api.get(f"{path}/duplicates")["data"]}
    assert twice == {anna: sorted([one, two]), "wmDan": sorted([one, two])}
    assert len(shop.api.get(f"{path}/wrong-group")["data"]) == 2  # a seat in her own group is none


def test_the_owner_of_a_chat_is_told_who_belongs_elsewhere_once_for_each_set(shop: Shop) -> None:  # T7 C5
    anna, bella, vip, brew = known(shop, "Anna"), known(shop, "Bella"), tags(shop, "贵宾")[0], fans(shop)
    one, two = chat(shop), chat(shop, "二群")
    routes(shop, {"tag_id": vip, "chats": [one]}, {"tag_id": brew, "chats": [two]})
    tag(shop, anna, vip)
    joins(shop, anna, two)
    for _ in range(3):
        shop.pass_time(days=1)
        shop.run_jobs()
    assert told(shop, "lily") == ["您的群里有 1 位客户现在归别的群，请引导她们过去：\n「二群」Anna → 「一群」"]
    assert told(shop, "leo") == []
    tag(shop, bella, vip)
    joins(shop, bella, two)
    shop.pass_time(days=1)
    shop.run_jobs()
    assert len(told(shop, "lily")) == 2


def test_joining_by_another_way_takes_the_invitation_up(shop: Shop) -> None:  # T7
    anna, lake, one = friend(shop, "Anna"), tags(shop, "西湖店")[0], chat(shop)
    group = routes(shop, {"tag_id": lake, "chats": [one]})
    tag(shop, anna, lake)
    joins(shop, anna, one, join_scene=1)  # a member brought her in
    assert (route(shop, group)["taken_up"], belonging(shop, group)) == (1, [("Anna", "joined", "")])
    leaves(shop, anna, one)
    assert belonging(shop, group) == [("Anna", "left", "")]


def test_a_reminder_waits_for_a_carrier_and_for_room_with_its_reason(shop: Shop) -> None:  # T7 G6 W7
    anna, bella, lake, one = friend(shop, "Anna"), known(shop, "Bella"), tags(shop, "西湖店")[0], chat(shop)
    group = routes(shop, {"tag_id": lake, "chats": [one], "capacity": 2})
    tag(shop, anna, lake)
    joins(shop, bella, one)
    shop.pass_time(days=4)
    shop.run_jobs()
    assert belonging(shop, group) == [("Anna", "invited", "")]  # nobody is reminded of a group without room
    leaves(shop, bella, one)
    shop.pass_time(seconds=601)
    shop.run_jobs()
    assert belonging(shop, group) == [("Anna", "invited", "no_open_window")]
    writes(shop, anna)
    assert (len(cards(shop, anna)), belonging(shop, group)) == (2, [("Anna", "invited", "")])


def test_an_invitation_that_could_not_leave_is_tried_again_by_hand(shop: Shop) -> None:  # T7 G6
    anna, lake = known(shop, "Anna"), tags(shop, "西湖店")[0]
    group = routes(shop, {"tag_id": lake, "chats": [chat(shop)]})
    tag(shop, anna, lake)
    assert belonging(shop, group) == [("Anna", "waiting", "no_open_window")]
    shop.pass_time(days=7, seconds=1)
    shop.run_jobs()
    assert belonging(shop, group) == [("Anna", "failed", "expired")]
    shop.api.post(f"/segment-groups/{group['id']}/invitations")
    shop.run_jobs()
    writes(shop, anna)
    assert (len(cards(shop, anna)), belonging(shop, group)) == (1, [("Anna", "invited", "")])


def test_a_tag_that_expires_takes_its_route_with_it(shop: Shop) -> None:  # T7 T2
    anna, lake, one, two = friend(shop, "Anna"), tags(shop, "西湖店")[0], chat(shop), chat(shop, "二群")
    brew = fans(shop)
    group = routes(shop, {"tag_id": lake, "chats": [one]}, {"tag_id": brew, "chats": [two]})
    tag(shop, anna, brew)
    with shop.installation.transaction("rule:1") as session:
        her = int(shop.api.customer(anna)["id"])
        tagging.assign(session, her, [int(lake)], expires_at=clock.now() + timedelta(hours=1))
    shop.run_jobs()
    assert [route(shop, group, n)["belong"] for n in (0, 1)] == [1, 0]
    shop.pass_time(hours=1, seconds=61)
    shop.run_jobs()
    assert [route(shop, group, n)["belong"] for n in (0, 1)] == [0, 1]


def test_two_who_become_one_have_one_route_and_get_both_back(shop: Shop) -> None:  # T7 C2
    anna, bella, (lake, river) = known(shop, "Anna"), known(shop, "Bella"), tags(shop, "西湖店", "滨江店")
    one, two = chat(shop), chat(shop, "二群")
    group = routes(shop, {"tag_id": lake, "chats": [one]}, {"tag_id": river, "chats": [two]})
    tag(shop, anna, lake)
    tag(shop, bella, river)
    her, other = (shop.api.customer(who)["id"] for who in (anna, bella))
    merge = shop.api.post(f"/customers/{other}/merge", {"into": {"customer_id": her}})
    shop.run_jobs()
    assert [route(shop, group, n)["belong"] for n in (0, 1)] == [1, 0]  # the group is single-choice: her own tag stays
    shop.api.post(f"/merges/{merge['id']}/undo")
    shop.run_jobs()
    assert [route(shop, group, n)["belong"] for n in (0, 1)] == [1, 1]


def test_what_callbacks_did_not_tell_is_read_within_hours(shop: Shop) -> None:  # T7 G6
    anna, one, gone = known(shop, "Anna"), chat(shop), chat(shop, "二群")
    shop.run_jobs()
    shop.wecom.sim("POST", "callbacks", url="http://127.0.0.1:9", token=TOKEN, aes_key=AES_KEY)
    joins(shop, anna, one)
    shop.wecom.sim("DELETE", f"group-chats/{gone}")
    shop.wecom.sim("PATCH", f"group-chats/{one}", name="新名", owner="leo")
    new = chat(shop, "三群")
    for _ in range(3):
        shop.pass_time(hours=12)
        shop.run_jobs()
    rows = {row["chat_id"]: row for row in shop.api.get("/group-chats")["data"]}
    assert events(shop, anna, "group.joined") == ["group.joined"]
    assert (rows[one]["name"], rows[one]["owner"], rows[new]["name"]) == ("新名", "leo", "三群")
    assert rows[gone]["dismissed_at"] is not None


def segment(shop: Shop, name: str, **where: Any) -> Any:
    return shop.api.post("/segments", {"name": name, "where": where})


def test_a_route_by_a_segment_is_hers_whom_it_means(shop: Shop) -> None:  # T7 T4
    anna, bella, brew, vip = friend(shop, "Anna"), friend(shop, "Bella"), fans(shop), tags(shop, "贵宾")[0]
    for who in (anna, bella):
        tag(shop, who, brew)
    tag(shop, anna, vip)
    both = segment(shop, "手冲贵宾", all=[{"tag": brew}, {"tag": vip}])
    group = routes(shop, {"segment_id": both["id"], "chats": [chat(shop)]}, {"tag_id": brew, "chats": [chat(shop)]})
    shop.run_jobs()
    assert [route(shop, group, n)["belong"] for n in (0, 1)] == [1, 1]
    assert shop.api.call("DELETE", f"/segments/{both['id']}").status_code == 409


def test_who_enters_a_segment_is_invited_and_who_leaves_it_goes_back(shop: Shop) -> None:  # T7 T4
    anna, bella, brew, vip = friend(shop, "Anna"), friend(shop, "Bella"), fans(shop), tags(shop, "贵宾")[0]
    tag(shop, bella, brew)
    both = segment(shop, "手冲贵宾", all=[{"tag": brew}, {"tag": vip}])
    group = routes(shop, {"segment_id": both["id"], "chats": [chat(shop)]}, {"tag_id": brew, "chats": [chat(shop)]})
    shop.run_jobs()
    assert [route(shop, group, n)["belong"] for n in (0, 1)] == [0, 1]
    tag(shop, anna, brew)
    tag(shop, anna, vip)
    assert [route(shop, group, n)["belong"] for n in (0, 1)] == [1, 1]
    assert len(cards(shop, anna)) == 2
    tag(shop, anna, vip, on=False)
    assert [route(shop, group, n)["belong"] for n in (0, 1)] == [0, 2]
    assert shop.api.call("DELETE", f"/segments/{both['id']}").status_code == 409
