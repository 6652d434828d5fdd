"""Customer groups, join ways and group welcomes."""

import pytest

GET = "externalcontact/groupchat/get"
LIST = "externalcontact/groupchat/list"


@pytest.fixture
def chat(wecom):
    return wecom.act("POST", "group-chats", name="一群", owner="lily")["chat_id"]


def join(wecom, chat, who="wm1", **more):
    return wecom.act("POST", f"group-chats/{chat}/members", external_userid=who, **more)["joined"]


def group(wecom, chat, **more):
    return wecom.post(GET, {"chat_id": chat} | more)["group_chat"]


def updates(wecom):
    return [event for event in wecom.events() if event["Event"] == "change_external_chat"]


def test_a_group_has_its_owner_and_who_joined(wecom, chat):
    wecom.befriend("lily", external_userid="wm1", name="Anna", unionid="oz1")
    join(wecom, chat, join_scene=3)
    shown = group(wecom, chat, need_name=1)
    assert (shown["name"], shown["owner"]) == ("一群", "lily")
    owner, anna = shown["member_list"]
    assert (owner["userid"], owner["type"]) == ("lily", 1)
    assert (anna["userid"], anna["type"], anna["join_scene"], anna["name"]) == ("wm1", 2, 3, "Anna")
    assert anna["unionid"] == "oz1"
    assert "name" not in group(wecom, chat)["member_list"][1]


def test_who_joins_and_leaves_is_announced_with_the_versions(wecom, chat):
    empty = group(wecom, chat)["member_version"]
    join(wecom, chat, join_scene=3)
    one = group(wecom, chat)["member_version"]
    wecom.act("DELETE", f"group-chats/{chat}/members/wm1", by="owner")
    created, joined, left = updates(wecom)
    assert (created["ChangeType"], created["ChatId"]) == ("create", chat)
    assert "UpdateDetail" not in created
    about = {"ChangeType": "update", "UpdateDetail": "add_member", "JoinScene": "3", "MemChangeCnt": "1"}
    assert joined | about | {"MemChangeList": ["wm1"], "LastMemVer": empty, "CurMemVer": one} == joined
    about = {"UpdateDetail": "del_member", "QuitScene": "1", "LastMemVer": one, "CurMemVer": empty}
    assert left | about == left


@pytest.mark.parametrize(("scene", "said"), [(1, "0"), (2, "0"), (3, "3")])
def test_the_event_counts_scenes_its_own_way(wecom, chat, scene, said):
    join(wecom, chat, join_scene=scene)
    assert updates(wecom)[-1]["JoinScene"] == said


def test_joining_twice_is_joining_once_and_a_full_group_takes_nobody(wecom):
    chat = wecom.act("POST", "group-chats", name="小群", owner="lily", capacity=2)["chat_id"]
    assert [join(wecom, chat), join(wecom, chat)] == [True, False]
    wecom.act("POST", f"group-chats/{chat}/members", status=409, external_userid="wm2")
    assert len(updates(wecom)) == 2


def test_members_of_the_corp_join_too_and_who_is_not_there_can_not_leave(wecom, chat):
    wecom.act("POST", f"group-chats/{chat}/members", userid="mark")
    assert [(one["userid"], one["type"]) for one in group(wecom, chat)["member_list"]] == [("lily", 1), ("mark", 1)]
    wecom.act("POST", f"group-chats/{chat}/members", status=422)
    wecom.act("DELETE", f"group-chats/{chat}/members/wm9", status=404)
    wecom.act("DELETE", f"group-chats/{chat}/members/lily", status=404)
    wecom.act("POST", "group-chats", status=409, name="again", owner="lily", chat_id=chat)
    wecom.act("PATCH", "group-chats/wrNever", status=404, name="x")
    wecom.act("POST", f"group-chats/{chat}/welcome", status=404, template_id="never")


def test_name_notice_owner_and_end_are_announced(wecom, chat):
    wecom.act("PATCH", f"group-chats/{chat}", name="新名", notice="公告", owner="mark")
    assert group(wecom, chat)["notice"] == "公告"
    wecom.act("DELETE", f"group-chats/{chat}")
    details = [event.get("UpdateDetail") for event in updates(wecom)]
    assert details == [None, "change_name", "change_notice", "change_owner", None]
    assert updates(wecom)[-1]["ChangeType"] == "dismiss"


