"""What a member is told of messages that wait for his customers: each of them once, those of a short while together.

A burst of late welcomes is one message and not two hundred: WeCom brings a member 30 a minute (wecom.md §3.2), and
nobody reads more. A message that leaves, or is withdrawn, within `GATHERED` is never spoken of.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.i18n import SOURCE, say
from bot.core.installation import installation_of
from handlers.messaging import rules
from handlers.messaging.content import Content
from handlers.messaging.models import Delivery
from handlers.messaging.placeholders import reader
from handlers.messaging.rendering import render
from tags.people import service as people
from tags.people import staff
from tags.people.finding import Customers, narrows
from tags.people.models import Customer

GATHERED = timedelta(seconds=20)  # from the oldest a member has not been told of
MOST_NAMED = 20
NAME_BYTES = 45  # of a customer's name among others: all of them, and the words around, fit 2048
TOLD_BYTES = 1400  # of the text in the note about one message

WAITS = (Delivery.done_at.is_(None), Delivery.outbox_id.is_(None), Delivery.sent == 0, Delivery.member.is_not(None))


def tell(session: Session) -> int:
    """Tell each member of what has waited for `GATHERED` and he does not know of; returns how many were told.

    Told and noted in one transaction, so that a crash tells nobody twice (G5).
    """
    untold = (*WAITS, Delivery.told_at.is_(None), Delivery.reason == rules.NO_WINDOW)
    due = select(Delivery.member).where(*untold).group_by(Delivery.member)
    members = session.scalars(due.having(func.min(Delivery.created_at) <= clock.now() - GATHERED)).all()
    for member in members:
        his = select(Delivery).where(*untold, Delivery.member == member).order_by(Delivery.id)
        found = session.scalars(his.with_for_update(skip_locked=True)).all()
        if found:
            _tell(session, str(member), found)
        for each in found:
            each.told_at = clock.now()
    return len(members)


def waiting(session: Session) -> list[tuple[str, int]]:
    """(userid, customers) for whom something waits to leave, by the member who follows them."""
    waits = people.by_owner(Delivery).add_columns(Delivery.member).where(*WAITS).distinct().subquery()
    counted = select(waits.c.member, func.count()).group_by(waits.c.member).order_by(waits.c.member)
    return [(str(userid), count) for userid, count in session.execute(counted)]


@narrows("waiting")
def waited_for(session: Session, query: Customers, value: str) -> Customers:
    """Customers of this member for whom something waits."""
    waits = people.by_owner(Delivery).where(Delivery.member == value, *WAITS)  # also for one who was merged since
    return query.where(Customer.id.in_(waits))


def _tell(session: Session, member: str, found: Sequence[Delivery]) -> None:
    hers = list(dict.fromkeys(one.customer_id for one in found))
    note = _of_one(session, member, found[0]) if len(found) == 1 else _of_many(session, member, hers)
    about = hers[0] if len(hers) == 1 else None
    staff.tell(session, member, note, dedupe=f"waiting:{found[0].id}", customer_id=about)


def _of_one(session: Session, member: str, delivery: Delivery) -> str:
    content = Content.model_validate(delivery.content)
    text = render(session, content, reader(session, delivery.customer_id, member)).text
    words: dict[str, Any] = {"name": _name(session, delivery.customer_id), "words": rules.fit(text, TOLD_BYTES)}
    return say(
        SOURCE,
        "有一条消息暂时发不到客户「%(name)s」：她还没有打开微信客服。7 天内她一打开就会收到，"
        "您也可以现在把它发给她：\n\n%(words)s",
        **words,
    )


def _of_many(session: Session, member: str, customer_ids: Sequence[int]) -> str:
    named = "、".join(rules.fit(_name(session, one), NAME_BYTES) for one in customer_ids[:MOST_NAMED])
    more = len(customer_ids) - MOST_NAMED
    return say(
        SOURCE,
        "有 %(count)s 位客户的消息暂时发不到：她们还没有打开微信客服。7 天内谁一打开，谁就会收到，"
        "您也可以现在联系她们：\n\n%(names)s\n\n名单：%(address)s",
        count=len(customer_ids), names=named + say(SOURCE, "……还有 %(more)s 位", more=more) if more > 0 else named,
        address=f"{installation_of(session).settings.public_url or ''}/console/customers?waiting={member}",
    )  # fmt: skip


def _name(session: Session, customer_id: int) -> str:
    return people.customer(session, customer_id).name or say(SOURCE, "新客户")
