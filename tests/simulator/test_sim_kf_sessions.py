"""微信客服 sessions: whose turn it is, what may be answered, and codes for what may be said on events."""

import pytest

KF = "wkShop"
WHO = {"open_kfid": KF, "external_userid": "wm1"}


@pytest.fixture(autouse=True)
def account(wecom):
    wecom.act("POST", "kf/accounts", name="客服", open_kfid=KF)
    wecom.act("POST", "limits", path="kf/sync_msg without token", per_minute=1000)
    for userid in ("lily", "mark"):
        wecom.act("POST", "kf/servicers", open_kfid=KF, userid=userid)
    wecom.act("POST", "staff", userid="kate")
    wecom.act("POST", "kf/servicers", open_kfid=KF, userid="mark", receiving=False)


def write(wecom, text="hi"):
    return wecom.act("POST", "kf/messages", **WHO, text=text)["msgid"]


def send(wecom, content="ok", **fields):
    body = {"touser": "wm1", "open_kfid": KF, "msgtype": "text", "text": {"content": content}} | fields
    return wecom.post("kf/send_msg", body)


def move(wecom, state, **fields):
    return wecom.post("kf/service_state/trans", WHO | {"service_state": state} | fields)


def on_event(wecom, code, **fields):
    body = {"code": code, "msgtype": "text", "text": {"content": "hi"}} | fields
    return wecom.post("kf/send_msg_on_event", body)["errcode"]


def state(wecom):
    return wecom.post("kf/service_state/get", WHO)["service_state"]


def log(wecom, kind):
    items = wecom.post("kf/sync_msg", {"open_kfid": KF})["msg_list"]
    return [item["event"] for item in items if item.get("event", {}).get("event_type") == kind]


def seen(wecom):
    rows = wecom.act("GET", "kf/messages", external_userid="wm1")["data"]
    return [(row["from"], row["text"]["content"]) for row in rows]


def test_five_answers_follow_a_message_of_hers_and_a_new_one_resets_it(wecom):  # 95001
    write(wecom)
    assert [send(wecom, str(number))["errcode"] for number in range(6)] == [0] * 5 + [95001]
    write(wecom)
    assert send(wecom)["errcode"] == 0
    assert [text for who, text in seen(wecom) if who == "kf"] == ["0", "1", "2", "3", "4", "ok"]
    assert [one["via"] for one in wecom.inbox(external_userid="wm1")] == ["kf"] * 6


def test_answers_are_let_through_for_forty_eight_hours(wecom):  # 95002
    write(wecom)
    wecom.act("POST", "clock", advance_s=48 * 3600 - 5)
    assert send(wecom)["errcode"] == 0
    wecom.act("POST", "clock", advance_s=5)
    assert send(wecom)["errcode"] == 95002
    assert state(wecom) == 4


def test_who_never_wrote_gets_no_answer(wecom):  # 95002 40096 41035
    wecom.act("POST", "kf/sessions", **WHO)
    assert send(wecom)["errcode"] == 95002
    assert send(wecom, touser="wmNever")["errcode"] == 40096
    assert send(wecom, touser="")["errcode"] == 41035


def test_own_answers_are_not_pulled_a_servicers_are(wecom):
    write(wecom, "help")
    send(wecom)
    move(wecom, 3, servicer_userid="lily")
    wecom.act("POST", "kf/servicer-messages", **WHO, userid="lily", text="here")
    items = wecom.post("kf/sync_msg", {"open_kfid": KF})["msg_list"]
    assert [(item["origin"], item["text"]["content"]) for item in items if "text" in item] == [(3, "help"), (5, "here")]
    assert items[-1]["servicer_userid"] == "lily"
    assert seen(wecom) == [("customer", "help"), ("kf", "ok"), ("lily", "here")]
    wecom.act("POST", "kf/servicer-messages", status=409, **WHO, userid="mark", text="me too")


def test_a_repeated_msgid_delivers_nothing_twice(wecom):  # 95032
    write(wecom)
    first = send(wecom, msgid="our_id-1")
    assert (first["errcode"], first["msgid"]) == (0, "our_id-1")
    assert send(wecom, msgid="our_id-1")["errcode"] == 95032
    assert seen(wecom) == [("customer", "hi"), ("kf", "ok")]


