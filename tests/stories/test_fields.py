"""Custom fields: defined by the brand, filled in by anyone, asked by conditions, moved by merges (C6)."""

from datetime import timedelta
from typing import Any

import pytest
from shop import Shop
from sqlalchemy import event

from bot.app.demo.driver import Refused
from bot.core import clock
from tags.conditions.tree import parse
from tags.fields import service
from tags.fields.service import Setting
from tags.people import finding


def define(shop: Shop, key: str, kind: str, **more: Any) -> str:
    made: str = shop.api.post("/custom-fields", {"key": key, "name": f"的{key}", "type": kind, **more})["id"]
    return made


def customer(shop: Shop, name: str) -> str:
    her = shop.wecom.add_contact(name, staff="lily")
    shop.run_jobs()
    found: str = shop.api.customer(her)["id"]
    return found


def fill(shop: Shop, customer_id: str, **values: Any) -> Any:
    return shop.api.patch(f"/customers/{customer_id}", {"fields": values})["fields"]


def meant(shop: Shop, tree: dict[str, Any]) -> set[str]:
    with shop.installation.transaction("test") as session:
        return {str(one) for one in session.scalars(finding.meant(session, parse(session, tree, "/where")))}


def test_a_field_of_each_type_is_filled_in_shown_and_asked(shop: Shop) -> None:  # C6 T4
    define(shop, "taste", "text")
    define(shop, "shoe", "number")
    define(shop, "member_day", "date")
    define(shop, "roast", "choice", choices=["浅", "深"])
    anna, bella = customer(shop, "Anna"), customer(shop, "Bella")
    today = clock.now().astimezone(shop.installation.settings.timezone).date()
    ago = {days: (today - timedelta(days=days)).isoformat() for days in (-1, 0, 9, 10)}
    assert fill(shop, anna, taste="甜", shoe=37.5, member_day=ago[9], roast="浅") == {
        "taste": "甜", "shoe": 37.5, "member_day": ago[9], "roast": "浅",
    }  # fmt: skip
    fill(shop, bella, taste="苦", shoe=38, member_day=ago[10])
    for tree, expected in (
        ({"field": "taste", "in": ["甜", "辣"]}, {anna}),
        ({"field": "roast", "is": "浅"}, {anna}),
        ({"field": "roast", "exists": False}, {bella}),
        ({"field": "shoe", "number": {"gt": 37.5}}, {bella}),
        ({"field": "shoe", "number": {"gte": 37.5, "lt": 38}}, {anna}),
        ({"field": "member_day", "within_days": 10}, {anna}),
        ({"field": "member_day", "older_than_days": 10}, {bella}),
        ({"all": [{"field": "member_day", "month": int(ago[9][5:7])}, {"field": "roast", "is": "浅"}]}, {anna}),
        ({"field": "member_day", "month": (int(ago[9][5:7]) + 5) % 12 + 1}, set()),
    ):
        assert meant(shop, tree) == expected, tree
    fill(shop, bella, member_day=ago[-1])
    assert meant(shop, {"field": "member_day", "within_days": 10}) == {anna}
    fill(shop, bella, member_day=ago[0])
    assert meant(shop, {"field": "member_day", "within_days": 10}) == {anna, bella}
    assert fill(shop, anna, taste=None) == {"shoe": 37.5, "member_day": ago[9], "roast": "浅"}


def test_what_a_field_can_not_be_is_refused_with_the_place_and_nothing_is_kept(shop: Shop) -> None:  # C6
    define(shop, "shoe", "number")
    define(shop, "roast", "choice", choices=["浅"])
    anna = customer(shop, "Anna")
    for values, pointer in (
        ({"shoe": "37"}, "/fields/shoe"), ({"shoe": 1e300}, "/fields/shoe"), ({"shoe": 0.00001}, "/fields/shoe"),
        ({"roast": "中"}, "/fields/roast"), ({"shoe": 37, "size": 1}, "/fields/size"),
    ):  # fmt: skip
        answer = shop.api.call("PATCH", f"/customers/{anna}", {"fields": values})
        assert answer.status_code == 422
        assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]
    assert shop.api.get(f"/customers/{anna}")["fields"] == {}
    for tree, pointer in (
        ({"field": "size", "exists": True}, "/where/field"), ({"field": "shoe", "is": "37"}, "/where"),
        ({"field": "roast", "is": "中"}, "/where/is"),
    ):  # fmt: skip
        answer = shop.api.call("POST", "/segments", {"name": "x", "where": tree})
        assert [one["pointer"] for one in answer.json()["errors"]] == [pointer], answer.text


