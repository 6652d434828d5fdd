"""绑定 on her page: what was tied to her, an order to tie, the link to send her (C7)."""

from flask import render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from bot.web import edge
from bot.web.forms import Form
from bot.web.guard import needs
from bot.web.pages import drawer, go, pages, toast
from handlers.binding import service, unbound
from handlers.binding.errors import NoMatch, SomebodysOwn
from tags.people import service as people
from tags.people.cards import CustomerAnswer
from tags.people.panels import panel, remark

console = pages("binding", __name__)


@remark
def still_unbound(session: Session) -> str:
    """How many orders have no contact, over the customer list (C7)."""
    found = unbound.lately(session)
    if not found.orders:
        return ""
    return str(ngettext("%(num)s 笔订单还没有对上好友", "%(num)s 笔订单还没有对上好友", found.orders))


@panel("left", place=60)
def bindings(session: Session, customer: CustomerAnswer) -> str:
    return render_template("binding/_panel.html", her=customer, bindings=service.of(session, int(customer.id)))


@console.route("/customers/<int:customer_id>/bind", methods=["GET", "POST"])
@needs("customers:write")
def bind(customer_id: int) -> BaseResponse:
    """The drawer in which an operator ties an order to her."""
    customer, form = people.customer(edge.session(), customer_id), Form()
    if request.method == "POST":
        form = Form.sent()
        order_id = form.text("order_id", _("订单号"), longest=128)
        if not form.errors and form.first():
            try:
                bound = service.by_staff(edge.session(), customer.id, order_id)
            except NoMatch:
                form.refuse("order_id", _("没有这个订单号"))
            except SomebodysOwn:
                form.refuse("order_id", _("这笔订单属于另一位好友，要合并请到她的页面"))
            else:
                toast(_("%(orders)s 笔订单归到了她名下", orders=bound.orders))
                return go(url_for("people_pages.show", customer_id=bound.customer_id))
    link = service.link(edge.session(), customer.id)
    return drawer("binding/_bind.html", _("绑定订单"), form, customer=customer, link=link)
