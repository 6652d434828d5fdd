"""What a code does for one who comes through it, and what it has brought so far."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.errors import Problem
from bot.core.events import announce
from bot.core.installation import installation_of
from bot.wecom.outbox import post
from handlers.livecodes import rules, service
from handlers.livecodes.events import CameByLiveCode
from handlers.livecodes.models import Adding, LiveCode
from tags.people import service as people
from tags.people.events import ContactAdded
from tags.people.models import Contact
from tags.people.touches import attribute
from tags.tagging import service as tagging


@dataclass(frozen=True)
class Results:
    """Friends a code has brought: since midnight in the brand's zone, in all, and of all those who have left."""

    today: int = 0
    total: int = 0
    left: int = 0


def came(session: Session, added: ContactAdded) -> None:
    """She came through a code: its tags, its name in her source and, where wished, in her remark; its count.

    A second call, or a state that is none of ours, changes nothing.
    """
    code = service.of_state(session, added.state)
    if code is None or not _count(session, code, added):
        return
    attribute(session, added.customer_id or 0, added.state, "live_code", live_code_id=code.id, name=code.name)
    came_by = CameByLiveCode(
        customer_id=added.customer_id, live_code_id=code.id, name_of_code=code.name,
        external_userid=added.external_userid, userid=added.userid, missed=_tag(session, code, added.customer_id or 0),
    )  # fmt: skip
    announce(session, came_by)
    if not added.half:
        remark(session, added.external_userid, added.userid)
    if code.daily_cap is not None:
        share(session, code.id)


def remark(session: Session, external_userid: str, userid: str) -> None:
    """Write the channel into a remark that is still WeChat's own; of a half relation WeCom lets nobody write it."""
    last = (
        select(LiveCode, Adding)
        .join(Adding, Adding.live_code_id == LiveCode.id)
        .where(Adding.external_userid == external_userid, Adding.userid == userid, Adding.left_at.is_(None))
    )
    found = session.execute(last.order_by(Adding.added_at.desc()).limit(1)).one_or_none()
    if found is None or not found[0].remark_channel:
        return
    code, adding = found
    contact = session.scalar(
        select(Contact).where(Contact.external_userid == external_userid, Contact.userid == userid)
    )
    name = people.customer(session, adding.customer_id).name
    if contact is not None and contact.remark in ("", name):
        post(
            session, "remark",
            {"userid": userid, "external_userid": external_userid, "remark": rules.remark(name, code.name)},
            purpose="sync", dedupe=f"remark:{adding.id}", customer_id=adding.customer_id,
        )  # fmt: skip


def left(session: Session, external_userid: str, userid: str, at: datetime) -> None:
    """The friendship ended."""
    gone = update(Adding).where(Adding.external_userid == external_userid, Adding.userid == userid)
    session.execute(gone.where(Adding.left_at.is_(None)).values(left_at=at))


def share(session: Session, code_id: int) -> None:
    """Lead a capped code past those who have had their share today, and back to them on the next (F1)."""
    code = session.get_one(LiveCode, code_id, with_for_update=True, populate_existing=True)
    if code.config_id is None or code.outbox_id is not None or code.closed_at is not None:
        return  # WeCom's answer to what is on its way comes here again
    duty = rules.on_duty(code.staff, _added_today(session, code), code.daily_cap)
    if duty != code.duty:
        service.ask(session, code, {"user": duty})


def share_anew(session: Session) -> None:
    """A day is over: codes that led past somebody may lead to him again."""
    turned = select(LiveCode.id).where(LiveCode.closed_at.is_(None), LiveCode.duty != LiveCode.staff)
    for code_id in session.scalars(turned.order_by(LiveCode.id)):
        share(session, code_id)


def results(session: Session, code_ids: Sequence[int]) -> dict[int, Results]:
    """What each of these codes has brought; one that has brought nobody is not in it."""
    found = session.execute(
        select(
            Adding.live_code_id,
            func.count().filter(Adding.added_at >= _midnight(session)),
            func.count(),
            func.count(Adding.left_at),
        )
        .where(Adding.live_code_id.in_(code_ids))
        .group_by(Adding.live_code_id)
    )
    return {code_id: Results(*counted) for code_id, *counted in found}


def _count(session: Session, code: LiveCode, added: ContactAdded) -> bool:
    row = {
        "live_code_id": code.id, "customer_id": added.customer_id, "external_userid": added.external_userid,
        "userid": added.userid, "added_at": added.added_at,
    }  # fmt: skip
    new = insert(Adding).values(row).on_conflict_do_nothing().returning(Adding.id)
    return session.scalar(new) is not None


def _tag(session: Session, code: LiveCode, customer_id: int) -> list[int]:
    """Put the code's tags on her and return those that could not be; one that is gone keeps the others from nothing."""
    missed = []
    for tag_id in code.tags:
        try:
            tagging.assign(session, customer_id, [tag_id], source=f"live_code:{code.id}", why=code.name)
        except Problem:
            missed.append(tag_id)
    return missed


def _added_today(session: Session, code: LiveCode) -> dict[str, int]:
    counted = select(Adding.userid, func.count()).where(Adding.live_code_id == code.id)
    today = counted.where(Adding.added_at >= _midnight(session)).group_by(Adding.userid)
    return dict(session.execute(today).all())


def _midnight(session: Session) -> datetime:
    zone = installation_of(session).settings.timezone
    return clock.now().astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
