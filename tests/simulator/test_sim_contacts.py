"""Members, customers, relations and what the API may see of them."""

import pytest


def test_a_customer_who_adds_a_member_is_read_with_her_source(wecom):
    added = wecom.befriend("lily", name="Anna", gender=2, unionid="oz1", state="ch01")
    anna = wecom.get("externalcontact/get", external_userid=added["external_userid"])
    assert {"name": "Anna", "gender": 2, "unionid": "oz1", "type": 1}.items() <= anna["external_contact"].items()
    [relation] = anna["follow_user"]
    assert (relation["userid"], relation["state"], relation["add_way"], relation["tags"]) == ("lily", "ch01", 1, [])
    assert wecom.get("externalcontact/list", userid="lily")["external_userid"] == [added["external_userid"]]
    assert wecom.get("externalcontact/get_follow_user_list")["follow_user"] == ["lily"]


def test_more_than_five_hundred_followers_come_in_pages(quiet):
    for number in range(501):
        quiet.befriend(f"u{number}", external_userid="wm1")
    first = quiet.get("externalcontact/get", external_userid="wm1")
    rest = quiet.get("externalcontact/get", external_userid="wm1", cursor=first["next_cursor"])
    assert [len(page["follow_user"]) for page in (first, rest)] == [500, 1]
    assert "next_cursor" not in rest


def test_a_wecom_user_has_a_company_and_no_unionid(wecom):
    wecom.befriend("lily", external_userid="woPartner", name="Paul", corp_name="Acme")
    paul = wecom.get("externalcontact/get", external_userid="woPartner")["external_contact"]
    assert paul["type"] == 2
    assert paul["corp_name"] == "Acme"
    assert "unionid" not in paul


def test_fields_nobody_documented_are_in_every_answer(wecom):
    wecom.befriend("lily", external_userid="wm1")
    answer = wecom.get("externalcontact/get", external_userid="wm1")
    assert "reserved" in answer
    assert "reserved_info" in answer["external_contact"]


@pytest.mark.parametrize(("path", "query", "errcode"), [
    ("user/get", {}, 41009),
    ("user/get", {"userid": "nobody"}, 60111),
    ("externalcontact/list", {}, 41009),
    ("externalcontact/list", {"userid": "nobody"}, 60111),
    ("externalcontact/list", {"userid": "mark"}, 84061),
    ("externalcontact/list", {"userid": "kate"}, 84074),
    ("externalcontact/get", {}, 41035),
    ("externalcontact/get", {"external_userid": "wmNever"}, 40096),
    ("externalcontact/get", {"external_userid": "w" * 65}, 40058),
    ("externalcontact/get", {"external_userid": "wm1", "cursor": "made up"}, 50100),
])  # fmt: skip
def test_reading_names_what_is_wrong(wecom, path, query, errcode):
    wecom.befriend("lily", external_userid="wm1")
    wecom.act("POST", "staff", userid="mark")
    wecom.act("POST", "staff", userid="kate", contact=False)
    assert wecom.get(path, **query)["errcode"] == errcode


def test_what_is_out_of_the_visible_range_is_refused_or_left_out(wecom):  # 60011 84061
    wecom.befriend("lily", external_userid="wm1")
    wecom.befriend("mark", external_userid="wm1")
    wecom.befriend("mark", external_userid="wm2")
    wecom.act("POST", "apps", visible=["lily"])
    assert wecom.get("user/get", userid="mark")["errcode"] == 60011
    assert wecom.get("externalcontact/list", userid="mark")["errcode"] == 60011
    assert wecom.get("externalcontact/get_follow_user_list")["follow_user"] == ["lily"]
    assert [one["userid"] for one in wecom.get("externalcontact/get", external_userid="wm1")["follow_user"]] == ["lily"]
    assert wecom.get("externalcontact/get", external_userid="wm2")["errcode"] == 84061


def test_a_half_relation_is_out_of_reach_until_the_member_adds_back(wecom):  # 84061
    wecom.befriend("lily", external_userid="wm1", half=True)
    assert wecom.get("externalcontact/get", external_userid="wm1")["errcode"] == 84061
    remark = {"userid": "lily", "external_userid": "wm1", "remark": "A"}
    assert wecom.post("externalcontact/remark", remark)["errcode"] == 84061
    wecom.befriend("lily", external_userid="wm1")
    assert wecom.post("externalcontact/remark", remark)["errcode"] == 0


def test_after_her_deletion_the_api_still_works_after_his_it_does_not(wecom):  # 84061
    wecom.befriend("lily", external_userid="wm1")
    remark = {"userid": "lily", "external_userid": "wm1", "remark": "A"}
    wecom.act("DELETE", "contacts/wm1", userid="lily", by="customer")
    assert wecom.post("externalcontact/remark", remark)["errcode"] == 0
    wecom.act("DELETE", "contacts/wm1", userid="lily", by="staff")
    assert wecom.post("externalcontact/remark", remark)["errcode"] == 84061
    assert wecom.get("externalcontact/get", external_userid="wm1")["errcode"] == 84061


