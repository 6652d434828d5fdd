"""Why she was invited into a segment group, or not (yet) (T7, C9): the invitation, and what it waits for."""

from collections.abc import Sequence

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core.i18n import say
from handlers.invites import service
from handlers.invites.models import Invitation, InvitationText
from handlers.messaging import service as messaging
from tags.groups import routes
from tags.groups.models import SegmentGroup
from tags.timeline.why import Asked, Because, Question, asks, last, why


@why("invitation")
def invitation(session: Session, asked: Asked) -> Because:
    """`invitation:` with the id of the segment group."""
    group, lang = routes.get(session, asked.number), asked.lang
    if session.get(InvitationText, group.id) is None:
        return Because(say(lang, "「%(group)s」没有写邀请的话，不会邀请任何人。", group=group.name))
    standing = routes.standing_of(session, asked.customer_id, group.id)
    if not standing:
        gone = last(session, asked.customer_id, "group.not_invited", "group.unassigned", segment_group=group.name)
        return Because(say(lang, "没有邀请进「%(group)s」：她没有对应的去处。", group=group.name), event=gone)
    found = session.scalar(select(Invitation).where(Invitation.assignment_id == standing[0].id))
    assigned = last(session, asked.customer_id, "group.assigned", segment_group_id=group.id)
    if found is None:
        text = say(lang, "没有邀请进「%(group)s」：她归进来时不要求邀请。", group=group.name)
        return Because(text, event=assigned)
    told = last(session, asked.customer_id, "group.invited", "group.not_invited", invitation_id=found.id)
    return Because(_state(found, group.name, lang), _reasons(session, found, lang), told or assigned)


@asks(_l("进群邀请"))
def invitations(session: Session, customer_id: int) -> Sequence[Question]:
    asked = select(SegmentGroup).join(InvitationText, InvitationText.segment_group_id == SegmentGroup.id)
    open_ones = asked.where(SegmentGroup.closed_at.is_(None)).order_by(SegmentGroup.id).limit(50)
    return [Question(f"invitation:{one.id}", one.name) for one in session.scalars(open_ones)]


def _state(found: Invitation, group: str, lang: str) -> str:
    return {
        "waiting": say(lang, "「%(group)s」的邀请在等一个能发给她的通道。", group=group),
        "enclosed": say(lang, "「%(group)s」的邀请随欢迎语一起发，还没有回话。", group=group),
        "sent": say(lang, "已经邀请她进「%(group)s」。", group=group),
        "joined": say(lang, "不用邀请：她已经在「%(group)s」的群里。", group=group),
        "withdrawn": say(lang, "「%(group)s」的邀请没有发。", group=group),
    }[found.state]


def _reasons(session: Session, found: Invitation, lang: str) -> list[str]:
    waits = {
        "welcome_refused": say(lang, "欢迎语没有发出，邀请也没有随它走。"), "elsewhere": say(lang, "她后来归别的群。"),
        "expired": say(lang, "7 天里没有能发给她的通道。"), "refused": say(lang, "企业微信没有收。"),
        "joined_first": say(lang, "还没发出她就进群了。"), "in_group": say(lang, "归进来时她就在群里。"),
        "full": say(lang, "群都满了，等有人退群或加新群。"), "no_open_window": say(lang, "她还没打开微信客服。"),
        "reminder_expired": say(lang, "提醒没发出：7 天里没有通道。"),
        "reminder_refused": say(lang, "提醒没发出：企业微信没有收。"),
    }  # fmt: skip
    said = [waits[found.reason]] if found.reason in waits else []
    delivery = messaging.of_dedupe(session, service.dedupe(found))
    if found.state == "waiting" and delivery is not None and delivery.done_at is None:
        said.append(say(lang, "她打开微信客服，或给它写一句话，邀请就会发出；最多等 7 天。"))
    if found.clicked_at is not None:
        said.append(say(lang, "她打开过邀请。"))
    if found.reminded_at is not None:
        said.append(say(lang, "提醒过她一次。"))
    if found.state == "sent" and found.joined_at is None:
        said.append(say(lang, "她还没有进群。"))
    return said
