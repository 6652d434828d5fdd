"""企业群发: prepared by the API, confirmed by members, counted by customer."""

from datetime import UTC, datetime

import pytest

ADD, LIST = "externalcontact/add_msg_template", "externalcontact/get_groupmsg_list_v2"
TASK, RESULT = "externalcontact/get_groupmsg_task", "externalcontact/get_groupmsg_send_result"
DAY = 86400


@pytest.fixture(autouse=True)
def people(wecom):
    """lily has wm1 and wm2, mark has wm2 (added later) and wm3; nobody waits for the dispatch."""
    for userid, external_userid in (("lily", "wm1"), ("lily", "wm2"), ("mark", "wm2"), ("mark", "wm3")):
        wecom.befriend(userid, external_userid=external_userid)
        wecom.act("POST", "clock", advance_s=1)
    wecom.act("POST", "limits", dispatch_s=0)


def add(wecom, *whom, **fields):
    return wecom.post(ADD, {"external_userid": list(whom), "text": {"content": "新品"}} | fields)


def confirm(wecom, msgid, userid="lily", **more):
    return wecom.act("POST", f"groupmsg/{msgid}/confirm", userid=userid, **more).get("results")


def tasks(wecom, msgid):
    rows = wecom.post(TASK, {"msgid": msgid})["task_list"]
    return {row["userid"]: row["status"] for row in rows}


def statuses(wecom, msgid, userid="lily"):
    rows = wecom.post(RESULT, {"msgid": msgid, "userid": userid})["send_list"]
    return {row["external_userid"]: row["status"] for row in rows}


def test_nothing_is_sent_before_the_member_confirms(wecom):
    msgid = add(wecom, "wm1")["msgid"]
    assert (tasks(wecom, msgid), statuses(wecom, msgid)) == ({"lily": 0}, {"wm1": 0})
    assert wecom.inbox(external_userid="wm1") == []
    assert confirm(wecom, msgid) == {"wm1": 1}
    assert (tasks(wecom, msgid), statuses(wecom, msgid)) == ({"lily": 2}, {"wm1": 1})
    [message] = wecom.inbox(external_userid="wm1")
    assert (message["via"], message["from"], message["text"]["content"]) == ("mass", "lily", "新品")
    confirm(wecom, msgid, status=409)
    confirm(wecom, msgid, "mark", status=404)


def test_the_member_who_last_spoke_to_her_is_asked(wecom):
    assert tasks(wecom, add(wecom, "wm1", "wm2", "wm3")["msgid"]) == {"lily": 0, "mark": 0}
    assert tasks(wecom, add(wecom, "wm2")["msgid"]) == {"mark": 0}
    wecom.act("POST", "chats", userid="lily", external_userid="wm2")
    assert tasks(wecom, add(wecom, "wm2")["msgid"]) == {"lily": 0}


def test_a_sender_writes_to_all_or_the_named_of_his_own_customers(wecom):
    assert statuses(wecom, add(wecom, sender="lily")["msgid"]) == {"wm1": 0, "wm2": 0}
    answer = add(wecom, "wm1", "wm3", "wmNever", sender="lily")
    assert answer["fail_list"] == ["wm3", "wmNever"]
    assert statuses(wecom, answer["msgid"]) == {"wm1": 0}


def test_tags_filter_by_any_of_a_group_and_all_groups(wecom):
    made = {}
    for group, names in (("兴趣", ("咖啡", "茶")), ("城市", ("上海",))):
        answer = wecom.act("POST", "tag-groups", name=group, tags=list(names))
        made |= {tag["name"]: tag["id"] for tag in answer["tags"]}
    wecom.act("POST", "contacts/wm1/tags", userid="lily", add=[made["茶"], made["上海"]])
    wecom.act("POST", "contacts/wm2/tags", userid="lily", add=[made["咖啡"]])

    def reached(*groups):
        group_list = [{"tag_list": [made[name] for name in group]} for group in groups]
        answer = add(wecom, sender="lily", tag_filter={"group_list": group_list})
        return sorted(statuses(wecom, answer["msgid"])) if answer["errcode"] == 0 else answer["errcode"]

    assert reached(("咖啡", "茶")) == ["wm1", "wm2"]
    assert reached(("咖啡", "茶"), ("上海",)) == ["wm1"]
    assert reached(("咖啡",), ("上海",)) == 41048


