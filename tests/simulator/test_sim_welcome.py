"""Welcome codes: when there is one, how long it lives, and who may use it."""

import pytest


def send(wecom, code, **fields):
    body = {"welcome_code": code, "text": {"content": "hi"}} | fields
    return wecom.post("externalcontact/send_welcome_msg", body)["errcode"]


def test_text_and_attachments_arrive_as_messages_of_their_own(wecom):
    anna = wecom.befriend("lily")
    link = {"msgtype": "link", "link": {"title": "t", "url": "https://x.test"}}
    assert send(wecom, anna["welcome_code"], attachments=[link]) == 0
    text, card = wecom.inbox(external_userid=anna["external_userid"])
    assert (text["via"], text["from"], text["msgtype"], text["text"]["content"]) == ("welcome", "lily", "text", "hi")
    assert card["link"] == link["link"]
    assert card["at"].endswith("Z")


def test_a_code_is_good_for_twenty_seconds(wecom):  # 41050
    code = wecom.befriend("lily")["welcome_code"]
    wecom.act("POST", "clock", advance_s=20)
    assert send(wecom, code) == 41050


def test_a_code_is_good_once(wecom):  # 41051
    code = wecom.befriend("lily")["welcome_code"]
    assert [send(wecom, code), send(wecom, code)] == [0, 41051]


def test_a_code_nobody_issued_and_no_code_are_refused(wecom):  # 41050 41049
    assert send(wecom, "made-up") == 41050
    assert send(wecom, "") == 41049


def test_once_they_chat_a_welcome_comes_too_late(wecom):  # 41051
    anna = wecom.befriend("lily")
    wecom.act("POST", "chats", userid="lily", external_userid=anna["external_userid"])
    assert send(wecom, anna["welcome_code"]) == 41051


@pytest.mark.parametrize(("delivers", "afterwards"), [(True, 41051), (False, 0)])
def test_while_another_app_sends_the_code_is_busy(wecom, delivers, afterwards):  # 41096 41051
    code = wecom.befriend("lily")["welcome_code"]
    wecom.act("POST", f"welcome-codes/{code}", sending_s=5, delivers=delivers)
    assert send(wecom, code) == 41096
    wecom.act("POST", "clock", advance_s=5)
    assert send(wecom, code) == afterwards


def test_another_app_can_only_use_a_code_there_is(wecom):
    wecom.act("POST", "welcome-codes/never", status=404, sending_s=1)


def test_there_is_no_code_where_the_console_has_its_own_welcome_or_they_are_friends(wecom):
    wecom.act("POST", "staff", userid="mark", native_welcome=True)
    assert wecom.befriend("mark")["welcome_code"] is None
    anna = wecom.befriend("lily")
    again = wecom.befriend("lily", external_userid=anna["external_userid"], state="other")
    assert again["welcome_code"] is None
    assert not again["added"]


def test_the_full_event_has_a_code_only_where_the_half_one_was_not_used(wecom):
    half = wecom.befriend("lily", external_userid="wm1", half=True)
    assert wecom.befriend("lily", external_userid="wm1")["welcome_code"] not in (None, half["welcome_code"])
    used = wecom.befriend("lily", external_userid="wm2", half=True)
    assert send(wecom, used["welcome_code"]) == 0
    full = wecom.befriend("lily", external_userid="wm2")
    assert full["added"]
    assert full["welcome_code"] is None


def test_a_code_of_a_member_the_app_does_not_see_is_invalid(wecom):  # 41050
    code = wecom.befriend("lily")["welcome_code"]
    wecom.act("POST", "apps", visible=["mark"])
    assert send(wecom, code) == 41050


def test_after_the_member_deleted_her_there_is_no_relation_to_welcome(wecom):  # 84061
    anna = wecom.befriend("lily")
    wecom.act("DELETE", f"contacts/{anna['external_userid']}", userid="lily", by="staff")
    assert send(wecom, anna["welcome_code"]) == 84061


LINK = {"title": "t", "url": "https://x.test"}


@pytest.mark.parametrize(("fields", "errcode"), [
    ({"text": {}}, 40063),
    ({"text": {"content": "积" * 1334}}, 40058),
    ({"text": {"content": "积" * 1333 + "x"}}, 0),
    ({"text": {"content": "x" * 4001}}, 40058),
    ({"attachments": [{"msgtype": "link", "link": LINK}] * 10}, 41064),
    ({"attachments": [{"msgtype": "link", "link": LINK}] * 9}, 0),
    ({"attachments": [{"msgtype": "voice", "voice": {"media_id": "x"}}]}, 41065),
    ({"attachments": [{"msgtype": "link", "link": LINK | {"title": "积" * 43}}]}, 40058),
    ({"attachments": [{"msgtype": "link", "link": LINK | {"desc": "d" * 513}}]}, 40058),
    ({"attachments": [{"msgtype": "link", "link": {"title": "t"}}]}, 40063),
    ({"attachments": [{"msgtype": "image", "image": {}}]}, 41006),
    ({"attachments": [{"msgtype": "image", "image": {"media_id": "unknown"}}]}, 40007),
    ({"attachments": [{"msgtype": "image", "image": {"pic_url": "https://x.test/p.png"}}]}, 0),
    ({"attachments": [{"msgtype": "miniprogram", "miniprogram": {"title": "积" * 22}}]}, 40058),
    ({"link": LINK}, 0),
    ({"text": "hi"}, 40058),
])  # fmt: skip
def test_content_is_checked_in_wecoms_units(wecom, fields, errcode):
    assert send(wecom, wecom.befriend("lily")["welcome_code"], **fields) == errcode
