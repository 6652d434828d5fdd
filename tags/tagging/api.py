"""Tag groups, tags, and who has which, over REST."""

from typing import Annotated, Literal

from flask import Response
from pydantic import Field, field_validator

from bot.core.errors import Unacceptable
from bot.web import edge
from bot.web.api import Answer, Body, ById, Flag, Ident, answers, reply, resource, words
from bot.web.at_once import at_once
from bot.web.guard import needs
from tags.people import service as people
from tags.tagging import corp, groups, service
from tags.tagging.models import Tag, TagGroup

api = resource(__name__, "tags")

Name = Annotated[str, words(30, description="at most 30 characters, as in WeCom")]


class GroupBody(Body):
    """A new tag group. Tags: names, each once; a corp group has at least one, since WeCom keeps no empty ones."""

    name: Name
    kind: Literal["corp", "profile"]
    single_choice: Flag = False
    tags: Annotated[list[Name], Field(max_length=100)] = Field(default_factory=list)

    @field_validator("tags")
    @classmethod
    def _each_once(cls, names: list[str]) -> list[str]:
        return list(dict.fromkeys(names))


class GroupChange(Body):
    """What to change of a group."""

    single_choice: Flag


class TagBody(Body):
    """A new tag in a group."""

    group_id: Ident
    name: Name


class TagAnswer(Answer):
    """A tag."""

    id: str
    name: str


class GroupAnswer(Answer):
    """A tag group with its tags, in order."""

    id: str
    name: str
    kind: Literal["corp", "profile", "computed"]
    single_choice: Flag
    tags: list[TagAnswer]


class GroupsAnswer(Answer):
    """All tag groups."""

    data: list[GroupAnswer]
    next_cursor: None = None


class CustomerTag(ById):
    """Path to a tag of a customer."""

    tag_id: Ident


@api.get("/tag-groups", responses=answers(GroupsAnswer))
@needs("tags:read")
def list_groups() -> Response:
    """Every tag group with its tags, in WeCom's order."""
    return reply(GroupsAnswer(data=[_group(*one) for one in groups.all_groups(edge.session())]))


@api.post("/tag-groups", responses=answers(GroupAnswer, 201, 202))
@needs("tags:write")
def create_group(body: GroupBody) -> Response:
    """Make a group; a corp one is written to WeCom at once (201), or settles later where WeCom did not answer (202)."""
    if body.kind == "corp" and not body.tags:
        raise Unacceptable.at("/tags", "expected at least one tag: WeCom keeps no empty groups")
    group, confirmed = at_once(
        lambda own: groups.create_group(own, body.name, body.kind, body.single_choice, body.tags)
    )
    session = edge.session()
    return reply(_group(groups.group_of(session, group.id), corp.alive_tags(session, group.id)), _status(confirmed))


@api.patch("/tag-groups/<id>", responses=answers(GroupAnswer))
@needs("tags:write")
def change_group(path: ById, body: GroupChange) -> Response:
    """Let customers have one tag of the group at most, or any number."""
    session = edge.session()
    group = groups.set_single_choice(session, path.number, body.single_choice)
    return reply(_group(group, corp.alive_tags(session, group.id)))


@api.post("/tags", responses=answers(TagAnswer, 201, 202))
@needs("tags:write")
def create_tag(body: TagBody) -> Response:
    """Make a tag in a group; in a corp group as `POST /tag-groups`."""
    tag, confirmed = at_once(lambda own: groups.create_tag(own, int(body.group_id), body.name))
    return reply(_tag(tag), _status(confirmed))


@api.delete("/tags/<id>", responses=answers(None, 204, 202))
@needs("tags:write")
def delete_tag(path: ById) -> Response:
    """Delete a tag, a corp tag in WeCom first; whoever has it loses it."""
    _, confirmed = at_once(lambda own: groups.delete_tag(own, path.number))
    return Response(status=204 if confirmed else 202)


@api.put("/customers/<id>/tags/<tag_id>", responses=answers(None, 204))
@needs("tags:write")
def put_tag(path: CustomerTag) -> Response:
    """Give her a tag; its siblings in a single-choice group go. Again is 204 too."""
    session = edge.session()
    service.by_hand(session, int(path.tag_id))
    service.assign(session, people.survivor(session, path.number), [int(path.tag_id)])
    return reply(None)


@api.delete("/customers/<id>/tags/<tag_id>", responses=answers(None, 204))
@needs("tags:write")
def remove_tag(path: CustomerTag) -> Response:
    """Take a tag off her; again is 204 too."""
    session = edge.session()
    hers = people.survivor(session, path.number)
    service.by_hand(session, int(path.tag_id))
    service.unassign(session, hers, [int(path.tag_id)])
    return reply(None)


def _group(group: TagGroup, tags: list[Tag]) -> GroupAnswer:
    core = {"id": str(group.id), "name": group.name, "kind": group.kind, "single_choice": group.single_choice}
    return GroupAnswer.model_validate({**core, "tags": [_tag(tag) for tag in tags]})


def _tag(tag: Tag) -> TagAnswer:
    return TagAnswer(id=str(tag.id), name=tag.name)


def _status(confirmed: bool) -> int:
    return 201 if confirmed else 202
