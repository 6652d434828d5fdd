"""Tags put on here and in WeCom's clients meet: two-way sync, single choice, expiry, conflicts (T1, T2)."""

import threading
import time
from datetime import timedelta

from shop import Shop
from sqlalchemy import select

from bot.core import checks, clock
from bot.operators.models import AuditRow
from bot.wecom import outbox
from tags.people import service as people
from tags.people.selector import Selector
from tags.tagging import corp, service


def group(shop: Shop, name: str, *tags: str, kind: str = "corp", single_choice: bool = False) -> dict[str, str]:
    """A new tag group; ids by tag name."""
    body = {"name": name, "kind": kind, "single_choice": single_choice, "tags": list(tags)}
    return {tag["name"]: tag["id"] for tag in shop.api.post("/tag-groups", body)["tags"]}


def put(shop: Shop, who: str, tag_id: str) -> None:
    shop.api.put(f"/customers/{shop.api.customer(who)['id']}/tags/{tag_id}")


def take(shop: Shop, who: str, tag_id: str) -> None:
    shop.api.delete(f"/customers/{shop.api.customer(who)['id']}/tags/{tag_id}")


def here(shop: Shop, who: str) -> list[str]:
    """The names of the tags she has here."""
    return sorted(tag["name"] for tag in shop.api.customer(who)["tags"])


def in_wecom(shop: Shop, who: str, staff: str = "lily") -> list[str]:
    """The names of the corp tags WeCom has on her relation with a member."""
    names = {tag["id"]: tag["name"] for one in shop.wecom.sim("GET", "tags")["data"] for tag in one["tag"]}
    customers = {one["external_userid"]: one for one in shop.wecom.sim("GET", "contacts", userid=staff)["data"]}
    relation = next(one for one in customers[who]["relations"] if one["userid"] == staff)
    return sorted(names[tag_id] for tag_id in relation["tags"])


def wecom_id(shop: Shop, name: str) -> str:
    return next(tag["id"] for one in shop.wecom.sim("GET", "tags")["data"] for tag in one["tag"] if tag["name"] == name)


def mark(shop: Shop, who: str, staff: str = "lily", *, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()) -> None:
    """A member puts tags on, or takes them off, in his client."""
    ids = {"add": [wecom_id(shop, name) for name in add], "remove": [wecom_id(shop, name) for name in remove]}
    shop.wecom.sim("POST", f"contacts/{who}/tags", userid=staff, **ids)


def told(shop: Shop, who: str, event: str) -> list[str]:
    """The tags of the events of that name in her timeline."""
    timeline = shop.api.get(f"/customers/{shop.api.customer(who)['id']}/timeline", limit=200)["data"]
    return [one["data"]["tag"] for one in timeline if one["event"] == event]


def befriend(shop: Shop, name: str, *staff: str) -> str:
    who = shop.wecom.add_contact(name, staff=staff[0])
    for userid in staff[1:]:
        shop.wecom.sim("POST", "contacts", userid=userid, external_userid=who)
    shop.run_jobs()
    return who


def open_calls(shop: Shop) -> dict[str, int]:
    with shop.installation.transaction("test") as session:
        return {state: count for state, count in outbox.counts(session).items() if count and state != "refused"}


def settle_lost(shop: Shop) -> None:
    """Ten minutes later the lane has asked for, or told again, what was lost."""
    shop.run_jobs()
    shop.pass_time(minutes=10)
    outbox.settle_lost(shop.installation, shop.client)
    shop.run_jobs()


def in_the_end(shop: Shop) -> None:
    """Everything is sent and answered, one lost answer after the other."""
    shop.run_jobs()
    for _ in range(20):
        if open_calls(shop):
            settle_lost(shop)
    assert open_calls(shop) == {}


def verified(shop: Shop) -> list[str]:
    with shop.installation.transaction("test") as session:
        return [difference for check in checks.checks for difference in check.run(session)]


