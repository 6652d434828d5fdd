"""微信客服 accounts, links, servicers, the log and its cursor."""

import pytest
import requests

KF = "wkShop"


@pytest.fixture(autouse=True)
def account(wecom):
    wecom.act("POST", "kf/accounts", name="客服", open_kfid=KF)


def write(wecom, text="积分", external_userid="wm1", **more):
    return wecom.act("POST", "kf/messages", open_kfid=KF, external_userid=external_userid, text=text, **more)


def sync(wecom, **fields):
    """One pull, authorised by a fresh callback's token where the test gives none of its own."""
    return wecom.post("kf/sync_msg", {"open_kfid": KF} | fields)


def last_token(wecom):
    return wecom.events()[-1]["Token"]


def image(wecom):
    url, params = f"{wecom.url}/cgi-bin/media/upload", {"access_token": wecom.token, "type": "image"}
    files = {"media": ("a.png", b"\x89PNG\r\n\x1a\n0000", "image/png")}
    return requests.post(url, params=params, files=files, timeout=5).json()["media_id"]


def test_what_she_writes_is_called_back_without_content_and_pulled_with_it(wecom):
    written = write(wecom, menu_id="points")
    [event] = wecom.events()
    assert (event["Event"], event["OpenKfId"], event["MsgType"]) == ("kf_msg_or_event", KF, "event")
    assert event.keys() == {"ToUserName", "CreateTime", "MsgType", "Event", "Token", "OpenKfId"}
    answer = sync(wecom, token=event["Token"])
    [item] = answer["msg_list"]
    assert item == {
        "msgid": written["msgid"], "open_kfid": KF, "external_userid": "wm1", "send_time": item["send_time"],
        "origin": 3, "msgtype": "text", "text": {"content": "积分", "menu_id": "points"},
    }  # fmt: skip
    assert answer["has_more"] == 0


def test_a_cursor_goes_on_where_the_last_page_ended(wecom):
    for number in range(5):
        write(wecom, str(number))
    token, seen, cursor, pages = last_token(wecom), [], "", 0
    while True:
        page = sync(wecom, token=token, cursor=cursor, limit=2)
        seen += [item["text"]["content"] for item in page["msg_list"]]
        cursor, pages = page["next_cursor"], pages + 1
        if not page["has_more"]:
            break
    assert (seen, pages) == (["0", "1", "2", "3", "4"], 3)
    assert sync(wecom, token=token, cursor=cursor)["msg_list"] == []
    write(wecom, "5")
    assert [item["text"]["content"] for item in sync(wecom, token=token, cursor=cursor)["msg_list"]] == ["5"]


def test_an_empty_page_may_have_more_behind_it_and_a_page_fewer_rows_than_asked(wecom):
    write(wecom, "a")
    write(wecom, "b")
    wecom.act("POST", "kf/settings", open_kfid=KF, empty_pages=1, page=1)
    token = last_token(wecom)
    pages = [sync(wecom, token=token)]
    for _ in range(2):
        pages.append(sync(wecom, token=token, cursor=pages[-1]["next_cursor"]))
    assert [(len(page["msg_list"]), page["has_more"]) for page in pages] == [(0, 1), (1, 1), (1, 0)]


def test_only_three_days_are_kept(wecom):
    write(wecom, "old")
    wecom.act("POST", "clock", advance_s=2 * 86400)
    write(wecom, "young")
    wecom.act("POST", "clock", advance_s=86400)
    assert [item["text"]["content"] for item in sync(wecom)["msg_list"]] == ["young"]


def test_a_token_is_good_for_ten_minutes_and_its_own_account(wecom):  # 95007
    write(wecom)
    token = last_token(wecom)
    wecom.act("POST", "kf/accounts", open_kfid="wkOther")
    assert wecom.post("kf/sync_msg", {"open_kfid": "wkOther", "token": token})["errcode"] == 95007
    assert sync(wecom, token="made-up")["errcode"] == 95007
    wecom.act("POST", "clock", advance_s=600)
    assert sync(wecom, token=token)["errcode"] == 95007


def test_pulling_without_a_token_is_strictly_limited(wecom):  # 45009
    codes = [sync(wecom)["errcode"] for _ in range(11)]
    assert codes == [0] * 10 + [45009]
    wecom.act("POST", "limits", path="kf/sync_msg without token", per_minute=100)
    wecom.act("POST", "clock", advance_s=61)
    assert [sync(wecom)["errcode"] for _ in range(11)] == [0] * 11


@pytest.mark.parametrize(("fields", "errcode"), [
    ({"open_kfid": None}, 95000),
    ({"open_kfid": "kf1"}, 95000),
    ({"open_kfid": "wkNever"}, 95004),
    ({"cursor": "made up"}, 50100),
    ({"cursor": "x" * 65}, 40058),
    ({"limit": 1001}, 40058),
    ({"voice_format": 2}, 40058),
])  # fmt: skip
def test_pulling_names_what_is_wrong(wecom, fields, errcode):
    assert sync(wecom, **fields)["errcode"] == errcode


def test_an_app_without_the_right_pulls_nothing(wecom):  # 48007
    wecom.act("POST", "apps", secret="contact-only", rights=["contact"])
    wecom.secret = "contact-only"
    assert sync(wecom)["errcode"] == 48007


