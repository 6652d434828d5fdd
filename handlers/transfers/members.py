"""How members fare with their customers, in numbers (C5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.core import clock
from handlers.transfers.models import OPEN, Transfer
from handlers.welcome.models import Welcome
from tags.people.models import Contact

MONTH = timedelta(days=30)


@dataclass
class Fare:
    """active: customers now. Within the last 30 days: added; lost, whom he or she deleted; late, welcomes too late for
    the code. giving, taking: transfers under way."""

    active: int = 0
    added: int = 0
    lost: int = 0
    late: int = 0
    giving: int = 0
    taking: int = 0


def fares(session: Session, userids: Sequence[str]) -> dict[str, Fare]:
    """How each of these members fares."""
    since = clock.now() - MONTH
    found = {userid: Fare() for userid in userids}
    contacts = select(
        Contact.userid, func.count().filter(Contact.status == "active"), func.count().filter(Contact.added_at > since),
        func.count().filter(Contact.ended_at > since, Contact.status.in_(["customer_left", "staff_left"])),
    ).where(Contact.userid.in_(userids))  # fmt: skip
    for userid, active, added, lost in session.execute(contacts.group_by(Contact.userid)):
        found[userid] = Fare(active, added, lost)
    late = select(Welcome.userid, func.count()).where(
        Welcome.userid.in_(userids), Welcome.added_at > since, Welcome.reason == "late"
    )
    for userid, count in session.execute(late.group_by(Welcome.userid)):
        found[userid].late = count
    for column, name in ((Transfer.handover, "giving"), (Transfer.takeover, "taking")):
        under_way = select(column, func.count()).where(column.in_(userids), Transfer.state.in_(OPEN))
        for userid, count in session.execute(under_way.group_by(column)):
            setattr(found[userid], name, count)
    return found
