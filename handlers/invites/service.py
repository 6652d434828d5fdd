"""Inviting: begun when a route becomes hers, carried once, ended when she has joined or belongs elsewhere (T7, C9)."""

import re
import secrets
from datetime import timedelta

from sqlalchemy import BigInteger, ScalarResult, Select, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.errors import Conflict, NotFound
from bot.core.events import announce
from bot.core.i18n import say
from bot.core.installation import installation_of
from bot.core.jobs import Progress
from handlers.invites.events import Invited, LinkClicked, NotInvited
from handlers.invites.models import Invitation, InvitationText
from handlers.messaging import service as messaging
from handlers.messaging.content import Content, LinkCard
from tags.groups import joinways, routes
from tags.groups.models import GroupAssignment, Route, RouteChat, SegmentGroup
from tags.people import service as people
from tags.people.relations import active_contacts
from tags.people.touches import seen

CODE_BYTES = 9  # 72 bits: an address nobody guesses
LINKED = re.compile(r"/r/([A-Za-z0-9_-]{12})")  # no \b behind it: a code may end in a hyphen
OPEN = ("waiting", "enclosed")
CLICK_AGAIN = timedelta(minutes=1)  # opened anew within it is the same click: WeChat's own look at the page, a reload
REMINDED_AT_ONCE = 500
LET_IN_AT_ONCE = 100
FULL = "full"  # reason of what waits for room in a chat
PROMISED_FOR = timedelta(days=1)  # a place is kept for her whom an invitation to it leaves for
PLENTY = 64  # places left, from which on nobody has to wait for another's decision


def begin(session: Session, assignment: GroupAssignment) -> Invitation | None:
    """A route is hers: invite her, once. The invitation that now waits for a carrier; None where there is none.

    A second call, or a route that was hers before, makes none; nor does a group she is in already.
    """
    if session.get(InvitationText, assignment.segment_group_id) is None:
        return None
    row = {
        "assignment_id": assignment.id, "customer_id": assignment.customer_id, "route_id": assignment.route_id,
        "code": secrets.token_urlsafe(CODE_BYTES), "state": "waiting", "reason": "", "round": 0,
        "created_at": clock.now(),
    }  # fmt: skip
    session.execute(insert(Invitation).values(row).on_conflict_do_nothing(index_elements=["assignment_id"]))
    hers = select(Invitation).where(Invitation.assignment_id == assignment.id)
    invitation = session.scalars(hers.with_for_update().execution_options(populate_existing=True)).one()
    if invitation.state == "withdrawn":
        invitation.state, invitation.reason, invitation.round = "waiting", "", invitation.round + 1
    if invitation.state == "waiting" and routes.is_in(session, people.survivor(session, assignment.customer_id),
                                                      assignment.route_id):  # fmt: skip
        _end(session, invitation, "joined", "in_group")
    return invitation if invitation.state == "waiting" else None


def enclose(session: Session, customer_id: int) -> tuple[str, LinkCard] | None:
    """Her oldest waiting invitation into a group with room, as what a welcome carries; from now on the welcome's."""
    waiting = list(_of(session, customer_id, _WAITING))
    invitation = next((one for one in waiting if _promise(session, one)), None)
    if invitation is None:
        return None
    invitation.state, invitation.reason = "enclosed", ""
    return text_of(session, invitation).text, card(session, invitation)


def deliver(session: Session, invitation_id: int) -> None:
    """Send a waiting invitation by an open 微信客服 window, or let it wait: for one, or for room in a chat (T7)."""
    invitation = session.get(Invitation, invitation_id)
    if invitation is None:
        return
    people.lock(session, invitation.customer_id)
    session.refresh(invitation, with_for_update=True)
    if invitation.state != "waiting":
        return
    if not _promise(session, invitation):
        invitation.reason = FULL
        return
    invitation.reason = ""
    _tell(session, invitation, text_of(session, invitation).text, dedupe(invitation))


