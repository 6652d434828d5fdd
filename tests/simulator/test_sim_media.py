"""Uploads by type, size and age, and their use in messages."""

import pytest
import requests

PNG, JPG = b"\x89PNG\r\n\x1a\n" + b"0" * 20, b"\xff\xd8\xff" + b"0" * 20
MP4, AMR, TEXT = b"\0\0\0\x18ftypmp42" + b"0" * 20, b"#!AMR\n" + b"0" * 20, b"plain words"
MIB = 1 << 20


def upload(wecom, kind, content, call="media/upload", name="media", **query):
    url, params = f"{wecom.url}/cgi-bin/{call}", {"access_token": wecom.token, "type": kind} | query
    return requests.post(url, params=params, files={name: ("a.bin", content, "image/png")}, timeout=20).json()


@pytest.mark.parametrize(("kind", "content"), [
    ("image", PNG), ("image", JPG), ("voice", AMR), ("video", MP4), ("file", TEXT),
])  # fmt: skip
def test_what_was_uploaded_is_read_for_three_days(wecom, kind, content):  # 40007
    made = upload(wecom, kind, content)
    assert made["type"] == kind
    assert isinstance(made["created_at"], str)
    url, query = f"{wecom.url}/cgi-bin/media/get", {"media_id": made["media_id"]}
    assert requests.get(url, params=query | {"access_token": wecom.token}, timeout=5).content == content
    wecom.act("POST", "clock", advance_s=3 * 86400)
    assert wecom.get("media/get", **query)["errcode"] == 40007


@pytest.mark.parametrize(("kind", "content", "errcode"), [
    ("picture", PNG, 40005),
    ("image", TEXT, 40123),
    ("voice", TEXT, 301017),
    ("video", TEXT, 40004),
    ("file", b"12345", 40006),
    ("file", b"123456", 0),
    ("image", PNG + bytes(10 * MIB), 40009),
    ("voice", AMR + bytes(2 * MIB), 45001),
    ("video", MP4 + bytes(10 * MIB), 40011),
    ("file", bytes(20 * MIB + 1), 40006),
    ("file", bytes(20 * MIB), 0),
])  # fmt: skip
def test_type_and_size_are_checked(wecom, kind, content, errcode):
    assert upload(wecom, kind, content)["errcode"] == errcode


def test_a_missing_file_and_a_missing_id_are_refused(wecom):  # 44001 41006 40007
    assert upload(wecom, "image", PNG, name="picture")["errcode"] == 44001
    assert wecom.get("media/get")["errcode"] == 41006
    assert wecom.get("media/get", media_id="never")["errcode"] == 40007


def test_a_picture_has_a_lasting_address(wecom):  # 40009 40123
    made = upload(wecom, "", PNG, call="media/uploadimg")
    wecom.act("POST", "clock", advance_s=30 * 86400)
    assert requests.get(made["url"], timeout=5).content == PNG
    assert upload(wecom, "", PNG + bytes(2 * MIB), call="media/uploadimg")["errcode"] == 40009
    assert upload(wecom, "", TEXT, call="media/uploadimg")["errcode"] == 40123


def test_media_in_a_message_must_be_fresh_of_its_kind_and_of_its_scene(wecom):  # 40007 41072
    def send(media_id, kind="image"):
        code = wecom.befriend("lily")["welcome_code"]
        body = {"welcome_code": code, "attachments": [{"msgtype": kind, kind: {"media_id": media_id}}]}
        return wecom.post("externalcontact/send_welcome_msg", body)["errcode"]

    image = upload(wecom, "image", PNG)["media_id"]
    moment = upload(wecom, "", PNG, call="media/upload_attachment", media_type="image", attachment_type=1)
    assert isinstance(moment["created_at"], int)
    assert send(image) == 0
    assert send(image, "video") == 40007
    assert send(moment["media_id"]) == 41072
    wecom.act("POST", "clock", advance_s=3 * 86400)
    assert send(image) == 40007


@pytest.mark.parametrize(("query", "errcode"), [
    ({"media_type": "image"}, 40058),
    ({"media_type": "image", "attachment_type": 3}, 40058),
    ({"media_type": "tape", "attachment_type": 1}, 40004),
])  # fmt: skip
def test_an_attachment_names_its_scene(wecom, query, errcode):
    assert upload(wecom, "", PNG, call="media/upload_attachment", **query)["errcode"] == errcode


def test_a_mini_program_card_has_a_picture_an_id_and_a_page(wecom):  # 41006 40063
    card = {"title": "商城", "pic_media_id": upload(wecom, "image", PNG)["media_id"], "appid": "wx1", "page": "/p"}

    def send(**without):
        code = wecom.befriend("lily")["welcome_code"]
        body = {"welcome_code": code, "attachments": [{"msgtype": "miniprogram", "miniprogram": card | without}]}
        return wecom.post("externalcontact/send_welcome_msg", body)["errcode"]

    assert [send(), send(pic_media_id=""), send(appid=""), send(page="")] == [0, 41006, 40063, 40063]


def test_a_corp_uploads_a_thousand_pictures_a_day(wecom):  # 45009
    url, query = f"{wecom.url}/cgi-bin/media/uploadimg", {"access_token": wecom.token}
    files = {"media": ("a.png", PNG, "image/png")}
    codes = [wecom.session.post(url, params=query, files=files, timeout=5).json()["errcode"] for _ in range(1001)]
    assert codes == [0] * 1000 + [45009]


def test_what_she_received_can_be_opened_however_old(wecom):
    anna, image = wecom.befriend("lily"), upload(wecom, "image", PNG)["media_id"]
    body = {"welcome_code": anna["welcome_code"], "attachments": [{"msgtype": "image", "image": {"media_id": image}}]}
    wecom.post("externalcontact/send_welcome_msg", body)
    wecom.act("POST", "clock", advance_s=9 * 86400)
    [message] = wecom.inbox(external_userid=anna["external_userid"])
    assert requests.get(f"{wecom.url}/sim/media/{message['image']['media_id']}", timeout=5).content == PNG
    assert requests.get(f"{wecom.url}/sim/media/never", timeout=5).status_code == 404
