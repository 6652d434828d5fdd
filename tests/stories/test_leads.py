"""The lead pool: who comes in, whose turn she is, how she leaves it, and that nobody is handed out twice (C8)."""

import re
from collections import Counter
from datetime import timedelta
from multiprocessing import get_context
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from shop import Shop

from bot.app.features import load_features
from bot.core import checks, clock
from bot.core.installation import Installation
from bot.core.jobs import counts
from handlers.leads import jobs, service, share
from handlers.leads.models import HandOut, Lead
from handlers.leads.rules import in_turns
from tags.people import many, staff
from tags.people import service as people
from tags.people.identify import suggest_remarks
from tags.people.selector import Selector


def buyers(shop: Shop, *tails: str, city: str = "") -> list[str]:
    """Strangers with a phone each and an order; their ids."""
    ids = []
    for tail in tails:
        item = {"sku": "B", "name": "豆", "category": "咖啡", "quantity": 1, "unit_price_fen": 100}
        order = {"order_id": f"D{tail}", "customer": {"phone": f"1380013{tail}"}, "total_fen": 100, "items": [item]}
        ids.append(shop.api.post("/orders", {**order, "paid_at": clock.now().isoformat()})["customer_id"])
        shop.api.patch(f"/customers/{ids[-1]}", {"city": city} if city else {"name": f"客{tail}"})
    return ids


def pool(shop: Shop, **query: str) -> list[Any]:
    found: list[Any] = shop.api.get("/leads", **query)["data"]
    return found


def told(shop: Shop, userid: str) -> list[str]:
    """What the app wrote to a member about leads."""
    shop.run_jobs()
    messages = shop.wecom.sim("GET", f"inbox?userid={userid}")["data"]
    return [one["text"]["content"] for one in messages if "公海" in str(one) or "/h5/lead" in str(one)]


def test_buyers_nobody_knows_are_handed_out_in_turns_up_to_the_cap(shop: Shop) -> None:  # C8
    shop.api.patch("/settings", {"lead_daily_cap": 2})
    buyers(shop, "0001", "0002", "0003", "0004", "0005")
    shop.api.order(shop.wecom.add_contact("Anna", staff="lily"), "DX", 100)
    shop.run_jobs()
    done = shop.api.post("/leads/share-out", {"staff": ["lily", "leo"]})
    assert done == {"by_member": {"lily": 2, "leo": 2}, "left": 1}
    assert shop.api.post("/leads/share-out", {"staff": ["lily", "leo"]})["by_member"] == {"lily": 0, "leo": 0}
    held = [(one["phone"], one["turns"][0]["userid"]) for one in pool(shop, state="handed_out")]
    assert held == [("138****0001", "lily"), ("138****0002", "leo"), ("138****0003", "lily"), ("138****0004", "leo")]
    shop.pass_time(days=1)
    assert shop.api.post("/leads/share-out", {"staff": ["lily"]})["by_member"] == {"lily": 1}
    assert [one["text"] for one in shop.api.get(f"/customers/{pool(shop)[0]['customer_id']}/timeline")["data"]][-1] == (
        "公海分给了成员 莉莉 去添加"
    )


def test_the_member_finds_number_words_and_three_answers_behind_his_message(shop: Shop) -> None:  # C8 S3
    buyers(shop, "0001", "0002", "0003")
    shop.api.post("/leads/share-out", {"staff": ["lily"]})
    links = [re.search(r"http\S+", text)[0] for text in told(shop, "lily")]  # type: ignore[index]
    for link, result in zip(links, ("refused", "no_answer", "returned"), strict=True):
        http = requests.Session()
        page = http.get(link, timeout=10).text
        assert "+8613800130" in page
        assert "我是莉莉" in page
        fields = dict(re.findall(r'<input[^>]*?name="(\w+)"[^>]*?value="([^"]*)"', page))
        long = http.post(link.split("?")[0], data={**fields, "result": result, "note": "忙" * 201}, timeout=10)
        assert long.status_code == 422
        assert "备注最多 200 个字，现在是 201 个" in long.text
        assert "忙" * 201 in long.text
        for _ in range(2):  # a second tap
            answer = http.post(link.split("?")[0], data={**fields, "result": result, "note": "忙"}, timeout=10)
        assert "13800130" not in answer.text
    assert [one["state"] for one in pool(shop)] == ["refused", "open", "open"]
    assert shop.api.get("/leads/summary")["members"] == {"lily": {"refused": 1, "no_answer": 1, "returned": 1}}
    again = shop.api.post("/leads/share-out", {"staff": ["leo"]})
    assert again["by_member"] == {"leo": 1}  # who did not answer rests
    shop.pass_time(days=7)
    assert shop.api.post("/leads/share-out", {"staff": ["leo"]})["by_member"]["leo"] >= 1