def test_who_is_no_friend_any_more_gets_nothing(wecom):
    msgid = add(wecom, "wm1", "wm2", sender="lily")["msgid"]
    wecom.act("DELETE", "contacts/wm1", userid="lily", by="customer")
    wecom.act("DELETE", "contacts/wm2", userid="lily", by="staff")
    assert confirm(wecom, msgid) == {"wm1": 2, "wm2": 2}
    assert wecom.inbox(external_userid="wm1") == []


@pytest.mark.parametrize(("per", "most", "span"), [("day", 1, DAY), ("week", 7, 7 * DAY), ("month", None, 31 * DAY)])
def test_a_customer_gets_as_many_as_the_admins_rule_lets_through(wecom, per, most, span):
    # Now is moved to noon of a Monday the 1st, so that a day, a week and a month begin together.
    start = datetime(2027, 2, 1, 4, tzinfo=UTC).timestamp()
    wecom.act("POST", "clock", advance_s=start - datetime.now(UTC).timestamp())
    wecom.act("POST", "groupmsg/quota", per=per)
    most = most or 28
    for _ in range(most):
        wecom.act("POST", "groupmsg", userid="lily", text="hi", external_userids=["wm1"])
    assert confirm(wecom, add(wecom, "wm1")["msgid"]) == {"wm1": 3}
    assert len(wecom.inbox(external_userid="wm1")) == most
    wecom.act("POST", "clock", advance_s=span)
    assert confirm(wecom, add(wecom, "wm1")["msgid"]) == {"wm1": 1}


def test_a_send_can_not_be_asked_about_while_it_is_dispatched(wecom):  # 41063
    wecom.act("POST", "limits", dispatch_s=2)
    msgid, now = add(wecom, "wm1")["msgid"], int(datetime.now(UTC).timestamp())
    span = {"start_time": now - DAY, "end_time": now + DAY}
    for call, body in ((TASK, {"msgid": msgid}), (RESULT, {"msgid": msgid, "userid": "lily"}), (LIST, span)):
        assert wecom.post(call, body)["errcode"] == 41063
    wecom.act("POST", "clock", advance_s=2)
    assert tasks(wecom, msgid) == {"lily": 0}
    assert [row["msgid"] for row in wecom.post(LIST, span)["group_msg_list"]] == [msgid]


def test_sends_are_listed_by_creator_with_their_content(wecom):
    link = {"msgtype": "link", "link": {"title": "t", "url": "https://x.test"}}
    api = add(wecom, "wm1", attachments=[link])["msgid"]
    own = wecom.act("POST", "groupmsg", userid="lily", text="hi")["msgid"]
    now = int(datetime.now(UTC).timestamp())
    span = {"start_time": now - DAY, "end_time": now + DAY}

    def ids(**more):
        return [row["msgid"] for row in wecom.post(LIST, span | more)["group_msg_list"]]

    assert (ids(), ids(filter_type=0), ids(filter_type=1)) == ([api, own], [api], [own])
    assert (ids(creator="lily"), ids(chat_type="group")) == ([own], [])
    first, second = wecom.post(LIST, span)["group_msg_list"]
    assert (first["text"], first["attachments"], first["create_type"]) == ({"content": "新品"}, [link], 0)
    assert isinstance(first["create_time"], str)
    assert "creator" not in first
    assert second["creator"] == "lily"


def test_a_send_is_reminded_of_three_times_a_day(wecom):  # 41094
    msgid, remind = add(wecom, "wm1")["msgid"], "externalcontact/remind_groupmsg_send"
    assert [wecom.post(remind, {"msgid": msgid})["errcode"] for _ in range(4)] == [0, 0, 0, 41094]
    wecom.act("POST", "clock", advance_s=DAY)
    assert wecom.post(remind, {"msgid": msgid})["errcode"] == 0


def test_a_cancelled_send_is_not_confirmed(wecom):  # 41093
    msgid, cancel = add(wecom, "wm1")["msgid"], "externalcontact/cancel_groupmsg_send"
    assert [wecom.post(cancel, {"msgid": msgid})["errcode"] for _ in range(2)] == [0, 41093]
    assert wecom.post("externalcontact/remind_groupmsg_send", {"msgid": msgid})["errcode"] == 41093
    confirm(wecom, msgid, status=409)
    assert wecom.inbox(external_userid="wm1") == []
    assert [row["status"] for row in wecom.act("GET", "groupmsg", userid="lily")["data"]] == ["cancelled"]