def let_in(session: Session) -> int:
    """Send what waited for room, as many as the chats of a route now take in, the oldest first; returns how many."""
    full = Invitation.state == "waiting", Invitation.reason == FULL
    opened = select(Route).where(Route.id.in_(select(Invitation.route_id).where(*full)), Route.removed_at.is_(None))
    chosen: list[int] = []
    for route in session.scalars(opened.order_by(Route.id)):
        left = _places(session, route)
        most = LET_IN_AT_ONCE if left is None else min(max(left, 0), LET_IN_AT_ONCE)
        here = select(Invitation.id).where(Invitation.route_id == route.id, *full)
        chosen += session.scalars(here.order_by(Invitation.id).limit(most))
    hers = select(Invitation.id).where(Invitation.id.in_(chosen)).order_by(Invitation.customer_id)
    ids = list(session.scalars(hers))
    people.lock(session, *session.scalars(select(Invitation.customer_id).where(Invitation.id.in_(ids))))
    for invitation_id in ids:
        deliver(session, invitation_id)
    return len(ids)


def invite_the_rest(session: Session, progress: Progress, segment_group_id: int) -> bool:
    """Invite the next who belong to a segment group and never were, or could not be; whether there are more."""
    begun = Invitation.assignment_id == GroupAssignment.id, Invitation.state != "withdrawn"
    never = ~select(Invitation.id).where(*begun).exists()
    standing = select(GroupAssignment).where(
        GroupAssignment.segment_group_id == segment_group_id, GroupAssignment.ended_at.is_(None), never
    )
    next_ones = standing.where(GroupAssignment.id > (progress.cursor or 0)).order_by(GroupAssignment.id)
    found = list(session.scalars(next_ones.limit(LET_IN_AT_ONCE)))
    if not found:
        return False
    people.lock(session, *(one.customer_id for one in found))
    for assignment in found:
        session.refresh(assignment)
        waiting = begin(session, assignment) if assignment.ended_at is None else None
        if waiting is not None:
            deliver(session, waiting.id)
    progress.advance(len(found), found[-1].id)
    return True


def try_again(session: Session, invitation_id: int) -> int:
    """Begin anew what could not be sent (G6); the id of its segment group. Raises NotFound, Conflict."""
    invitation = session.get(Invitation, invitation_id)
    if invitation is None:
        raise NotFound(f"there is no invitation {invitation_id}")
    people.lock(session, invitation.customer_id)
    assignment = session.get_one(GroupAssignment, invitation.assignment_id, populate_existing=True)
    session.refresh(invitation, with_for_update=True)
    if invitation.state != "withdrawn" or assignment.ended_at is not None:
        raise Conflict(f"invitation {invitation_id} is {invitation.state}; only one of hers that was not sent can be")
    waiting = begin(session, assignment)
    if waiting is not None:
        deliver(session, waiting.id)
    return assignment.segment_group_id


def waits(session: Session, customer_id: int, content: str, reason: str) -> None:
    """A message for her waits for a carrier; so do the invitations and reminders whose links are in `content`."""
    for invitation in _of(session, customer_id, _HERS.where(Invitation.code.in_(LINKED.findall(content)))):
        invitation.reason = reason


def carried(session: Session, customer_id: int, content: str, carrier: str) -> None:
    """Something left for her; the invitations whose links were in `content` are sent. Announces Invited."""
    codes = LINKED.findall(content)
    if not codes:
        return
    for invitation in _of(session, customer_id, _HERS.where(Invitation.code.in_(codes))):
        if invitation.state in OPEN:
            invitation.state, invitation.sent_at, invitation.reason = "sent", clock.now(), ""
            _announce(session, invitation, carrier, reminder=False)
        elif invitation.reminded_at is not None and carrier == "kf":
            invitation.reason = ""
            _announce(session, invitation, carrier, reminder=True)


def not_carried(session: Session, customer_id: int, reason: str) -> list[Invitation]:
    """Her welcome did not leave: what it enclosed waits for the next carrier, and is returned."""
    waiting = list(_of(session, customer_id, _HERS.where(Invitation.state == "enclosed")))
    for invitation in waiting:
        invitation.state, invitation.reason = "waiting", reason
    return waiting