def test_what_uses_fields_is_read_once_however_many_there_are(shop: Shop) -> None:  # C6
    shop.api.post("/segments", {"name": "买过的", "where": {"orders": {}}})
    asked: list[str] = []
    event.listen(shop.installation.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))

    def reads() -> int:
        asked.clear()
        shop.api.get("/custom-fields")
        return sum("FROM segments" in one for one in asked)

    few = reads()
    for key in ("a", "b", "c"):
        define(shop, key, "text")
    assert reads() == few == 1


def test_a_change_stands_in_the_audit_and_on_the_timeline_once(shop: Shop) -> None:  # C6 G4
    field = define(shop, "taste", "text")
    anna = customer(shop, "Anna")
    for _ in range(2):
        fill(shop, anna, taste="甜")
    told = [one for one in shop.api.get(f"/customers/{anna}/timeline")["data"] if one["event"] == "customer.changed"]
    assert [one["text"] for one in told] == ["资料有更新：的taste"]
    with shop.installation.transaction("test") as session:
        rows = session.connection().exec_driver_sql(
            "SELECT action, before, after FROM audit WHERE target IN (%s, %s) ORDER BY id",
            (f"customer:{anna}", f"field:{field}"),
        ).all()  # fmt: skip
    assert [row[0] for row in rows] == ["field.created", "customer.changed"]
    assert rows[1][1:] == ({"taste": None}, {"taste": "甜"})


def test_a_field_in_use_stays_and_a_deleted_one_keeps_its_values_until_it_is_purged(shop: Shop) -> None:  # C6 G6
    field = define(shop, "roast", "choice", choices=["浅", "深"])
    anna = customer(shop, "Anna")
    fill(shop, anna, roast="浅")
    used = shop.api.post("/segments", {"name": "浅烘", "where": {"any": [{"field": "roast", "is": "浅"}]}})["id"]
    answer = shop.api.call("DELETE", f"/custom-fields/{field}")
    assert (answer.status_code, answer.json()["used_by"]) == (409, [f"segment:{used}"])
    assert shop.api.call("PATCH", f"/custom-fields/{field}", {"choices": ["深"]}).status_code == 409
    shop.api.delete(f"/segments/{used}")
    shop.api.delete(f"/custom-fields/{field}")
    assert shop.api.get(f"/customers/{anna}")["fields"] == {}
    assert shop.api.call("GET", f"/custom-fields/{field}").status_code == 404
    again = define(shop, "roast", "text")
    with pytest.raises(Refused, match="409"):
        shop.api.post(f"/custom-fields/{field}/restore")
    shop.api.delete(f"/custom-fields/{again}")
    shop.pass_time(days=29)
    shop.api.post(f"/custom-fields/{field}/restore")
    assert shop.api.get(f"/customers/{anna}")["fields"] == {"roast": "浅"}
    shop.api.delete(f"/custom-fields/{field}")
    shop.pass_time(days=31)
    shop.run_jobs()
    assert shop.api.call("POST", f"/custom-fields/{field}/restore").status_code == 404


def test_a_merge_gives_the_survivor_what_she_lacks_and_undoing_takes_just_that_back(shop: Shop) -> None:  # C6 C2
    define(shop, "taste", "text")
    define(shop, "shoe", "number")
    define(shop, "cups", "number")
    anna, bella, cora = (customer(shop, name) for name in ("Anna", "Bella", "Cora"))
    fill(shop, anna, taste="甜")
    fill(shop, bella, taste="苦", shoe=38, cups=2)
    first = shop.api.post(f"/customers/{bella}/merge", {"into": {"customer_id": anna}})["id"]
    assert shop.api.get(f"/customers/{anna}")["fields"] == {"taste": "甜", "shoe": 38, "cups": 2}
    shop.api.post(f"/customers/{anna}/merge", {"into": {"customer_id": cora}})
    assert shop.api.get(f"/customers/{cora}")["fields"] == {"taste": "甜", "shoe": 38, "cups": 2}
    fill(shop, cora, taste="酸", shoe=40)
    shop.api.post(f"/merges/{first}/undo")
    assert shop.api.get(f"/customers/{cora}")["fields"] == {"taste": "酸", "shoe": 40}
    assert shop.api.get(f"/customers/{bella}")["fields"] == {"taste": "苦", "shoe": 38, "cups": 2}


def test_many_values_are_set_by_one_statement_the_last_one_counting(shop: Shop) -> None:  # C6 G5
    field = int(define(shop, "taste", "text"))
    anna, bella = int(customer(shop, "Anna")), int(customer(shop, "Bella"))
    settings = [Setting(anna, field, "甜"), Setting(bella, field, "苦"), Setting(anna, field, "酸")]
    with shop.installation.transaction("import:1") as session:
        assert service.set_values(session, settings) == {(anna, field), (bella, field)}
        assert service.set_values(session, settings) == set()
        assert service.set_values(session, [Setting(bella, field, None)]) == {(bella, field)}
        assert service.values_of(session, [anna, bella]) == {anna: {"taste": "酸"}}
