"""客户群与社群: group chats, segment groups and how their invitations fare; who sits wrong, who sits twice (T7)."""

from dataclasses import dataclass
from typing import Any

from flask import Response, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from bot.core.jobs import enqueue
from bot.web import cursors, pictures
from bot.web.at_once import at_once
from bot.web.edge import session
from bot.web.guard import needs
from bot.web.menu import Found, finder, listed
from bot.web.pages import go, pages, render, toast
from handlers.invites import drafts, editing, jobs, lists, service
from handlers.invites.models import InvitationText
from tags.groups import joinways, routes
from tags.groups import lists as seats
from tags.groups.models import GroupAssignment, GroupChat, Route, SegmentGroup
from tags.groups.rules import CAPACITY, Fill
from tags.people import staff
from tags.people.models import Customer

PER_PAGE = 50
TABS = ("members", "wrong", "twice")
STATUSES: dict[lists.Status, Any] = {
    "joined": _l("在群里"), "clicked": _l("打开了，没进群"), "invited": _l("邀请已发"), "waiting": _l("等着发"),
    "failed": _l("没发成"), "left": _l("进过，又退了"), "not_invited": _l("没邀请过"),
}  # fmt: skip
TONES = {"joined": "good", "waiting": "warn", "failed": "bad", "left": "warn", "clicked": "info"}
REASONS = {
    "full": _l("群都满了，等有人退群或加新群"), "no_open_window": _l("她还没打开微信客服，没有能发给她的通道"),
    "welcome_refused": _l("欢迎语没发出，等下一个通道"), "expired": _l("7 天内没有能发给她的通道"),
    "refused": _l("企业微信拒绝"), "elsewhere": _l("她那时归别的群"), "in_group": _l("邀请前就在群里"),
    "joined_first": _l("邀请发出前就进群了"), "reminder_expired": _l("提醒没发出：7 天内没有通道"),
    "reminder_refused": _l("提醒没发出：企业微信拒绝"),
}  # fmt: skip

console = pages("groups", __name__)


@dataclass(frozen=True)
class RouteShown:
    """A route in words. chats: its pool with names and people; fares: its invitations; wrong: sit in another's."""

    row: Route
    basis: str
    chats: list[tuple[str, Fill]]
    fares: lists.Funnel
    joined: int
    wrong: int

    @property
    def full(self) -> bool:
        return self.row.full_at is not None


@console.get("/groups")
@listed("customers", _l("客户群与社群"), "users-round", "/console/groups", place=40)
@needs("segment-groups:read")
def index() -> Response:
    if request.args.get("view") == "chats":
        return _chats()
    closed = request.args.get("closed") == "1"
    stand = SegmentGroup.closed_at.is_not(None) if closed else SegmentGroup.closed_at.is_(None)
    order = [SegmentGroup.__table__.c.id]
    rows, following = cursors.page(
        session(), select(SegmentGroup).where(stand), order, PER_PAGE, request.args.get("cursor"), desc=True
    )
    shown = [(row, shown_routes(session(), row.id)) for row in rows]
    return render("groups/index.html", groups=shown, following=following, closed=closed, counts=_counts())


@console.get("/groups/<int:group_id>")
@needs("segment-groups:read")
def show(group_id: int) -> Response:
    group, own = routes.get(session(), group_id), shown_routes(session(), group_id)
    tab = request.args.get("tab", "members")
    tab = tab if tab in TABS else "members"
    rows, following = {"members": _members, "wrong": _wrong, "twice": _twice}[tab](group_id)
    codes = pictures.paths(session(), [one.row.qr_code for one in own if one.row.qr_code])
    return render(
        "groups/show.html", "groups/_people.html", group=group, routes=own, tab=tab, rows=rows, following=following,
        text=session().get_one(InvitationText, group_id), statuses=STATUSES, tones=TONES, reasons=REASONS, codes=codes,
        bases={one.row.id: one.basis for one in own}, states=[(name, words, None) for name, words in STATUSES.items()],
        ways=[(str(one.row.id), one.basis, None) for one in own], wrong=seats.count(session(), seats.wrong(group_id)),
        twice=seats.count(session(), seats.duplicates(group_id)),
        chosen=(request.args.get("status", ""), request.args.get("route", "")),
        rest=_uninvited(group_id), faces=pictures.paths(session(), [row.avatar for row in rows if row.avatar]),
    )  # fmt: skip


@console.route("/groups/new", methods=["GET", "POST"])
@needs("segment-groups:write")
def new() -> BaseResponse:
    return drafts.page(None)


@console.route("/groups/<int:group_id>/edit", methods=["GET", "POST"])
@needs("segment-groups:write")
def edit(group_id: int) -> BaseResponse:
    return drafts.page(routes.get(session(), group_id))


@console.post("/groups/preview")
@needs("segment-groups:read")
def preview() -> Response:
    """What she would see, and how many it concerns, for what the form holds now."""
    return render("groups/_preview.html", preview=drafts.preview())


@console.post("/groups/<int:group_id>/close")
@needs("segment-groups:write")
def close(group_id: int) -> BaseResponse:
    _done, confirmed = at_once(lambda own: editing.close(own, group_id))
    toast(_("已停用，不再邀请任何人") if confirmed else _("企业微信还没有回话，停用会自己完成"))
    return go(url_for(".index"))


@console.post("/groups/<int:group_id>/invite")
@needs("segment-groups:write")
def invite_the_rest(group_id: int) -> BaseResponse:
    routes.get(session(), group_id)
    enqueue(session(), jobs.invite_the_rest, segment_group_id=group_id)
    toast(_("正在邀请，发不出去的会写明在等什么"))
    return go(url_for(".show", group_id=group_id))


