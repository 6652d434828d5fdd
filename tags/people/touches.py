"""Where she came from (C1): every touch with its channel; the first and the newest are her source."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from tags.people import service
from tags.people.models import Customer, Touch


def touch(
    session: Session, customer_id: int, channel: str, *, at: datetime, state: str = "", add_way: int | None = None,
    inviter_id: int | None = None, detail: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    """Keep a touch (at: aware UTC).

    channel: live_code, add_way, kf, group, referral, order or import. detail: `name` of the code, group or account,
    `userid` of the member, and whatever else the channel keeps.
    """
    made = Touch(
        customer_id=customer_id, at=at, channel=channel, state=state, add_way=add_way, inviter_id=inviter_id,
        detail=detail or {},
    )  # fmt: skip
    session.add(made)
    seen(session, customer_id, at)


def seen(session: Session, customer_id: int, at: datetime) -> None:
    """She did something at `at` (aware UTC), whether it says how she came or not: what silence is counted from."""
    hers = service.locked(session).get(customer_id)
    if hers is None or hers.seen_at < at:
        later = update(Customer).where(Customer.id == customer_id, Customer.seen_at < at)
        session.execute(later.values(seen_at=at).execution_options(synchronize_session="evaluate"))


def attribute(session: Session, customer_id: int, state: str, channel: str, **detail: Any) -> None:
    """Say which channel her newest touch with `state` came by; `detail` (`live_code_id=5`) is added to it."""
    newest = select(Touch).where(Touch.customer_id == customer_id, Touch.state == state)
    found = session.scalar(newest.order_by(Touch.at.desc(), Touch.id.desc()).limit(1))
    if found is not None:
        found.channel, found.detail = channel, {**found.detail, **detail}


def sources(session: Session, customer_ids: Sequence[int]) -> dict[int, tuple[Touch, Touch]]:
    """The first and the last touch of each of these customers; those without a touch are not in it."""
    by_time = (Touch.at, Touch.id)
    newest = (Touch.at.desc(), Touch.id.desc())
    ranked = (
        select(
            Touch.id,
            func.row_number().over(partition_by=Touch.customer_id, order_by=by_time).label("nth"),
            func.row_number().over(partition_by=Touch.customer_id, order_by=newest).label("nth_last"),
        )
        .where(Touch.customer_id.in_(customer_ids))
        .subquery()
    )
    ends = select(Touch, ranked.c.nth, ranked.c.nth_last).join(ranked, ranked.c.id == Touch.id)
    rows = session.execute(ends.where((ranked.c.nth == 1) | (ranked.c.nth_last == 1))).all()
    last = {one.customer_id: one for one, _, nth_last in rows if nth_last == 1}
    return {one.customer_id: (one, last[one.customer_id]) for one, nth, _ in rows if nth == 1}