def test_only_new_and_bot_sessions_are_answered(wecom):  # 95018 95013
    write(wecom)
    assert move(wecom, 1)["errcode"] == 0
    assert send(wecom)["errcode"] == 0
    assert move(wecom, 2)["msg_code"]
    assert send(wecom)["errcode"] == 95018
    move(wecom, 3, servicer_userid="lily")
    assert send(wecom)["errcode"] == 95018
    move(wecom, 4)
    assert send(wecom)["errcode"] == 95013
    write(wecom)
    assert (state(wecom), send(wecom)["errcode"]) == (0, 0)


@pytest.mark.parametrize(("path", "wanted", "errcode"), [
    ([], 0, 95016), ([], 1, 0), ([], 2, 0), ([], 3, 0), ([], 4, 0),
    ([1], 0, 95016), ([1], 2, 0), ([1], 3, 0), ([1], 4, 0),
    ([2], 0, 95016), ([2], 1, 95016), ([2], 3, 0), ([2], 4, 0),
    ([3], 0, 95016), ([3], 1, 95016), ([3], 2, 95016), ([3], 3, 0), ([3], 4, 0),
    ([4], 0, 95016), ([4], 1, 95016), ([4], 2, 95016), ([4], 3, 95016), ([4], 4, 95016),
])  # fmt: skip
def test_only_the_moves_of_wecoms_table_are_made(wecom, path, wanted, errcode):
    write(wecom)
    for step in path:
        assert move(wecom, step, servicer_userid="lily")["errcode"] == 0
    assert move(wecom, wanted, servicer_userid="lily")["errcode"] == errcode


@pytest.mark.parametrize(("fields", "errcode"), [
    ({"service_state": 3}, 41009),
    ({"service_state": 3, "servicer_userid": "kate"}, 95014),
    ({"service_state": 3, "servicer_userid": "mark"}, 95019),
    ({"service_state": 5}, 40058),
    ({"service_state": None}, 40063),
    ({"service_state": 1, "external_userid": "wmNever"}, 40096),
    ({"service_state": 1, "external_userid": None}, 41035),
    ({"service_state": 1, "open_kfid": "wkNever"}, 95004),
])  # fmt: skip
def test_a_move_names_what_is_wrong(wecom, fields, errcode):
    write(wecom)
    assert wecom.post("kf/service_state/trans", WHO | fields)["errcode"] == errcode


def test_the_servicer_of_a_session_is_told(wecom):
    write(wecom)
    move(wecom, 3, servicer_userid="lily")
    answer = wecom.post("kf/service_state/get", WHO)
    assert (answer["service_state"], answer["servicer_userid"]) == (3, "lily")


def test_the_first_move_and_the_end_give_a_code_each(wecom):
    write(wecom)
    pool = move(wecom, 2)
    taken = move(wecom, 3, servicer_userid="lily")
    end = move(wecom, 4)
    assert pool["msg_code"]
    assert "msg_code" not in taken
    assert end["msg_code"] != pool["msg_code"]


def test_opening_gives_a_welcome_code_good_once_for_twenty_seconds(wecom):  # 40029
    first = wecom.act("POST", "kf/sessions", **WHO, scene="s")["welcome_code"]
    menu = {"head_content": "您好", "list": [{"type": "click", "click": {"id": "points", "content": "查积分"}}]}
    assert on_event(wecom, first, msgtype="msgmenu", msgmenu=menu) == 0
    assert on_event(wecom, first) == 40029
    [message] = wecom.inbox(external_userid="wm1")
    assert message["msgmenu"] == menu
    wecom.act("POST", "clock", advance_s=48 * 3600)
    late = wecom.act("POST", "kf/sessions", **WHO)["welcome_code"]
    wecom.act("POST", "clock", advance_s=20)
    assert on_event(wecom, late) == 40029
    assert on_event(wecom, "never") == 40029
    assert on_event(wecom, "") == 40063


def test_an_opening_names_the_account_one_way_or_the_other(wecom):
    wecom.act("POST", "kf/sessions", status=422, external_userid="wm1")
    wecom.act("POST", "kf/sessions", status=422, **WHO, url=f"{wecom.url}/kf/x")