def given_up(session: Session, customer_id: int, content: str, reason: str, detail: str = "") -> None:
    """A message waited in vain (expired), or was refused; with it the invitations whose links were in `content`.

    Of a reminder only the reason is kept: the invitation itself had left.
    """
    for invitation in _of(session, customer_id, _HERS.where(Invitation.code.in_(LINKED.findall(content)))):
        if invitation.state in OPEN:
            _end(session, invitation, "withdrawn", reason, detail)
        elif invitation.state == "sent":
            invitation.reason = f"reminder_{reason}"


def joined(session: Session, customer_id: int, chat_id: str) -> None:
    """She sits in a chat: her invitations to its routes are taken up."""
    of_chat = select(RouteChat.route_id).where(RouteChat.chat_id == chat_id)
    open_ones = _HERS.where(Invitation.route_id.in_(of_chat), Invitation.joined_at.is_(None))
    for invitation in _of(session, customer_id, open_ones):
        invitation.joined_at = clock.now()
        messaging.withdraw(session, _reminder(invitation), "she joined the group")
        if _taken_back(session, invitation, "she joined the group"):
            _end(session, invitation, "joined", "joined_first")


def withdraw(session: Session, assignment_id: int) -> None:
    """The route is hers no more: what has not left does not leave."""
    hers = select(Invitation).where(Invitation.assignment_id == assignment_id).with_for_update()
    invitation = session.scalar(hers)
    if invitation is None:
        return
    messaging.withdraw(session, _reminder(invitation), "she belongs elsewhere now")
    if invitation.state != "enclosed" and _taken_back(session, invitation, "she belongs elsewhere now"):
        _end(session, invitation, "withdrawn", "elsewhere")


def remind(session: Session) -> None:
    """Remind once of each invitation that was not taken up within its days; the rest at the next call.

    Nobody is reminded of a group without room: that waits until somebody leaves, or a chat is added.
    """
    days = func.make_interval(0, 0, 0, InvitationText.remind_after_days)
    due = (
        select(Invitation)
        .join(GroupAssignment, GroupAssignment.id == Invitation.assignment_id)
        .join(InvitationText, InvitationText.segment_group_id == GroupAssignment.segment_group_id)
        .join(Route, Route.id == Invitation.route_id)
        .where(
            Invitation.state == "sent", Invitation.reminded_at.is_(None), Invitation.joined_at.is_(None),
            GroupAssignment.ended_at.is_(None), Invitation.sent_at + days <= clock.now(), Route.full_at.is_(None),
        )
    )  # fmt: skip
    found = list(session.scalars(due.order_by(Invitation.customer_id).limit(REMINDED_AT_ONCE)))
    people.lock(session, *(one.customer_id for one in found))
    for invitation in found:
        invitation.reminded_at = clock.now()
        locale = people.customer(session, invitation.customer_id).language.replace("-", "_")
        again = say(locale, "您的专属群还给您留着位置。")
        _tell(session, invitation, f"{again}\n{text_of(session, invitation).text}", _reminder(invitation))


def opened(session: Session, code: str) -> tuple[Invitation, Route | None]:
    """She opened her card: her invitation, and the route it leads to now, None where none is hers any more.

    Announces LinkClicked. Raises NotFound for a code that is nobody's.
    """
    invitation = session.scalar(select(Invitation).where(Invitation.code == code).with_for_update())
    if invitation is None:
        raise NotFound("there is no such invitation")
    if invitation.clicked_at is None or clock.now() >= invitation.clicked_at + CLICK_AGAIN:
        invitation.clicked_at = clock.now()
        clicked_by = people.survivor(session, invitation.customer_id)
        seen(session, clicked_by, clock.now())
        announce(session, LinkClicked(customer_id=clicked_by, kind="invitation", code=code))
    invited = session.get_one(GroupAssignment, invitation.assignment_id)
    hers = people.survivor(session, invited.customer_id)
    standing = routes.standing_of(session, hers, invited.segment_group_id)
    return invitation, session.get_one(Route, standing[0].route_id) if standing else None


def text_of(session: Session, invitation: Invitation) -> InvitationText:
    """What its segment group invites with."""
    group_id = session.scalars(select(Route.segment_group_id).where(Route.id == invitation.route_id)).one()
    return session.get_one(InvitationText, group_id)


