"""A small shop as its console shows it: furnished and visited through the API and WeCom, with failures of each kind."""

from datetime import timedelta
from typing import Any

from shop import Shop
from sqlalchemy import update
from sqlalchemy.orm import Session

from bot.app.demo import seed
from bot.core import clock
from bot.core.ticks import TickRow
from bot.wecom import inbox
from bot.wecom.inbox import InboxRow
from bot.wecom.outbox import OutboxRow

BUYERS = ("陈静怡", "周子墨", "Maximilian Oberhuber-Katzenstein")


def fill(shop: Shop) -> int:
    """Fill the shop; the id of a customer who has bought, given something back, been tagged and welcomed."""
    cafe = seed.furnish(shop.api, shop.wecom)
    code = cafe.codes[0]
    shop.api.post("/welcome-rules", {
        "name": "夜里回来的", "text": "{客户昵称}，这么晚还想着我们，明早 9 点{员工}第一个回您", "when": {
            "customer": "returning", "weekdays": [5, 6, 7], "hours": {"from": "21:00", "until": "09:00"},
            "staff": ["wangmin", "zhaolei"],
        }, "attachments": [{"type": "link", "title": "本周新豆", "url": "https://shop.example", "desc": "耶加雪菲"}],
    })  # fmt: skip
    _rules(shop, code)
    ids = [_buyer(shop, code, name, n) for n, name in enumerate(BUYERS)]
    _fields(shop, ids[0])
    _leads(shop)
    shop.api.post(f"/customers/{ids[0]}/consents", {"purpose": "marketing", "state": "given", "version": "2026-11"})
    shop.api.order("wmnobody", "D-unknown", 8_800)
    shop.run_jobs()
    with shop.installation.transaction("test") as session:
        _fail(session, ids[0])
    return ids[0]


def _rules(shop: Shop, code: dict[str, Any]) -> None:
    """Rules that hit, one that can't, one that is off, one that the loss of its tag stops."""
    tags = shop.api.post("/tag-groups", {
        "name": "行为", "kind": "profile", "single_choice": False, "tags": ["买得多", "沉默"],
    })["tags"]  # fmt: skip
    often, silent = (tag["id"] for tag in tags)
    [doomed] = (tag["id"] for tag in shop.api.post("/tag-groups", {
        "name": "去年活动", "kind": "corp", "single_choice": False, "tags": ["双十一"],
    })["tags"])  # fmt: skip
    at_night = {"event": "schedule", "at": "09:00", "weekdays": [1, 4]}
    for name, when, if_, then, enabled in (
        ("买过 2 次", {"event": "order.paid", "total_fen": {"gte": 10_000}}, {"orders": {"count": {"gte": 2}}},
         [{"add_tag": often}, {"notify_staff": "老客又来了，记得问问上次的豆子"}], True),
        ("门店扫码的新客", {"event": "contact.added", "state": [code["state"]], "customer": "new"}, None,
         [{"send": {"text": "{客户昵称}，欢迎来到门店，出示这条消息领一杯手冲"}}], True),
        ("每周整理", at_night, {"all": [{"tag": often}, {"none": [{"balance": {"gte": 100}}]}]},
         [{"remove_tag": often}], False),
        ("沉默 30 天", {"event": "customer.silent", "days": 30}, None, [{"add_tag": silent}], True),
        ("旧标签", {"event": "order.refunded"}, None, [{"add_tag": doomed}], True),
    ):  # fmt: skip
        body = {"name": name, "when": when, "if": if_, "then": then, "enabled": enabled}
        shop.api.post("/tag-rules", body)
    there = next(one for one in shop.wecom.sim("GET", "tags")["data"] if one["group_name"] == "去年活动")
    shop.wecom.sim("DELETE", f"tags/{there['tag'][0]['id']}")
    shop.run_jobs()


def _fields(shop: Shop, customer_id: int) -> None:
    for key, name, kind, choices in (
        ("taste", "口味", "choice", ["果酸", "坚果", "巧克力", "花香"]), ("cups", "每天喝几杯", "number", []),
        ("opened", "开店日", "date", []), ("note", "她提过的事", "text", []),
    ):  # fmt: skip
        shop.api.post("/custom-fields", {"key": key, "name": name, "type": kind, "choices": choices})
    values = {"taste": "花香", "cups": 2.5, "opened": "2024-05-20", "note": "家里有一台手冲壶，周末给两个孩子做拿铁"}
    shop.api.patch(f"/customers/{customer_id}", {"fields": values})
    shop.api.post("/segments", {"name": "爱花香的", "where": {"field": "taste", "is": "花香"}})
    old = shop.api.post("/custom-fields", {"key": "fax", "name": "传真", "type": "text"})["id"]
    shop.api.delete(f"/custom-fields/{old}")


def _leads(shop: Shop) -> None:
    """Buyers nobody knows, some of them handed out, one who did not answer; and a rule."""
    for n, name in enumerate(("许诺", "罗一航", "Maximiliane Oberhuber-Katzenstein", "温岚")):
        her = {"phone": f"1390013{n:04}"}
        order = {"order_id": f"L{n}", "customer": her, "total_fen": 12_800, "items": []}
        made = shop.api.post("/orders", {**order, "paid_at": clock.now().isoformat()})["customer_id"]
        shop.api.patch(f"/customers/{made}", {"name": name, "city": ("杭州", "上海")[n % 2]})
    shop.api.post("/leads/share-out", {"staff": ["wangmin", "zhaolei"], "most": 3})
    shop.api.post("/leads/1/results", {"result": "no_answer", "note": "打了两次电话"})
    shop.api.post(
        "/lead-rules", {"name": "杭州的给西湖店", "where": {"field": "city", "is": "杭州"}, "staff": ["wangmin"]}
    )


def _buyer(shop: Shop, code: dict[str, Any], name: str, number: int) -> int:
    her = shop.wecom.sim("POST", "scan", qr_code=code["qr_code"], name=name)["external_userid"]
    shop.run_jobs()
    for serial in range(3):
        paid_at = clock.now() - timedelta(days=40 * serial + 1)
        shop.api.order(her, f"D20261111-{number}{serial}", 26_800 + 1_377 * serial, paid_at=paid_at.isoformat())
    refund = {"refund_id": f"R-{number}", "amount_fen": 8_800, "refunded_at": clock.now().isoformat()}
    shop.api.post(f"/orders/D20261111-{number}1/refunds", refund)
    shop.run_jobs()
    return int(shop.api.customer(her)["id"])


def _fail(session: Session, customer_id: int) -> None:
    """One of each kind that waits for a person."""
    row = session.get_one(InboxRow, session.query(InboxRow.id).order_by(InboxRow.id).limit(1).scalar())
    row.done_at = None
    inbox.park(session, row.id, "TypeError: expected a list of followers, found nothing")
    for call, state, errcode, error in (
        ("remark", "refused", 84061, "WeCom refused externalcontact/remark"),
        ("send_welcome_msg", "refused", 41050, "WeCom refused externalcontact/send_welcome_msg"),
        (
            "kf_send_msg_on_event",
            "unknown",
            None,
            "WeCom did not answer kf/send_msg_on_event, which may have been done",
        ),
    ):
        session.add(OutboxRow(
            call=call, payload={}, purpose="sync", customer_id=customer_id, priority=0, state=state, errcode=errcode,
            error=error, created_at=clock.now(), not_before=clock.now() + timedelta(days=1), settled_at=clock.now(),
            attempts=1,
        ))  # fmt: skip
    session.execute(
        update(TickRow).where(TickRow.name.contains("seal")).values(failed_at=clock.now(), error="OperationalError: …")
    )