@console.post("/invitations/<int:invitation_id>/again")
@needs("segment-groups:write")
def again(invitation_id: int) -> BaseResponse:
    group_id = service.try_again(session(), invitation_id)
    toast(_("已重新邀请"))
    return go(url_for(".show", group_id=group_id, status="failed"))


@finder(_l("细分社群"), "segment-groups:read")
def find_groups(session: Session, words: str) -> list[Found]:
    named = select(SegmentGroup).where(
        SegmentGroup.name.contains(words, autoescape=True), SegmentGroup.closed_at.is_(None)
    )
    found = session.scalars(named.limit(5)) if words else ()
    return [Found(one.name, url_for("groups_pages.show", group_id=one.id), "users-round") for one in found]


def shown_routes(session: Session, group_id: int) -> list[RouteShown]:
    """The routes of a segment group, in order."""
    own = routes.routes_of(session, group_id)
    fares, joined = lists.funnels(session, group_id), seats.joined(session, group_id)
    wrong, words = seats.wrong_counts(session, group_id), drafts.basis_words(session, own)
    shown = []
    for one in own:
        pool = joinways.fills(session, one.id)
        named = seats.names(session, [chat.chat_id for chat in pool])
        chats = [(named[chat.chat_id], chat) for chat in pool]
        fare = fares.get(one.id, lists.Funnel())
        shown.append(RouteShown(one, words[one.id], chats, fare, joined.get(one.id, 0), wrong.get(one.id, 0)))
    return shown


def _chats() -> Response:
    words, gone = request.args.get("q", "").strip(), request.args.get("gone") == "1"
    order = [GroupChat.__table__.c.chat_id]
    rows, following = cursors.page(
        session(), wanted_chats(words, gone), order, PER_PAGE, request.args.get("cursor")
    )  # fmt: skip
    ids = [row.chat_id for row in rows]
    leads = seats.leads(session(), ids)
    own = [route for each in leads.values() for route, _group in each]
    return render(
        "groups/chats.html", "groups/_chats.html", chats=rows, following=following, words=words, gone=gone,
        weeks=seats.weeks(session(), ids), leads=leads, bases=drafts.basis_words(session(), own), limit=CAPACITY,
        none=seats.Week(), names=staff.names(session(), {row.owner for row in rows}), counts=_counts(),
    )  # fmt: skip


def wanted_chats(words: str, gone: bool) -> Select[GroupChat]:
    """The group chats whose names have `words`: those there are, or those that were dismissed."""
    wanted = select(GroupChat).where(GroupChat.dismissed_at.is_not(None) if gone else GroupChat.dismissed_at.is_(None))
    return wanted.where(GroupChat.name.contains(words, autoescape=True)) if words else wanted


def _counts() -> tuple[int, int]:
    """How many segment groups and how many group chats there are."""
    groups = select(func.count()).where(SegmentGroup.closed_at.is_(None))
    chats = select(func.count()).where(GroupChat.dismissed_at.is_(None))
    return session().scalar(groups) or 0, session().scalar(chats) or 0


def _uninvited(group_id: int) -> int:
    """How many belong to it and were never invited, or could not be."""
    found = lists.belonging(group_id).subquery()
    open_ones = found.c.status.in_(["not_invited", "failed"])
    return session().scalar(select(func.count()).select_from(found).where(open_ones)) or 0


def wanted_members(group_id: int) -> Select[Any]:
    """Who belongs to a segment group, as the page's filters want it (`lists.belonging`)."""
    status, route = request.args.get("status", ""), request.args.get("route", "")
    return lists.belonging(
        group_id, next((one for one in STATUSES if one == status), None), int(route) if route.isdecimal() else None
    )  # fmt: skip


def _members(group_id: int) -> tuple[list[Any], str | None]:
    order = [GroupAssignment.__table__.c.id]
    rows, following = cursors.page(
        session(), wanted_members(group_id), order, PER_PAGE, request.args.get("cursor"), desc=True
    )  # fmt: skip
    return [lists.Belonging._make(row) for row in rows], following


@dataclass(frozen=True)
class SeatShown:
    """A customer and the chats she sits in. customer_id: None for nobody's contact; route_id: where she belongs."""

    customer_id: int | None
    name: str
    avatar: str
    chats: list[str]
    route_id: int | None


def _wrong(group_id: int) -> tuple[list[Any], str | None]:
    rows, following = cursors.page(session(), *seats.paged(seats.wrong(group_id)), PER_PAGE, request.args.get("cursor"))
    return _shown_seats([(her, "", [chat], route) for _seat, chat, her, route in rows]), following


def _twice(group_id: int) -> tuple[list[Any], str | None]:
    rows, following = cursors.page(
        session(), *seats.paged(seats.duplicates(group_id)), PER_PAGE, request.args.get("cursor")
    )
    return _shown_seats([(her, external, chats, None) for _seat, her, external, chats in rows]), following


def _shown_seats(rows: list[tuple[int | None, str, list[str], int | None]]) -> list[SeatShown]:
    named = seats.names(session(), [chat for _her, _external, chats, _route in rows for chat in chats])
    hers = select(Customer).where(Customer.id.in_([her for her, *_rest in rows if her is not None]))
    people = {one.id: one for one in session().scalars(hers)}
    return [
        SeatShown(
            her, people[her].name if her in people else external, people[her].avatar if her in people else "",
            [named[chat] for chat in chats], route,
        )
        for her, external, chats, route in rows
    ]  # fmt: skip