def test_a_group_send_reaches_everybody_in_the_owners_chats(wecom):
    chats = [wecom.act("POST", "group-chats", name=name, owner="lily")["chat_id"] for name in "ab"]
    for number, chat in enumerate(chats):
        wecom.act("POST", f"group-chats/{chat}/members", external_userid=f"wmG{number}")
    other = wecom.act("POST", "group-chats", name="c", owner="mark")["chat_id"]
    one = add(wecom, chat_type="group", sender="lily", chat_id_list=[chats[0], other])
    assert one["fail_list"] == [other]
    assert wecom.post(RESULT, {"msgid": one["msgid"], "userid": "lily"})["send_list"] == []
    assert confirm(wecom, one["msgid"]) == {chats[0]: 1}
    [row] = wecom.post(RESULT, {"msgid": one["msgid"], "userid": "lily"})["send_list"]
    assert (row["chat_id"], row["status"]) == (chats[0], 1)
    [message] = wecom.inbox(external_userid="wmG0")
    assert (message["via"], message["from"], message["chat_id"]) == ("group", "lily", chats[0])
    assert confirm(wecom, add(wecom, chat_type="group", sender="lily")["msgid"]) == dict.fromkeys(chats, 1)
    assert wecom.inbox(external_userid="wmG1")


def test_a_dismissed_group_gets_nothing(wecom):
    chat = wecom.act("POST", "group-chats", name="a", owner="lily")["chat_id"]
    wecom.act("POST", f"group-chats/{chat}/members", external_userid="wmG")
    msgid = add(wecom, chat_type="group", sender="lily")["msgid"]
    wecom.act("DELETE", f"group-chats/{chat}")
    assert confirm(wecom, msgid) == {chat: 0}
    assert wecom.inbox(external_userid="wmG") == []


@pytest.mark.parametrize(("fields", "errcode"), [
    ({"external_userid": []}, 40063),
    ({"external_userid": ["wmNever"]}, 41048),
    ({"external_userid": ["x"] * 10_001}, 40058),
    ({"text": {}}, 40063),
    ({"text": {"content": "积" * 1334}}, 40058),
    ({"chat_type": "everybody"}, 86214),
    ({"chat_type": "group"}, 41009),
    ({"chat_type": "group", "sender": "lily"}, 41048),
    ({"chat_type": "group", "sender": "lily", "chat_id_list": ["wrNever"]}, 40050),
    ({"chat_type": "group", "sender": "lily", "chat_id_list": ["x"] * 2001}, 40058),
    ({"sender": "nobody"}, 60111),
    ({"tag_filter": {"group_list": [{"tag_list": ["x"] * 101}]}}, 40058),
    ({"attachments": [{"msgtype": "link", "link": {"title": "t", "url": "u"}}] * 10}, 41064),
    ({"attachments": [{"msgtype": "image", "image": {"media_id": "never"}}]}, 40007),
])  # fmt: skip
def test_preparing_names_what_is_wrong(wecom, fields, errcode):
    assert wecom.post(ADD, {"external_userid": ["wm1"], "text": {"content": "x"}} | fields)["errcode"] == errcode


@pytest.mark.parametrize(("call", "body", "errcode"), [
    (TASK, {}, 41046),
    (TASK, {"msgid": "never"}, 41047),
    (RESULT, {"msgid": "never"}, 41047),
    (LIST, {}, 40063),
    (LIST, {"start_time": 1, "end_time": 32 * DAY}, 40058),
    (LIST, {"start_time": 1, "end_time": DAY, "limit": 101}, 40058),
    ("externalcontact/remind_groupmsg_send", {}, 41046),
    ("externalcontact/cancel_groupmsg_send", {"msgid": "never"}, 41047),
])  # fmt: skip
def test_asking_names_what_is_wrong(wecom, call, body, errcode):
    assert wecom.post(call, body)["errcode"] == errcode


def test_a_result_is_asked_for_by_member(wecom):  # 41009 40003
    msgid = add(wecom, "wm1")["msgid"]
    assert wecom.post(RESULT, {"msgid": msgid})["errcode"] == 41009
    assert wecom.post(RESULT, {"msgid": msgid, "userid": "mark"})["errcode"] == 40003
