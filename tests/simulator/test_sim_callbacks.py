"""Events as they are delivered: verified, encrypted, retried, duplicated, reordered."""

import time

import pytest

from bot import simulator

CORP, SECRET, TOKEN = "ww0123456789abcdef", "app-secret", "callbackToken"
AES_KEY = "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR"


def test_an_added_customer_is_announced_with_state_and_code(wecom):
    anna = wecom.befriend("lily", state="ch01")
    [event] = wecom.events()
    about = {
        "ToUserName": CORP, "FromUserName": "sys", "MsgType": "event", "Event": "change_external_contact",
        "ChangeType": "add_external_contact", "UserID": "lily", "ExternalUserID": anna["external_userid"],
        "State": "ch01", "WelcomeCode": anna["welcome_code"],
    }  # fmt: skip
    assert event == about | {"CreateTime": event["CreateTime"]}
    assert abs(int(event["CreateTime"]) - time.time()) < 5
    assert wecom.receiver.verified == ["/cb"]
    assert wecom.receiver.paths == ["/cb"]
    assert b"<AgentID><![CDATA[1000002]]></AgentID>" in wecom.receiver.bodies[0]


def test_every_change_of_a_relation_has_its_own_event(wecom):
    wecom.befriend("lily", external_userid="wm1", half=True)
    wecom.befriend("lily", external_userid="wm1")
    wecom.befriend("lily", external_userid="wm1")
    wecom.act("PATCH", "contacts/wm1", userid="lily", remark="A")
    wecom.act("DELETE", "contacts/wm1", userid="lily", by="customer")
    wecom.befriend("lily", external_userid="wm1")
    wecom.act("DELETE", "contacts/wm1", userid="lily", by="staff")
    assert [event["ChangeType"] for event in wecom.events()] == [
        "add_half_external_contact", "add_external_contact", "edit_external_contact", "del_follow_user",
        "add_external_contact", "del_external_contact",
    ]  # fmt: skip


def test_a_customer_without_state_and_a_welcome_of_the_console_leave_the_fields_out(wecom):
    wecom.act("POST", "staff", userid="mark", native_welcome=True)
    wecom.befriend("mark")
    [event] = wecom.events()
    assert "State" not in event
    assert "WelcomeCode" not in event


def test_what_the_api_does_calls_nobody_back(wecom):
    wecom.befriend("lily", external_userid="wm1")
    wecom.post("externalcontact/remark", {"userid": "lily", "external_userid": "wm1", "remark": "A"})
    assert len(wecom.events()) == 1


def test_members_out_of_sight_or_without_permission_call_nobody_back(wecom):
    wecom.act("POST", "apps", visible=["lily", "kate"])
    wecom.act("POST", "staff", userid="kate", contact=False)
    wecom.befriend("mark")
    wecom.befriend("kate")
    assert wecom.events() == []


def test_a_refused_event_is_tried_three_times_and_then_given_up(wecom):
    wecom.act("POST", "callbacks", retry_s=0.01)
    wecom.receiver.statuses = [500, 404, 200]
    wecom.befriend("lily", external_userid="wm1")
    assert len(wecom.events()) == 1
    assert len(wecom.receiver.bodies) == 3
    wecom.receiver.statuses = [500, 302, 503, 200]
    wecom.befriend("lily", external_userid="wm2")
    wecom.events()
    assert len(wecom.receiver.bodies) == 6
    tries = [(one["status"], one["tries"]) for one in wecom.act("GET", "callbacks")["data"]]
    assert tries == [("delivered", ["500", "404", "200"]), ("failed", ["500", "302", "503"])]


def test_a_receiver_that_takes_too_long_is_tried_again(wecom):
    wecom.act("POST", "callbacks", retry_s=0.01, timeout_s=0.1)
    wecom.receiver.delay_s = 0.3
    wecom.befriend("lily")
    wecom.events()
    [delivery] = wecom.act("GET", "callbacks")["data"]
    assert delivery["tries"] == ["ReadTimeout"] * 3
    time.sleep(0.4)  # the receiver still answers what was hung up on
    assert len({event["CreateTime"] for event in wecom.receiver.events}) == 1


