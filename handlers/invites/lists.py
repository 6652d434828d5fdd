"""How the invitations of a segment group fare: in numbers by route, and customer by customer (T7, C9)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from handlers.invites.models import Invitation
from handlers.invites.service import OPEN
from tags.groups.models import GroupAssignment, GroupMember, RouteChat
from tags.people.models import Customer

Status = Literal["joined", "left", "not_invited", "waiting", "failed", "clicked", "invited"]


@dataclass(frozen=True)
class Funnel:
    """Of one route. belong: customers whose route it is; taken_up: invited ones who joined afterwards.

    invited, clicked and taken_up count everybody who ever was; waiting and failed those whose route it still is.
    """

    belong: int = 0
    waiting: int = 0
    failed: int = 0
    invited: int = 0
    clicked: int = 0
    taken_up: int = 0


class Belonging(NamedTuple):
    """A row of `belonging`. id: of the assignment; since: when the route became hers."""

    id: int
    customer_id: int
    name: str
    avatar: str
    route_id: int
    status: Status
    invitation_id: int | None
    reason: str
    sent_at: datetime | None
    clicked_at: datetime | None
    reminded_at: datetime | None
    since: datetime


def funnels(session: Session, segment_group_id: int) -> dict[int, Funnel]:
    """How each route fares."""
    standing = GroupAssignment.ended_at.is_(None)
    counted = (
        select(
            GroupAssignment.route_id,
            func.count().filter(standing),
            func.count().filter(standing, Invitation.state.in_(OPEN)),
            func.count().filter(standing, Invitation.state == "withdrawn"),
            func.count(Invitation.sent_at),
            func.count(Invitation.clicked_at),
            func.count(Invitation.joined_at).filter(Invitation.sent_at.is_not(None)),
        )
        .outerjoin(Invitation, Invitation.assignment_id == GroupAssignment.id)
        .where(GroupAssignment.segment_group_id == segment_group_id)
        .group_by(GroupAssignment.route_id)
    )
    return {route_id: Funnel(*counts) for route_id, *counts in session.execute(counted)}


def belonging(segment_group_id: int, status: Status | None = None, route_id: int | None = None) -> Select[Any]:
    """Everybody who belongs to a segment group, in columns as `Belonging` has them."""
    whose = func.coalesce(Customer.survivor_id, Customer.id)
    seats = select(GroupMember.id).join(RouteChat, RouteChat.chat_id == GroupMember.chat_id)
    seated = seats.where(
        RouteChat.route_id == GroupAssignment.route_id, GroupMember.customer_id == whose, GroupMember.left_at.is_(None)
    )
    stands = case(
        (seated.exists(), "joined"), (Invitation.id.is_(None), "not_invited"), (Invitation.state.in_(OPEN), "waiting"),
        (Invitation.state == "withdrawn", "failed"), (Invitation.joined_at.is_not(None), "left"),
        (Invitation.clicked_at.is_not(None), "clicked"), else_="invited",
    )  # fmt: skip
    found = (
        select(
            GroupAssignment.id, whose.label("customer_id"), Customer.name, Customer.avatar, GroupAssignment.route_id,
            stands.label("status"), Invitation.id.label("invitation_id"),
            func.coalesce(Invitation.reason, "").label("reason"), Invitation.sent_at, Invitation.clicked_at,
            Invitation.reminded_at, GroupAssignment.assigned_at.label("since"),
        )
        .join(Customer, Customer.id == GroupAssignment.customer_id)
        .outerjoin(Invitation, Invitation.assignment_id == GroupAssignment.id)
        .where(GroupAssignment.segment_group_id == segment_group_id, GroupAssignment.ended_at.is_(None))
    )  # fmt: skip
    if route_id is not None:
        found = found.where(GroupAssignment.route_id == route_id)
    return found if status is None else found.where(stands == status)
