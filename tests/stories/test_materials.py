"""Files that messages carry: kept by content, uploaded when needed, renewed before WeCom forgets them (W4)."""

import io
import os
from typing import Any

import pytest
import requests
from PIL import Image
from racing import together
from shop import Shop
from sqlalchemy import delete

from bot.app.demo.driver import Api
from bot.operators import accounts, sessions
from handlers.materials import media, service
from handlers.materials.models import Material

MP4 = b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2" + b"\0" * 100


def png(colour: str = "red") -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (4, 4), colour).save(made, "PNG")
    return made.getvalue()


def upload(shop: Shop, data: bytes, file_name: str = "poster.png", **more: Any) -> requests.Response:
    form = {"name": "海报", **more.pop("form", {})}
    return shop.api.call("POST", "/materials", None, files={"file": (file_name, data)}, data=form, **more)


def uploads(shop: Shop) -> int:
    """How many files WeCom has taken."""
    return sum("media_id" in one["answer"] for one in shop.wecom.calls("media/upload") if one["answer"])


def pictures_to(shop: Shop, external_userid: str) -> int:
    return sum(one["msgtype"] == "image" for one in shop.wecom.inbox(external_userid))


@pytest.mark.parametrize(
    ("data", "file_name", "kind"),
    [(png(), "poster.exe", "image"), (MP4, "film.png", "video"), (b"%PDF-1.7 price list", "list.mp4", "file"),
     (b"GIF89a picture", "dance.gif", "file"), (b"\0\0\0\x18ftypheic photo", "photo.heic", "file")],
)  # fmt: skip
def test_a_material_is_what_its_content_says_whatever_its_name(
    shop: Shop, data: bytes, file_name: str, kind: str
) -> None:  # W4
    answer = upload(shop, data, file_name)
    assert (answer.status_code, answer.json()["type"]) == (201, kind)
    assert [one["id"] for one in shop.api.get("/materials", type=kind)["data"]] == [answer.json()["id"]]


@pytest.mark.parametrize(
    "data",
    [b"", b"12345", b"\x89PNG\r\n\x1a\nno picture at all", b"\xff\xd8\xff" + b"\0" * 100,
     png() + b"\0" * (10 * 1024 * 1024), MP4 + b"\0" * (10 * 1024 * 1024), b"x" * (20 * 1024 * 1024 + 1)],
    ids=["empty", "five bytes", "no PNG", "no JPEG", "a large PNG", "a large MP4", "a large file"],
)  # fmt: skip
def test_what_wecom_would_not_take_is_refused_at_once(shop: Shop, data: bytes) -> None:  # W4
    answer = upload(shop, data)
    assert answer.status_code == 422, answer.text
    assert [one["pointer"] for one in answer.json()["errors"]] == ["/file"]


def test_a_body_beyond_any_file_is_not_read(shop: Shop) -> None:  # W4 S2
    assert upload(shop, b"x" * (22 * 1024 * 1024)).status_code == 413


def test_an_upload_is_repeated_by_its_key_and_content_not_by_its_bytes(shop: Shop) -> None:  # G5
    first, again = (upload(shop, png(), headers={"Idempotency-Key": "a"}) for _ in range(2))
    assert first.json() == again.json()
    assert upload(shop, png("blue"), headers={"Idempotency-Key": "a"}).status_code == 409
    assert len(shop.api.get("/materials")["data"]) == 1


def test_a_material_may_be_called_by_a_number(shop: Shop) -> None:  # W4
    assert upload(shop, png(), form={"name": "2026"}).json()["name"] == "2026"


