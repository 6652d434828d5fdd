"""Sharing out: in turns among members, up to what each may have in a day, nobody to two (C8).

Share-outs come one after another, so that the caps hold; that nobody is handed out twice the database promises too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.events import announce
from bot.core.i18n import SOURCE, say
from bot.core.installation import installation_of
from bot.core.sets import run
from handlers.leads import links, service
from handlers.leads.events import LeadHandedOut
from handlers.leads.models import HandOut, Lead
from handlers.leads.preferences import lead_daily_cap, lead_days
from handlers.leads.rules import in_turns
from handlers.messaging import placeholders
from tags.conditions.tree import Group, Tree, stored
from tags.people import finding, staff
from tags.people import service as people
from tags.people.models import Customer

LOCK = 0x4C454144  # "LEAD": held while a share-out is decided
MOST = 1000  # leads in one share-out


@dataclass(frozen=True)
class Shared:
    """How many each member got, and how many open ones fit but are left."""

    by_member: dict[str, int]
    left: int


def share_out(session: Session, userids: Sequence[str], tree: Tree | None = None, most: int = MOST) -> Shared:
    """Hand out open leads that `tree` means, oldest first, to these members in turns; each is told through the app.

    most: leads in all. Nobody gets more than `lead_daily_cap` on a day, and who opted out of marketing is left alone.
    """
    run(session, "SELECT pg_advisory_xact_lock(%(lock)s)", lock=LOCK)
    userids = list(dict.fromkeys(userids))  # one named twice would get more than his cap
    service.gather(session)
    staff.know(session, *userids)
    free = {userid: max(0, lead_daily_cap.of(session) - had) for userid, had in _had_today(session, userids).items()}
    fitting = _fitting(session, tree)
    leads = list(session.scalars(fitting.order_by(Lead.not_before, Lead.id).limit(min(most, sum(free.values())))))
    service.settle_among(session, [one.id for one in people.lock(session, *(one.customer_id for one in leads))])
    shared = dict.fromkeys(userids, 0)
    for lead, userid in zip(leads, in_turns(userids, free), strict=False):
        fresh, turn = service.turn_of(session, lead.id)
        if fresh.state != "open" or turn is not None:
            continue  # she was added, or merged, while we waited for her lock
        _hand_out(session, fresh, userid)
        shared[userid] += 1
    session.flush()
    left = session.scalar(select(func.count()).select_from(_fitting(session, tree).subquery())) or 0
    return Shared(shared, left)


def _had_today(session: Session, userids: Sequence[str]) -> dict[str, int]:
    local = clock.now().astimezone(installation_of(session).settings.timezone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    had = select(HandOut.userid, func.count()).where(HandOut.userid.in_(userids), HandOut.at >= midnight)
    found: dict[str, int] = dict(session.execute(had.group_by(HandOut.userid)).all())
    return {userid: found.get(userid, 0) for userid in userids}


def _fitting(session: Session, tree: Tree | None) -> Select[Lead]:
    """Open leads who may be asked now, of those the tree means, without who opted out."""
    willing = stored(session, {"none": [{"consent": "marketing", "is": "withdrawn"}]})
    meant = finding.meant(session, willing if tree is None else Group("all", (tree, willing)))
    due = select(Lead).where(Lead.state == "open", Lead.not_before <= clock.now())
    return due.join(Customer, Customer.id == Lead.customer_id).where(
        func.coalesce(Customer.survivor_id, Customer.id).in_(meant)
    )


def _hand_out(session: Session, lead: Lead, userid: str) -> None:
    due_at: datetime = clock.now() + timedelta(days=lead_days.of(session))
    turn = HandOut(
        lead_id=lead.id, userid=userid, at=clock.now(), due_at=due_at, actor=session.info["actor"], result="", note="",
    )  # fmt: skip
    lead.state = "handed_out"
    session.add(turn)
    session.flush()
    who = placeholders.reader(session, lead.customer_id, userid)
    announce(session, LeadHandedOut(customer_id=who.customer_id, userid=userid, due_at=due_at))
    text = say(
        SOURCE, "请添加客户「%(name)s」，%(days)s 天内有效。号码、话术和结果都在这里：%(link)s",
        name=who.name or say(SOURCE, "新客户"), days=lead_days.of(session), link=links.link(session, turn),
    )  # fmt: skip
    staff.tell(session, userid, text, dedupe=f"lead:{turn.id}", customer_id=who.customer_id)