def group_name(session: Session, invitation: Invitation) -> str:
    """The name of the segment group it invites into."""
    named = select(SegmentGroup.name).join(Route, Route.segment_group_id == SegmentGroup.id)
    return session.scalars(named.where(Route.id == invitation.route_id)).one()


def card(session: Session, invitation: Invitation) -> LinkCard:
    """The link card to the page with her join code."""
    locale = people.customer(session, invitation.customer_id).language.replace("-", "_")
    return LinkCard(
        type="link", title=say(locale, "点击进群"), desc=say(locale, "打开后长按识别二维码，即可加入群聊"),
        url=f"{installation_of(session).settings.public_url}/r/{invitation.code}",
    )  # fmt: skip


_HERS = (
    select(Invitation)
    .where(Invitation.customer_id.in_(people.family_of(bindparam("her", type_=BigInteger))))
    .order_by(Invitation.id)
    .with_for_update(of=Invitation)
)
_WAITING = _HERS.where(Invitation.state == "waiting")


def _of(session: Session, customer_id: int, query: Select[Invitation]) -> ScalarResult[Invitation]:
    """What `query`, made of `_HERS`, finds: her invitations, locked, oldest first; those merged into hers are hers."""
    return session.scalars(query, {"her": people.survivor(session, customer_id)})


def _promise(session: Session, invitation: Invitation) -> bool:
    """Promise her a place for a day, where the route's chats have one that is not promised to somebody else.

    The last places are given out one after the other, under the lock of the route.
    """
    route = session.get_one(Route, invitation.route_id)
    left = _places(session, route)
    if left is not None and left <= PLENTY:
        session.refresh(route, with_for_update={"key_share": True})
        left = _places(session, route)
    if left is not None and left <= 0:
        return False
    invitation.promised_at = clock.now()
    return True


def _places(session: Session, route: Route) -> int | None:
    """How many places in the route's chats nobody has and nobody was promised; None where there is no end of them."""
    room = joinways.room(session, route)
    if room is None:
        return None
    promised = select(func.count()).where(
        Invitation.route_id == route.id, Invitation.promised_at > clock.now() - PROMISED_FOR,
        Invitation.joined_at.is_(None), Invitation.state.in_([*OPEN, "sent"]),
    )  # fmt: skip
    return room - (session.scalar(promised) or 0)


def _taken_back(session: Session, invitation: Invitation, why: str) -> bool:
    """Whether it had not left and now will not; one that is just leaving is sent a moment later (`carried`)."""
    if invitation.state not in OPEN:
        return False
    messaging.withdraw(session, dedupe(invitation), why)
    return not messaging.leaves(session, dedupe(invitation))


def _tell(session: Session, invitation: Invitation, text: str, dedupe: str) -> None:
    hers = people.survivor(session, invitation.customer_id)
    contacts = active_contacts(session, hers)
    content = Content(text=text, attachments=[card(session, invitation)])
    messaging.deliver(
        session, hers, "transactional", content, dedupe, member=contacts[0].userid if contacts else None
    )  # fmt: skip


def _announce(session: Session, invitation: Invitation, carrier: str, *, reminder: bool) -> None:
    invited = Invited(
        customer_id=people.survivor(session, invitation.customer_id), invitation_id=invitation.id, carrier=carrier,
        segment_group=group_name(session, invitation), reminder=reminder,
    )  # fmt: skip
    announce(session, invited)


def _end(session: Session, invitation: Invitation, state: str, reason: str, detail: str = "") -> None:
    invitation.state, invitation.reason = state, reason
    if state == "joined":
        invitation.joined_at = invitation.joined_at or clock.now()
    ended = NotInvited(
        customer_id=people.survivor(session, invitation.customer_id), invitation_id=invitation.id,
        segment_group=group_name(session, invitation), reason=reason, detail=detail,
    )  # fmt: skip
    announce(session, ended)


def dedupe(invitation: Invitation) -> str:
    """What its delivery is known by, where no welcome carries it."""
    return f"invitation:{invitation.id}:{invitation.round}"


def _reminder(invitation: Invitation) -> str:
    return f"reminder:{invitation.id}"