def test_who_becomes_a_contact_is_matched_however_she_is_known(shop: Shop) -> None:  # C8 C2
    by_unionid, by_phone, by_hand = buyers(shop, "0001", "0002", "0003")
    with shop.installation.transaction("test") as session:
        people.keep_identity(session, int(by_unionid), "unionid", "u-1", "api")
    shop.api.post("/leads/share-out", {"staff": ["lily"]})
    shop.wecom.add_contact("Anna", staff="lily", unionid="u-1")
    shop.run_jobs()
    bella = shop.wecom.add_contact("Bella", staff="leo")
    shop.run_jobs()
    shop.api.patch(f"/customers/{shop.api.customer(bella)['id']}", {"phone": "13800130002"})
    cora = shop.wecom.add_contact("Cora", staff="lily")
    shop.run_jobs()
    shop.api.post(f"/customers/{shop.api.customer(cora)['id']}/merge", {"into": {"customer_id": by_hand}})
    assert [(one["state"], one["turns"][0]["result"]) for one in pool(shop)] == [("added", "added")] * 3
    assert pool(shop)[0]["customer_id"] == by_unionid
    with shop.installation.transaction("test") as session:
        assert [said for one in checks.checks for said in one.run(session)] == []
    assert by_phone


def test_a_refusal_outlives_a_merge_and_a_lead_opens_again_when_it_is_undone(shop: Shop) -> None:  # C8 C2
    def merge(one: str, into: str) -> str:
        return str(shop.api.post(f"/customers/{one}/merge", {"into": {"customer_id": into}})["id"])

    refuser, other, unasked = buyers(shop, "0001", "0002", "0003")
    shop.api.post("/leads/share-out", {"staff": ["lily"], "where": {"field": "name", "is": "客0001"}})
    shop.api.post(f"/leads/{pool(shop, state='handed_out')[0]['id']}/results", {"result": "refused"})
    merges = [merge(refuser, other), merge(other, unasked)]
    assert [(one["customer_id"], one["state"]) for one in pool(shop)] == [(unasked, "refused")]
    assert shop.api.post("/leads/share-out", {"staff": ["lily"]}) == {"by_member": {"lily": 0}, "left": 0}
    anna = shop.wecom.add_contact("Anna", staff="lily")
    shop.run_jobs()
    merges.append(merge(shop.api.customer(anna)["id"], unasked))
    assert [one["state"] for one in pool(shop)] == ["added"]
    for done in reversed(merges):
        shop.api.post(f"/merges/{done}/undo")
    states = {one["customer_id"]: one["state"] for one in pool(shop)}
    assert states == {refuser: "refused", other: "open", unasked: "open"}


def test_a_phone_in_a_members_remark_suggests_who_she_is(shop: Shop) -> None:  # C8 C2
    buyers(shop, "0001")
    anna = shop.wecom.add_contact("Anna", staff="lily")
    shop.run_jobs()
    her = shop.api.customer(anna)["id"]
    with shop.installation.transaction("test") as session:
        suggest_remarks(session, int(her), "lily", ["138 0013 0001"])
    shop.api.post("/leads/share-out", {"staff": ["lily"]})
    [lead] = pool(shop)
    assert (lead["state"], lead["maybe"]) == ("handed_out", [her])
    shop.api.post(f"/customers/{her}/merge", {"into": {"customer_id": lead["customer_id"]}})
    assert [(one["state"], one["maybe"]) for one in pool(shop)] == [("added", [])]


def test_a_turn_that_is_over_goes_back_to_the_pool_and_its_link_closes(shop: Shop) -> None:  # C8
    buyers(shop, "0001")
    shop.api.post("/leads/share-out", {"staff": ["lily"]})
    [link] = [re.search(r"http\S+", text)[0] for text in told(shop, "lily")]  # type: ignore[index]
    shop.pass_time(days=3)
    with shop.installation.transaction("test") as session:
        for _ in range(3):
            jobs.look(session)
        assert counts(session) == {"todo": 1}
    shop.run_jobs()
    [lead] = pool(shop)
    assert (lead["state"], lead["turns"][0]["result"]) == ("open", "expired")
    assert requests.get(link, timeout=10).status_code == 410
    assert shop.api.call("POST", f"/leads/{lead['id']}/results", {"result": "refused"}).status_code == 409


