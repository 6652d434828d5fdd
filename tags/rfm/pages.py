"""Her RFM scores on her page: the three as pips, the class they make, and what to do next (T5)."""

from flask import render_template
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from bot.web.pages import pages
from tags.people.cards import CustomerAnswer
from tags.people.panels import Choice, offers, panel
from tags.rfm.leaves import NAMED

console = pages("rfm", __name__)  # no page of its own; where its templates are found

ADVICE = {
    "重要价值": _l("最好的客户：先给她看新品，请她带朋友来。"),
    "重要发展": _l("花得多、来得少：用回购券请她再来一次。"),
    "重要保持": _l("以前常来，最近没来：由成员说一声，带上她的积分。"),
    "重要挽留": _l("花得多但快走了：给一次最好的召回优惠。"),
    "一般价值": _l("常来、花得少：推荐升级和组合。"),
    "一般发展": _l("刚来：教她用好买到的东西，给第二单的理由。"),
    "一般保持": _l("常来过、最近没来：提醒一次就好。"),
    "一般挽留": _l("很久没来也花得少：放进大活动里，不单独打扰。"),
}


@panel("right", place=30)
def rfm(session: Session, customer: CustomerAnswer) -> str:
    labels = {one.value: one.label for one in NAMED}
    named = customer.rfm.cls if customer.rfm else ""
    return render_template("rfm/_panel.html", rfm=customer.rfm, named=labels.get(named), advice=ADVICE.get(named))


@offers("class", _l("RFM 分类"))
def choices(session: Session) -> list[Choice]:
    """What the list may be narrowed by."""
    return [(one.value, str(one.label), None) for one in NAMED]
