"""Customers handed from one member to another, on the job and after he left; how members fare (C5)."""

from typing import Any

import pytest
from racing import together

from bot.wecom import outbox
from handlers.transfers import service
from tags.people import sync
from tests.shop import Shop
from tests.stories.test_groups import events, known


@pytest.fixture(autouse=True)
def synced(shop: Shop) -> None:
    """The members are known, as after `fugou sync`."""
    sync.members(shop.installation, shop.client, lambda done, total: None)


def hand_over(shop: Shop, *who: str, **more: Any) -> Any:
    body = {"handover": "lily", "takeover": "leo", "customers": [*who] or None, **more}
    answer = shop.api.post("/transfers", body)
    shop.run_jobs()
    return answer


def transfers(shop: Shop) -> list[tuple[str, str]]:
    return [(one["state"], one["reason"]) for one in shop.api.get("/transfers")["data"]]


def relations(shop: Shop, who: str) -> dict[str, str]:
    return {one["userid"]: one["status"] for one in shop.api.customer(who)["contacts"]}


def wait(shop: Shop, **span: float) -> None:
    shop.pass_time(**span)
    shop.wecom.sim("GET", "staff")  # WeCom's own clockwork goes on when somebody looks
    shop.run_jobs()


def fare(shop: Shop, userid: str) -> Any:
    return next(one for one in shop.api.get("/staff")["data"] if one["userid"] == userid)


def test_on_the_job_she_goes_over_after_a_day_and_the_old_relation_is_transferred(shop: Shop) -> None:  # C5
    anna = known(shop, "Anna")
    assert hand_over(shop, anna, message="我是李奥") == {"asked": 1, "twice": 0}
    assert (transfers(shop), relations(shop, anna)) == ([("waiting", "")], {"lily": "active"})
    assert (fare(shop, "lily")["giving"], fare(shop, "leo")["taking"]) == (1, 1)
    wait(shop, hours=24)
    assert (transfers(shop), relations(shop, anna)) == ([("done", "")], {"lily": "transferred", "leo": "active"})
    assert events(shop, anna, "contact.removed", "contact.added") == [
        "contact.added",
        "contact.removed",
        "contact.added",
    ]
    assert (fare(shop, "lily")["active"], fare(shop, "leo")["active"], fare(shop, "lily")["lost"]) == (0, 1, 0)


def test_all_of_a_members_customers_go_a_hundred_a_call(shop: Shop) -> None:  # C5
    for n in range(101):
        shop.wecom.add_contact(f"C{n}")
    shop.run_jobs()
    assert hand_over(shop)["asked"] == 101
    sizes = [len(one["body"]["external_userid"]) for one in shop.wecom.calls("externalcontact/transfer_customer")]
    assert sizes == [100, 1]
    assert hand_over(shop)["asked"] == 0


@pytest.mark.parametrize(("reason", "state"), [("customer_refused", "refused"), ("customer_limit_exceed", "full")])
@pytest.mark.parametrize("told", [True, False])
def test_she_may_stay_whether_a_callback_tells_it_or_not(
    shop: Shop, reason: str, state: str, told: bool
) -> None:  # C5 G6
    anna = known(shop, "Anna")
    hand_over(shop, anna)
    shop.wecom.sim("POST", f"transfers/{anna}/end", reason=reason, told=told)
    wait(shop, hours=1)
    assert (transfers(shop), relations(shop, anna)) == ([(state, reason)], {"lily": "active"})
    assert events(shop, anna, "contact.transfer_failed") == ["contact.transfer_failed"]
    assert hand_over(shop, anna)["asked"] == 1


def test_twice_in_ninety_days_is_the_most_on_the_job(shop: Shop) -> None:  # C5
    anna = known(shop, "Anna")
    there, back = ("lily", "leo"), ("leo", "lily")
    for handover, takeover in (there, back):
        hand_over(shop, anna, handover=handover, takeover=takeover)
        wait(shop, hours=25)
    assert hand_over(shop, anna) == {"asked": 0, "twice": 1}
    assert transfers(shop)[0] == ("failed", "twice")
    assert len(shop.wecom.calls("externalcontact/transfer_customer")) == 2