def test_accounts_are_added_changed_listed_and_deleted(wecom):  # 95004
    made = wecom.post("kf/account/add", {"name": "二号客服", "media_id": image(wecom)})["open_kfid"]
    update = {"open_kfid": made, "name": "新名", "media_id": image(wecom)}
    assert wecom.post("kf/account/update", update)["errcode"] == 0
    assert wecom.post("kf/account/update", update | {"media_id": "never"})["errcode"] == 40007
    rows = wecom.post("kf/account/list", {"offset": 0, "limit": 100})["account_list"]
    assert [(row["open_kfid"], row["name"]) for row in rows] == [(KF, "客服"), (made, "新名")]
    assert requests.get(rows[1]["avatar"], timeout=5).content.startswith(b"\x89PNG")
    assert len(wecom.post("kf/account/list", {"offset": 1, "limit": 1})["account_list"]) == 1
    assert wecom.post("kf/account/del", {"open_kfid": made})["errcode"] == 0
    assert wecom.post("kf/account/del", {"open_kfid": made})["errcode"] == 95004


def test_a_corp_has_a_limited_number_of_accounts(wecom):  # 95005
    assert wecom.act("POST", "limits")["kf_accounts"] == 5000
    wecom.act("POST", "limits", kf_accounts=2)
    body = {"name": "x", "media_id": image(wecom)}
    assert [wecom.post("kf/account/add", body)["errcode"] for _ in range(2)] == [0, 95005]


@pytest.mark.parametrize(("body", "errcode"), [
    ({"name": "x"}, 41006),
    ({"name": "x", "media_id": "never"}, 40007),
    ({"name": "字" * 17, "media_id": "never"}, 95006),
    ({"media_id": "never"}, 95006),
])  # fmt: skip
def test_adding_an_account_names_what_is_wrong(wecom, body, errcode):
    assert wecom.post("kf/account/add", body)["errcode"] == errcode


def test_a_link_opens_the_account_with_its_scene_and_parameter(wecom):
    link = wecom.post("kf/add_contact_way", {"open_kfid": KF, "scene": "shop_1"})["url"]
    assert wecom.post("kf/add_contact_way", {"open_kfid": KF, "scene": "shop_1"})["url"] == link
    opened = wecom.act("POST", "kf/sessions", external_userid="wm1", url=f"{link}&scene_param=a%3D1")
    [item] = sync(wecom)["msg_list"]
    assert item["event"] == {
        "event_type": "enter_session", "open_kfid": KF, "external_userid": "wm1", "scene": "shop_1",
        "scene_param": "a=1", "welcome_code": opened["welcome_code"],
    }  # fmt: skip
    assert (item["origin"], item["msgtype"]) == (4, "event")
    assert "external_userid" not in item


def test_a_link_without_a_scene_carries_no_parameter_and_can_be_scanned(wecom):
    link = wecom.post("kf/add_contact_way", {"open_kfid": KF})["url"]
    wecom.act("POST", "scan", qr_code=f"{link}?scene_param=x", name="Anna")
    [item] = sync(wecom)["msg_list"]
    assert (item["event"]["scene"], item["event"]["scene_param"]) == ("", "")
    wecom.act("POST", "kf/sessions", status=404, external_userid="wm1", url=f"{wecom.url}/kf/kfcNever")
    assert requests.get(link, allow_redirects=False, timeout=5).headers["Location"].startswith("/phone?kf=")


@pytest.mark.parametrize(("scene", "errcode"), [("a b", 40058), ("x" * 33, 40058), ("x" * 32, 0)])
def test_a_scene_is_checked(wecom, scene, errcode):
    assert wecom.post("kf/add_contact_way", {"open_kfid": KF, "scene": scene})["errcode"] == errcode


def test_servicers_come_and_go_with_a_result_each(wecom):  # 60111 40063
    wecom.act("POST", "staff", userid="lily")
    add = {"open_kfid": KF, "userid_list": ["lily", "nobody", "lily"], "department_id_list": [2]}
    rows = wecom.post("kf/servicer/add", add)["result_list"]
    assert [(row["errcode"], row["errmsg"]) for row in rows] == [
        (0, "success"), (60111, "fail"), (0, "ignored"), (0, "success"),
    ]  # fmt: skip
    wecom.act("POST", "kf/servicers", open_kfid=KF, userid="lily", receiving=False)
    listed = wecom.get("kf/servicer/list", open_kfid=KF)["servicer_list"]
    assert listed == [{"userid": "lily", "status": 1, "stop_type": 0}, {"department_id": 2}]
    [item] = sync(wecom)["msg_list"]
    assert item["event"]["event_type"] == "servicer_status_change"
    assert (item["event"]["servicer_userid"], item["event"]["status"]) == ("lily", 2)
    delete = {"open_kfid": KF, "userid_list": ["lily", "lily"], "department_id_list": [2, 3]}
    rows = wecom.post("kf/servicer/del", delete)["result_list"]
    assert [row["errmsg"] for row in rows] == ["success", "ignored", "success", "ignored"]
    assert wecom.get("kf/servicer/list", open_kfid=KF)["servicer_list"] == []
    many = {"open_kfid": KF, "department_id_list": list(range(21))}
    assert wecom.post("kf/servicer/add", many)["errcode"] == 40058
    assert wecom.post("kf/servicer/del", {"open_kfid": KF})["errcode"] == 40063
    assert wecom.get("kf/servicer/list", open_kfid="wkNever")["errcode"] == 95004


def test_an_unknown_id_that_begins_with_wk_makes_an_account(wecom):
    wecom.act("POST", "kf/messages", open_kfid="wkNew", external_userid="wm1", text="hi")
    assert [one["open_kfid"] for one in wecom.act("GET", "kf/accounts")["data"]] == [KF, "wkNew"]
    wecom.act("POST", "kf/messages", status=404, open_kfid="other", external_userid="wm1", text="hi")
    wecom.act("POST", "kf/messages", status=422, open_kfid=KF, external_userid="wm1")
