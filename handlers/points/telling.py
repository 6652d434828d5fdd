"""Points in words: why a line of the ledger is there (C9), and how the timeline tells what happens with points."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from bot.core.i18n import say
from bot.core.money import yuan
from handlers.points.events import PointsEarned, PointsExpired, PointsSpent
from tags.timeline.service import Told, calls, tells

Data = dict[str, Any]


def percent(rate_bp: int) -> str:
    """A rate in basis points as people write it: 150 is `1.5%`."""
    return f"{(Decimal(rate_bp) / 100).normalize():f}%"


def times(multiplier_bp: int) -> str:
    """A multiplier in basis points as people write it: 15,000 is `1.5`."""
    return f"{(Decimal(multiplier_bp) / 10_000).normalize():f}"


def reason(kind: str, facts: Mapping[str, Any], lang: str) -> str:
    """Why a line is in the ledger, in one phrase with its numbers. lang: zh_CN, zh_TW or en."""
    if kind == "adjust":
        return str(facts["reason"])
    if "multiplier_bp" in facts:
        said = say(lang, "%(why)s %(times)s 倍", why=facts["why"], times=times(facts["multiplier_bp"]))
        return say(lang, "%(why)s，退款后重算", why=said) if kind == "claw_back" else said
    if kind in ("earn", "claw_back"):
        return say(
            lang, "%(month)s 净消费 %(money)s，按 %(rate)s 计", month=facts["month"], money=yuan(facts["net_fen"]),
            rate=percent(facts["rate_bp"]),
        )  # fmt: skip
    return {
        "spend": say(lang, "抵扣"),
        "give_back": say(lang, "退款退回"),
        "expire": say(lang, "到期"),
        "activate": say(lang, "待生效积分生效"),
        "part": say(lang, "客户合并已撤销"),
    }[kind]


@tells("points.earned")
def earned(data: Data, lang: str) -> Told:
    if data["pending"]:
        text = say(lang, "获得 %(points)s 积分，过退货期后可用", points=f"{data['points']:,}")
    else:
        text = say(lang, "获得 %(points)s 积分", points=f"{data['points']:,}")
    return Told("coins", "point", text, _order(data, lang))


@tells("points.taken_back")
def taken_back(data: Data, lang: str) -> Told:
    text = say(lang, "退款扣回 %(points)s 积分", points=f"{data['points']:,}")
    if data["debt"]:
        text = say(lang, "退款扣回 %(points)s 积分，其中欠 %(debt)s", points=f"{data['points']:,}",
                   debt=f"{data['debt']:,}")  # fmt: skip
    return Told("coins", "alert", text, _order(data, lang))


@tells("points.spent")
def spent(data: Data, lang: str) -> Told:
    return Told("coins", "point", say(lang, "使用 %(points)s 积分", points=f"{data['points']:,}"), _order(data, lang))


@tells("points.returned")
def returned(data: Data, lang: str) -> Told:
    text = say(lang, "退款退回 %(points)s 积分", points=f"{data['points']:,}")
    return Told("coins", "point", text, _order(data, lang))


@tells("points.expired")
def expired(data: Data, lang: str) -> Told:
    return Told("coins", "alert", say(lang, "%(points)s 积分到期", points=f"{data['points']:,}"))


@tells("points.adjusted")
def adjusted(data: Data, lang: str) -> Told:
    if data["points"] > 0:
        text = say(lang, "调增 %(points)s 积分", points=f"{data['points']:,}")
    else:
        text = say(lang, "调减 %(points)s 积分", points=f"{-data['points']:,}")
    return Told("coins", "point", text, data["reason"])


def _order(data: Data, lang: str) -> str:
    return say(lang, "订单 %(id)s", id=data["order_id"]) if data["order_id"] else ""


@calls(PointsEarned)
def points_earned(lang: str) -> str:
    return say(lang, "获得积分")


@calls(PointsSpent)
def points_spent(lang: str) -> str:
    return say(lang, "使用积分")


@calls(PointsExpired)
def points_expired(lang: str) -> str:
    return say(lang, "积分过期")
