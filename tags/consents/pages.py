"""同意 on her page: what is in force, how it came to that, and a line to write down what she said (S1)."""

from flask import render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from bot.operators import called
from bot.web import edge
from bot.web.forms import Form
from bot.web.guard import needs
from bot.web.language import spoken
from bot.web.pages import go, pages, toast
from tags.consents import service
from tags.people.cards import CustomerAnswer
from tags.people.panels import tab

PURPOSES = {"marketing": _l("营销消息"), "personalisation": _l("个性化推荐")}
WAYS = {
    "chat": _l("聊天"), "h5": _l("页面"), "console": _l("后台"), "api": _l("接口"), "import": _l("导入"),
    "shop": _l("商城"),
}  # fmt: skip

console = pages("consents", __name__)


@tab("consent", _l("同意"), place=80)
def consents(session: Session, customer: CustomerAnswer) -> str:
    found = service.history(session, int(customer.id))
    people = called.names(session, {one.actor for one in found}, spoken())
    return render_template(
        "consents/_tab.html", her=customer, history=found, people=people, purposes=PURPOSES, ways=WAYS,
        now=customer.consent,
    )  # fmt: skip


@console.post("/customers/<int:customer_id>/consents/<purpose>")
@needs("customers:write")
def state(customer_id: int, purpose: str) -> BaseResponse:
    """Write down what she told the operator."""
    form = Form.sent()
    said = form.choice("state", _("同意"), ("given", "withdrawn"))
    named = next((one for one in service.PURPOSES if one == purpose), None)
    if named is not None and not form.errors and form.first():
        service.state(edge.session(), customer_id, named, said, how="console")  # type: ignore[arg-type]
        toast(_("已记下"))
    return go(url_for("people_pages.show", customer_id=customer_id, tab="consent"))