def test_a_corp_group_made_here_stands_in_wecom_at_once(shop: Shop) -> None:  # T1 T2
    group(shop, "渠道", "门店A", "门店B")
    (made,) = shop.wecom.sim("GET", "tags")["data"]
    assert (made["group_name"], sorted(tag["name"] for tag in made["tag"])) == ("渠道", ["门店A", "门店B"])
    (listed,) = shop.api.get("/tag-groups")["data"]
    added = shop.api.post("/tags", {"group_id": listed["id"], "name": "门店C"})
    assert wecom_id(shop, "门店C")
    shop.api.delete(f"/tags/{added['id']}")
    assert len(shop.wecom.sim("GET", "tags")["data"][0]["tag"]) == 2


def test_what_wecom_refuses_is_a_502_with_its_code_and_never_was(shop: Shop) -> None:  # T2 G6
    shop.wecom.sim("POST", "faults", path="externalcontact/add_corp_tag", errcode=40126, times=1)
    answer = shop.api.call(
        "POST", "/tag-groups", {"name": "渠道", "kind": "corp", "single_choice": False, "tags": ["a"]}
    )
    assert (answer.status_code, answer.json()["errcode"]) == (502, 40126)
    assert shop.api.get("/tag-groups")["data"] == []
    group(shop, "渠道", "a")
    (listed,) = shop.api.get("/tag-groups")["data"]
    shop.wecom.sim("POST", "faults", path="externalcontact/add_corp_tag", errcode=40126, times=1)
    assert shop.api.call("POST", "/tags", {"group_id": listed["id"], "name": "b"}).status_code == 502
    assert [tag["name"] for tag in shop.api.get("/tag-groups")["data"][0]["tags"]] == ["a"]
    shop.api.post("/tags", {"group_id": listed["id"], "name": "b"})


def test_a_group_whose_answer_was_lost_is_a_202_and_settles_itself(shop: Shop) -> None:  # T2 G6
    shop.wecom.sim("POST", "faults", path="externalcontact/add_corp_tag", drop="after", times=1)
    body = {"name": "渠道", "kind": "corp", "single_choice": False, "tags": ["门店A"]}
    answer = shop.api.call("POST", "/tag-groups", body)
    assert answer.status_code == 202
    anna = befriend(shop, "Anna", "lily")
    settle_lost(shop)
    put(shop, anna, answer.json()["tags"][0]["id"])
    shop.run_jobs()
    assert in_wecom(shop, anna) == ["门店A"]
    assert len(shop.wecom.sim("GET", "tags")["data"]) == 1


def test_another_apps_tag_can_be_assigned_and_not_deleted(shop: Shop) -> None:  # T2
    shop.wecom.sim("POST", "tag-groups", name="总部", tags=["VIP"])
    anna = befriend(shop, "Anna", "lily")
    (listed,) = shop.api.get("/tag-groups")["data"]
    put(shop, anna, listed["tags"][0]["id"])
    shop.run_jobs()
    assert in_wecom(shop, anna) == ["VIP"]
    answer = shop.api.call("DELETE", f"/tags/{listed['tags'][0]['id']}")
    assert (answer.status_code, answer.json()["errcode"]) == (502, 81011)
    assert here(shop, anna) == ["VIP"]


def test_a_tag_is_put_on_and_taken_off_every_active_relation(shop: Shop) -> None:  # T2
    tags = group(shop, "渠道", "门店A")
    anna = befriend(shop, "Anna", "lily", "leo")
    put(shop, anna, tags["门店A"])
    shop.run_jobs()
    assert (in_wecom(shop, anna, "lily"), in_wecom(shop, anna, "leo")) == (["门店A"], ["门店A"])
    take(shop, anna, tags["门店A"])
    take(shop, anna, tags["门店A"])
    shop.run_jobs()
    assert (in_wecom(shop, anna, "lily"), in_wecom(shop, anna, "leo")) == ([], [])
    assert here(shop, anna) == []
    assert verified(shop) == []


def test_tags_of_a_half_relation_wait_until_the_member_adds_her_back(shop: Shop) -> None:  # T2 W1
    tags = group(shop, "渠道", "门店A")
    anna = shop.wecom.add_contact("Anna", half=True)
    shop.run_jobs()
    put(shop, anna, tags["门店A"])
    shop.run_jobs()
    assert shop.wecom.calls("externalcontact/mark_tag") == []
    shop.wecom.add_contact("Anna", external_userid=anna)
    shop.run_jobs()
    assert in_wecom(shop, anna) == ["门店A"]


