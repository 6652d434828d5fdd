"""Invariants of groups."""

from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.core.checks import check
from tags.groups.models import GroupAssignment, GroupChat, GroupMember, Route
from tags.people.models import Identity


@check("groups: a seat is the customer's whose external_userid it is")
def seats(session: Session) -> Iterator[str]:
    owned = select(GroupMember.id, Identity.customer_id).join(
        Identity, (Identity.kind == "external_userid") & (Identity.value == GroupMember.external_userid)
    )
    astray = owned.where(GroupMember.customer_id.is_distinct_from(Identity.customer_id))
    for seat_id, customer_id in session.execute(astray):
        yield f"seat {seat_id} belongs to customer {customer_id} and does not say so"


@check("groups: an assignment is to a route of its segment group")
def assignments(session: Session) -> Iterator[str]:
    stray = select(GroupAssignment.id).join(Route, Route.id == GroupAssignment.route_id)
    for assignment_id in session.scalars(stray.where(Route.segment_group_id != GroupAssignment.segment_group_id)):
        yield f"assignment {assignment_id} is to a route of another segment group"


@check("groups: no more customers than people sit in a chat")
def people(session: Session) -> Iterator[str]:
    seated = select(GroupMember.chat_id, func.count().label("customers")).where(GroupMember.left_at.is_(None))
    counted = seated.group_by(GroupMember.chat_id).subquery()
    over = select(GroupChat.chat_id).join(counted, counted.c.chat_id == GroupChat.chat_id)
    for chat_id in session.scalars(over.where(counted.c.customers > GroupChat.people)):
        yield f"group chat {chat_id} has more customers than people"
