"""Corp tags: groups, ownership, limits, marking, and the events of the console and the client."""

import pytest


def add(wecom, group="兴趣", *names, **fields):
    body = {"group_name": group, "tag": [{"name": name} for name in names]} | fields
    return wecom.post("externalcontact/add_corp_tag", body)


def made(wecom, *names, group="兴趣"):
    """The app's own tags, by name."""
    return {tag["name"]: tag["id"] for tag in add(wecom, group, *names)["tag_group"]["tag"]}


def listed(wecom, **wanted):
    groups = wecom.post("externalcontact/get_corp_tag_list", wanted)["tag_group"]
    return {group["group_name"]: [tag["name"] for tag in group["tag"]] for group in groups}


def mark(wecom, **fields):
    body = {"userid": "lily", "external_userid": "wm1"} | fields
    return wecom.post("externalcontact/mark_tag", body)["errcode"]


def test_tags_go_into_a_new_an_existing_or_a_named_group(wecom):
    first = add(wecom, "兴趣", "咖啡", "茶", "咖啡", order=7)["tag_group"]
    assert [tag["name"] for tag in first["tag"]] == ["咖啡", "茶"]
    assert first["order"] == 7
    assert first["create_time"] > 0
    assert [tag["name"] for tag in add(wecom, "兴趣", "酒")["tag_group"]["tag"]] == ["酒"]
    add(wecom, "ignored", "水", group_id=first["group_id"])
    assert listed(wecom) == {"兴趣": ["咖啡", "茶", "酒", "水"]}


def test_only_asking_by_id_shows_deleted_tags(wecom):
    ids = made(wecom, "咖啡", "茶")
    wecom.post("externalcontact/del_corp_tag", {"tag_id": [ids["茶"]]})
    assert listed(wecom) == {"兴趣": ["咖啡"]}
    [group] = wecom.post("externalcontact/get_corp_tag_list", {"tag_id": [ids["茶"]]})["tag_group"]
    assert [(tag["name"], tag["deleted"]) for tag in group["tag"]] == [("茶", True)]
    both = {"tag_id": [ids["咖啡"]], "group_id": [group["group_id"]]}
    assert listed(wecom, **both) == {"兴趣": ["咖啡", "茶"]}


def test_a_group_without_tags_disappears_and_its_name_is_free(wecom):
    ids = made(wecom, "咖啡")
    wecom.post("externalcontact/del_corp_tag", {"tag_id": list(ids.values())})
    assert listed(wecom) == {}
    assert add(wecom, "兴趣", "咖啡")["errcode"] == 0


@pytest.mark.parametrize(("body", "errcode"), [
    ({"tag": [{"name": "x"}]}, 40063),
    ({"group_name": "g"}, 40063),
    ({"group_name": "g", "tag": [{"order": 1}]}, 40063),
    ({"group_name": "g", "tag": [{"name": "字" * 31}]}, 40058),
    ({"group_name": "字" * 31, "tag": [{"name": "x"}]}, 40058),
    ({"group_name": "g", "tag": [{"name": "x", "order": 2**32}]}, 40058),
    ({"group_name": "g", "tag": "x"}, 40058),
    ({"group_id": "etNever", "tag": [{"name": "x"}]}, 40068),
    ({"group_name": "兴趣", "tag": [{"name": "咖啡"}]}, 40071),
    ({"group_name": "字" * 30, "tag": [{"name": "字" * 30, "order": 2**32 - 1}]}, 0),
])  # fmt: skip
def test_adding_names_what_is_wrong(wecom, body, errcode):
    made(wecom, "咖啡")
    assert wecom.post("externalcontact/add_corp_tag", body)["errcode"] == errcode


def test_a_corp_has_a_limited_number_of_tags(wecom):  # 40126
    assert wecom.act("POST", "limits")["corp_tags"] == 3000
    wecom.act("POST", "limits", corp_tags=2)
    assert add(wecom, "g", "a", "b", "c")["errcode"] == 40126
    assert add(wecom, "g", "a", "b")["errcode"] == 0
    assert add(wecom, "g", "c")["errcode"] == 40126


