"""The phone: a person plays the customer with forms alone."""

import re
from typing import Any

import requests

ADD = "externalcontact/add_contact_way"


def test_she_scans_chats_and_leaves_by_the_phone(wecom: Any) -> None:
    wecom.act("POST", "staff", userid="lily", name="莉莉")
    wecom.act("POST", "kf/accounts", name="客服", open_kfid="wkshop")
    way = wecom.post(ADD, {"type": 1, "scene": 2, "user": ["lily"], "remark": "桌贴", "state": "t1"})
    page = requests.get(f"{wecom.url}/phone", timeout=5).text
    assert "桌贴" in page
    scanned = requests.post(
        f"{wecom.url}/phone/scan", data={"as": "new", "name": "陈静怡", "code": way["config_id"]}, timeout=5
    )
    who = re.search(r"who=(wm\w+)", scanned.url)
    assert who, scanned.url
    said = {"who": who[1], "kf": "wkshop", "text": "我的积分"}
    assert "我的积分" in requests.post(f"{wecom.url}/phone/say", data=said, timeout=5).text
    assert "莉莉" in requests.get(f"{wecom.url}/phone", params={"who": who[1]}, timeout=5).text
    requests.post(f"{wecom.url}/phone/leave", data={"who": who[1], "userid": "lily"}, timeout=5)
    [relation] = wecom.act("GET", "contacts")["data"][0]["relations"]
    assert relation["left"]


def test_what_is_refused_is_said_on_the_page(wecom: Any) -> None:
    answer = requests.post(f"{wecom.url}/phone/scan", data={"as": "new", "name": "A", "code": "nowhere"}, timeout=5)
    assert "nowhere leads nowhere" in answer.text


def test_who_asked_for_a_person_is_answered_and_let_go_by_the_desk(wecom: Any) -> None:
    for userid, name in (("lily", "莉莉"), ("leo", "李奥")):
        wecom.act("POST", "staff", userid=userid, name=name)
        wecom.act("POST", "kf/servicers", open_kfid="wkshop", userid=userid)
    who = wecom.act("POST", "kf/messages", open_kfid="wkshop", text="人工", name="陈静怡")["external_userid"]
    here = {"who": who}

    def desk(act: str, **form: str) -> str:
        return requests.post(f"{wecom.url}/phone/{act}", data={**here, **form}, timeout=5).text

    assert "the bot has her session" in desk("answer", userid="leo", text="在的")
    wecom.post("kf/service_state/trans", {"open_kfid": "wkshop", "external_userid": who, "service_state": 2})
    assert "她在排队等人工" in requests.get(f"{wecom.url}/phone/screen", params=here, timeout=5).text
    page = desk("answer", userid="leo", text="您好，我是李奥")
    assert "您好，我是李奥" in page
    assert "李奥 正在接待她" in page
    assert "还是李奥" in desk("answer", userid="lily", text="还是李奥")  # who has her speaks, whoever is chosen
    senders = [one["from"] for one in wecom.act("GET", "kf/messages", external_userid=who)["data"]]
    assert senders == ["customer", "leo", "leo"]
    assert "正在接待她" not in desk("end")
    state = wecom.post("kf/service_state/get", {"open_kfid": "wkshop", "external_userid": who})
    assert state["service_state"] == 4
