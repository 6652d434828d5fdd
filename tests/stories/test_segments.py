"""Segments: saved trees, counted and listed, in use and given up (T4)."""

from typing import Any

import pytest
from shop import Shop
from test_tags import group


def refused(shop: Shop, method: str, path: str, status: int, body: Any = None) -> Any:
    """The problem document of a request that is refused with `status`."""
    answer = shop.api.call(method, path, body)
    assert answer.status_code == status, answer.text
    return answer.json()


def segment(shop: Shop, name: str, where: dict[str, Any]) -> Any:
    return shop.api.post("/segments", {"name": name, "where": where})


def members(shop: Shop, segment_id: str) -> list[str]:
    return sorted(one["name"] for one in shop.api.get(f"/segments/{segment_id}/members")["data"])


@pytest.fixture
def three(shop: Shop) -> dict[str, str]:
    """Anna and Bea drink coffee, Cleo does not."""
    tags = group(shop, "爱好", "咖啡", "茶", kind="profile")
    for name in ("Anna", "Bea", "Cleo"):
        shop.wecom.add_contact(name, staff="lily")
    shop.run_jobs()
    return tags


def test_a_saved_tree_is_counted_listed_and_narrows_the_customer_list(shop: Shop, three: dict[str, str]) -> None:  # T4
    anna, bea, _ = (shop.api.get("/customers", q=name)["data"][0] for name in ("Anna", "Bea", "Cleo"))
    shop.api.put(f"/customers/{anna['id']}/tags/{three['咖啡']}")
    shop.api.put(f"/customers/{bea['id']}/tags/{three['咖啡']}")
    made = segment(shop, "爱咖啡", {"tag": three["咖啡"]})
    assert (made["count"], made["words"]) == (2, "有标签「咖啡」")
    assert members(shop, made["id"]) == ["Anna", "Bea"]
    assert {one["name"] for one in shop.api.get("/customers", segment=made["id"])["data"]} == {"Anna", "Bea"}
    others = {"none": [{"segment": made["id"]}]}
    seen = shop.api.post("/segments/preview", {"where": others})
    assert (seen["count"], [one["name"] for one in seen["sample"]]) == (1, ["Cleo"])


def test_what_is_wrong_in_a_tree_is_named_by_its_place(shop: Shop) -> None:  # T4
    wrong = {"all": [{"field": "gender", "is": "female"}, {"tag": "99"}]}
    answer = refused(shop, "POST", "/segments", 422, {"name": "x", "where": wrong})
    assert [one["pointer"] for one in answer["errors"]] == ["/where/all/1/tag"]


def test_a_segment_in_use_stays_and_none_names_itself(shop: Shop, three: dict[str, str]) -> None:  # T4
    inner = segment(shop, "爱咖啡", {"tag": three["咖啡"]})
    outer = segment(shop, "不爱咖啡", {"none": [{"segment": inner["id"]}]})
    answer = refused(shop, "DELETE", f"/segments/{inner['id']}", 409)
    assert "不爱咖啡" in answer["detail"]
    circle = {"any": [{"tag": three["茶"]}, {"segment": outer["id"]}]}
    refused(shop, "PATCH", f"/segments/{inner['id']}", 422, {"where": circle})
    shop.api.delete(f"/segments/{outer['id']}")
    shop.api.delete(f"/segments/{inner['id']}")
    refused(shop, "GET", f"/segments/{inner['id']}", 404)


def test_who_saves_over_anothers_change_is_told(shop: Shop, three: dict[str, str]) -> None:  # T4
    made = segment(shop, "爱咖啡", {"tag": three["咖啡"]})
    shop.api.patch(f"/segments/{made['id']}", {"name": "咖啡客", "version": 1})
    answer = refused(shop, "PATCH", f"/segments/{made['id']}", 409, {"where": {"tag": three["茶"]}, "version": 1})
    assert answer["version"] == 2
