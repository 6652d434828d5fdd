"""The story of one customer, played to its end from outside, each step checked: `fugou demo --smoke`.

She scans a store's code, is tagged, welcomed and invited to her group, joins it, buys, asks for her points, gives half
of it back, and leaves. Expected numbers come from the rules (P2: from ¥300 net in a month 1.5 %, from ¥100 1 %).
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import requests

from bot.app.demo.driver import PATIENCE_SECONDS, Api, Phone, Refused
from bot.core import clock
from bot.core.errors import Refusal

Found = TypeVar("Found")
KF = "wkshop"
WELCOME_SECONDS = 20


class StepFailed(Refusal):
    """A step of the story did not come out as the rules say."""


@dataclass
class Stage:
    """What the steps share: both outsides, and what earlier steps made."""

    api: Api
    phone: Phone
    made: dict[str, Any] = field(default_factory=dict)


Step = Callable[[Stage], str]


def play(api: Api, phone: Phone) -> Iterator[str]:
    """Play the story, yielding a line per step. Raises StepFailed naming the step."""
    stage = Stage(api, phone)
    for step in STEPS:
        title = (step.__doc__ or "").strip().rstrip(".")
        try:
            yield f"ok    {title}: {step(stage)}"
        except (Refused, StepFailed, requests.RequestException, KeyError) as error:
            raise StepFailed(
                f"{title}: {type(error).__name__ if isinstance(error, KeyError) else ''}{error}"
            ) from error


def shop_opens(stage: Stage) -> str:
    """A tag, a group, a live code with a welcome."""
    api, phone = stage.api, stage.phone
    phone.sim("POST", "staff", userid="wangmin", name="王敏")
    phone.sim("POST", "kf/accounts", name="山野咖啡客服", open_kfid=KF)
    chat = phone.sim("POST", "group-chats", name="手冲爱好者一群", owner="wangmin")["chat_id"]
    group = api.post(
        "/tag-groups",
        {"name": "门店", "kind": "corp", "single_choice": True, "tags": ["西湖店", "滨江店"]},
    )  # fmt: skip
    tag = group["tags"][0]
    routes = [{"tag_id": tag["id"], "chats": [chat], "capacity": 200}]
    pool = api.post(
        "/segment-groups",
        {"name": "西湖店社群", "routes": routes, "invitation": {"text": "进群领每周新豆试喝"}, "remind_after_days": 3},
    )
    code = api.post(
        "/live-codes",
        {"name": "西湖店桌贴", "staff": ["wangmin"], "skip_verify": True, "tags": [tag["id"]],
         "welcome": {"text": "{客户昵称}，欢迎来到山野咖啡，我是{员工}"}, "segment_group_id": pool["id"]},
    )  # fmt: skip
    stage.made.update(tag=tag, chat=chat, pool=pool, code=code)
    return f"live code with state {code['state']}"


def she_scans(stage: Stage) -> str:
    """She scans the code and is added, tagged, with her source known."""
    scanned = stage.phone.sim("POST", "scan", qr_code=stage.made["code"]["qr_code"], name="陈静怡")
    her = stage.made["her"] = scanned["external_userid"]
    stage.made["scanned_at"] = time.monotonic()
    customer = _until(lambda: _customer(stage, her), "the API does not know her")
    tags = _until(lambda: [t["name"] for t in _customer(stage, her)["tags"]], "she has no tag")
    _same("tags", tags, ["西湖店"])
    _same("state", customer["source"]["first"]["state"], stage.made["code"]["state"])
    return f"customer {customer['id']}, tagged {'、'.join(tags)}"


def she_is_welcomed(stage: Stage) -> str:
    """The welcome arrives, with the invitation to her group."""
    inbox = _until(lambda: stage.phone.inbox(stage.made["her"]), "no welcome arrived")
    took = time.monotonic() - stage.made["scanned_at"]
    text = next(one["text"]["content"] for one in inbox if one["via"] == "welcome" and "text" in one)
    if not text.startswith("陈静怡，欢迎来到山野咖啡，我是王敏"):
        raise StepFailed(f"the welcome reads {text!r}")
    if took > WELCOME_SECONDS:
        raise StepFailed(f"the welcome took {took:.1f} s")
    link = next((one["link"]["url"] for one in inbox if "link" in one and "/r/" in one["link"]["url"]), None)
    if link is None:
        raise StepFailed("the welcome carries no invitation card")
    stage.made["invitation"] = link
    return f"after {took:.1f} s: 「{text.splitlines()[0]}」"


def she_joins_her_group(stage: Stage) -> str:
    """She opens the card, scans the group's code and is in."""
    page = requests.get(stage.made["invitation"], timeout=PATIENCE_SECONDS)
    _same("status of the invitation's page", page.status_code, 200)
    pool = stage.api.get(f"/segment-groups/{stage.made['pool']['id']}")
    stage.phone.sim("POST", "scan", qr_code=pool["routes"][0]["qr_code"], external_userid=stage.made["her"])
    joined = _until(lambda: stage.api.get(f"/segment-groups/{pool['id']}")["routes"][0]["joined"], "she never joined")
    return f"{joined} joined"


