"""Misbehaviour on request, limits, the clock and the record of calls."""

import http.client
import threading
import time

import pytest
import requests


def test_an_error_on_request_is_answered_so_many_times(wecom):
    wecom.act("POST", "faults", path="getcallbackip", errcode=-1, times=2)
    assert [wecom.get("getcallbackip")["errcode"] for _ in range(3)] == [-1, -1, 0]


def test_a_fault_hits_its_own_path_once_by_default_and_can_be_taken_back(wecom):
    token = wecom.token
    wecom.act("POST", "faults", path="/cgi-bin/user/get", errcode=6000)
    assert wecom.get("getcallbackip", token=token)["errcode"] == 0
    assert wecom.get("user/get", token=token, userid="x")["errcode"] == 6000
    wecom.act("POST", "faults", path="*", errcode=45009, times=100)
    assert wecom.get("getcallbackip", token=token)["errcode"] == 45009
    wecom.act("DELETE", "faults")
    assert wecom.get("getcallbackip", token=token)["errcode"] == 0
    wecom.act("POST", "faults", status=422, path="x")
    wecom.act("POST", "faults", status=422, errcode=-1)


def welcome(wecom, code, timeout=10):
    url, token = f"{wecom.url}/cgi-bin/externalcontact/send_welcome_msg", wecom.token
    body = {"welcome_code": code, "text": {"content": "hi"}}
    return requests.post(url, params={"access_token": token}, json=body, timeout=timeout)


@pytest.mark.parametrize(("drop", "arrived"), [("before", 0), ("after", 1)])
def test_a_cut_connection_leaves_the_call_undone_or_done(wecom, drop, arrived):
    anna = wecom.befriend("lily")
    wecom.act("POST", "faults", path="externalcontact/send_welcome_msg", drop=drop)
    with pytest.raises(requests.ConnectionError):
        welcome(wecom, anna["welcome_code"])
    assert len(wecom.inbox(external_userid=anna["external_userid"])) == arrived
    [call] = wecom.act("GET", "calls", path="externalcontact/send_welcome_msg")["data"]
    assert call["status"] is None
    assert welcome(wecom, anna["welcome_code"]).json()["errcode"] == (41051 if arrived else 0)


def test_a_late_answer_comes_after_the_call_was_done(wecom):
    anna = wecom.befriend("lily")
    wecom.act("POST", "faults", path="externalcontact/send_welcome_msg", delay_s=1)
    with pytest.raises(requests.ReadTimeout):
        welcome(wecom, anna["welcome_code"], timeout=0.3)
    assert len(wecom.inbox(external_userid=anna["external_userid"])) == 1


def test_an_error_can_be_answered_although_it_was_done(wecom):
    anna = wecom.befriend("lily")
    wecom.act("POST", "faults", path="externalcontact/send_welcome_msg", errcode=-1, done=True)
    assert welcome(wecom, anna["welcome_code"]).json()["errcode"] == -1
    assert len(wecom.inbox(external_userid=anna["external_userid"])) == 1


def test_a_sleeping_fault_holds_up_nobody_else(wecom):
    token = wecom.token
    wecom.act("POST", "faults", path="user/get", delay_s=1)
    slow = threading.Thread(target=requests.get, args=(f"{wecom.url}/cgi-bin/user/get",), kwargs={"timeout": 5})
    slow.start()
    time.sleep(0.1)
    assert wecom.get("getcallbackip", token=token)["errcode"] == 0
    assert slow.is_alive()
    slow.join()


def test_an_api_called_too_often_is_refused_for_a_minute(wecom):  # 45009
    wecom.act("POST", "limits", path="getcallbackip", per_minute=3)
    token = wecom.token
    assert [wecom.get("getcallbackip", token=token)["errcode"] for _ in range(5)] == [0, 0, 0, 45009, 45009]
    assert wecom.get("get_api_domain_ip", token=token)["errcode"] == 0
    wecom.act("POST", "clock", advance_s=61)
    assert wecom.get("getcallbackip", token=token)["errcode"] == 0


def test_debug_calls_are_five_a_minute(wecom):  # 45009
    token = wecom.token
    codes = [wecom.get("getcallbackip", token=token, debug="1")["errcode"] for _ in range(6)]
    assert codes == [0, 0, 0, 0, 0, 45009]
    assert wecom.get("getcallbackip", token=token)["errcode"] == 0


def test_more_calls_at_once_than_may_be_are_refused(wecom):  # 45033
    wecom.act("POST", "limits", path="getcallbackip", concurrent=2)
    wecom.act("POST", "faults", path="getcallbackip", delay_s=0.5, times=2)
    token, codes = wecom.token, []

    def call():
        url = f"{wecom.url}/cgi-bin/getcallbackip"
        codes.append(requests.get(url, params={"access_token": token}, timeout=5).json()["errcode"])

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    assert wecom.get("getcallbackip", token=token)["errcode"] == 45033
    for thread in threads:
        thread.join()
    assert codes == [0, 0]
    assert wecom.get("getcallbackip", token=token)["errcode"] == 0


def test_an_act_that_is_no_object_or_nowhere_is_refused_in_words(wecom):
    answer = requests.post(f"{wecom.url}/sim/staff", data=b'["lily"]', timeout=5)
    assert (answer.status_code, answer.json()["detail"]) == (422, "the body is not a JSON object")
    assert requests.post(f"{wecom.url}/sim/staff", data=b"{", timeout=5).status_code == 400
    assert requests.get(f"{wecom.url}/sim/no/such", timeout=5).json()["status"] == 404


def test_every_call_is_recorded_with_its_answer(wecom):
    token = wecom.token
    wecom.post("externalcontact/remark", {"userid": "lily"}, token=token)
    calls = wecom.act("GET", "calls")["data"]
    assert [(one["method"], one["path"], one["status"]) for one in calls] == [
        ("GET", "gettoken", 200), ("POST", "externalcontact/remark", 200),
    ]  # fmt: skip
    assert calls[1]["body"] == {"userid": "lily"}
    assert calls[1]["answer"]["errcode"] == 41035
    assert calls[1]["query"] == {"access_token": token}
    assert calls[1]["at"].endswith("Z")
    assert wecom.act("GET", "calls", path="/cgi-bin/gettoken")["data"] == calls[:1]


def test_connections_are_kept_from_call_to_call(wecom):
    connection = http.client.HTTPConnection(wecom.url.removeprefix("http://"), timeout=5)
    connection.connect()
    first = connection.sock
    for path, body in (("gettoken", None), ("no/such/call", b"unread" * 1000), ("gettoken", None)):
        connection.request("POST" if body else "GET", f"/cgi-bin/{path}", body)
        assert b"errcode" in connection.getresponse().read()
        assert connection.sock is first
    connection.close()