def test_the_file_is_for_operators_and_comes_as_an_attachment(shop: Shop) -> None:  # W4 S2
    made = upload(shop, b"<script>alert(1)</script>", "价目表.html").json()
    address = f"{shop.url}/console/materials/{made['id']}/file"
    assert requests.get(address, timeout=5, allow_redirects=False).status_code == 303
    with shop.installation.transaction("test") as session:
        operator = accounts.add_operator(session, "mei", "operator")
        cookie = {sessions.COOKIE: sessions.open_session(session, operator)}
    answer = requests.get(address, cookies=cookie, timeout=5)
    assert answer.content == b"<script>alert(1)</script>"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_welcome_carries_every_kind_of_attachment_in_order(shop: Shop) -> None:  # W1 W4
    image, video, file = (upload(shop, data).json()["id"] for data in (png(), MP4, b"price list"))
    attachments = [
        {"type": "image", "material_id": image},
        {"type": "link", "title": "{name}的商城", "url": "https://shop.example/", "desc": "看看"},
        {"type": "video", "material_id": video},
        {"type": "file", "material_id": file},
        {"type": "miniprogram", "title": "小程序", "appid": "wx1", "page": "pages/a", "material_id": image},
    ]
    shop.api.post("/welcome-rules", {"name": "全", "text": "你好", "attachments": attachments})
    anna = shop.wecom.add_contact("Anna")
    shop.run_jobs()
    inbox = shop.wecom.inbox(anna)
    assert [one["msgtype"] for one in inbox] == ["text", "image", "link", "video", "file", "miniprogram"]
    assert inbox[2]["link"]["title"] == "Anna的商城"


def test_materials_in_use_are_uploaded_ahead_and_renewed_before_they_end(shop: Shop) -> None:  # W4 W1
    material = upload(shop, png()).json()["id"]
    upload(shop, png("blue"))  # nobody uses it
    assert uploads(shop) == 0
    attachment = {"type": "image", "material_id": material}
    shop.api.post("/welcome-rules", {"name": "图", "text": "你好", "attachments": [attachment]})
    shop.run_jobs()
    assert uploads(shop) == 1
    for days in range(1, 8):
        shop.pass_time(days=1)
        shop.run_jobs()
        calls = uploads(shop)
        anna = shop.wecom.add_contact(f"Anna{days}")
        shop.run_jobs()
        assert pictures_to(shop, anna) == 1
        assert uploads(shop) == calls  # the welcome waited for no upload
    assert uploads(shop) == 4  # on days 0, 2, 4, 6: once two of its three days are over


def test_a_media_id_that_wecom_forgot_early_is_uploaded_anew_and_the_welcome_goes_late(shop: Shop) -> None:  # W4 W1 G6
    material = upload(shop, png()).json()["id"]
    attachment = {"type": "image", "material_id": material}
    shop.api.post("/welcome-rules", {"name": "图", "text": "你好", "attachments": [attachment]})
    shop.run_jobs()
    shop.wecom.sim("POST", "faults", path="externalcontact/send_welcome_msg", errcode=40007)
    anna = shop.wecom.add_contact("Anna")
    shop.run_jobs()
    shop.wecom.say(anna, "你好")
    shop.run_jobs()
    assert pictures_to(shop, anna) == 1
    assert uploads(shop) == 2


def test_a_material_wecom_refuses_is_left_out_with_the_reason(shop: Shop) -> None:  # W4 C9 G6
    material = upload(shop, png()).json()["id"]
    shop.wecom.sim("POST", "faults", path="media/upload", errcode=40009)
    attachment = {"type": "image", "material_id": material}
    shop.api.post("/welcome-rules", {"name": "图", "text": "你好", "attachments": [attachment]})
    shop.run_jobs()
    assert "40009" in shop.api.get(f"/materials/{material}")["refused"]
    anna = shop.wecom.add_contact("Anna")
    shop.run_jobs()
    assert shop.wecom.texts_to(anna) == ["你好"]
    customer = shop.api.customer(anna)
    why = [
        one for one in shop.api.get(f"/customers/{customer['id']}/timeline")["data"] if one["event"] == "welcome.sent"
    ]
    assert "40009" in why[0]["data"]["left_out"][0]["detail"]