def test_no_welcome_code_after_a_welcome_a_message_or_with_one_of_the_console(wecom):
    code = wecom.act("POST", "kf/sessions", **WHO)["welcome_code"]
    assert wecom.act("POST", "kf/sessions", **WHO)["welcome_code"] not in (None, code)
    on_event(wecom, code)
    assert wecom.act("POST", "kf/sessions", **WHO)["welcome_code"] is None
    wecom.act("POST", "kf/messages", open_kfid=KF, external_userid="wm2", text="hi")
    assert wecom.act("POST", "kf/sessions", open_kfid=KF, external_userid="wm2")["welcome_code"] is None
    wecom.act("POST", "kf/accounts", open_kfid=KF, native_welcome=True)
    assert wecom.act("POST", "kf/sessions", open_kfid=KF, external_userid="wm3")["welcome_code"] is None
    assert "welcome_code" not in log(wecom, "enter_session")[-1]


def test_codes_of_moves_live_long_and_take_text_only_the_end_is_short(wecom):  # 95030 40029
    write(wecom)
    pool = move(wecom, 2)["msg_code"]
    wecom.act("POST", "clock", advance_s=47 * 3600)
    assert on_event(wecom, pool, msgtype="msgmenu", msgmenu={"head_content": "x"}) == 95030
    assert on_event(wecom, pool) == 0
    end = move(wecom, 4)["msg_code"]
    assert on_event(wecom, end, msgtype="image", image={}) == 95030
    assert on_event(wecom, end, msgtype="msgmenu", msgmenu={"head_content": "再见"}) == 0
    write(wecom)
    end = move(wecom, 4)["msg_code"]
    wecom.act("POST", "clock", advance_s=20)
    assert on_event(wecom, end) == 40029


def test_what_servicers_do_in_their_client_is_logged_with_codes(wecom):
    write(wecom)
    move(wecom, 2)
    take = wecom.act("POST", "kf/session-changes", **WHO, change="take", userid="lily")
    wecom.act("POST", "kf/session-changes", **WHO, change="transfer", userid="mark")
    end = wecom.act("POST", "kf/session-changes", **WHO, change="end")
    wecom.act("POST", "kf/session-changes", **WHO, change="reenter", userid="lily")
    assert log(wecom, "session_status_change") == [
        {"event_type": "session_status_change", **WHO, "change_type": 1, "new_servicer_userid": "lily",
         "msg_code": take["msg_code"]},
        {"event_type": "session_status_change", **WHO, "change_type": 2, "old_servicer_userid": "lily",
         "new_servicer_userid": "mark"},
        {"event_type": "session_status_change", **WHO, "change_type": 3, "old_servicer_userid": "mark",
         "msg_code": end["msg_code"]},
        {"event_type": "session_status_change", **WHO, "change_type": 4, "new_servicer_userid": "lily"},
    ]  # fmt: skip
    wecom.act("POST", "kf/session-changes", status=409, **WHO, change="take", userid="lily")
    wecom.act("POST", "kf/session-changes", status=404, open_kfid=KF, external_userid="wm9", change="end")


def test_a_blocked_account_takes_the_answer_and_reports_it_failed(wecom):
    write(wecom)
    wecom.act("POST", "kf/failures", **WHO, fail_type=10)
    failed = send(wecom, msgid="f1")
    assert failed["errcode"] == 0
    [event] = log(wecom, "msg_send_fail")
    assert event == {"event_type": "msg_send_fail", **WHO, "fail_msgid": "f1", "fail_type": 10}
    assert seen(wecom) == [("customer", "hi")]
    assert send(wecom)["errcode"] == 0


def test_what_she_takes_back_is_logged(wecom):
    msgid = write(wecom)
    wecom.act("POST", "kf/recalls", **WHO, msgid=msgid)
    [event] = log(wecom, "user_recall_msg")
    assert event["recall_msgid"] == msgid
    assert seen(wecom) == []


def test_other_kinds_of_messages_are_passed_on_as_they_are(wecom):
    location = {"msgtype": "location", "location": {"latitude": 31.2, "longitude": 121.5, "name": "x", "address": "y"}}
    wecom.act("POST", "kf/messages", **WHO, message=location)
    [item] = wecom.post("kf/sync_msg", {"open_kfid": KF})["msg_list"][-1:]
    assert item["location"] == location["location"]


ITEM = {"type": "click", "click": {"id": "1", "content": "查积分"}}


