"""Customers handed from one member to another, on the job and after he left."""

import pytest

ON_THE_JOB = "externalcontact/transfer_customer"
RESULT = "externalcontact/transfer_result"
BETWEEN = {"handover_userid": "lily", "takeover_userid": "leo"}


@pytest.fixture
def anna(wecom):
    wecom.act("POST", "staff", userid="leo")
    return wecom.befriend("lily", external_userid="wm1", name="Anna")["external_userid"]


def begin(wecom, *who, path=ON_THE_JOB, **more):
    answer = wecom.post(path, BETWEEN | {"external_userid": [*who]} | more)
    return [one["errcode"] for one in answer["customer"]] if answer["errcode"] == 0 else answer["errcode"]


def result(wecom, path=RESULT, **more):
    return [one["status"] for one in wecom.post(path, BETWEEN | more)["customer"]]


def pass_days(wecom, days):
    wecom.act("POST", "clock", advance_s=days * 86_400)


def changes(wecom):
    return [(one["ChangeType"], one["UserID"], one.get("Source")) for one in wecom.events()][1:]


def followers(wecom, who):
    answer = wecom.get("externalcontact/get", external_userid=who)
    return [one["userid"] for one in answer["follow_user"]]


def test_on_the_job_she_goes_over_after_a_day_with_two_events(wecom, anna):  # C5
    assert begin(wecom, anna, transfer_success_msg="我是李奥") == [0]
    pass_days(wecom, 0.99)
    assert (result(wecom), followers(wecom, anna)) == ([2], ["lily"])
    pass_days(wecom, 0.02)
    assert (result(wecom), followers(wecom, anna)) == ([1], ["leo"])
    assert changes(wecom) == [
        ("del_external_contact", "lily", "DELETE_BY_TRANSFER"), ("add_external_contact", "leo", None)
    ]  # fmt: skip
    assert [one["text"]["content"] for one in wecom.inbox(external_userid=anna)] == ["我是李奥"]
    assert "WelcomeCode" not in wecom.events()[-1]


def test_each_customer_has_an_errcode_of_her_own(wecom, anna):  # C5
    wecom.befriend("leo", external_userid="wm2")
    assert begin(wecom, anna, "wm2", "wmNobody") == [0, 40131, 40096]
    assert begin(wecom, anna) == [40129]


def test_on_the_job_she_is_handed_on_twice_in_ninety_days(wecom, anna):  # C5
    there, back = BETWEEN, {"handover_userid": "leo", "takeover_userid": "lily"}
    for way in (there, back):
        assert begin(wecom, anna, **way) == [0]
        pass_days(wecom, 1)
    assert begin(wecom, anna) == [40128]
    pass_days(wecom, 90)
    assert begin(wecom, anna) == [0]


@pytest.mark.parametrize(("reason", "status"), [("customer_refused", 3), ("customer_limit_exceed", 4)])
def test_it_can_fail(wecom, anna, reason, status):  # C5
    begin(wecom, anna)
    wecom.act("POST", f"transfers/{anna}/end", reason=reason)
    pass_days(wecom, 2)
    assert (result(wecom), followers(wecom, anna)) == ([status], ["lily"])
    failed = wecom.events()[-1]
    assert (failed["ChangeType"], failed["FailReason"], failed["UserID"]) == ("transfer_fail", reason, "leo")


@pytest.mark.parametrize(("body", "errcode"), [
    ({"takeover_userid": "lily"}, 40130), ({"takeover_userid": "ghost"}, 60111), ({"handover_userid": ""}, 41009),
    ({"external_userid": []}, 41035), ({"external_userid": ["wm1"] * 101}, 40058),
    ({"external_userid": ["wm1"], "transfer_success_msg": "长" * 201}, 40058),
])  # fmt: skip
def test_what_cant_be_begun_is_refused(wecom, anna, body, errcode):  # C5
    assert wecom.post(ON_THE_JOB, BETWEEN | {"external_userid": [anna]} | body)["errcode"] == errcode


def test_who_has_left_leaves_customers_that_are_listed_and_handed_on(wecom, anna):  # C5
    path = "externalcontact/resigned/transfer_customer"
    assert begin(wecom, anna, path=path) == 40097
    wecom.act("DELETE", "staff/lily")
    (row,) = wecom.post("externalcontact/get_unassigned_list", {"page_size": 1})["info"]
    assert (row["handover_userid"], row["external_userid"]) == ("lily", anna)
    assert wecom.post(ON_THE_JOB, BETWEEN | {"external_userid": [anna]})["errcode"] == 60111
    assert begin(wecom, anna, path=path) == [0]
    pass_days(wecom, 1)
    assert (result(wecom, "externalcontact/resigned/transfer_result"), followers(wecom, anna)) == ([1], ["leo"])
    assert changes(wecom) == [("add_external_contact", "leo", None)]
    assert wecom.post("externalcontact/get_unassigned_list")["info"] == []
