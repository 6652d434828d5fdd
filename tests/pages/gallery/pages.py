"""A list with filters, a person, an editor in the drawer; the shapes that real pages have."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from flask import request, url_for
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from bot.core.errors import Conflict
from bot.web.forms import Form
from bot.web.guard import needs
from bot.web.menu import Found, finder, listed
from bot.web.pages import go, pages, refused, render, toast

gallery = pages("gallery", __name__)

NAMES = [
    "陈静怡",
    "周子墨",
    "何雨桐",
    "Lydia 吴",
    "沈一鸣",
    "阿依古丽·买买提",
    "Maximilian Oberhuber-Katzenstein",
    "王敏",
]
TIERS = [("gold", "金卡"), ("silver", "银卡"), ("plain", "普通")]
START = datetime(2026, 11, 24, 2, 24, 5, tzinfo=UTC)


def people() -> list[SimpleNamespace]:
    return [
        SimpleNamespace(
            id=n, name=NAMES[n % len(NAMES)], note="女 · 杭州 · 138****6021", tier=TIERS[n % 3],
            tags=["手冲爱好者", "V60", "西湖店", "会带朋友来"][: n % 5], spend_fen=984_200 + n * 13_777,
            points=2_480 * n,
            added_at=START - timedelta(days=n * 9, minutes=n * 17), staff="王敏、赵磊",
        )
        for n in range(50)
    ]  # fmt: skip


@gallery.get("/gallery")
@listed("customers", _l("客户列表"), "users", "/console/gallery", place=10)
@needs("customers:read")
def index() -> Response:
    tiers, words = request.args.getlist("tier"), request.args.get("q", "")
    shown = [each for each in people() if words in each.name and (not tiers or each.tier[0] in tiers)]
    return render("gallery/index.html", "gallery/_list.html", people=shown, tiers=tiers, words=words, options=TIERS)


@gallery.get("/gallery/<int:number>")
@needs("customers:read")
def show(number: int) -> Response:
    events = [
        SimpleNamespace(at=START - timedelta(hours=5 * n), icon=icon, tone=tone, title=title, why=why)
        for n, (icon, tone, title, why) in enumerate(
            [
                (
                    "message-circle",
                    "accent",
                    "问：我的积分还有多少？",
                    "机器人答：2,480 分，可抵 ¥24.80。意图「积分余额」",
                ),
                (
                    "shopping-bag",
                    "good",
                    "订单 D20261111-0482 已付款 ¥268.00",
                    "挂耳组合 30 片 × 1 · 用券 MFJ-8K2Q 减 ¥30",
                ),
                ("coins", "warn", "+402 积分", "¥268.00 × 1.5%，本月已到 300 元档"),
                ("tags", "", "加标签「手冲爱好者」", "规则「咖啡豆 2 次以上」· 来源：订单"),
                ("user-minus", "bad", "删除了成员王敏", "已提醒王敏和她的主管"),
                ("user-plus", "", "添加了王敏", "渠道活码「杭州西湖店 · 桌贴」"),
            ]
        )
    ]
    return render("gallery/show.html", person=people()[number], events=events)


@gallery.route("/gallery/edit", methods=["GET", "POST"])
@needs("customers:write")
def edit() -> Response:
    form = Form(
        {"text": "{客户昵称}，欢迎来到山野咖啡！你有 {积分} 积分。\n回复「积分」随时查。", "on": "1", "days": "30"}
    )
    if request.method == "POST":
        form = Form.sent()
        form.text("name", "名称", longest=10)
        form.integer("days", "天数", least=1, most=3650)
        if not form.errors:
            toast("已保存，第 1 次" if form.first() else "没有再做一次", undo=url_for(".undo"))
            return go(url_for(".index"))
    page = refused if form.errors else render
    return page("gallery/edit.html", "gallery/_edit.html", form=form)


@gallery.post("/gallery/undo")
@needs("customers:write")
def undo() -> Response:
    toast("已撤销")
    return Response(status=204)


@gallery.post("/gallery/conflict")
@needs("customers:write")
def conflict() -> Response:
    raise Conflict("somebody saved first")


@gallery.get("/gallery/broken")
@needs("customers:read")
def broken() -> Response:
    raise ZeroDivisionError


@finder(_l("客户"), "customers:read")
def find_people(session: Session, words: str) -> list[Found]:
    return [Found(p.name, f"/console/gallery/{p.id}", "user", p.note) for p in people() if words in p.name]
