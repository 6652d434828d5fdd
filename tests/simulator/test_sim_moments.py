"""客户朋友圈: the job, its members' publishing, and who sees it."""

from datetime import UTC, datetime

import pytest
import requests

ADD = "externalcontact/add_moment_task"


@pytest.fixture(autouse=True)
def people(wecom):
    for userid, external_userid in (("lily", "wm1"), ("lily", "wm2"), ("mark", "wm3")):
        wecom.befriend(userid, external_userid=external_userid)


def image(wecom, call="media/upload_attachment", **query):
    url, params = f"{wecom.url}/cgi-bin/{call}", {"access_token": wecom.token} | query
    files = {"media": ("a.png", b"\x89PNG\r\n\x1a\n0000", "image/png")}
    return requests.post(url, params=params, files=files, timeout=5).json()["media_id"]


def finished(wecom, jobid):
    wecom.act("POST", "clock", advance_s=2)
    return wecom.get("externalcontact/get_moment_task_result", jobid=jobid)["result"]


def test_the_job_goes_through_three_statuses(wecom):  # 40088
    jobid, statuses = wecom.post(ADD, {"text": {"content": "新品"}})["jobid"], []
    for _ in range(3):
        statuses.append(wecom.get("externalcontact/get_moment_task_result", jobid=jobid)["status"])
        wecom.act("POST", "clock", advance_s=1)
    assert statuses == [1, 2, 3]
    wecom.act("POST", "clock", advance_s=86400)
    assert wecom.get("externalcontact/get_moment_task_result", jobid=jobid)["errcode"] == 40088


def test_a_published_moment_is_seen_by_his_customers_with_its_tag(wecom):  # 41059 41060
    tag = wecom.act("POST", "tag-groups", name="兴趣", tags=["咖啡"])["tags"][0]["id"]
    wecom.act("POST", "contacts/wm1/tags", userid="lily", add=[tag])
    picture = {"msgtype": "image", "image": {"media_id": image(wecom, media_type="image", attachment_type=1)}}
    senders, tags = {"user_list": ["lily", "nobody"]}, {"tag_list": [tag]}
    visible = {"sender_list": senders, "external_contact_list": tags}
    body = {"text": {"content": "新品"}, "attachments": [picture], "visible_range": visible}
    done = finished(wecom, wecom.post(ADD, body)["jobid"])
    assert done["invalid_sender_list"]["user_list"] == ["nobody"]
    moment = {"moment_id": done["moment_id"]}
    assert wecom.post("externalcontact/get_moment_task", moment)["task_list"] == [
        {"userid": "lily", "publish_status": 0}
    ]
    assert wecom.act("POST", f"moments/{done['moment_id']}/publish", userid="lily")["seen_by"] == ["wm1"]
    assert wecom.post("externalcontact/get_moment_task", moment)["task_list"][0]["publish_status"] == 1
    assert [one["msgtype"] for one in wecom.inbox(external_userid="wm1")] == ["text", "image"]
    assert {one["via"] for one in wecom.inbox(external_userid="wm1")} == {"moment"}
    wecom.act("POST", f"moments/{done['moment_id']}/publish", status=409, userid="lily")
    wecom.act("POST", f"moments/{done['moment_id']}/publish", status=404, userid="mark")
    assert wecom.post("externalcontact/get_moment_task")["errcode"] == 41059
    assert wecom.post("externalcontact/get_moment_task", {"moment_id": "never"})["errcode"] == 41060


def test_moments_are_listed_with_their_content(wecom):
    wecom.post(ADD, {"text": {"content": "新品"}})
    now = int(datetime.now(UTC).timestamp())
    body = {"start_time": now - 86400, "end_time": now + 86400}
    [row] = wecom.post("externalcontact/get_moment_list", body)["moment_list"]
    assert (row["text"], row["visible_type"]) == ({"content": "新品"}, 1)
    assert wecom.post("externalcontact/get_moment_list", {"start_time": 1, "end_time": 31 * 86400})["errcode"] == 40058


def test_content_is_checked(wecom):  # 41089 41064 41065 41072 45009 40058
    good, plain = image(wecom, media_type="image", attachment_type=1), image(wecom, "media/upload", type="image")

    def pictures(*ids):
        return [{"msgtype": "image", "image": {"media_id": one}} for one in ids]

    link = {"msgtype": "link", "link": {"title": "t", "url": "https://x.test", "media_id": good}}
    bodies = [
        {}, {"attachments": pictures(*[good] * 10)}, {"attachments": [link, *pictures(good)]},
        {"attachments": [link, link]}, {"attachments": pictures(plain)}, {"text": {"content": "字" * 2001}},
        {"attachments": [link]}, {"text": {"content": "字" * 2000}},
    ]  # fmt: skip
    assert [wecom.post(ADD, body)["errcode"] for body in bodies] == [41089, 41064, 41065, 41064, 41072, 40058, 0, 0]
    codes = [wecom.post(ADD, {"text": {"content": "x"}})["errcode"] for _ in range(3)]
    assert codes == [0, 0, 45009]
