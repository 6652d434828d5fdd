"""Access tokens, tickets and the gate every call goes through."""

import pytest
import requests

from bot import simulator

CORP, SECRET = "ww0123456789abcdef", "app-secret"


def test_a_secret_gets_the_same_token_until_it_expires(wecom):
    first = wecom.get("gettoken", token="", corpid=CORP, corpsecret=SECRET)
    assert first["errcode"] == 0
    assert first["errmsg"] == "ok"
    assert first["expires_in"] <= 7200
    assert wecom.token == first["access_token"]
    wecom.act("POST", "clock", advance_s=7100)
    again = wecom.get("gettoken", token="", corpid=CORP, corpsecret=SECRET)
    assert again["access_token"] == first["access_token"]
    assert again["expires_in"] <= 100
    wecom.act("POST", "clock", advance_s=100)
    assert wecom.token != first["access_token"]
    assert wecom.get("getcallbackip", token=first["access_token"])["errcode"] == 42001


@pytest.mark.parametrize(("query", "errcode"), [
    ({}, 41002),
    ({"corpid": CORP}, 41004),
    ({"corpid": "ww_other", "corpsecret": SECRET}, 40013),
    ({"corpid": CORP, "corpsecret": "wrong"}, 40001),
])  # fmt: skip
def test_gettoken_names_what_is_wrong(wecom, query, errcode):
    assert wecom.get("gettoken", token="", **query)["errcode"] == errcode


def test_a_disabled_app_gets_no_token_and_its_old_one_is_refused(wecom):  # 40001 50003
    token = wecom.token
    wecom.act("POST", "apps", disabled=True)
    assert wecom.get("gettoken", token="", corpid=CORP, corpsecret=SECRET)["errcode"] == 40001
    assert wecom.get("getcallbackip", token=token)["errcode"] == 50003


def test_a_call_without_or_with_a_bad_token_is_refused(wecom):  # 41001 40014
    assert wecom.get("getcallbackip", token="")["errcode"] == 41001
    assert wecom.get("getcallbackip", token="never-issued")["errcode"] == 40014


def test_a_token_taken_back_early_is_invalid_and_a_new_one_works(wecom):  # 40014 42001
    old = wecom.token
    wecom.act("POST", "tokens/revoke")
    assert wecom.get("getcallbackip", token=old)["errcode"] == 40014
    fresh = wecom.token
    assert fresh != old
    assert wecom.get("getcallbackip", token=fresh)["errcode"] == 0
    wecom.act("POST", "tokens/revoke", expire=True)
    assert wecom.get("getcallbackip", token=fresh)["errcode"] == 42001


def test_tokens_belong_to_one_secret(wecom):  # 48002 48007
    wecom.act("POST", "apps", secret="plain", agentid=7, rights=[])
    own = wecom.token
    wecom.secret = "plain"
    assert wecom.token != own
    assert wecom.get("externalcontact/get_follow_user_list")["errcode"] == 48002
    assert wecom.get("externalcontact/get_follow_user_list", token=own)["errcode"] == 0


def test_too_many_wrong_secrets_ban_the_address_for_an_hour(wecom):  # 45009
    wecom.act("POST", "limits", wrong_secrets=3)
    answers = [wecom.get("gettoken", token="", corpid=CORP, corpsecret="wrong")["errcode"] for _ in range(5)]
    assert answers == [40001, 40001, 40001, 40001, 45009]
    assert wecom.get("gettoken", token="", corpid=CORP, corpsecret=SECRET)["errcode"] == 45009
    wecom.act("POST", "clock", advance_s=3600)
    assert wecom.get("gettoken", token="", corpid=CORP, corpsecret=SECRET)["errcode"] == 0


def test_an_address_outside_the_trusted_ones_is_refused(wecom):  # 60020
    wecom.act("POST", "apps", trusted_ips=["10.0.0.1"])
    assert wecom.get("getcallbackip")["errcode"] == 60020
    wecom.act("POST", "apps", trusted_ips="all")
    assert wecom.get("getcallbackip")["ip_list"] == ["127.0.0.1"]


def test_tickets_are_kept_per_corp_and_per_app(wecom):  # 91040
    corp, app = wecom.get("get_jsapi_ticket")["ticket"], wecom.get("ticket/get", type="agent_config")["ticket"]
    assert corp != app
    assert wecom.get("get_jsapi_ticket")["ticket"] == corp
    wecom.act("POST", "apps", secret="other", agentid=8)
    wecom.secret = "other"
    assert wecom.get("get_jsapi_ticket")["ticket"] == corp
    assert wecom.get("ticket/get", type="agent_config")["ticket"] != app
    assert wecom.get("ticket/get", type="jsapi")["errcode"] == 91040
    assert wecom.get("getcallbackip", token=corp)["errcode"] == 40014


def test_an_app_asks_for_a_hundred_tickets_an_hour_at_most(wecom):  # 45009
    token = wecom.token
    codes = [wecom.get("get_jsapi_ticket", token=token)["errcode"] for _ in range(101)]
    assert codes == [0] * 100 + [45009]


def test_an_unknown_call_a_wrong_verb_and_a_bad_body_are_refused(wecom):  # 40058
    unknown = requests.get(f"{wecom.url}/cgi-bin/no/such", params={"access_token": wecom.token}, timeout=5)
    assert unknown.status_code == 404
    assert unknown.json()["errcode"] == 40058
    assert wecom.post("externalcontact/list")["errcode"] == 40058
    assert wecom.get("externalcontact/remark")["errcode"] == 40058
    url, params = f"{wecom.url}/cgi-bin/externalcontact/remark", {"access_token": wecom.token}
    for body in (b"{not json", b"", b'["a list"]'):
        assert requests.post(url, params=params, data=body, timeout=5).json()["errcode"] == 40058


def test_a_refusal_has_wecoms_words_hint_address_and_page(wecom):
    answer = wecom.get("getcallbackip", token="x")
    words, hint, address, page = answer["errmsg"].split(", ")
    assert words == "invalid access_token"
    assert address == "from ip: 127.0.0.1"
    assert hint.startswith("hint: [")
    assert hint[7:-1].isdecimal()
    assert page == "more info at https://open.work.weixin.qq.com/devtool/query?e=40014"


def test_two_simulators_share_nothing(wecom, session):
    with simulator.start("ww_second", "s2") as other:
        wecom.befriend(external_userid="wm1")
        assert session.get(f"{other.url}/sim/contacts", timeout=5).json() == {"data": []}
        answer = session.get(f"{other.url}/cgi-bin/getcallbackip", params={"access_token": wecom.token}, timeout=5)
        assert answer.json()["errcode"] == 40014