def test_what_wecom_refuses_for_one_is_kept_with_its_code(shop: Shop) -> None:  # C5 G6
    anna, bella = known(shop, "Anna"), known(shop, "Bella")
    shop.wecom.sim("POST", "staff", userid="mia")
    shop.client.contact.transfer_customer("lily", "mia", [bella])  # somebody else, in WeCom's admin console
    hand_over(shop, anna, bella)
    wait(shop, hours=1)
    assert sorted(transfers(shop)) == [("failed", "no_record"), ("waiting", "")]


def test_a_lost_answer_begins_nothing_twice(shop: Shop) -> None:  # C5 G5
    anna = known(shop, "Anna")
    shop.wecom.sim("POST", "faults", path="externalcontact/transfer_customer", drop="after")
    hand_over(shop, anna)
    wait(shop, seconds=31)
    outbox.settle_lost(shop.installation, shop.client)
    wait(shop, seconds=1)
    assert transfers(shop) == [("waiting", "")]
    wait(shop, hours=24)
    assert transfers(shop) == [("done", "")]


def test_the_customers_of_who_left_wait_and_are_given_to_another(shop: Shop) -> None:  # C5
    anna = known(shop, "Anna")
    shop.wecom.sim("DELETE", "staff/lily")
    wait(shop, days=1)
    (row,) = shop.api.get("/transfers/awaiting")["data"]
    assert (row["external_userid"], row["userid"], fare(shop, "lily")["left_at"] is None) == (anna, "lily", False)
    hand_over(shop)
    assert shop.api.get("/transfers/awaiting")["data"] == []
    wait(shop, days=1)
    wait(shop, hours=1)
    assert (transfers(shop), relations(shop, anna)) == ([("done", "")], {"lily": "transferred", "leo": "active"})
    assert "transfer_success_msg" not in shop.wecom.calls("externalcontact/resigned/transfer_customer")[0]["body"]


def test_two_who_hand_over_the_same_customer_begin_it_once(shop: Shop) -> None:  # C5 G5
    anna = known(shop, "Anna")

    def start() -> int:
        with shop.installation.transaction("test") as session:
            return service.start(session, "lily", "leo", [anna]).asked

    together(start, start)
    shop.run_jobs()
    assert transfers(shop) == [("waiting", "")]


@pytest.mark.parametrize(("body", "pointer"), [
    ({"handover": "ghost"}, "/handover"), ({"takeover": "ghost"}, "/takeover"), ({"takeover": "lily"}, "/takeover"),
    ({"customers": ["wmNobody"]}, "/customers"), ({"message": "长" * 201}, "/message"),
])  # fmt: skip
def test_a_bad_transfer_is_named(shop: Shop, body: dict[str, Any], pointer: str) -> None:  # C5
    known(shop, "Anna")
    known(shop, "Leo's")
    wanted = {"handover": "lily", "takeover": "leo", **body}
    refused = shop.api.call("POST", "/transfers", wanted)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)


def test_who_deletes_whom_reaches_the_member_and_the_supervisor(shop: Shop) -> None:  # C5
    shop.wecom.sim("POST", "staff", userid="lily", leaders=["leo"])
    sync.members(shop.installation, shop.client, lambda done, total: None)
    anna, bella = known(shop, "Anna"), known(shop, "Bella")
    shop.wecom.sim("DELETE", f"contacts/{anna}", userid="lily", by="customer")
    shop.wecom.sim("DELETE", f"contacts/{bella}", userid="lily", by="staff")
    shop.run_jobs()
    told = {who: [one["text"]["content"] for one in shop.wecom.sim("GET", "inbox", userid=who)["data"]]
            for who in ("lily", "leo")}  # fmt: skip
    assert told == {"lily": ["客户「Anna」把您删除了。"], "leo": ["成员 莉莉 删除了客户「Bella」。"]}
    assert (fare(shop, "lily")["lost"], fare(shop, "lily")["active"]) == (2, 0)