def test_a_rule_shares_out_each_morning_by_city_and_leaves_alone_who_opted_out(shop: Shop) -> None:  # C8 S1
    buyers(shop, "0001", "0002", city="杭州")
    buyers(shop, "0003", city="上海")
    gone = pool(shop) or buyers(shop, "0004", city="杭州")
    shop.api.post(f"/customers/{gone[0]}/consents", {"purpose": "marketing", "state": "withdrawn"})
    shop.api.post("/lead-rules", {"name": "杭州店", "where": {"field": "city", "is": "杭州"}, "staff": ["leo"]})
    shop.run_jobs()
    shop.pass_time(days=1)
    shop.run_jobs()
    assert Counter(one["state"] for one in pool(shop)) == {"handed_out": 2, "open": 2}
    assert {one["city"] for one in pool(shop, userid="leo")} == {"杭州"}


def shared(settings: Any, database: str, redis: str, userids: list[str], gate: Any) -> dict[str, int]:
    """A share-out in a process of its own, which begins when all have come to the gate."""
    load_features()
    installation = Installation(settings, database, redis)
    try:
        with installation.transaction("test") as session:
            session.connection()
            gate.wait(60)
            return share.share_out(session, userids).by_member
    finally:
        installation.close()


def test_processes_that_share_out_at_once_hand_nobody_out_twice_and_keep_the_caps(
    installation: Installation, database: str, servers: Any
) -> None:  # C8
    with installation.transaction("test") as session:
        for n in range(100):
            many.resolve_or_make(session, Selector(phone=f"+861380013{n:04}"))
        service.gather(session)
        staff.know(session, "lily", "leo", "mei")
    members = [["lily", "leo"], ["leo", "mei"], ["mei", "lily"], ["lily", "leo", "mei"]]
    spawning = get_context("spawn")
    with spawning.Manager() as manager, spawning.Pool(4) as processes:
        gate = manager.Barrier(len(members))
        asked = [(installation.settings, database, servers.redis_url, each, gate) for each in members]
        answers = processes.starmap(shared, asked)
    got: Counter[str] = Counter()
    for answer in answers:
        got.update(answer)
    with installation.transaction("test") as session:
        turns = session.query(HandOut).all()
        assert len({one.lead_id for one in turns}) == len(turns) == sum(got.values()) == 60
        assert Counter(one.userid for one in turns) == got == {"lily": 20, "leo": 20, "mei": 20}


free = st.dictionaries(st.sampled_from("abcd"), st.integers(0, 5), min_size=1)


@given(free=free)
def test_turns_go_round_until_nobody_is_free(free: dict[str, int]) -> None:  # C8
    given_to = list(in_turns(list(free), free))
    assert Counter(given_to) == {one: number for one, number in free.items() if number}
    for at in range(len(given_to)):
        had = Counter(given_to[:at])
        assert had[given_to[at]] == min(had[one] for one in free if had[one] < free[one])


steps = st.lists(
    st.tuples(st.sampled_from(["share", "refused", "no_answer", "returned", "come", "days"]), st.integers(0, 4)),
    min_size=1, max_size=12,
)  # fmt: skip


@given(steps=steps)
def test_whatever_happens_a_lead_is_one_members_at_most_and_stays_done(
    installation: Installation, steps: list[tuple[str, int]]
) -> None:  # C8
    """Against a model: of each of five leads the state, and since when she rests; two members, two leads a day each."""
    with installation.transaction("test") as session:
        staff.know(session, "lily", "leo")
        example = session.begin_nested()
        for n in range(5):
            many.resolve_or_make(session, Selector(phone=f"+861380013{n:04}"))
        service.gather(session)
        start, days = clock.now(), 0
        leads = session.query(Lead).order_by(Lead.id).all()
        state, rests, turn_day = ["open"] * 5, [0] * 5, [0] * 5
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("bot.core.clock.now", lambda: start + timedelta(days=days))
            for step, n in steps:
                if step == "share":
                    share.share_out(session, ["lily", "leo"], most=2)
                    order = sorted((rests[k], k) for k in range(5) if state[k] == "open" and rests[k] <= days)
                    for _, k in order[:2]:
                        state[k], turn_day[k] = "handed_out", days
                elif step == "days":
                    days += n
                    service.expire(session)
                    for k in range(5):
                        if state[k] == "handed_out" and turn_day[k] + 3 <= days:
                            state[k] = "open"
                elif step == "come":
                    service.came(session, leads[n].customer_id)
                    state[n] = "added"
                elif state[n] == "handed_out":
                    service.report(session, leads[n].id, step)  # type: ignore[arg-type]
                    state[n] = "refused" if step == "refused" else "open"
                    rests[n] = days + 7 if step == "no_answer" else rests[n]
                session.flush()
                assert [one.state for one in leads] == state
                held = session.query(HandOut.lead_id).filter(HandOut.ended_at.is_(None)).all()
                assert Counter(one for (one,) in held) == {leads[k].id: 1 for k in range(5) if state[k] == "handed_out"}
        example.rollback()