def test_reading_names_what_is_wrong(wecom, chat):  # 40063 40050 49008 60011 90511
    assert wecom.post(GET)["errcode"] == 40063
    assert wecom.post(GET, {"chat_id": "wrNever"})["errcode"] == 40050
    wecom.act("POST", "apps", visible=["mark"])
    assert wecom.post(GET, {"chat_id": chat})["errcode"] == 60011
    wecom.act("POST", "apps", visible="all")
    wecom.act("DELETE", f"group-chats/{chat}")
    assert wecom.post(GET, {"chat_id": chat})["errcode"] == 49008
    assert wecom.post("externalcontact/opengid_to_chatid", {"opengid": "never"})["errcode"] == 90511


def test_an_opengid_leads_to_its_group(wecom, chat):
    [row] = wecom.act("GET", "group-chats")["data"]
    assert wecom.post("externalcontact/opengid_to_chatid", {"opengid": row["opengid"]})["chat_id"] == chat


def test_groups_are_listed_by_owner_page_by_page(wecom, chat):
    more = [wecom.act("POST", "group-chats", name=str(n), owner="lily" if n else "mark")["chat_id"] for n in range(3)]
    first = wecom.post(LIST, {"limit": 2, "owner_filter": {"userid_list": ["lily"]}})
    rest = wecom.post(LIST, {"limit": 2, "owner_filter": {"userid_list": ["lily"]}, "cursor": first["next_cursor"]})
    ids = [row["chat_id"] for row in first["group_chat_list"] + rest["group_chat_list"]]
    assert ids == [chat, *more[1:]]
    assert len(wecom.post(LIST, {"limit": 10})["group_chat_list"]) == 4
    assert wecom.post(LIST, {"limit": 10, "status_filter": 1})["group_chat_list"] == []


@pytest.mark.parametrize(("body", "errcode"), [
    ({}, 40063),
    ({"limit": 1001}, 40058),
    ({"limit": 10, "status_filter": 4}, 40058),
    ({"limit": 10, "cursor": "x"}, 50100),
    ({"limit": 10, "owner_filter": {"userid_list": ["nobody"]}}, 60111),
    ({"limit": 10, "owner_filter": {"userid_list": ["lily"] * 101}}, 40058),
])  # fmt: skip
def test_listing_names_what_is_wrong(wecom, chat, body, errcode):
    assert wecom.post(LIST, body)["errcode"] == errcode


def test_a_corp_of_many_must_name_owners(wecom, chat):  # 81017
    wecom.act("POST", "limits", visible_people=0)
    assert wecom.post(LIST, {"limit": 10})["errcode"] == 81017
    assert wecom.post(LIST, {"limit": 10, "owner_filter": {"userid_list": ["lily"]}})["errcode"] == 0


def way(wecom, *chats, **more):
    body = {"scene": 2, "chat_id_list": list(chats), "state": "细分", "auto_create_room": 0} | more
    return wecom.post("externalcontact/groupchat/add_join_way", body)


def test_a_join_code_leads_to_the_first_chat_with_room(wecom):
    first, second = (wecom.act("POST", "group-chats", name=n, owner="lily", capacity=2)["chat_id"] for n in "ab")
    made = way(wecom, first, second)
    assert made.keys() & {"config_id", "qr_code"} == {"config_id"}
    shown = wecom.post("externalcontact/groupchat/get_join_way", {"config_id": made["config_id"]})["join_way"]
    scans = [wecom.act("POST", "scan", qr_code=shown["qr_code"], external_userid=f"wm{n}") for n in (1, 2, 1)]
    assert [(one["chat_id"], one["joined"]) for one in scans] == [(first, True), (second, True), (first, False)]
    assert group(wecom, first)["member_list"][1]["state"] == "细分"
    wecom.act("POST", "scan", status=409, qr_code=shown["qr_code"], external_userid="wm3")


