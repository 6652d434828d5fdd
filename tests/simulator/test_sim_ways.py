"""联系我 contact ways and what happens when she scans one."""

import pytest
import requests

ADD = "externalcontact/add_contact_way"


@pytest.fixture(autouse=True)
def people(wecom):
    for userid in ("lily", "mark"):
        wecom.act("POST", "staff", userid=userid)
    wecom.act("POST", "staff", userid="new", active=False)
    wecom.act("POST", "staff", userid="kate", contact=False, departments=[9])


def way(wecom, **fields):
    return wecom.post(ADD, {"type": 1, "scene": 2, "user": ["lily"], "state": "门店A"} | fields)


def test_a_scanned_code_adds_its_member_with_its_state(wecom):
    made = way(wecom)
    scanned = wecom.act("POST", "scan", qr_code=made["qr_code"], name="Anna")
    assert (scanned["userid"], scanned["state"], scanned["added"]) == ("lily", "门店A", True)
    [event] = wecom.events()
    assert (event["ChangeType"], event["State"]) == ("add_external_contact", "门店A")
    assert event["WelcomeCode"] == scanned["welcome_code"]
    again = wecom.act("POST", "scan", qr_code=made["config_id"], external_userid=scanned["external_userid"])
    assert (again["added"], again["welcome_code"]) == (False, None)


def test_the_picture_is_a_png_and_says_where_it_leads(wecom):
    made = way(wecom)
    picture = requests.get(made["qr_code"], timeout=5)
    assert picture.headers["Content-Type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG\r\n\x1a\n")


def test_members_of_a_shared_code_take_turns(wecom):
    code = way(wecom, type=2, user=["lily", "mark"])["config_id"]
    turns = [wecom.act("POST", "scan", qr_code=code)["userid"] for _ in range(4)]
    assert turns == ["lily", "mark", "lily", "mark"]


def test_an_exclusive_code_leads_to_the_member_she_has(wecom):
    code = way(wecom, type=2, user=["lily", "mark"], is_exclusive=True)["config_id"]
    wecom.befriend("mark", external_userid="wm1")
    assert wecom.act("POST", "scan", qr_code=code, external_userid="wm1")["userid"] == "mark"


def test_a_code_of_a_department_leads_to_its_people(wecom):
    wecom.act("POST", "staff", userid="zoe", departments=[5])
    code = way(wecom, type=2, user=[], party=[5])["config_id"]
    assert wecom.act("POST", "scan", qr_code=code)["userid"] == "zoe"


def test_a_temporary_code_dies_after_use_and_after_its_time(wecom):
    for wait, scans in ((0, 1), (3600, 0)):
        code = way(wecom, is_temp=True, expires_in=3600)["config_id"]
        wecom.act("POST", "clock", advance_s=wait)
        for _ in range(scans):
            wecom.act("POST", "scan", qr_code=code)
        assert wecom.act("POST", "scan", status=409, qr_code=code)["status"] == 409


def test_a_temporary_way_is_read_with_its_lifetimes_and_goodbye(wecom):
    goodbye = {"text": {"content": "再见"}}
    code = way(wecom, is_temp=True, conclusions=goodbye, unionid="oz1")["config_id"]
    shown = wecom.post("externalcontact/get_contact_way", {"config_id": code})["contact_way"]
    assert (shown["expires_in"], shown["chat_expires_in"]) == (7 * 86400, 86400)
    assert (shown["conclusions"], shown["unionid"]) == (goodbye, "oz1")


