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
