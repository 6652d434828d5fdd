"""Channels with their codes (F1), from the API to whom WeCom adds and what becomes of it."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from shop import Shop, listening, served

from bot.web import pictures
from bot.wecom import outbox


def make(shop: Shop, **more: Any) -> Any:
    return shop.api.post("/live-codes", {"name": "门店A", "staff": ["lily"], **more})


def scan(shop: Shop, code: Any, name: str, **more: Any) -> str:
    """She scans the picture as the API gives its address; returns her external_userid."""
    scanned = shop.wecom.sim("POST", "scan", qr_code=code["qr_code"], name=name, **more)
    shop.run_jobs()
    return str(scanned["external_userid"])


def tag(shop: Shop, name: str) -> str:
    group = {"name": "渠道", "kind": "profile", "single_choice": False, "tags": [name]}
    return str(shop.api.post("/tag-groups", group)["tags"][0]["id"])


def in_wecom(shop: Shop) -> list[dict[str, Any]]:
    """The contact ways WeCom holds now."""
    return [shop.client.contact.get_contact_way(one) for one in shop.client.contact.list_contact_ways(0)]


def test_who_scans_is_welcomed_tagged_counted_and_known_by_her_channel_once(shop: Shop) -> None:  # F1 W1 C1 C9 G5
    code = make(shop, tags=[tag(shop, "门店A")], welcome={"text": "门店A欢迎{name}"})
    anna = scan(shop, code, "Anna")
    shop.wecom.repeat_last_callback()
    shop.run_jobs()
    assert shop.wecom.texts_to(anna) == ["门店A欢迎Anna"]
    customer = shop.api.customer(anna)
    assert [one["name"] for one in customer["tags"]] == ["门店A"]
    assert customer["tags"][0]["source"] == f"live_code:{code['id']}"
    came = customer["source"]["first"]
    assert (came["channel"], came["name"], came["userid"]) == ("live_code", "门店A", "lily")
    assert came["state"] == code["state"]
    assert shop.api.get(f"/live-codes/{code['id']}")["results"] == {"today": 1, "total": 1, "left": 0}
    timeline = shop.api.get(f"/customers/{customer['id']}/timeline")["data"]
    assert [one["event"] for one in timeline].count("live_code.added") == 1


def test_a_code_keeps_count_of_those_who_left_and_of_days(shop: Shop) -> None:  # F1 G2
    code = make(shop)
    anna = scan(shop, code, "Anna")
    scan(shop, code, "Bella")
    shop.wecom.sim("DELETE", f"contacts/{anna}", userid="lily", by="customer")
    shop.run_jobs()
    shop.pass_time(days=1)
    assert shop.api.get(f"/live-codes/{code['id']}")["results"] == {"today": 0, "total": 2, "left": 1}


def test_the_picture_is_fetched_once_and_shown_from_our_address(shop: Shop) -> None:  # F1
    address = make(shop)["qr_code"]
    first, second = (requests.get(address, timeout=5) for _ in range(2))
    assert (first.status_code, first.headers["Content-Type"]) == (200, "image/png")
    assert first.content == second.content
    assert first.content.startswith(b"\x89PNG")
    assert requests.get(f"{shop.url}/pictures/{'0' * 32}/x.png", timeout=5).status_code == 404


def test_a_picture_that_did_not_come_is_asked_for_again_after_a_while(shop: Shop) -> None:  # C3
    asked: list[str] = []

    def away(environ: Any, start_response: Any) -> list[bytes]:
        asked.append(environ["PATH_INFO"])
        start_response("503 Service Unavailable", [("Content-Length", "0")])
        return []

    with listening() as (listener, url), served(away, listener):
        with shop.installation.transaction("test") as session:
            path = pictures.paths(session, [f"{url}/anna.jpg"])[f"{url}/anna.jpg"]
        for _ in range(3):
            assert requests.get(shop.url + path, timeout=5).status_code == 502
        assert asked == ["/anna.jpg"]
        shop.pass_time(minutes=11)
        assert requests.get(shop.url + path, timeout=5).status_code == 502
        assert len(asked) == 2


def test_a_picture_that_comes_in_pieces_is_whole_and_one_too_large_is_refused(shop: Shop) -> None:  # C3
    pieces = [b"\x89PNG\r\n\x1a\n", b"one", b"two"]

    def dripping(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "image/png")])
        yield from pieces if environ["PATH_INFO"] == "/small" else [*pieces, bytes(pictures.MOST_BYTES)]

    with listening() as (listener, url), served(dripping, listener):
        with shop.installation.transaction("test") as session:
            paths = pictures.paths(session, [f"{url}/small", f"{url}/large"])
        assert requests.get(shop.url + paths[f"{url}/small"], timeout=5).content == b"".join(pieces)
        assert requests.get(shop.url + paths[f"{url}/large"], timeout=5).status_code == 502


def test_what_wecom_refuses_is_a_502_with_its_code_and_the_reason_stays(shop: Shop) -> None:  # F1 G6
    shop.wecom.sim("POST", "staff", userid="mia", active=False)
    answer = shop.api.call("POST", "/live-codes", {"name": "门店B", "staff": ["mia"]})
    assert answer.status_code == 502, answer.text
    assert answer.json()["errcode"] == 41054
    (kept,) = shop.api.get("/live-codes")["data"]
    assert kept["qr_code"] is None
    assert "41054" in kept["error"]
    shop.api.delete(f"/live-codes/{kept['id']}")
    assert shop.api.get("/live-codes")["data"] == []


def test_an_answer_that_was_lost_is_a_202_and_settles_by_the_state_into_one_code(shop: Shop) -> None:  # F1 G5 G6
    shop.wecom.sim("POST", "faults", path="externalcontact/add_contact_way", drop="after")
    answer = shop.api.call("POST", "/live-codes", {"name": "门店A", "staff": ["lily"]})
    assert answer.status_code == 202, answer.text
    assert answer.json()["qr_code"] is None
    shop.pass_time(seconds=10)
    outbox.settle_lost(shop.installation, shop.client)
    settled = shop.api.get(f"/live-codes/{answer.json()['id']}")
    assert settled["qr_code"]
    assert [one["state"] for one in in_wecom(shop)] == [settled["state"]]
    anna = scan(shop, settled, "Anna")
    assert shop.api.customer(anna)["source"]["first"]["channel"] == "live_code"


def test_a_change_reaches_wecom_and_a_refused_one_changes_nothing(shop: Shop) -> None:  # F1 G6
    code = make(shop)
    changed = shop.api.patch(f"/live-codes/{code['id']}", {"staff": ["leo"], "skip_verify": False, "name": "门店C"})
    assert (changed["staff"], changed["skip_verify"], changed["name"]) == (["leo"], False, "门店C")
    (way,) = in_wecom(shop)
    assert (way["user"], way["skip_verify"]) == (["leo"], False)
    shop.wecom.sim("POST", "staff", userid="mia", active=False)
    answer = shop.api.call("PATCH", f"/live-codes/{code['id']}", {"staff": ["leo", "mia"], "name": "门店D"})
    assert answer.status_code == 502
    after = shop.api.get(f"/live-codes/{code['id']}")
    assert (after["staff"], after["name"]) == (["leo"], "门店C")
    assert "41054" in after["error"]


def test_a_deleted_code_leads_nowhere_and_keeps_what_it_brought(shop: Shop) -> None:  # F1
    code = make(shop)
    scan(shop, code, "Anna")
    shop.api.delete(f"/live-codes/{code['id']}")
    assert in_wecom(shop) == []
    assert shop.api.get("/live-codes")["data"] == []
    (closed,) = shop.api.get("/live-codes", closed="true")["data"]
    assert (closed["id"], closed["results"]["total"]) == (code["id"], 1)
    assert shop.api.call("DELETE", f"/live-codes/{code['id']}").status_code == 404


def test_a_member_who_had_his_share_is_left_out_until_the_next_day(shop: Shop) -> None:  # F1 G2
    code = make(shop, staff=["lily", "leo"], daily_cap=1)
    first = shop.wecom.sim("POST", "scan", qr_code=code["qr_code"], name="Anna")["userid"]
    shop.run_jobs()
    (way,) = in_wecom(shop)
    assert way["user"] == [one for one in ("lily", "leo") if one != first]
    assert shop.api.get(f"/live-codes/{code['id']}")["resting"] == [first]
    shop.pass_time(days=1)
    shop.run_jobs()
    assert in_wecom(shop)[0]["user"] == ["lily", "leo"]
    scan(shop, code, "Bella")
    assert len(in_wecom(shop)[0]["user"]) == 1
    scan(shop, code, "Cora")
    assert len(in_wecom(shop)[0]["user"]) == 2  # all have had theirs: all stay


def test_the_channel_stands_in_her_remark_where_that_is_wished(shop: Shop) -> None:  # F1
    anna = scan(shop, make(shop, remark_channel=True), "Anna")
    bella = scan(shop, make(shop, name="门店B"), "Bella")
    half = scan(shop, make(shop, name="门店C", remark_channel=True), "Cora", half=True)
    remarks = {
        one["external_userid"]: one["relations"][0]["remark"] for one in shop.wecom.sim("GET", "contacts")["data"]
    }
    assert remarks[anna] == "Anna-门店A"
    assert remarks[bella] in ("", "Bella")
    assert remarks[half] in ("", "Cora")
    shop.wecom.add_contact("Cora", external_userid=half)  # the member adds her back
    shop.run_jobs()
    remarks = {
        one["external_userid"]: one["relations"][0]["remark"] for one in shop.wecom.sim("GET", "contacts")["data"]
    }
    assert remarks[half] == "Cora-门店C"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"staff": []}, "/staff"),
        ({"staff": ["lily", "lily"]}, "/staff"),
        ({"tags": ["999"]}, "/tags/0"),
        ({"segment_group_id": "999"}, "/segment_group_id"),
        ({"welcome": {"text": "你好{姓名}"}}, "/welcome/text"),
        ({"welcome": {"attachments": [{"type": "file", "material_id": "9"}]}}, "/welcome/attachments/0/material_id"),
        ({"daily_cap": 0}, "/daily_cap"),
        ({"schedule": []}, "/schedule"),
    ],
)  # fmt: skip
def test_a_code_that_can_not_be_is_refused_before_wecom_is_asked(shop: Shop, body: Any, pointer: str) -> None:  # F1
    answer = shop.api.call("POST", "/live-codes", {"name": "门店A", "staff": ["lily"], **body})
    assert answer.status_code == 422, answer.text
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]
    assert in_wecom(shop) == []


def test_a_code_gives_one_tag_of_a_single_choice_group(shop: Shop) -> None:  # F1 T1
    body = {"name": "门店", "kind": "corp", "single_choice": True, "tags": ["西湖店", "滨江店"]}
    shops = [tag["id"] for tag in shop.api.post("/tag-groups", body)["tags"]]
    answer = shop.api.call("POST", "/live-codes", {"name": "海报", "staff": ["lily"], "tags": shops})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/tags/1"]
    assert "single-choice" in answer.json()["detail"]
