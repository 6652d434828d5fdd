"""Messages to members, their recall, and what members write to the app."""

import pytest


@pytest.fixture(autouse=True)
def people(wecom):
    for number, userid in enumerate(("lily", "mark", "kate"), 1):
        wecom.act("POST", "staff", userid=userid, departments=[number])


def send(wecom, **fields):
    body = {"touser": "lily", "msgtype": "text", "agentid": 1000002, "text": {"content": "hi"}} | fields
    return wecom.post("message/send", body)


def test_a_message_reaches_who_can_be_reached_and_names_the_rest(wecom):
    answer = send(wecom, touser="lily|nobody", toparty="2|77", totag="5")
    assert (answer["invaliduser"], answer["invalidparty"], answer["invalidtag"]) == ("nobody", "77", "5")
    [message] = wecom.inbox(userid="lily")
    assert message | {"via": "app", "from": "1000002", "msgtype": "text", "text": {"content": "hi"}} == message
    assert len(wecom.inbox(userid="mark")) == 1
    assert wecom.inbox(userid="kate") == []


def test_all_is_everybody_in_sight(wecom):
    wecom.act("POST", "apps", visible=["mark", "kate"])
    assert send(wecom, touser="@all")["errcode"] == 0
    assert [len(wecom.inbox(userid=one)) for one in ("lily", "mark", "kate")] == [0, 1, 1]


@pytest.mark.parametrize(("fields", "errcode"), [
    ({"touser": ""}, 82001),
    ({"touser": "nobody"}, 81013),
    ({"touser": "", "totag": "5"}, 81013),
    ({"touser": "|".join(["lily"] * 1001)}, 40032),
    ({"toparty": "|".join(["1"] * 101)}, 82002),
    ({"totag": "|".join(["1"] * 101)}, 82003),
    ({"agentid": None}, 41011),
    ({"agentid": "1000002"}, 40058),
    ({"agentid": 999}, 40056),
    ({"agentid": 7}, 301002),
    ({"msgtype": ""}, 40008),
    ({"msgtype": "hologram"}, 40008),
    ({"text": {}}, 44004),
    ({"text": {"content": "积" * 683}}, 45002),
    ({"text": {"content": "积" * 682}}, 0),
    ({"msgtype": "image", "image": {"media_id": "never"}}, 40007),
    ({"msgtype": "image", "image": {}}, 41006),
    ({"msgtype": "textcard", "textcard": {"title": "t", "description": "d"}}, 41010),
    ({"msgtype": "textcard", "textcard": {"title": "t"}}, 41033),
    ({"msgtype": "textcard", "textcard": {}}, 41016),
    ({"msgtype": "news", "news": {"articles": []}}, 45008),
    ({"msgtype": "news", "news": {"articles": [{}]}}, 41016),
    ({"msgtype": "template_card", "template_card": {}}, 42031),
    ({"msgtype": "markdown", "markdown": {"content": "**x**"}}, 0),
])  # fmt: skip
def test_sending_names_what_is_wrong(wecom, fields, errcode):
    wecom.act("POST", "apps", secret="other", agentid=7)
    wecom.act("POST", "apps", agentid=1000002)
    assert send(wecom, **fields)["errcode"] == errcode


def test_an_app_that_was_not_told_its_agentid_takes_the_first_it_is_used_with(wecom):  # 40056
    assert send(wecom, agentid=1000077)["errcode"] == 0
    assert send(wecom, agentid=1000002)["errcode"] == 40056


def test_an_app_reads_itself_and_no_other(wecom):  # 301002 40056 41011
    wecom.act("POST", "apps", secret="other", agentid=7)
    wecom.act("POST", "apps", agentid=1000002)
    assert wecom.get("agent/get", agentid=1000002)["agentid"] == 1000002
    assert wecom.get("agent/get", agentid=7)["errcode"] == 301002
    assert wecom.get("agent/get", agentid=8)["errcode"] == 40056
    assert wecom.get("agent/get")["errcode"] == 41011


def test_a_template_card_comes_with_a_response_code(wecom):
    answer = send(wecom, msgtype="template_card", template_card={"card_type": "text_notice"})
    assert answer["response_code"]


def test_more_than_thirty_a_minute_to_one_member_are_dropped_silently(wecom):
    token = wecom.token
    body = {"touser": "lily", "msgtype": "text", "agentid": 1000002, "text": {"content": "hi"}}
    codes = [wecom.post("message/send", body, token=token)["errcode"] for _ in range(32)]
    assert codes == [0] * 32
    assert len(wecom.inbox(userid="lily")) == 30


def test_a_repeated_message_is_dropped_where_that_is_asked_for(wecom):
    for _ in range(2):
        send(wecom, enable_duplicate_check=1)
    assert len(wecom.inbox(userid="lily")) == 1
    wecom.act("POST", "clock", advance_s=1800)
    send(wecom, enable_duplicate_check=1)
    send(wecom)
    assert len(wecom.inbox(userid="lily")) == 3


def test_a_message_is_taken_back_within_a_day(wecom):  # 42052 40063 40058
    first = send(wecom)["msgid"]
    assert wecom.post("message/recall", {"msgid": first})["errcode"] == 0
    assert wecom.inbox(userid="lily") == []
    second = send(wecom)["msgid"]
    wecom.act("POST", "clock", advance_s=86400)
    assert wecom.post("message/recall", {"msgid": second})["errcode"] == 42052
    assert wecom.post("message/recall")["errcode"] == 40063
    assert wecom.post("message/recall", {"msgid": "never"})["errcode"] == 40058


def test_what_a_member_writes_is_called_back_and_a_passive_answer_reaches_him(wecom):
    inner = "<xml><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[100 分]]></Content></xml>"
    wecom.receiver.answer = wecom.receiver.crypto.encrypt_message(inner, "n", "1").encode()
    written = wecom.act("POST", "app-messages", userid="lily", text="积分")
    [event] = wecom.events()
    assert (event["FromUserName"], event["MsgType"], event["Content"]) == ("lily", "text", "积分")
    assert (event["MsgId"], event["AgentID"]) == (written["msgid"], "1000002")
    [answer] = wecom.inbox(userid="lily")
    assert answer["text"] == {"content": "100 分"}


def test_what_a_member_taps_is_an_event(wecom):
    wecom.act("POST", "app-events", userid="lily", event="click", event_key="points")
    [event] = wecom.events()
    assert (event["FromUserName"], event["Event"], event["EventKey"]) == ("lily", "click", "points")
