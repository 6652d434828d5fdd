"""Her timeline: every touch in words, oldest to newest, page by page (C4)."""

from datetime import datetime

from shop import Shop

from bot.core.events import Event
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