@pytest.mark.parametrize(("fields", "errcode"), [
    ({"msgtype": ""}, 40008),
    ({"msgtype": "hologram"}, 40008),
    ({"text": {}}, 44004),
    ({"text": {"content": "积" * 683}}, 45002),
    ({"msgid": "x" * 33}, 40058),
    ({"msgid": "a b"}, 40058),
    ({"msgtype": "image", "image": {"media_id": "never"}}, 40007),
    ({"msgtype": "link", "link": {"title": "t"}}, 41010),
    ({"msgtype": "link", "link": {"title": "t", "url": "https://x.test"}}, 41006),
    ({"msgtype": "miniprogram", "miniprogram": {"appid": "wx1"}}, 41006),
    ({"msgtype": "msgmenu", "msgmenu": {"list": [ITEM] * 11}}, 95008),
    ({"msgtype": "msgmenu", "msgmenu": {"list": [{"type": "call"}]}}, 95009),
    ({"msgtype": "msgmenu", "msgmenu": {"head_content": "积" * 342}}, 40058),
    ({"msgtype": "msgmenu", "msgmenu": {"list": [{"type": "click", "click": {"content": "积" * 43}}]}}, 40058),
    ({"msgtype": "msgmenu", "msgmenu": {"list": [{"type": "view", "view": {"content": "x"}}]}}, 41010),
    ({"msgtype": "msgmenu", "msgmenu": {"list": [{"type": "miniprogram", "miniprogram": {}}]}}, 40063),
    ({"msgtype": "msgmenu", "msgmenu": {"list": [{"type": "text", "text": {"content": "积" * 86}}]}}, 40058),
    ({"msgtype": "msgmenu", "msgmenu": {"list": [{"type": "view", "view": {"url": "https://x.test"}}]}}, 40063),
    ({"msgtype": "msgmenu", "msgmenu": {"list": [{"type": "miniprogram", "miniprogram": {"appid": "w"}}]}}, 40063),
    ({"msgtype": "msgmenu", "msgmenu": {"head_content": "您好", "list": [ITEM] * 10}}, 0),
])  # fmt: skip
def test_an_answer_is_checked_in_wecoms_units(wecom, fields, errcode):
    write(wecom)
    assert send(wecom, **fields)["errcode"] == errcode


def test_links_and_mini_programs_are_answered_with_a_picture(wecom):  # 40063
    url, params = f"{wecom.url}/cgi-bin/media/upload", {"access_token": wecom.token, "type": "image"}
    files = {"media": ("a.png", b"\x89PNG\r\n\x1a\n0000", "image/png")}
    picture = wecom.session.post(url, params=params, files=files, timeout=5).json()["media_id"]
    write(wecom)
    link = {"title": "群", "url": "https://x.test", "thumb_media_id": picture}
    assert send(wecom, msgtype="link", link=link)["errcode"] == 0
    card = {"appid": "wx1", "title": "商城", "thumb_media_id": picture}
    assert send(wecom, msgtype="miniprogram", miniprogram=card)["errcode"] == 40063
    assert send(wecom, msgtype="miniprogram", miniprogram=card | {"pagepath": "/p"})["errcode"] == 0
    assert wecom.inbox(external_userid="wm1")[0]["link"] == link


def test_customers_are_looked_up_while_they_are_active(wecom):  # 95031
    wecom.befriend("lily", external_userid="wm1", name="Anna", unionid="oz1", gender=2)
    wecom.act("POST", "kf/sessions", **WHO, scene="s1", scene_param="p")
    body = {"external_userid_list": ["wm1", "wmNever"], "need_enter_session_context": 1}
    answer = wecom.post("kf/customer/batchget", body)
    [anna] = answer["customer_list"]
    assert (anna["nickname"], anna["unionid"], anna["gender"]) == ("Anna", "oz1", 2)
    assert anna["enter_session_context"] == {"scene": "s1", "scene_param": "p"}
    assert answer["invalid_external_userid"] == ["wmNever"]
    wecom.act("POST", "clock", advance_s=48 * 3600)
    assert wecom.post("kf/customer/batchget", body)["errcode"] == 95031
    assert wecom.post("kf/customer/batchget", {"external_userid_list": ["wm1"] * 101})["errcode"] == 40058
    assert wecom.post("kf/customer/batchget")["errcode"] == 40063