def test_a_way_is_read_listed_changed_and_deleted(wecom):  # 41043 41044
    mini = way(wecom, scene=1, style=1, remark="门口")
    assert "qr_code" not in mini
    shown = wecom.post("externalcontact/get_contact_way", {"config_id": mini["config_id"]})["contact_way"]
    assert (shown["type"], shown["remark"], shown["skip_verify"], shown["user"]) == (1, "门口", True, ["lily"])
    ids = [mini["config_id"], *(way(wecom)["config_id"] for _ in range(3))]
    page = wecom.post("externalcontact/list_contact_way", {"limit": 3})
    rest = wecom.post("externalcontact/list_contact_way", {"limit": 3, "cursor": page["next_cursor"]})
    assert [one["config_id"] for one in page["contact_way"] + rest["contact_way"]] == ids
    update = {"config_id": ids[1], "state": "B", "user": ["mark"], "skip_verify": False}
    assert wecom.post("externalcontact/update_contact_way", update)["errcode"] == 0
    shown = wecom.post("externalcontact/get_contact_way", {"config_id": ids[1]})["contact_way"]
    assert (shown["state"], shown["user"], shown["skip_verify"]) == ("B", ["mark"], False)
    assert wecom.post("externalcontact/del_contact_way", {"config_id": ids[1]})["errcode"] == 0
    for call in ("get", "update", "del"):
        assert wecom.post(f"externalcontact/{call}_contact_way", {"config_id": ids[1]})["errcode"] == 41044
        assert wecom.post(f"externalcontact/{call}_contact_way")["errcode"] == 41043
    wecom.act("POST", "scan", status=404, qr_code=ids[1])


@pytest.mark.parametrize(("fields", "errcode"), [
    ({"type": None}, 41037),
    ({"type": 3}, 41039),
    ({"scene": None}, 41038),
    ({"scene": 9}, 41040),
    ({"scene": 1, "style": 4}, 41042),
    ({"state": "字" * 31}, 40058),
    ({"state": "字" * 30}, 0),
    ({"remark": "字" * 31}, 40058),
    ({"user": ["lily", "mark"]}, 40058),
    ({"user": []}, 40058),
    ({"type": 2, "user": []}, 40063),
    ({"type": 2, "user": ["x"] * 1 + [f"u{n}" for n in range(100)]}, 41041),
    ({"user": ["nobody"]}, 60111),
    ({"user": ["new"]}, 41054),
    ({"user": ["kate"]}, 84074),
    ({"type": 2, "user": ["lily", "mark"], "is_temp": True}, 40058),
    ({"conclusions": {"text": {"content": "x"}}}, 40058),
    ({"is_temp": True, "expires_in": 14 * 86400 + 1}, 40058),
    ({"is_temp": True, "conclusions": {"text": {"content": "x"}}}, 0),
    ({"skip_verify": "yes"}, 40058),
    ({"type": 2, "party": ["sales"]}, 40058),
])  # fmt: skip
def test_adding_a_way_names_what_is_wrong(wecom, fields, errcode):
    assert way(wecom, **fields)["errcode"] == errcode


def test_a_corp_has_a_limited_number_of_ways(wecom):  # 41045
    wecom.act("POST", "limits", contact_ways=1)
    assert [way(wecom)["errcode"], way(wecom)["errcode"]] == [0, 41045]


def test_a_member_out_of_sight_is_refused(wecom):  # 60011
    wecom.act("POST", "apps", visible=["mark"])
    assert way(wecom)["errcode"] == 60011


def test_a_temporary_chat_is_closed_only_where_they_are_friends(wecom):  # 84061
    wecom.befriend("lily", external_userid="wm1")
    wecom.befriend("mark", external_userid="wm2")
    close = "externalcontact/close_temp_chat"
    assert wecom.post(close, {"userid": "lily", "external_userid": "wm1"})["errcode"] == 0
    assert wecom.post(close, {"userid": "lily", "external_userid": "wm2"})["errcode"] == 84061


def test_a_code_whose_people_left_leads_to_nobody_and_a_refused_update_changes_nothing(wecom):
    code = way(wecom)["config_id"]
    update = {"config_id": code, "state": "B", "is_exclusive": "yes"}
    assert wecom.post("externalcontact/update_contact_way", update)["errcode"] == 40058
    shown = wecom.post("externalcontact/get_contact_way", {"config_id": code})["contact_way"]
    assert shown["state"] == "门店A"
    wecom.act("DELETE", "staff/lily")
    wecom.act("POST", "scan", status=409, qr_code=code)
