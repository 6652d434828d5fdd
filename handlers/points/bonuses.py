"""Bonus points of multipliers: fixed per order when it is paid, recomputed like the base (P2), cut by the caps (P1)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from bot.core.installation import installation_of
from handlers.points import preferences, rules
from handlers.points.ledger import Books
from handlers.points.models import Bonus, Posted
from handlers.points.multipliers import Posting, factors
from handlers.points.planned import Change, Month, Order


@dataclass(eq=False)
class _Claim:
    """One multiplier of one order, and the points it has added so far."""

    order: Order
    source: str
    day: date
    multiplier_bp: int
    why: str
    granted: int


def recompute(
    books: Books, orders: dict[str, Order], touched: dict[Month, str], fresh: Sequence[Posting]
) -> list[Change]:
    """What the bonuses of the touched months change, given their rates and nets now; new orders get theirs fixed.

    orders: those in hand, by id; touched: month accounts with the cause of the change.
    """
    claims = _fixed(books.session, orders, [month for month in touched if month.multiplied])
    for claim in _fix(books.session, orders, fresh):
        claims[claim.order.customer_id, claim.order.month].append(claim)
    caps = preferences.earning_caps.of(books.session)
    changes = []
    for month, cause in touched.items():
        hers = sorted(claims[month.customer_id, month.month], key=lambda one: (one.day, one.order.order_id, one.source))
        due = [
            rules.Claim(
                rules.bonus_points(one.order.net_fen, month.rate_bp, one.multiplier_bp), one.granted, one.day
            )
            for one in hers
        ]  # fmt: skip
        for one, points in zip(hers, rules.within_caps(due, caps.per_day, caps.per_month), strict=True):
            why = {"source": one.source, "multiplier_bp": one.multiplier_bp, "why": one.why}
            changes.append(Change("bonus", one.order, points - one.granted, cause, month.facts | why))
            books.rows["bonuses"].append({
                "o": one.order.order_id, "s": one.source, "c": month.customer_id, "m": month.month,
                "d": one.day, "x": one.multiplier_bp, "w": one.why, "g": points,
            })  # fmt: skip
    return changes


def _fix(session: Session, orders: dict[str, Order], fresh: Sequence[Posting]) -> Iterable[_Claim]:
    zone = installation_of(session).settings.timezone
    for posting, source, factor in factors(session, fresh, preferences.multipliers_add_up.of(session)):
        day = posting.paid_at.astimezone(zone).date()
        yield _Claim(orders[posting.order_id], source, day, factor.multiplier_bp, factor.why, 0)


def _fixed(
    session: Session, orders: dict[str, Order], months: Sequence[Month]
) -> defaultdict[tuple[int, str], list[_Claim]]:
    """The claims of the months, by customer and month."""
    found: defaultdict[tuple[int, str], list[_Claim]] = defaultdict(list)
    if not months:
        return found
    columns = (Posted.order_id, Posted.customer_id, Posted.month, Posted.net_fen, Posted.pending, Posted.available_at,
               Posted.ends_at)  # fmt: skip
    query = (
        select(Bonus.source, Bonus.day, Bonus.multiplier_bp, Bonus.why, Bonus.granted, *columns)
        .join(Posted, Posted.order_id == Bonus.order_id)
        .where(tuple_(Bonus.customer_id, Bonus.month).in_([(month.customer_id, month.month) for month in months]))
    )
    for *claim, order_id, customer_id, month, net_fen, pending, available_at, ends_at in session.execute(query):
        stored = Order(order_id, customer_id, month, net_fen, pending, available_at, ends_at)
        order = orders.setdefault(order_id, stored)
        found[customer_id, month].append(_Claim(order, *claim))
    return found
