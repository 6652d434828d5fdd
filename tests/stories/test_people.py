"""Customers and members find, lose and find each other again; seen from WeCom's side and through the API."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from sealing import CORP, deliver
from shop import Shop
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from bot.app.demo.driver import Refused
from bot.core import checks, clock
from bot.core.installation import savepoint
from tags.people import identify, many, merge, service
from tags.people.errors import TwoPeople
from tags.people.models import Contact, Customer
from tags.people.selector import Selector
from tests.stories.test_groups import chat as group_chat
from tests.stories.test_groups import joins


def events(shop: Shop, external_userid: str) -> list[str]:
    """The names of what happened with her, oldest first."""
    who = shop.api.customer(external_userid)["id"]
    return [one["event"] for one in shop.api.get(f"/customers/{who}/timeline", limit=200)["data"]]


def verified(shop: Shop) -> list[str]:
    """What `fugou verify` finds."""
    with shop.installation.transaction("test") as session:
        return [difference for check in checks.checks for difference in check.run(session)]


def stranger(shop: Shop, name: str = "", **selector: str) -> int:
    with shop.installation.transaction("api:1") as session:
        return many.resolve_or_make(session, Selector(**selector), name)


def test_a_customer_who_adds_a_member_is_a_contact_with_name_and_source(shop: Shop) -> None:  # C1 C3 C5
    anna = shop.wecom.add_contact("Anna", staff="lily", state="门店A", unionid="o-anna", gender=2)
    shop.run_jobs()
    customer = shop.api.customer(anna)
    assert (customer["name"], customer["gender"], customer["unionid"]) == ("Anna", "female", "o-anna")
    (contact,) = customer["contacts"]
    assert (contact["userid"], contact["status"], contact["state"]) == ("lily", "active", "门店A")
    assert customer["source"]["first"]["state"] == "门店A"
    assert customer["lifecycle"] == "contact"


def test_one_object_says_what_is_known_of_her_also_of_whom_she_was_merged_with(shop: Shop) -> None:  # C3 C2
    anna, chat = shop.wecom.add_contact("Anna", staff="lily", unionid="o-anna"), group_chat(shop)
    shop.wecom.sim("PATCH", f"contacts/{anna}", userid="lily", remark="手冲老客", description="每周五来")
    joins(shop, anna, chat)
    days = ("2026-01-02T03:04:05Z", "2026-02-03T04:05:06Z")
    for order_id, day, who in zip("AB", days, ({"unionid": "o-anna"}, {"phone": "13800138000"}), strict=True):
        items: list[Any] = []
        shop.api.post(
            "/orders", {"order_id": order_id, "customer": who, "paid_at": day, "total_fen": 900, "items": items}
        )
    shop.api.post("/orders/A/refunds", {"refund_id": "R1", "amount_fen": 100, "refunded_at": days[1]})
    shop.api.patch(f"/customers/{shop.api.customer(anna)['id']}", {"phone": "13800138000"})
    hers = shop.api.customer(anna)
    assert (hers["contacts"][0]["remark"], hers["contacts"][0]["description"]) == ("手冲老客", "每周五来")
    assert hers["orders"] == {"count": 2, "net_fen": 1_700, "first_at": days[0], "last_at": days[1]}
    assert [(one["chat_id"], one["name"]) for one in hers["groups"]] == [(chat, "一群")]


def test_a_half_adding_is_the_adding_and_the_full_one_only_completes_it(shop: Shop) -> None:  # W1 C5 G5
    anna = shop.wecom.add_contact("Anna", half=True)
    shop.run_jobs()
    assert shop.api.customer(anna)["name"] == ""
    shop.wecom.add_contact("Anna", external_userid=anna)
    shop.run_jobs()
    assert shop.api.customer(anna)["name"] == "Anna"
    assert events(shop, anna).count("contact.added") == 1
    assert events(shop, anna).count("contact.completed") == 1


def test_two_customers_who_add_in_one_second_are_two(shop: Shop) -> None:  # G5
    anna, bella = shop.wecom.add_contact("Anna"), shop.wecom.add_contact("Bella")
    shop.run_jobs()
    assert shop.api.customer(anna)["name"] == "Anna"
    assert shop.api.customer(bella)["name"] == "Bella"
    assert shop.api.customer(anna)["id"] != shop.api.customer(bella)["id"]


def test_a_customer_who_deletes_a_member_is_lost_and_the_member_hears_it(shop: Shop) -> None:  # C5
    anna = shop.wecom.add_contact("Anna", staff="lily")
    shop.run_jobs()
    shop.wecom.sim("DELETE", f"contacts/{anna}", userid="lily", by="customer")
    shop.run_jobs()
    assert shop.api.customer(anna)["contacts"][0]["status"] == "customer_left"
    assert [one["text"]["content"] for one in shop.wecom.inbox(userid="lily")] == ["客户「Anna」把您删除了。"]
    shop.wecom.repeat_last_callback()
    shop.run_jobs()
    assert len(shop.wecom.inbox(userid="lily")) == 1
    assert events(shop, anna).count("contact.left") == 1


def test_a_member_who_deletes_a_customer_alerts_his_supervisor(shop: Shop) -> None:  # C5
    shop.wecom.sim("POST", "staff", userid="lily", leaders=["leo"])
    anna = shop.wecom.add_contact("Anna", staff="lily")
    shop.run_jobs()
    shop.wecom.sim("DELETE", f"contacts/{anna}", userid="lily", by="staff")
    shop.run_jobs()
    assert shop.api.customer(anna)["contacts"][0]["status"] == "staff_left"
    assert [one["text"]["content"] for one in shop.wecom.inbox(userid="leo")] == ["成员 莉莉 删除了客户「Anna」。"]


def test_a_deletion_without_a_supervisor_keeps_the_reason_why_nobody_was_alerted(shop: Shop) -> None:  # G6 C9
    anna = shop.wecom.add_contact("Anna", staff="lily")
    shop.wecom.sim("DELETE", f"contacts/{anna}", userid="lily", by="staff")
    shop.run_jobs()
    who = shop.api.customer(anna)["id"]
    timeline = shop.api.get(f"/customers/{who}/timeline")["data"]
    reasons = [one["why"] for one in timeline if one["event"] == "contact.removed"]
    assert reasons == ["WeCom names no supervisor to alert"]


def test_a_customer_who_comes_back_is_added_again_as_returning(shop: Shop) -> None:  # C5 W1
    anna = shop.wecom.add_contact("Anna", state="a")
    shop.wecom.sim("DELETE", f"contacts/{anna}", userid="lily", by="customer")
    shop.wecom.add_contact("Anna", external_userid=anna, state="b")
    shop.run_jobs()
    customer = shop.api.customer(anna)
    assert customer["contacts"][0]["status"] == "active"
    assert (customer["source"]["first"]["state"], customer["source"]["last"]["state"]) == ("a", "b")
    who = customer["id"]
    added = [one["data"]["customer"] for one in shop.api.get(f"/customers/{who}/timeline")["data"]
             if one["event"] == "contact.added"]  # fmt: skip
    assert added == ["new", "returning"]


def test_a_profile_that_cannot_be_read_in_time_comes_later(shop: Shop) -> None:  # W1 G6
    shop.wecom.sim("POST", "faults", path="externalcontact/get", errcode=-1, times=1)
    anna = shop.wecom.add_contact("Anna", unionid="o-anna")
    shop.run_jobs()
    assert shop.api.customer(anna)["name"] == "Anna"
    assert events(shop, anna).count("contact.added") == 1


def test_the_stranger_of_an_order_becomes_the_contact_with_her_unionid(shop: Shop) -> None:  # C2
    made = stranger(shop, "陈静怡", unionid="o-anna")
    anna = shop.wecom.add_contact("Anna", unionid="o-anna")
    shop.run_jobs()
    assert shop.api.customer(anna)["id"] == str(made)


def test_a_unionid_that_appears_later_joins_two_customers(shop: Shop) -> None:  # C2
    made = stranger(shop, unionid="o-anna")
    anna = shop.wecom.add_contact("Anna", half=True)
    shop.run_jobs()
    separate = shop.api.customer(anna)["id"]
    assert separate != str(made)
    shop.wecom.add_contact("Anna", external_userid=anna, unionid="o-anna")
    shop.run_jobs()
    assert shop.api.customer(anna)["id"] == str(made)
    assert shop.api.get(f"/customers/{separate}")["id"] == str(made)
    assert events(shop, anna).count("customer.merged") == 1
    assert verified(shop) == []


def test_one_stranger_is_made_however_many_ask_at_once(shop: Shop) -> None:  # C2 G5
    made: list[int] = []
    threads = [threading.Thread(target=lambda: made.append(stranger(shop, phone="13800138000"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert len(set(made)) == 1
    with shop.installation.transaction("test") as session:
        assert len(session.scalars(select(Customer)).all()) == 1


def test_a_phone_is_understood_as_people_write_it_and_shown_masked(shop: Shop) -> None:  # C2 S1
    made = stranger(shop, "李四", phone="138 0013-8000")
    found = shop.api.get("/customers", phone="+86 13800138000")
    assert (found["id"], found["phone"]) == (str(made), "138****8000")
    assert [one["id"] for one in shop.api.get("/customers", q="8000")["data"]] == [str(made)]
    assert [one["id"] for one in shop.api.get("/customers", q="lisi")["data"]] == [str(made)]
    assert shop.api.get("/customers", q="9999")["data"] == []
    with shop.installation.transaction("test") as session:
        assert b"8000" not in bytes(session.get_one(Customer, made).phone or b"")


def test_a_verified_phone_of_another_customer_joins_the_two(shop: Shop) -> None:  # C2
    made = stranger(shop, phone="13800138000")
    anna = shop.wecom.add_contact("Anna")
    shop.run_jobs()
    who = shop.api.customer(anna)["id"]
    assert shop.api.patch(f"/customers/{who}", {"phone": "13800138000"})["id"] == str(made)
    assert shop.api.customer(anna)["phone"] == "138****8000"


def test_two_wechat_accounts_with_one_phone_are_only_suggested_to_be_one(shop: Shop) -> None:  # C2
    anna, bella = shop.wecom.add_contact("Anna", unionid="o-a"), shop.wecom.add_contact("Bella", unionid="o-b")
    shop.run_jobs()
    one, other = (int(shop.api.customer(who)["id"]) for who in (anna, bella))
    shop.api.patch(f"/customers/{one}", {"phone": "13800138000"})
    answer = shop.api.call("PATCH", f"/customers/{other}", {"phone": "13800138000"})
    assert answer.status_code == 409
    with shop.installation.transaction("api:1") as session, pytest.raises(TwoPeople):
        identify.identify(session, other, "phone", "+8613800138000", source="api")
    assert shop.api.customer(bella)["id"] == str(other)


def test_a_phone_in_a_members_remark_suggests_a_merge_and_does_none(shop: Shop) -> None:  # C2
    made = stranger(shop, phone="13800138000")
    anna = shop.wecom.add_contact("Anna")
    shop.wecom.sim("PATCH", f"contacts/{anna}", userid="lily", remark="VIP", remark_mobiles=["138 0013 8000"])
    shop.run_jobs()
    who = int(shop.api.customer(anna)["id"])
    assert who != made
    with shop.installation.transaction("test") as session:
        assert [one.id for one in merge.suggested(session, who)] == [made]
        assert [one.id for one in merge.suggested(session, made)] == [who]
    shop.wecom.sim("PATCH", f"contacts/{anna}", userid="lily", remark_mobiles=[])
    shop.run_jobs()
    with shop.installation.transaction("test") as session:
        assert merge.suggested(session, who) == []


def test_a_merge_moves_what_is_hers_and_undoing_gives_exactly_that_back(shop: Shop) -> None:  # C2
    made = stranger(shop, phone="13800138000")
    anna = shop.wecom.add_contact("Anna", unionid="o-anna")
    shop.run_jobs()
    who = shop.api.customer(anna)["id"]
    merged = shop.api.post(f"/customers/{who}/merge", {"into": {"customer_id": str(made)}})
    assert (merged["from"], merged["into"]) == (who, str(made))
    assert shop.api.get(f"/customers/{who}")["id"] == str(made)
    together = shop.api.customer(anna)
    assert (together["name"], together["phone"]) == ("Anna", "138****8000")
    shop.api.patch(f"/customers/{made}", {"city": "杭州"})  # after the merge: it stays
    shop.wecom.sim("POST", "contacts", userid="leo", external_userid=anna)  # follows whose external contact it is
    shop.run_jobs()
    shop.api.post(f"/merges/{merged['id']}/undo")
    apart, kept = shop.api.get(f"/customers/{who}"), shop.api.get(f"/customers/{made}")
    assert ([one["userid"] for one in apart["contacts"]], apart["unionid"]) == (["lily", "leo"], "o-anna")
    assert (kept["contacts"], kept["unionid"]) == ([], None)
    assert (apart["name"], apart["phone"], apart["city"]) == ("Anna", None, "")
    assert (kept["name"], kept["phone"], kept["city"]) == ("", "138****8000", "杭州")
    assert verified(shop) == []
    again = shop.api.call("POST", f"/merges/{merged['id']}/undo", {})
    assert again.status_code == 409


def test_what_a_person_took_apart_is_not_joined_again_by_a_match(shop: Shop) -> None:  # C2
    made = stranger(shop, unionid="o-anna")
    anna = shop.wecom.add_contact("Anna", half=True)
    shop.wecom.add_contact("Anna", external_userid=anna, unionid="o-anna")
    shop.run_jobs()
    with shop.installation.transaction("test") as session:
        (done,) = merge.merges_of(session, made)
    shop.api.post(f"/merges/{done.id}/undo")
    shop.wecom.sim("PATCH", f"contacts/{anna}", userid="lily", remark="again")
    shop.run_jobs()
    assert shop.api.customer(anna)["id"] == str(done.from_id)


def test_merges_in_both_directions_at_once_are_done_once(shop: Shop) -> None:  # C2 G5
    one, other = stranger(shop, phone="13800138000"), stranger(shop, phone="13900139000")
    answers: list[int] = []

    def ask(source: int, into: int) -> None:
        body = {"into": {"customer_id": str(into)}}
        answers.append(shop.api.call("POST", f"/customers/{source}/merge", body).status_code)

    threads = [threading.Thread(target=ask, args=pair) for pair in [(one, other), (other, one)] * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 409, 409, 409, 409, 409]
    assert shop.api.get(f"/customers/{one}")["id"] == shop.api.get(f"/customers/{other}")["id"]
    assert verified(shop) == []


def test_a_lock_that_was_taken_back_is_taken_again(shop: Shop) -> None:  # C2
    made = stranger(shop, phone="13800138000")
    with shop.installation.transaction("test") as session, shop.installation.transaction("other") as other:
        with pytest.raises(LookupError), savepoint(session):
            service.lock(session, made)
            raise LookupError
        service.lock(session, made)
        with pytest.raises(OperationalError):
            other.execute(select(Customer.id).where(Customer.id == made).with_for_update(nowait=True))


def test_nobody_is_found_by_a_selector_that_matches_nobody(shop: Shop) -> None:  # C2
    anna = shop.wecom.add_contact("Anna")
    shop.run_jobs()
    with pytest.raises(Refused, match="404"):
        shop.api.get("/customers", external_userid="wmDan")
    both = shop.api.call("GET", "/customers", params={"external_userid": anna, "unionid": "o"})
    assert both.status_code == 422


def test_a_transfer_ends_the_old_relation_as_transferred_and_alerts_nobody(shop: Shop) -> None:  # C5
    anna = shop.wecom.add_contact("Anna", staff="lily")
    shop.run_jobs()
    deliver(shop.url, told("del_external_contact", anna, "<Source>DELETE_BY_TRANSFER</Source>"))
    shop.run_jobs()
    assert shop.api.customer(anna)["contacts"][0]["status"] == "transferred"
    assert shop.wecom.inbox(userid="lily") == []


def test_two_edits_within_one_second_are_both_taken_in(shop: Shop) -> None:  # G5 C5
    anna = shop.wecom.add_contact("Anna", staff="lily")
    shop.run_jobs()
    xml = told("edit_external_contact", anna)
    remarks = []
    for remark in ("first", "second"):
        shop.wecom.sim("PATCH", f"contacts/{anna}", userid="lily", remark=remark)
        deliver(shop.url, xml)  # the same text twice: WeCom's seconds can't tell them apart
        shop.run_jobs()
        with shop.installation.transaction("test") as session:
            remarks.append(session.scalars(select(Contact.remark)).one())
    assert remarks == ["first", "second"]


def test_a_refused_transfer_leaves_the_relation_and_is_told(shop: Shop) -> None:  # C5
    anna = shop.wecom.add_contact("Anna", staff="lily")
    shop.run_jobs()
    deliver(shop.url, told("transfer_fail", anna, "<FailReason>customer_refused</FailReason>"))
    shop.run_jobs()
    assert shop.api.customer(anna)["contacts"][0]["status"] == "active"
    assert events(shop, anna)[-1] == "contact.transfer_failed"


def told(change: str, external_userid: str, more: str = "") -> str:
    """A change_external_contact event about Lily, a day from now so that it is the latest fact."""
    at = int((clock.now() + timedelta(days=1)).timestamp())
    return (
        f"<xml><ToUserName>{CORP}</ToUserName><FromUserName>sys</FromUserName><CreateTime>{at}</CreateTime>"
        f"<MsgType>event</MsgType><Event>change_external_contact</Event><ChangeType>{change}</ChangeType>{more}"
        f"<UserID>lily</UserID><ExternalUserID>{external_userid}</ExternalUserID></xml>"
    )


@pytest.mark.parametrize(
    ("method", "path", "sent", "pointer"),
    [
        ("GET", "/customers", {"params": {"phone": "not a phone"}}, "/phone"),
        ("GET", "/customers", {"params": {"phone": "1"}}, "/phone"),
        ("GET", "/customers", {"params": {"limit": "0"}}, "/limit"),
        ("PATCH", "/customers/1", {"body": {"phone": "not a phone"}}, "/phone"),
        ("PATCH", "/customers/1", {"body": {"gender": "?"}}, "/gender"),
        ("PATCH", "/customers/1", {"body": {"birthday": 86_400}}, "/birthday"),
        ("PATCH", "/customers/one", {"body": {"city": "杭州"}}, "/id"),
        ("POST", "/customers/1/merge", {"body": {"into": {"phone": "not a phone"}}}, "/into/phone"),
    ],
)
def test_one_bad_field_is_one_fault_that_names_it(
    shop: Shop, method: str, path: str, sent: dict[str, Any], pointer: str
) -> None:  # C2
    answer = shop.api.call(method, path, **sent)
    assert (answer.status_code, [one["pointer"] for one in answer.json()["errors"]]) == (422, [pointer])
    assert answer.json()["detail"].startswith(f"{pointer}: ")