def test_duplicated_events_are_the_same_document_sealed_anew(wecom):
    wecom.act("POST", "callbacks", duplicate=True)
    wecom.befriend("lily")
    first, second = wecom.events()
    assert first == second
    assert wecom.receiver.bodies[0] != wecom.receiver.bodies[1]
    wecom.act("POST", "callbacks", duplicate=False)
    assert wecom.act("POST", "callbacks/repeat", last=1) == {"repeated": 1}
    assert wecom.events()[2] == first


def test_reordered_events_all_arrive_in_another_order(wecom):
    wecom.act("POST", "callbacks", reorder=True)
    for number in range(30):
        wecom.befriend("lily", external_userid=f"wm{number:02}")
    order = [event["ExternalUserID"] for event in wecom.events()]
    assert sorted(order) == [f"wm{number:02}" for number in range(30)]
    assert order != sorted(order)


def test_events_of_one_customer_stay_in_order_beside_others(wecom):
    for number in range(20):
        wecom.befriend("lily", external_userid="wm1" if number == 0 else f"wm_{number}")
        wecom.act("PATCH", "contacts/wm1", userid="lily", remark=str(number))
        wecom.act("POST", "clock", advance_s=1)
    edits = [int(event["CreateTime"]) for event in wecom.events() if event["ExternalUserID"] == "wm1"]
    assert len(edits) == 21
    assert edits == sorted(edits)


def test_an_address_that_does_not_verify_itself_is_the_stem_of_three(wecom):
    wecom.receiver.verifies = [f"/wecom/callback/{source}" for source in ("contact", "app", "kf")]
    wecom.act("POST", "callbacks", url=f"{wecom.receiver.url}/wecom/callback", token=TOKEN, aes_key=AES_KEY)
    wecom.befriend("lily")
    assert len(wecom.events()) == 1
    assert wecom.receiver.paths == ["/wecom/callback/contact"]


def test_an_address_ending_in_a_source_takes_every_event(wecom):
    wecom.receiver.verifies = [f"/wecom/callback/{source}" for source in ("contact", "app", "kf")]
    wecom.act("POST", "callbacks", url=f"{wecom.receiver.url}/wecom/callback/kf", token=TOKEN, aes_key=AES_KEY)
    wecom.befriend("lily")
    assert len(wecom.events()) == 1
    assert wecom.receiver.paths == ["/wecom/callback/kf"]


def test_wecom_waits_five_seconds_unless_told_otherwise(wecom):
    told = {"duplicate": False, "reorder": False, "delay_s": 0.0, "retry_s": 1.0, "timeout_s": 5.0}
    assert wecom.act("POST", "callbacks") == told


def test_without_an_address_events_are_logged_and_given_up_at_once(quiet):
    quiet.befriend("lily")
    assert quiet.events() == []
    [delivery] = quiet.act("GET", "callbacks")["data"]
    assert (delivery["status"], delivery["tries"]) == ("failed", ["Unverified"])


def test_nothing_is_sent_to_an_address_that_does_not_verify(wecom):
    wecom.receiver.verifies = []
    wecom.act("POST", "callbacks", retry_s=0.01)
    wecom.befriend("lily")
    assert wecom.events() == []
    assert wecom.receiver.bodies == []
    assert wecom.act("GET", "callbacks")["data"][0]["tries"] == ["Unverified"] * 3
    wecom.receiver.verifies = ["/cb"]
    wecom.befriend("lily")
    assert len(wecom.events()) == 1


def test_a_malformed_key_is_refused_at_start_and_later(wecom):
    wecom.act("POST", "callbacks", status=422, url=f"{wecom.receiver.url}/cb", token=TOKEN, aes_key="short")
    with pytest.raises(ValueError, match="43"):
        simulator.start(CORP, SECRET, f"{wecom.receiver.url}/cb", TOKEN, "short")
    with pytest.raises(ValueError, match="needs a token"):
        simulator.start(CORP, SECRET, f"{wecom.receiver.url}/cb")