def test_an_app_edits_and_deletes_only_what_it_made(wecom):  # 81011 40068 40071
    console = wecom.act("POST", "tag-groups", name="控制台", tags=["a"])
    ids, edit, delete = made(wecom, "咖啡", "茶"), "externalcontact/edit_corp_tag", "externalcontact/del_corp_tag"
    assert wecom.post(edit, {"id": console["tags"][0]["id"], "name": "b"})["errcode"] == 81011
    assert wecom.post(edit, {"id": console["group_id"], "order": 1})["errcode"] == 81011
    assert wecom.post(delete, {"group_id": [console["group_id"]]})["errcode"] == 81011
    assert wecom.post(delete, {"tag_id": [ids["茶"], console["tags"][0]["id"]]})["errcode"] == 81011
    assert wecom.post(edit, {"id": ids["茶"], "name": "咖啡"})["errcode"] == 40071
    assert wecom.post(edit, {"id": "etNever", "name": "x"})["errcode"] == 40068
    assert wecom.post(edit, {"name": "x"})["errcode"] == 40068
    assert wecom.post(delete, {})["errcode"] == 40068
    assert wecom.post(edit, {"id": ids["茶"], "name": "绿茶", "order": 5})["errcode"] == 0
    assert listed(wecom) == {"控制台": ["a"], "兴趣": ["咖啡", "绿茶"]}


def test_marking_is_repeatable_and_shows_in_both_reads(wecom):
    wecom.befriend("lily", external_userid="wm1")
    ids = made(wecom, "咖啡", "茶")
    assert mark(wecom, add_tag=list(ids.values())) == 0
    assert mark(wecom, add_tag=[ids["咖啡"]], remove_tag=[ids["茶"]]) == 0
    assert mark(wecom, remove_tag=[ids["茶"]]) == 0
    [relation] = wecom.get("externalcontact/get", external_userid="wm1")["follow_user"]
    assert relation["tags"] == [
        {"group_name": "兴趣", "tag_name": "咖啡", "tag_id": ids["咖啡"], "type": 1},
    ]
    [row] = wecom.post("externalcontact/batch/get_by_user", {"userid_list": ["lily"]})["external_contact_list"]
    assert row["follow_info"]["tag_id"] == [ids["咖啡"]]


def test_tags_of_others_can_be_marked_and_personal_ones_are_seen(wecom):
    wecom.befriend("lily", external_userid="wm1")
    console = wecom.act("POST", "tag-groups", name="控制台", tags=["a"])
    assert mark(wecom, add_tag=[console["tags"][0]["id"]]) == 0
    wecom.act("POST", "contacts/wm1/tags", userid="lily", personal=["好说话"])
    [relation] = wecom.get("externalcontact/get", external_userid="wm1")["follow_user"]
    assert [tag["type"] for tag in relation["tags"]] == [1, 2]
    assert "tag_id" not in relation["tags"][1]


@pytest.mark.parametrize(("fields", "errcode"), [
    ({}, 40063),
    ({"add_tag": ["etNever"]}, 40068),
    ({"add_tag": "x"}, 40058),
    ({"add_tag": ["x"], "external_userid": "wm2"}, 84061),
    ({"add_tag": ["x"], "external_userid": "wmNever"}, 40096),
    ({"add_tag": ["x"], "userid": "nobody"}, 60111),
])  # fmt: skip
def test_marking_names_what_is_wrong(wecom, fields, errcode):
    wecom.befriend("lily", external_userid="wm1")
    wecom.befriend("mark", external_userid="wm2")
    assert mark(wecom, **fields) == errcode


def test_one_relation_bears_three_thousand_tags(quiet):  # 40058
    quiet.befriend("lily", external_userid="wm1")
    group = quiet.act("POST", "tag-groups", name="many", tags=[str(number) for number in range(3001)])
    ids = [tag["id"] for tag in group["tags"]]
    assert mark(quiet, add_tag=ids) == 40058
    assert mark(quiet, add_tag=ids[:3000]) == 0