def test_a_join_code_opens_a_new_group_where_it_may(wecom):
    first = wecom.act("POST", "group-chats", name="a", owner="lily", capacity=1)["chat_id"]
    made = way(wecom, first, auto_create_room=1, room_base_name="咖啡群", room_base_id=10)
    opened = wecom.act("POST", "scan", qr_code=made["config_id"], external_userid="wm1")
    assert group(wecom, opened["chat_id"])["name"] == "咖啡群10"
    shown = wecom.post("externalcontact/groupchat/get_join_way", {"config_id": made["config_id"]})["join_way"]
    assert shown["chat_id_list"] == [first, opened["chat_id"]]
    assert shown["room_base_id"] == 11


def test_a_join_way_is_overwritten_whole_and_deleted(wecom, chat):  # 41043 41044
    made = way(wecom, chat, remark="字" * 40)["config_id"]
    read = "externalcontact/groupchat/get_join_way"
    assert wecom.post(read, {"config_id": made})["join_way"]["remark"] == "字" * 30
    body = {"config_id": made, "scene": 1, "chat_id_list": [chat]}
    assert wecom.post("externalcontact/groupchat/update_join_way", body)["errcode"] == 0
    shown = wecom.post(read, {"config_id": made})["join_way"]
    assert (shown["scene"], shown["state"], shown["remark"], shown["auto_create_room"]) == (1, "", "", 1)
    assert wecom.post("externalcontact/groupchat/del_join_way", {"config_id": made})["errcode"] == 0
    assert wecom.post(read, {"config_id": made})["errcode"] == 41044
    assert wecom.post(read)["errcode"] == 41043


@pytest.mark.parametrize(("more", "errcode"), [
    ({"scene": None}, 41038),
    ({"scene": 3}, 41040),
    ({"chat_id_list": []}, 40063),
    ({"chat_id_list": ["x"] * 6}, 41091),
    ({"chat_id_list": ["wrNever"]}, 40050),
    ({"state": "字" * 31}, 40058),
    ({"room_base_name": "字" * 41}, 40058),
])  # fmt: skip
def test_adding_a_join_way_names_what_is_wrong(wecom, chat, more, errcode):
    assert way(wecom, chat, **more)["errcode"] == errcode


def test_join_ways_share_the_limit_of_contact_ways(wecom, chat):  # 41045
    wecom.act("POST", "limits", contact_ways=1)
    assert [way(wecom, chat)["errcode"], way(wecom, chat)["errcode"]] == [0, 41045]
    assert wecom.post("externalcontact/add_contact_way", {"type": 1, "scene": 2, "user": ["lily"]})["errcode"] == 41045


TEMPLATE = "externalcontact/group_welcome_template"


def test_newcomers_get_the_groups_welcome(wecom, chat):  # 40037 41058
    link = {"title": "规则", "url": "https://x.test"}
    made = wecom.post(f"{TEMPLATE}/add", {"text": {"content": "欢迎 %NICKNAME%"}, "link": link})["template_id"]
    wecom.act("POST", f"group-chats/{chat}/welcome", template_id=made)
    join(wecom, chat)
    text, card = wecom.inbox(external_userid="wm1")
    assert (text["via"], text["from"], text["chat_id"]) == ("group", "lily", chat)
    assert card["link"] == link
    wecom.post(f"{TEMPLATE}/edit", {"template_id": made, "text": {"content": "新"}})
    assert wecom.post(f"{TEMPLATE}/get", {"template_id": made})["text"] == {"content": "新"}
    wecom.act("POST", "apps", secret="other")
    wecom.secret = "other"
    assert wecom.post(f"{TEMPLATE}/del", {"template_id": made})["errcode"] == 41058
    wecom.secret = "app-secret"
    assert wecom.post(f"{TEMPLATE}/del", {"template_id": made})["errcode"] == 0
    assert wecom.post(f"{TEMPLATE}/get", {"template_id": made})["errcode"] == 40037


@pytest.mark.parametrize(("body", "errcode"), [
    ({}, 40063), ({"text": {"content": "积" * 1001}}, 40058), ({"text": {"content": "积" * 1000}}, 0),
])  # fmt: skip
def test_a_group_welcome_is_checked(wecom, body, errcode):
    assert wecom.post(f"{TEMPLATE}/add", body)["errcode"] == errcode


def test_a_corp_has_a_hundred_group_welcomes(wecom):  # 41055
    token = wecom.token
    codes = [wecom.post(f"{TEMPLATE}/add", {"text": {"content": "x"}}, token=token)["errcode"] for _ in range(101)]
    assert codes == [0] * 100 + [41055]
