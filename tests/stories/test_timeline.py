"""Her timeline: every touch in words, oldest to newest, page by page (C4)."""

from datetime import datetime

from shop import Shop

from bot.core.events import Event
from bot.operators.accounts import add_operator, close_operator
from bot.operators.models import Operator
from handlers.points import adjust
from tags.tagging import service as tagging
from tags.timeline.service import tellers


def kinds(kind: type[Event]) -> set[type[Event]]:
    below = {kind, *kind.__subclasses__()}
    return below if below == {kind} else below.union(*(kinds(one) for one in kind.__subclasses__()))


def test_every_event_is_told(shop: Shop) -> None:  # C4 C9
    ours = [one for one in kinds(Event) - {Event} if one.__module__.startswith(("bot.", "tags.", "handlers."))]
    announced = {one.name for one in ours if one.name}  # a family of events without a name is announced by none
    assert announced - {name for name, _ in tellers} == set()


def test_the_timeline_is_told_oldest_first_page_by_page(shop: Shop) -> None:  # C4
    anna = shop.wecom.add_contact("Anna", staff="lily", state="门店A")
    shop.run_jobs()
    shop.pass_time(seconds=5)
    shop.wecom.sim("DELETE", f"contacts/{anna}", userid="lily", by="customer")
    shop.run_jobs()
    path = f"/customers/{shop.api.customer(anna)['id']}/timeline"
    whole = shop.api.get(path, limit=200)["data"]
    moments = [datetime.fromisoformat(one["at"]) for one in whole]
    assert moments == sorted(moments)
    assert (whole[0]["event"], whole[0]["text"], whole[0]["why"]) == ("contact.added", "添加了成员 莉莉", "渠道 门店A")
    assert (whole[-1]["event"], whole[-1]["text"]) == ("contact.left", "删除了成员 莉莉")
    pages, cursor = [], None
    while True:
        page = shop.api.get(path, limit=1, **({"cursor": cursor} if cursor else {}))
        pages += page["data"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert pages == whole


def test_the_timeline_speaks_the_readers_language(shop: Shop) -> None:  # C4
    anna = shop.wecom.add_contact("Anna", staff="lily")
    shop.run_jobs()
    path = f"/customers/{shop.api.customer(anna)['id']}/timeline"
    answer = shop.api.call("GET", path, headers={"Accept-Language": "en"}).json()
    assert answer["data"][0]["text"] == "Added member 莉莉"


def test_a_merged_customers_timeline_is_the_survivors_too(shop: Shop) -> None:  # C2 C4
    anna, bella = shop.wecom.add_contact("Anna"), shop.wecom.add_contact("Bella")
    shop.run_jobs()
    who = shop.api.customer(bella)["id"]
    shop.api.post(f"/customers/{who}/merge", {"into": {"external_userid": anna}})
    names = [one["event"] for one in shop.api.get(f"/customers/{who}/timeline")["data"]]
    assert names.count("contact.added") == 2
    assert names.count("customer.merged") == 1


def test_who_did_it_is_told_by_name_also_when_it_is_closed_since(shop: Shop) -> None:  # C4 C9 G4
    group = {"name": "渠道", "kind": "profile", "single_choice": False, "tags": ["门店A", "常客", "已停用"]}
    store, regular, gone = (int(tag["id"]) for tag in shop.api.post("/tag-groups", group)["tags"])
    code = shop.api.post("/live-codes", {"name": "西湖店桌贴", "staff": ["lily"], "tags": [str(store), str(gone)]})
    shop.api.delete(f"/tags/{gone}")
    anna = shop.wecom.sim("POST", "scan", qr_code=code["qr_code"], name="Anna")["external_userid"]
    shop.run_jobs()
    who = shop.api.customer(anna)["id"]
    with shop.installation.transaction("cli") as session:
        xiao = add_operator(session, "林晓", "operator").id
    with shop.installation.transaction(f"operator:{xiao}") as session:
        tagging.assign(session, int(who), [regular])
        adjust.adjust(session, int(who), 100, "补偿")
    shop.api.patch(f"/customers/{who}", {"city": "杭州"})
    bella = shop.api.post("/orders", ORDER)["customer_id"]
    shop.api.patch(f"/customers/{bella}", {"name": "Bella"})
    shop.api.post(f"/customers/{bella}/merge", {"into": {"external_userid": anna}})
    shop.api.delete(f"/live-codes/{code['id']}")
    with shop.installation.transaction("cli") as session:
        close_operator(session, session.get_one(Operator, xiao))
    told = {(one["event"], one["text"]): one["why"] for one in shop.api.get(f"/customers/{who}/timeline")["data"]}
    assert told["contact.added", "添加了成员 莉莉"] == "渠道 西湖店桌贴"
    assert told["live_code.added", "来自渠道活码「西湖店桌贴」"] == "标签「已停用」已删除或还没有建好，没有打上"
    assert told["tag.added", "打上标签「门店A」"] == "渠道活码「西湖店桌贴」"
    assert told["tag.added", "打上标签「常客」"] == "操作员 林晓"
    assert told["points.adjusted", "调增 100 积分"] == "补偿 · 操作员 林晓"
    assert told["customer.changed", "资料有更新：城市"] == "接口 shop"
    assert told["customer.merged", "与客户「Bella」合并"] == "有人指定"


ORDER = {
    "order_id": "B1", "customer": {"phone": "13900139000"}, "paid_at": "2026-11-01T08:00:00Z", "total_fen": 100,
    "items": [],
}  # fmt: skip