def test_many_changes_of_one_customer_are_one_call_a_relation(shop: Shop) -> None:  # T2
    tags = group(shop, "兴趣", *(f"t{number}" for number in range(10)))
    anna = befriend(shop, "Anna", "lily")
    for tag_id in tags.values():
        put(shop, anna, tag_id)
    for tag_id in list(tags.values())[:3]:
        take(shop, anna, tag_id)
    shop.run_jobs()
    (call,) = shop.wecom.calls("externalcontact/mark_tag")
    assert (len(call["body"]["add_tag"]), call["body"].get("remove_tag") or []) == (7, [])
    assert len(in_wecom(shop, anna)) == 7


def test_a_members_tag_is_hers_here_and_on_her_other_relations(shop: Shop) -> None:  # T2
    group(shop, "渠道", "门店A", "门店B")
    anna = befriend(shop, "Anna", "lily", "leo")
    mark(shop, anna, "lily", add=("门店A", "门店B"))
    shop.run_jobs()
    assert here(shop, anna) == ["门店A", "门店B"]
    assert in_wecom(shop, anna, "leo") == ["门店A", "门店B"]
    assert {tag["source"] for tag in shop.api.customer(anna)["tags"]} == {"member:lily"}
    mark(shop, anna, "leo", remove=("门店A",))
    shop.run_jobs()
    assert here(shop, anna) == ["门店B"]
    assert (in_wecom(shop, anna, "lily"), in_wecom(shop, anna, "leo")) == (["门店B"], ["门店B"])
    assert verified(shop) == []


def test_a_push_that_still_waits_is_no_removal(shop: Shop) -> None:  # T2
    tags = group(shop, "渠道", "门店A")
    anna = befriend(shop, "Anna", "lily")
    shop.wecom.sim("POST", "faults", path="externalcontact/mark_tag", errcode=-1, times=1)
    put(shop, anna, tags["门店A"])
    shop.run_jobs()
    shop.wecom.sim("PATCH", f"contacts/{anna}", userid="lily", remark="a remark, no tags")
    shop.run_jobs()
    assert (here(shop, anna), in_wecom(shop, anna)) == (["门店A"], [])
    shop.pass_time(minutes=1)
    shop.run_jobs()
    assert in_wecom(shop, anna) == ["门店A"]


def test_a_push_whose_answer_was_lost_is_told_again_as_it_is_by_then(shop: Shop) -> None:  # T2
    tags = group(shop, "渠道", "门店A", "门店B")
    anna = befriend(shop, "Anna", "lily")
    shop.wecom.sim("POST", "faults", path="externalcontact/mark_tag", drop="after", times=1)
    put(shop, anna, tags["门店A"])
    shop.run_jobs()
    take(shop, anna, tags["门店A"])
    put(shop, anna, tags["门店B"])
    settle_lost(shop)
    assert (here(shop, anna), in_wecom(shop, anna)) == (["门店B"], ["门店B"])
    assert verified(shop) == []


def test_a_lost_push_that_is_to_be_sent_again_takes_off_what_it_may_have_put_on(shop: Shop) -> None:  # T2
    tags = group(shop, "渠道", "门店A")
    anna = befriend(shop, "Anna", "lily")
    shop.wecom.sim("POST", "faults", path="externalcontact/mark_tag", drop="after", times=1)
    put(shop, anna, tags["门店A"])
    shop.run_jobs()
    shop.pass_time(minutes=10)
    outbox.settle_lost(shop.installation, shop.client)  # waits again
    take(shop, anna, tags["门店A"])
    shop.run_jobs()
    assert (here(shop, anna), in_wecom(shop, anna)) == ([], [])


def test_a_change_during_a_push_waits_for_its_answer(shop: Shop) -> None:  # T2
    tags = group(shop, "渠道", "门店A", "门店B")
    anna = befriend(shop, "Anna", "lily")
    shop.wecom.sim("POST", "faults", path="externalcontact/mark_tag", delay_s=1.5, times=1)
    put(shop, anna, tags["门店A"])
    sender = threading.Thread(target=shop.run_jobs)
    sender.start()
    until = time.monotonic() + 20
    while open_calls(shop) != {"sending": 1} and time.monotonic() < until:
        time.sleep(0.01)
    put(shop, anna, tags["门店B"])
    during = open_calls(shop)
    sender.join()
    assert during == {"sending": 1}  # two calls under way could overtake each other
    shop.run_jobs()
    assert (here(shop, anna), in_wecom(shop, anna)) == (["门店A", "门店B"], ["门店A", "门店B"])