def test_a_batch_pages_through_the_customers_of_several_members(wecom):
    for number in range(5):
        wecom.befriend("lily" if number % 2 else "mark", external_userid=f"wm{number}", state="s")
    body, seen = {"userid_list": ["lily", "mark"], "limit": 2}, []
    while True:
        page = wecom.post("externalcontact/batch/get_by_user", body)
        assert len(page["external_contact_list"]) <= 2
        seen += [one["external_contact"]["external_userid"] for one in page["external_contact_list"]]
        if not page["next_cursor"]:
            break
        body["cursor"] = page["next_cursor"]
    assert sorted(seen) == ["wm0", "wm1", "wm2", "wm3", "wm4"]
    info = page["external_contact_list"][0]["follow_info"]
    assert info["tag_id"] == []
    assert info["state"] == "s"
    assert "tags" not in info


@pytest.mark.parametrize(("body", "errcode"), [
    ({}, 41009),
    ({"userid_list": ["lily"] * 101}, 40058),
    ({"userid_list": "lily"}, 40058),
    ({"userid_list": ["lily"], "limit": 101}, 40058),
    ({"userid_list": ["lily"], "cursor": "x"}, 50100),
    ({"userid_list": ["lily"], "cursor": "NS4x"}, 50100),
    ({"userid_list": ["nobody"]}, 60111),
])  # fmt: skip
def test_a_batch_names_what_is_wrong(wecom, body, errcode):
    wecom.befriend("lily", external_userid="wm1")
    assert wecom.post("externalcontact/batch/get_by_user", body)["errcode"] == errcode


def test_a_remark_changes_only_what_is_given(wecom):
    wecom.befriend("lily", external_userid="wm1")
    who = {"userid": "lily", "external_userid": "wm1"}
    wecom.post("externalcontact/remark", who | {"remark": "安" * 20, "remark_mobiles": ["13800000000"]})
    wecom.post("externalcontact/remark", who | {"description": "likes coffee", "remark_mobiles": [""]})
    [relation] = wecom.get("externalcontact/get", external_userid="wm1")["follow_user"]
    assert relation["remark"] == "安" * 20
    assert relation["description"] == "likes coffee"
    assert relation["remark_mobiles"] == []


@pytest.mark.parametrize(("fields", "errcode"), [
    ({}, 40063),
    ({"remark": "安" * 21}, 40058),
    ({"description": "d" * 151}, 40058),
    ({"remark_company": "c" * 21}, 40058),
    ({"remark": 5}, 40058),
    ({"external_userid": "wmNever", "remark": "A"}, 40096),
    ({"userid": "nobody", "remark": "A"}, 60111),
    ({"external_userid": None, "remark": "A"}, 41035),
])  # fmt: skip
def test_a_remark_names_what_is_wrong(wecom, fields, errcode):
    wecom.befriend("lily", external_userid="wm1")
    body = {"userid": "lily", "external_userid": "wm1"} | fields
    assert wecom.post("externalcontact/remark", body)["errcode"] == errcode


def test_a_member_who_left_the_corp_is_unknown_and_her_customers_lose_him(wecom):  # 60111
    wecom.befriend("lily", external_userid="wm1")
    wecom.act("DELETE", "staff/lily")
    assert wecom.get("user/get", userid="lily")["errcode"] == 60111
    assert wecom.get("externalcontact/get", external_userid="wm1")["errcode"] == 84061


def test_the_people_side_lists_who_follows_whom(wecom):
    wecom.act("POST", "staff", userid="lily", name="Lily", leaders=["boss"])
    wecom.befriend("lily", external_userid="wm1", name="Anna", state="s")
    wecom.befriend("mark", external_userid="wm2")
    [anna] = wecom.act("GET", "contacts", userid="lily")["data"]
    assert anna["name"] == "Anna"
    assert anna["relations"][0]["name"] == "Lily"
    assert not anna["relations"][0]["left"]
    assert [one["userid"] for one in wecom.act("GET", "staff")["data"]] == ["lily", "mark"]
    assert wecom.get("user/get", userid="lily")["direct_leader"] == ["boss"]


def test_an_act_with_a_wrong_field_says_which(wecom):
    answer = wecom.act("POST", "contacts", status=422, user="lily")
    assert "userid" in answer["detail"]
    assert "user" in answer["detail"]
    assert wecom.act("DELETE", "contacts/wm9", status=404, userid="lily")["detail"] == "wm9 is no contact of lily"
    assert wecom.act("GET", "inbox", status=422)["detail"] == "give external_userid or userid"
    assert wecom.inbox(external_userid="wm9") == []


def test_who_comes_back_keeps_what_he_noted_about_her_unless_he_deleted_her(wecom):
    for by, half, remark in (("customer", False, "VIP"), ("customer", True, "VIP"), ("staff", False, "")):
        her = wecom.befriend("lily", state="first", half=half)["external_userid"]
        wecom.act("PATCH", f"contacts/{her}", userid="lily", remark="VIP")
        wecom.act("DELETE", f"contacts/{her}", userid="lily", by=by)
        wecom.act("POST", "clock", advance_s=60)
        again = wecom.befriend("lily", external_userid=her, state="second")
        [relation] = wecom.get("externalcontact/get", external_userid=her)["follow_user"]
        assert (relation["remark"], relation["state"], again["added"]) == (remark, "second", True)
        assert again["welcome_code"]
