"""What customers and members are called where a record names them by id."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core.i18n import say
from bot.operators.called import called, numbers
from tags.people import staff
from tags.people.models import Customer


@called("customer")
def customers(session: Session, ids: Sequence[str], lang: str) -> dict[str, str]:
    found = session.execute(select(Customer.id, Customer.name).where(Customer.id.in_(numbers(ids))))
    return {
        str(its_id): say(lang, "客户「%(name)s」", name=name) if name else say(lang, "客户 %(id)s", id=its_id)
        for its_id, name in found
    }


@called("member")
def members(session: Session, ids: Sequence[str], lang: str) -> dict[str, str]:
    return {userid: say(lang, "成员 %(name)s", name=name) for userid, name in staff.names(session, ids).items()}