def she_buys(stage: Stage) -> str:
    """An order of ¥412.00 earns 1.5 %: 618 points."""
    order = stage.api.order(stage.made["her"], "D20261124-0001", 41_200)
    _same("base points", order["points"]["base"], 618)
    return "+618"


def she_asks(stage: Stage) -> str:
    """She asks 我的积分 and gets the number."""
    return _ask(stage, "我的积分", "618")


def she_asks_with_a_slip(stage: Stage) -> str:
    """She asks 積份還有多少 and is understood all the same."""
    return _ask(stage, "積份還有多少", "618")


def she_gives_some_back(stage: Stage) -> str:
    """A refund of ¥212.00 leaves ¥200.00 at 1 %: 200 points."""
    refund = {"refund_id": "R1", "amount_fen": 21_200, "refunded_at": clock.now().isoformat()}
    stage.api.post("/orders/D20261124-0001/refunds", refund)
    points = stage.api.points(stage.made["her"])
    _same("balance", points["balance"], 200)
    _same("rate", points["month"]["rate"], "0.01")
    return "618 − 418 = 200"


def she_is_tagged_in_wecom(stage: Stage) -> str:
    """Her tag is on her in WeCom too."""
    marked = _until(lambda: stage.phone.calls("externalcontact/mark_tag"), "WeCom was never told")
    _same("errcode of mark_tag", marked[-1]["answer"]["errcode"], 0)
    return "pushed"


def she_leaves(stage: Stage) -> str:
    """She deletes the member; the relation is lost, her points stay."""
    stage.phone.sim("DELETE", f"contacts/{stage.made['her']}", userid="wangmin", by="customer")
    _until(lambda: _customer(stage, stage.made["her"])["contacts"][0]["status"] == "customer_left", "still a contact")
    _same("balance", stage.api.points(stage.made["her"])["balance"], 200)
    return "customer_left"


STEPS: tuple[Step, ...] = (
    shop_opens, she_scans, she_is_welcomed, she_joins_her_group, she_buys, she_asks, she_asks_with_a_slip,
    she_gives_some_back, she_is_tagged_in_wecom, she_leaves,
)  # fmt: skip


def _ask(stage: Stage, words: str, number: str) -> str:
    def heard() -> list[str]:
        chat = stage.phone.sim("GET", "kf/messages", external_userid=stage.made["her"])["data"]
        return [one["text"]["content"] for one in chat if one["from"] != "customer" and "text" in one]

    before = len(heard())
    stage.phone.say(stage.made["her"], words, KF)
    answer = _until(lambda: heard()[before:], f"nobody answered {words}")[0]
    if number not in answer:
        raise StepFailed(f"asked {words}, was told {answer!r}, expected {number} in it")
    return f"「{answer.splitlines()[0]}」"


def _customer(stage: Stage, external_userid: str) -> Any:
    answer = stage.api.call("GET", "/customers", params={"external_userid": external_userid})
    return answer.json() if answer.status_code == 200 else None


def _until(look: Callable[[], Found], otherwise: str) -> Found:
    """What `look` finds once it finds something, within the patience of a person."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise StepFailed(f"{otherwise} within {PATIENCE_SECONDS} s")


def _same(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise StepFailed(f"{what} is {found!r}, expected {expected!r}")
