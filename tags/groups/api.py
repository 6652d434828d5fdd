"""REST: the group chats that are known, by whose ids routes name them."""

from typing import Annotated

from flask import Response
from pydantic import Field
from sqlalchemy import select

from bot.web.api import Answer, Listing, Moment, Paging, answers, reply, resource
from bot.web.cursors import page
from bot.web.edge import session
from bot.web.guard import needs
from tags.groups.models import GroupChat

api = resource(__name__, "group-chats")


class GroupChatAnswer(Answer):
    """A customer group. people: members and customers; null fields: not read from WeCom yet."""

    chat_id: str
    name: str
    owner: str
    people: Annotated[int, Field(ge=0)]
    read_at: Moment | None
    dismissed_at: Moment | None


@api.get("/group-chats", responses=answers(Listing[GroupChatAnswer]))
@needs("group-chats:read")
def list_group_chats(query: Paging) -> Response:
    """The customer groups, by id."""
    rows, following = page(session(), select(GroupChat), [GroupChat.__table__.c.chat_id], query.limit, query.cursor)
    data = [
        GroupChatAnswer(
            chat_id=one.chat_id, name=one.name, owner=one.owner, people=one.people, read_at=one.read_at,
            dismissed_at=one.dismissed_at,
        )
        for one in rows
    ]  # fmt: skip
    return reply(Listing[GroupChatAnswer](data=data, next_cursor=following))