def test_of_a_single_choice_group_the_last_tag_stays(shop: Shop) -> None:  # T1
    tags = group(shop, "等级", "银", "金", single_choice=True)
    anna = befriend(shop, "Anna", "lily")
    put(shop, anna, tags["银"])
    put(shop, anna, tags["金"])
    shop.run_jobs()
    assert (here(shop, anna), in_wecom(shop, anna)) == (["金"], ["金"])
    mark(shop, anna, add=("银",))
    shop.run_jobs()
    assert (here(shop, anna), in_wecom(shop, anna)) == (["银"], ["银"])


def test_racing_assignments_of_a_single_choice_group_leave_one(shop: Shop) -> None:  # T1 G5
    tags = group(shop, "选", "先", "后", kind="profile", single_choice=True)
    anna = befriend(shop, "Anna", "lily")
    second = threading.Thread(target=put, args=(shop, anna, tags["后"]))
    with shop.installation.transaction("test") as session:
        service.assign(session, int(shop.api.customer(anna)["id"]), [int(tags["先"])])
        second.start()
        second.join(1)  # it waits for the first; one that did not would be done by now, and see nothing of it
    second.join()
    assert here(shop, anna) == ["后"]
    assert verified(shop) == []


def test_tags_and_groups_changed_in_wecom_are_so_here(shop: Shop) -> None:  # T2
    made = shop.wecom.sim("POST", "tag-groups", name="总部", tags=["VIP", "普通"])
    anna = befriend(shop, "Anna", "lily")
    mark(shop, anna, add=("VIP", "普通"))
    shop.run_jobs()
    assert here(shop, anna) == sorted(["VIP", "普通"])
    shop.wecom.sim("PATCH", f"tags/{made['tags'][0]['id']}", name="贵宾")
    shop.wecom.sim("DELETE", f"tags/{made['tags'][1]['id']}")
    shop.run_jobs()
    assert here(shop, anna) == ["贵宾"]
    shop.wecom.sim("DELETE", f"tag-groups/{made['group_id']}")
    shop.run_jobs()
    assert here(shop, anna) == []
    assert shop.api.get("/tag-groups")["data"] == []
    assert verified(shop) == []


def test_a_tag_made_while_wecom_is_read_is_not_taken_for_gone(shop: Shop) -> None:  # T2 G6
    group(shop, "渠道", "门店A")
    listing = corp.read(shop.installation, shop.client)
    shop.api.post("/tags", {"group_id": shop.api.get("/tag-groups")["data"][0]["id"], "name": "门店B"})
    group(shop, "等级", "金")
    with shop.installation.transaction("test") as session:
        corp.take(session, listing)
    shop.run_jobs()
    groups = {one["name"]: [tag["name"] for tag in one["tags"]] for one in shop.api.get("/tag-groups")["data"]}
    assert groups == {"渠道": ["门店A", "门店B"], "等级": ["金"]}


def test_a_tag_deleted_here_disappears_from_whoever_had_it(shop: Shop) -> None:  # T2
    tags = group(shop, "渠道", "门店A", "门店B")
    anna = befriend(shop, "Anna", "lily")
    put(shop, anna, tags["门店A"])
    put(shop, anna, tags["门店B"])
    shop.run_jobs()
    shop.api.delete(f"/tags/{tags['门店A']}")
    shop.run_jobs()
    assert (here(shop, anna), in_wecom(shop, anna)) == (["门店B"], ["门店B"])
    assert told(shop, anna, "tag.removed") == ["门店A"]
    gone = shop.api.call("PUT", f"/customers/{shop.api.customer(anna)['id']}/tags/{tags['门店A']}")
    assert gone.status_code == 404