def test_a_deleted_tag_is_off_everybody_and_no_longer_marked(wecom):  # 40068
    wecom.befriend("lily", external_userid="wm1")
    ids = made(wecom, "咖啡")
    mark(wecom, add_tag=[ids["咖啡"]])
    wecom.post("externalcontact/del_corp_tag", {"tag_id": [ids["咖啡"]]})
    assert wecom.get("externalcontact/get", external_userid="wm1")["follow_user"][0]["tags"] == []
    assert mark(wecom, add_tag=[ids["咖啡"]]) == 40068


def test_the_console_announces_what_it_does_to_tags_the_api_does_not(wecom):
    group = wecom.act("POST", "tag-groups", name="兴趣", tags=["咖啡"])
    tag = group["tags"][0]["id"]
    other = wecom.act("POST", "tags", group_id=group["group_id"], name="茶")["id"]
    wecom.act("PATCH", f"tags/{tag}", name="拿铁")
    wecom.act("PATCH", f"tag-groups/{group['group_id']}", name="饮品")
    wecom.act("DELETE", f"tags/{tag}")
    wecom.act("DELETE", f"tag-groups/{group['group_id']}")
    wecom.act("POST", "tag-groups/shuffle")
    made(wecom, "a")
    said = [(event["Event"], event["ChangeType"], event.get("TagType"), event["Id"]) for event in wecom.events()]
    assert said == [
        ("change_external_tag", "create", "tag_group", group["group_id"]),
        ("change_external_tag", "create", "tag", tag),
        ("change_external_tag", "create", "tag", other),
        ("change_external_tag", "update", "tag", tag),
        ("change_external_tag", "update", "tag_group", group["group_id"]),
        ("change_external_tag", "delete", "tag", tag),
        ("change_external_tag", "delete", "tag_group", group["group_id"]),
        ("change_external_tag", "shuffle", None, None),
    ]


def test_the_console_takes_no_name_twice_and_lists_what_there_is(wecom):
    first, second = (wecom.act("POST", "tag-groups", name=name, tags=["a", "b"]) for name in ("一", "二"))
    wecom.act("POST", "tag-groups", status=409, name="一", tags=["a"])
    wecom.act("POST", "tags", status=409, group_id=first["group_id"], name="a")
    wecom.act("PATCH", f"tags/{first['tags'][0]['id']}", status=409, name="b")
    wecom.act("PATCH", f"tag-groups/{first['group_id']}", status=409, name="二")
    wecom.act("POST", "tags", status=404, group_id="etNever", name="a")
    wecom.act("DELETE", f"tag-groups/{second['group_id']}")
    [group] = wecom.act("GET", "tags")["data"]
    assert (group["group_name"], [tag["name"] for tag in group["tag"]]) == ("一", ["a", "b"])


def test_an_app_deletes_its_own_groups(wecom):
    made(wecom, "咖啡", "茶")
    [group] = wecom.post("externalcontact/get_corp_tag_list")["tag_group"]
    assert wecom.post("externalcontact/del_corp_tag", {"group_id": [group["group_id"]]})["errcode"] == 0
    assert listed(wecom) == {}


def test_tags_marked_in_the_client_are_an_edit_of_the_contact(wecom):
    wecom.befriend("lily", external_userid="wm1")
    group = wecom.act("POST", "tag-groups", name="兴趣", tags=["咖啡"])
    tag = group["tags"][0]["id"]
    assert wecom.act("POST", "contacts/wm1/tags", userid="lily", add=[tag])["tags"] == [tag]
    assert wecom.act("POST", "contacts/wm1/tags", userid="lily", remove=[tag])["tags"] == []
    edits = [event for event in wecom.events() if event.get("ChangeType") == "edit_external_contact"]
    assert [event["UserID"] for event in edits] == ["lily", "lily"]
    assert wecom.act("POST", "contacts/wm1/tags", status=404, userid="lily", add=["etNever"])["status"] == 404
