"""Orders on her page: the newest first with what was given back, and what she spent in all, net (C3)."""

from flask import render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.core.money import yuan
from bot.web import cursors
from bot.web.pages import link, pages
from bot.web.show import moment
from tags.orders.models import Order, OrderItem
from tags.people.cards import CustomerAnswer
from tags.people.panels import Number, numbers, tab
from tags.people.service import family

PER_PAGE = 20

console = pages("orders", __name__)  # no page of its own; where its templates are found


@tab("orders", _l("订单"), place=20)
def orders(session: Session, customer: CustomerAnswer) -> str:
    query = select(Order).where(Order.customer_id.in_(family(session, int(customer.id))))
    columns = Order.__table__.c
    rows, older = cursors.page(
        session, query, (columns.paid_at, columns.id), PER_PAGE, request.args.get("cursor"), desc=True
    )
    bought = select(OrderItem).where(OrderItem.order_number.in_([row.id for row in rows])).order_by(OrderItem.line)
    items: dict[int, list[OrderItem]] = {}
    for item in session.scalars(bought):
        items.setdefault(item.order_number, []).append(item)
    return render_template("orders/_tab.html", orders=rows, items=items, older=link(cursor=older) if older else None)


@numbers(place=10)
def spent(session: Session, customer: CustomerAnswer) -> list[Number]:
    """What she spent net of refunds, on how many orders of which something is left, and when she paid the newest."""
    kept = select(func.sum(Order.total_fen - Order.refunded_fen), func.count(), func.max(Order.paid_at))
    hers = Order.customer_id.in_(family(session, int(customer.id))), Order.refunded_at.is_(None)
    net, count, at = session.execute(kept.where(*hers)).one()
    fen = int(net or 0)
    return [
        (_("累计消费"), yuan(fen), ngettext("%(num)s 单", "%(num)s 单", count)),
        (_("客单价"), yuan(fen // count) if count else "—", _("退款后") if count else ""),
        (_("上次下单"), moment(at) if at else "—", "" if at else _("还没买过")),
    ]