def test_the_later_change_wins_and_the_loser_is_in_the_audit(shop: Shop) -> None:  # T2 G4
    tags = group(shop, "渠道", "门店A")
    anna = befriend(shop, "Anna", "lily")
    put(shop, anna, tags["门店A"])
    shop.run_jobs()
    mark(shop, anna, remove=("门店A",))  # its callback waits while the shop changes its mind a minute later
    shop.wecom.settled()
    shop.pass_time(seconds=60)
    take(shop, anna, tags["门店A"])
    put(shop, anna, tags["门店A"])
    shop.run_jobs()
    assert (here(shop, anna), in_wecom(shop, anna)) == (["门店A"], ["门店A"])
    with shop.installation.transaction("test") as session:
        rows = session.scalars(select(AuditRow).where(AuditRow.action == "tag.overruled")).all()
    assert [(row.before["by"], row.before["change"]) for row in rows] == [("member:lily", "removed")]


def test_a_tag_with_an_end_goes_at_its_end(shop: Shop) -> None:  # T2
    tags = group(shop, "活动", "双十一")
    anna = befriend(shop, "Anna", "lily")
    with shop.installation.transaction("rule:1") as session:
        hers = people.resolve(session, Selector(external_userid=anna))
        service.assign(session, hers, [int(tags["双十一"])], expires_at=clock.now() + timedelta(days=1))
    shop.run_jobs()
    assert in_wecom(shop, anna) == ["双十一"]
    shop.pass_time(days=1)
    with shop.installation.transaction("tick") as session:
        assert service.expire(session) == 1
    shop.run_jobs()
    assert (here(shop, anna), in_wecom(shop, anna)) == ([], [])


def test_the_tags_of_a_customer_who_left_are_put_on_again_when_she_returns(shop: Shop) -> None:  # T2 C5
    tags = group(shop, "渠道", "门店A")
    anna = befriend(shop, "Anna", "lily")
    put(shop, anna, tags["门店A"])
    shop.run_jobs()
    shop.wecom.sim("DELETE", f"contacts/{anna}", userid="lily", by="staff")
    shop.run_jobs()
    assert here(shop, anna) == ["门店A"]
    shop.wecom.sim("POST", "contacts", userid="lily", external_userid=anna)
    shop.run_jobs()
    assert (here(shop, anna), in_wecom(shop, anna)) == (["门店A"], ["门店A"])


def test_a_merge_joins_tags_and_undoing_parts_them(shop: Shop) -> None:  # C2 T2
    channel = group(shop, "渠道", "门店A", "门店B", single_choice=True)
    other = group(shop, "兴趣", "咖啡", "茶")
    anna, bella = befriend(shop, "Anna", "lily"), befriend(shop, "Bella", "leo")
    for who, tag_id in (
        (anna, channel["门店A"]),
        (anna, other["咖啡"]),
        (bella, channel["门店B"]),
        (bella, other["茶"]),
    ):
        put(shop, who, tag_id)
    shop.run_jobs()
    who = shop.api.customer(bella)["id"]
    merged = shop.api.post(f"/customers/{who}/merge", {"into": {"external_userid": anna}})
    shop.run_jobs()
    together = sorted(["门店A", "咖啡", "茶"])
    assert (here(shop, anna), in_wecom(shop, anna, "lily"), in_wecom(shop, bella, "leo")) == (together,) * 3
    shop.api.post(f"/merges/{merged['id']}/undo")
    shop.run_jobs()
    assert here(shop, anna) == in_wecom(shop, anna, "lily") == sorted(["门店A", "咖啡"])
    assert here(shop, bella) == in_wecom(shop, bella, "leo") == sorted(["门店B", "茶"])
    assert told(shop, anna, "tag.removed") == ["茶"]
    assert verified(shop) == []


def test_profile_tags_stay_here(shop: Shop) -> None:  # T1
    tags = group(shop, "备注", "爱喝手冲", kind="profile")
    anna = befriend(shop, "Anna", "lily")
    put(shop, anna, tags["爱喝手冲"])
    shop.run_jobs()
    (tag,) = shop.api.customer(anna)["tags"]
    assert (tag["kind"], tag["source"], tag["group"]) == ("profile", "api:1", "备注")
    assert shop.wecom.calls("externalcontact/mark_tag") == []
    assert [one["id"] for one in shop.api.get("/customers", tag=tag["id"])["data"]] == [shop.api.customer(anna)["id"]]
