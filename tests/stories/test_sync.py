"""The full pull: what WeCom had before we came, and what its callbacks did not tell (C5, T2)."""

import pytest
from shop import Shop

from bot.core import checks
from bot.wecom import pulls
from bot.wecom.errors import WeComError


def sync(shop: Shop) -> dict[str, int]:
    """What `fugou sync` does; how many of each it read."""
    return {pull.name: pull.run(shop.installation, shop.client, lambda done, total: None) for pull in pulls.in_order()}


def mute(shop: Shop) -> None:
    """From now on WeCom's callbacks go nowhere."""
    shop.wecom.sim("POST", "callbacks", url="http://127.0.0.1:9/lost", token="lost", aes_key="x" * 43)


def timeline(shop: Shop, who: str) -> list[str]:
    customer = shop.api.customer(who)["id"]
    return [one["event"] for one in shop.api.get(f"/customers/{customer}/timeline", limit=200)["data"]]


def test_what_was_there_before_is_taken_in_without_any_effect(shop: Shop) -> None:  # C5 T2
    mute(shop)
    shop.wecom.sim("POST", "tag-groups", name="总部", tags=["VIP"])
    anna = shop.wecom.add_contact("Anna", staff="lily", unionid="o-anna", state="门店A")
    vip = shop.wecom.sim("GET", "tags")["data"][0]["tag"][0]["id"]
    shop.wecom.sim("POST", f"contacts/{anna}/tags", userid="lily", add=[vip])
    read = sync(shop)
    assert (read["members"], read["corp tags"], read["contacts"]) == (2, 1, 1)
    customer = shop.api.customer(anna)
    assert (customer["name"], customer["unionid"]) == ("Anna", "o-anna")
    assert customer["source"]["first"]["state"] == "门店A"
    assert [tag["name"] for tag in customer["tags"]] == ["VIP"]
    shop.run_jobs()
    assert shop.wecom.inbox(anna) == []
    assert "contact.added" not in timeline(shop, anna)
    assert sync(shop)["contacts"] == 1
    assert timeline(shop, anna).count("contact.recorded") == 1


def test_the_callback_of_an_adding_that_was_synced_first_still_welcomes(shop: Shop) -> None:  # C5 W1 G5
    anna = shop.wecom.add_contact("Anna", staff="lily")
    shop.wecom.settled()
    sync(shop)
    shop.run_jobs()
    assert timeline(shop, anna).count("contact.added") == 1
    assert len(shop.wecom.texts_to(anna)) == 1


def test_a_pull_of_several_pages_that_was_broken_off_goes_on_with_its_page(shop: Shop) -> None:  # C5 G6
    mute(shop)
    for number in range(210):
        shop.wecom.add_contact(f"c{number}", staff="lily" if number % 2 else "leo")
    shop.wecom.sim("POST", "faults", path="externalcontact/batch/get_by_user", delay_s=0.01, times=1)
    shop.wecom.sim("POST", "faults", path="externalcontact/batch/get_by_user", errcode=-1, times=1)
    with pytest.raises(WeComError):
        sync(shop)
    kept = len(shop.api.get("/customers", limit=200)["data"])
    assert kept == 100
    assert sync(shop)["contacts"] == 110
    with shop.installation.transaction("test") as session:
        assert [difference for check in checks.checks for difference in check.run(session)] == []
    first = shop.api.get("/customers", limit=200)
    second = shop.api.get("/customers", limit=200, cursor=first["next_cursor"])
    assert (len(first["data"]), len(second["data"]), second["next_cursor"]) == (200, 10, None)


def test_a_deletion_no_callback_told_of_is_found(shop: Shop) -> None:  # C5 G6
    anna, bella = shop.wecom.add_contact("Anna", staff="lily"), shop.wecom.add_contact("Bella", staff="lily")
    shop.run_jobs()
    mute(shop)
    shop.wecom.sim("DELETE", f"contacts/{anna}", userid="lily", by="staff")
    shop.pass_time(seconds=2)
    sync(shop)
    statuses = [shop.api.customer(who)["contacts"][0]["status"] for who in (anna, bella)]
    assert statuses == ["staff_left", "active"]
