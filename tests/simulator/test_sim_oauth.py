"""OAuth codes: who opened a page, once, within five minutes."""

from urllib.parse import parse_qs, urlsplit

import pytest
import requests

CORP = "ww0123456789abcdef"


def code(wecom, **whom):
    return wecom.act("POST", "oauth", **whom)["code"]


def test_a_member_is_named_by_userid_a_customer_by_both_ids(wecom):
    wecom.befriend("lily", external_userid="wm1")
    member = wecom.get("auth/getuserinfo", code=code(wecom, userid="lily"))
    assert member["userid"] == "lily"
    assert member["user_ticket"]
    assert member["expires_in"] == 1800
    customer = wecom.get("auth/getuserinfo", code=code(wecom, external_userid="wm1"))
    assert customer["external_userid"] == "wm1"
    assert customer["openid"].startswith("o")


def test_a_code_is_somebodys(wecom):
    for whom in ({}, {"userid": "lily", "external_userid": "wm1"}):
        wecom.act("POST", "oauth", status=422, **whom)


def test_who_is_no_customer_of_a_member_in_sight_has_an_openid_only(wecom):
    stranger = wecom.get("auth/getuserinfo", code=code(wecom, external_userid="wmStranger"))
    assert stranger["openid"]
    assert "external_userid" not in stranger
    wecom.befriend("lily", external_userid="wm1")
    wecom.act("POST", "apps", visible=["mark"])
    assert "external_userid" not in wecom.get("auth/getuserinfo", code=code(wecom, external_userid="wm1"))


def test_a_code_is_good_once_and_for_five_minutes(wecom):  # 40029
    wecom.befriend("lily")
    once = code(wecom, userid="lily")
    assert [wecom.get("auth/getuserinfo", code=once)["errcode"] for _ in range(2)] == [0, 40029]
    late = code(wecom, userid="lily")
    wecom.act("POST", "clock", advance_s=300)
    assert wecom.get("auth/getuserinfo", code=late)["errcode"] == 40029
    assert wecom.get("auth/getuserinfo")["errcode"] == 40029


def test_the_old_call_has_capital_names(wecom):
    wecom.befriend("lily", external_userid="wm1")
    assert wecom.get("user/getuserinfo", code=code(wecom, userid="lily"))["UserId"] == "lily"
    assert wecom.get("user/getuserinfo", code=code(wecom, external_userid="wm1"))["OpenId"]


@pytest.mark.parametrize("how", ["query", "cookie"])
def test_the_authorize_page_sends_her_back_with_a_code_and_the_state(wecom, how):
    wecom.befriend("lily", external_userid="wm1")
    query = {"appid": CORP, "redirect_uri": "https://shop.test/h5?a=1", "scope": "snsapi_base", "state": "s1"}
    who = {"external_userid": "wm1"}
    answer = requests.get(
        f"{wecom.url}/connect/oauth2/authorize", params=query | (who if how == "query" else {}),
        cookies=who if how == "cookie" else {}, allow_redirects=False, timeout=5,
    )  # fmt: skip
    target = urlsplit(answer.headers["Location"])
    back = parse_qs(target.query)
    assert target.netloc == "shop.test"
    assert back["a"] == ["1"]
    assert back["state"] == ["s1"]
    assert wecom.get("auth/getuserinfo", code=back["code"][0])["external_userid"] == "wm1"


def test_an_authorize_page_of_another_corp_or_of_nobody_is_refused(wecom):
    page = f"{wecom.url}/connect/oauth2/authorize"
    her = {"external_userid": "wm1", "redirect_uri": "https://shop.test/h5"}
    other = requests.get(page, params=her | {"appid": "ww_other"}, allow_redirects=False, timeout=5)
    assert (other.status_code, other.json()["detail"]) == (422, f"appid is not {CORP}")
    assert requests.get(page, params={"appid": CORP}, timeout=5).status_code == 422