def test_an_upload_that_was_lost_is_no_message_that_was_sent(shop: Shop) -> None:  # W4 G6
    shop.run_jobs()  # the clock has asked for what is in use
    material = upload(shop, png()).json()["id"]
    shop.wecom.sim("POST", "faults", path="media/upload", drop="after", times=2)  # ahead, and with the welcome
    attachment = {"type": "image", "material_id": material}
    shop.api.post("/welcome-rules", {"name": "图", "text": "你好", "attachments": [attachment]})
    anna = shop.wecom.add_contact("Anna")
    for _ in range(3):
        shop.run_jobs()
        shop.pass_time(seconds=2)
    assert shop.wecom.texts_to(anna) == ["你好"]
    assert pictures_to(shop, anna) == 1
    with shop.installation.transaction("test") as session:
        assert media.renew(session) == 0


def test_what_something_holds_is_not_deleted_and_the_file_of_what_was_goes_a_day_later(shop: Shop) -> None:  # W4 G6
    shop.run_jobs()
    one, same, other = (upload(shop, data).json()["id"] for data in (png(), png(), png("blue")))
    attachment = [{"type": "image", "material_id": other}]
    shop.wecom.add_contact("Anna", state="x")
    shop.wecom.settled()
    rule = shop.api.post("/welcome-rules", {"name": "图", "text": "你好", "attachments": attachment})
    shop.pass_time(seconds=21)
    shop.run_jobs()  # her welcome is late and waits
    held = shop.api.call("DELETE", f"/materials/{other}")
    assert (held.status_code, held.json()["detail"]) == (
        409, f"material {other} is in use: delivery Anna, welcome_rule 图",
    )  # fmt: skip
    shop.api.delete(f"/welcome-rules/{rule['id']}")
    assert shop.api.call("DELETE", f"/materials/{other}").json()["detail"].endswith(": delivery Anna")
    files = shop.installation.settings.data_dir / "uploads"
    shop.api.delete(f"/materials/{one}")
    assert shop.api.call("GET", f"/materials/{one}").status_code == 404
    for path in files.glob("*/*"):
        os.utime(path, (0, 0))
    assert _swept(shop) == 0  # another material has the same content
    shop.api.delete(f"/materials/{same}")
    upload(shop, png())  # and now one more
    assert _swept(shop) == 0
    assert len(list(files.glob("*/*"))) == 2
    shop.api.delete(f"/materials/{shop.api.get('/materials')['data'][0]['id']}")
    assert _swept(shop) == 0  # written just now
    for path in files.glob("*/*"):
        os.utime(path, (0, 0))
    assert _swept(shop) == 1


def _swept(shop: Shop) -> int:
    with shop.installation.transaction("test") as session:
        return service.sweep(session)


def test_of_a_rule_and_a_deletion_at_once_one_is_refused(shop: Shop) -> None:  # W4
    url, key = shop.url, shop.api.key
    for _ in range(5):
        material = upload(shop, png()).json()["id"]
        attachment = [{"type": "image", "material_id": material}]
        body = {"name": "图", "text": "你好", "attachments": attachment}
        made, gone = together(
            lambda body=body: Api(url, key).call("POST", "/welcome-rules", body).status_code,
            lambda material=material: Api(url, key).call("DELETE", f"/materials/{material}").status_code,
        )
        assert (made, gone) in [(201, 409), (422, 204)]


def test_a_deleted_material_that_a_message_still_names_is_left_out(shop: Shop) -> None:  # W4 G6
    material = upload(shop, png()).json()["id"]
    shop.api.post("/welcome-rules", {"name": "图", "text": "你好", "attachments": [
        {"type": "image", "material_id": material},
    ]})  # fmt: skip
    with shop.installation.transaction("test") as session:
        session.execute(delete(Material))  # as by a restore of an older copy
    anna = shop.wecom.add_contact("Anna")
    shop.run_jobs()
    assert (shop.wecom.texts_to(anna), pictures_to(shop, anna)) == (["你好"], 0)
