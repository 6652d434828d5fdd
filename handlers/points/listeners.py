"""What points do when others announce theirs: one call each, safe to repeat."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from bot.core.events import keeps, on
from handlers.points import earn, merges, spend
from handlers.points.multipliers import Posting
from tags.orders.events import OrderPaid, OrderRefunded
from tags.people.events import CustomersMerged, MergeUndone


@keeps(OrderPaid)
def spend_points(session: Session, events: Sequence[OrderPaid]) -> None:
    for event in events:
        if event.points_used:
            spend.spend(
                session, event.customer_id, event.points_used, order_id=event.order_id,
                cause=f"order:{event.order_id}", pointer="/points_used",
            )  # fmt: skip


@keeps(OrderPaid)
def earn_points(session: Session, events: Sequence[OrderPaid]) -> None:
    earn.earn(session, [
        Posting(one.order_id, one.customer_id, one.month, one.paid_at, one.total_fen, f"order:{one.order_id}")
        for one in events
    ])  # fmt: skip


@on(OrderRefunded)
def give_points_back(session: Session, event: OrderRefunded) -> None:
    spend.give_back(
        session, event.account_id, event.order_id, refunded_fen=event.refunded_fen, total_fen=event.total_fen,
        cause=f"refund:{event.order_id}/{event.refund_id}",
    )  # fmt: skip


@on(OrderRefunded)
def take_points_back(session: Session, event: OrderRefunded) -> None:
    net_fen = event.total_fen - event.refunded_fen
    earn.earn(session, [Posting(
        event.order_id, event.account_id, event.month, event.paid_at, net_fen,
        f"refund:{event.order_id}/{event.refund_id}",
    )])  # fmt: skip


@on(CustomersMerged)
def join_accounts(session: Session, event: CustomersMerged) -> None:
    if event.customer_id is not None:
        merges.join(session, event.from_id, event.customer_id)


@on(MergeUndone)
def part_accounts(session: Session, event: MergeUndone) -> None:
    if event.customer_id is not None:
        merges.part(session, event.from_id, event.customer_id, f"merge:{event.merge_id}")
