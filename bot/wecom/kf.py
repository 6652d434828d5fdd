"""微信客服 accounts: what was written there is pulled, kept as inbox rows, and the cursor moved, a transaction a page.

A callback only says that something is there (`KfActivity`). It may be lost, so an account that was not pulled for a
minute is pulled without one (`KfDue`). Two pullers of one account compare the cursor, so a page is kept once; what is
pulled twice all the same is recognised by its msgid (`inbox.keep_kf`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import structlog
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.core import clock
from bot.core.db import At, Base
from bot.core.installation import Installation, installation_of
from bot.core.preferences import preference
from bot.core.sets import run
from bot.core.ticks import every
from bot.wecom import errors, inbox
from bot.wecom.client import WeCom
from bot.wecom.inbox import receives
from bot.wecom.messages import KfAccountsChanged, KfActivity

log = structlog.get_logger(__name__)

MOST_PAGES = 100  # of one pull; a page may be empty and have more behind it (wecom.md §4.3), the next minute goes on
TOKEN_OVER = 95007  # the callback's token lets pull for 10 minutes; without one WeCom only counts more strictly
UNANSWERED_BEFORE = timedelta(minutes=10)  # at first contact with an account: older questions are kept, not answered
PULL_SECONDS = 60
LIST_SECONDS = 3600
SCENE = "fugou"  # of our links: only a link with a scene carries a scene_param
LINK_DAYS = 180

kf_account = preference(
    "kf_account", str | None, default=None, home=__name__,
    help="The 微信客服 account (open_kfid) that links to the chat lead to; null is the first that was known.",
)  # fmt: skip


class KfAccount(Base):
    """One 微信客服 account. link: opens the chat; cursor: how far it was pulled; looked_at: when, or asked to be."""

    __tablename__ = "kf_accounts"
    open_kfid: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    link: Mapped[str]
    cursor: Mapped[str]
    met_at: Mapped[At]
    looked_at: Mapped[At | None]
    gone_at: Mapped[At | None]


@dataclass(frozen=True)
class KfDue:
    """An account that nobody has looked into for a minute; pulled without the token a callback brings."""

    open_kfid: str
    token: str = ""


@dataclass(frozen=True)
class KfAccountsDue:
    """It is time to ask which accounts there are: one made in the admin console raises no callback."""


def pull(installation: Installation, wecom: WeCom, activity: KfActivity | KfDue) -> None:
    """Keep all that is there; every page is a transaction, so what WeCom refuses later loses nothing of it."""
    with installation.transaction(f"kf:{activity.open_kfid}") as session:
        cursor = _meet(session, activity.open_kfid)
    for _ in range(MOST_PAGES):
        page = _page(wecom, activity, cursor)
        following = str(page.get("next_cursor") or cursor)
        with installation.transaction(f"kf:{activity.open_kfid}") as session:
            if not _advance(session, activity.open_kfid, cursor, following):
                return  # another puller was here first and goes on from its own page
            inbox.keep_kf(session, activity.open_kfid, page.get("msg_list") or [])
        if not page.get("has_more"):
            return
        cursor = following
    log.warning("an account has more pages than one pull takes", open_kfid=activity.open_kfid, pages=MOST_PAGES)


@receives(KfDue, read=pull)
@receives(KfActivity, read=pull)
def pulled(session: Session, activity: KfActivity | KfDue, _: None) -> None:
    """Note that the account need not be looked into for a minute."""
    _look(session, KfAccount.open_kfid == activity.open_kfid)


def read_accounts(installation: Installation, wecom: WeCom, _: object = None) -> list[dict[str, str]] | None:
    """The accounts this program may use, each with a link to its chat: `{open_kfid, name, link}`.

    None where WeCom does not let this program use 微信客服, which a brand may well do without.
    """
    with installation.transaction("system") as session:
        links = {row.open_kfid: row.link for row in session.execute(select(KfAccount.open_kfid, KfAccount.link))}
    try:
        listed = {str(one["open_kfid"]): str(one.get("name") or "") for one in wecom.kf.list_accounts()}
        made = {one: links.get(one) or wecom.kf.add_contact_way(one, SCENE) for one in listed}
    except errors.Refused as error:
        log.warning("微信客服 accounts can't be listed", error=str(error))
        return None
    return [{"open_kfid": one, "name": name, "link": made[one]} for one, name in listed.items()]


@receives(KfAccountsDue, read=read_accounts)
@receives(KfAccountsChanged, read=read_accounts)
def listed(session: Session, _: object, accounts: list[dict[str, str]] | None) -> None:
    """Know the accounts; one that is no longer ours is kept with the time."""
    if accounts is None:
        return
    known = [account["open_kfid"] for account in accounts]
    for account in accounts:
        _meet(session, account["open_kfid"])
        session.execute(
            update(KfAccount)
            .where(KfAccount.open_kfid == account["open_kfid"])
            .values(name=account["name"], link=account["link"], gone_at=None)
        )
    session.execute(
        update(KfAccount)
        .where(KfAccount.open_kfid.not_in(known), KfAccount.gone_at.is_(None))
        .values(gone_at=clock.now())
    )


@every(PULL_SECONDS)
def pull_quiet(session: Session) -> None:
    """Pull what a lost callback did not tell."""
    quiet = clock.now() - timedelta(seconds=PULL_SECONDS)
    due = (KfAccount.gone_at.is_(None)) & (KfAccount.looked_at.is_(None) | (KfAccount.looked_at <= quiet))
    for open_kfid in session.scalars(select(KfAccount.open_kfid).where(due)):
        inbox.ask(session, KfDue(open_kfid))
    _look(session, due)


@every(LIST_SECONDS)
def list_accounts(session: Session) -> None:
    """Know the accounts before a customer is sent to one of them."""
    inbox.ask(session, KfAccountsDue())


@every(PULL_SECONDS)
def list_unlinked(session: Session) -> None:
    """While there is no account to send her to, or one without a link, look again soon."""
    linked = session.scalars(select(KfAccount.link).where(KfAccount.gone_at.is_(None))).all()
    if not linked or "" in linked:
        inbox.ask(session, KfAccountsDue())


def answers(session: Session, open_kfid: str, at: datetime) -> bool:
    """Whether a message sent at `at` is answered: not if it lay there when the account was first met."""
    met_at = session.scalar(select(KfAccount.met_at).where(KfAccount.open_kfid == open_kfid))
    return met_at is None or at >= met_at - UNANSWERED_BEFORE


LINK = """
SELECT link FROM kf_accounts WHERE link <> '' AND gone_at IS NULL AND open_kfid = coalesce(%(chosen)s::text, open_kfid)
ORDER BY met_at, open_kfid LIMIT 1
"""


def link(session: Session, customer_id: int | None = None) -> str | None:
    """The address that opens the chat in the account `kf_account` names; None while no account is known.

    customer_id: signed into the address, so that the chat knows her (`whose`) even where her id is new to it.
    """
    found = run(session, LINK, chosen=kf_account.of(session))
    address: str | None = found[0][0] if found else None
    if address is None or customer_id is None:
        return address
    token = installation_of(session).vault.sign("kf", customer_id, clock.now() + timedelta(days=LINK_DAYS))
    return f"{address}&scene_param={quote(token)}"


def whose(session: Session, scene_param: str) -> int | None:
    """The customer a link was made for; None where the parameter is not ours, or too old."""
    try:
        return int(installation_of(session).vault.read("kf", scene_param, clock.now()))
    except ValueError:
        return None


def _meet(session: Session, open_kfid: str) -> str:
    """The account's cursor; an account never seen before begins at its earliest message."""
    known = {"open_kfid": open_kfid, "name": "", "link": "", "cursor": "", "met_at": clock.now()}
    session.execute(insert(KfAccount).values(known).on_conflict_do_nothing())
    return session.scalars(select(KfAccount.cursor).where(KfAccount.open_kfid == open_kfid)).one()


def _page(wecom: WeCom, activity: KfActivity | KfDue, cursor: str) -> dict[str, Any]:
    try:
        return wecom.kf.sync_msg(activity.open_kfid, cursor, activity.token)
    except errors.Refused as error:
        if error.errcode != TOKEN_OVER or not activity.token:
            raise
        return wecom.kf.sync_msg(activity.open_kfid, cursor)


def _advance(session: Session, open_kfid: str, cursor: str, following: str) -> bool:
    """Move the cursor if it still stands where the page began."""
    moved = session.execute(
        update(KfAccount).where(KfAccount.open_kfid == open_kfid, KfAccount.cursor == cursor).values(cursor=following)
        .returning(KfAccount.open_kfid)
    )  # fmt: skip
    return moved.first() is not None


def _look(session: Session, which: ColumnElement[bool]) -> None:
    session.execute(update(KfAccount).where(which).values(looked_at=clock.now()))
