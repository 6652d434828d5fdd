"""Corp tags: groups of tags the corp shares, each owned by the app or the admin console that made it; page 92117."""

from functools import partial

from bot.core.errors import Conflict, NotFound
from bot.simulator.area import Answer, Area, Call
from bot.simulator.callbacks import Value
from bot.simulator.codes import Refused
from bot.simulator.friends import announce, known
from bot.simulator.records import Tag, TagGroup
from bot.simulator.state import State
from bot.simulator.world import World, change, new_id

area = Area()

NAME_CHARS = 30
TAGS_PER_RELATION = 3000  # 92118, 2023-12-01


@area.api("POST", "externalcontact/get_corp_tag_list", right="contact")
def tag_list(call: Call) -> Answer:
    """All groups, or those asked for by id, deleted ones too; `tag_id` is ignored beside `group_id`."""
    group_ids, tag_ids = call.body.texts("group_id"), call.body.texts("tag_id")
    by_id = bool(group_ids or tag_ids)
    tags = [
        tag for tag in call.state.tags.values()
        if (tag.group_id in group_ids if group_ids else tag.id in tag_ids if tag_ids else not tag.deleted)
    ]  # fmt: skip
    return {"tag_group": _shown(call.state, tags, by_id)}


@area.api("POST", "externalcontact/add_corp_tag", right="contact")
def add(call: Call) -> Answer:
    """Tags into a new group, or into the one `group_id` or an existing `group_name` names."""
    body, state = call.body, call.state
    parts = body.parts("tag")
    orders = {part.text("name", chars=NAME_CHARS, missing=40063): part.number("order") for part in parts}
    if not orders:
        raise Refused(40063, "tag")
    group_id = body.text("group_id")
    if group_id and _group(state, group_id) is None:
        raise Refused(40068, group_id)
    name = body.text("group_name", chars=NAME_CHARS, missing=None if group_id else 40063)
    group = _group(state, group_id) if group_id else _group_named(state, name)
    taken = {tag.name for tag in _tags_of(state, group)} if group else set()
    if twice := taken & orders.keys():
        raise Refused(40071, ", ".join(sorted(twice)))
    if _count(state) + len(orders) > call.world.limits.corp_tags:
        raise Refused(40126)
    group = group or _new_group(call.world, name, body.number("order"), call.app.secret)
    made = [_new_tag(call.world, group, name, order, call.app.secret) for name, order in orders.items()]
    return {"tag_group": _shown(state, made, by_id=False)[0]}


@area.api("POST", "externalcontact/edit_corp_tag", right="contact")
def edit(call: Call) -> Answer:
    """Another name or order for a tag or a group of the app's own."""
    wanted = call.body.text("id", missing=40068)
    name = call.body.text("name", chars=NAME_CHARS)
    found = _tag(call.state, wanted) or _group(call.state, wanted)
    if found is None:
        raise Refused(40068, wanted)
    _own(call, found)
    if name and _taken(call.state, found, name):
        raise Refused(40071, name)
    _rename(found, name, call.body.number("order") if call.body.has("order") else None)
    return {}


@area.api("POST", "externalcontact/del_corp_tag", right="contact")
def delete(call: Call) -> Answer:
    """Delete tags and groups of the app's own; a group whose tags are all deleted goes too."""
    tag_ids, group_ids = call.body.texts("tag_id"), call.body.texts("group_id")
    tags = [tag for tag in map(partial(_tag, call.state), tag_ids) if tag]
    groups = [group for group in map(partial(_group, call.state), group_ids) if group]
    if not tag_ids + group_ids or len(tags) < len(tag_ids) or len(groups) < len(group_ids):
        raise Refused(40068)
    owned: list[Tag | TagGroup] = [*tags, *groups]
    for found in owned:
        _own(call, found)
    for tag in tags:
        _delete_tag(call.state, tag)
    for group in groups:
        _delete_group(call.state, group)
    return {}


@area.api("POST", "externalcontact/mark_tag", right="contact")
def mark(call: Call) -> Answer:
    """Put corp tags of any owner on a relation, or take them off; what is so already is fine."""
    body = call.body
    added, removed = body.texts("add_tag"), body.texts("remove_tag")
    if not added and not removed:
        raise Refused(40063, "add_tag, remove_tag")
    relation = call.relation(body.text("userid", missing=41009), body.text("external_userid", missing=41035))
    for tag_id in [*added, *removed]:
        if _tag(call.state, tag_id) is None:
            raise Refused(40068, tag_id)
    kept = _marked(relation.tags, added, removed)
    if len(kept) > TAGS_PER_RELATION:
        raise Refused(40058, f"more than {TAGS_PER_RELATION} tags")
    relation.tags = kept
    return {}


@area.act("POST", "/contacts/<external_userid>/tags")
def mark_in_client(
    world: World,
    external_userid: str,
    userid: str,
    add: list[str] | None = None,
    remove: list[str] | None = None,
    personal: list[str] | None = None,
) -> Answer:
    """A member puts corp tags on her or takes them off in his client, or sets his personal ones."""
    relation = known(world, userid, external_userid)
    for tag_id in [*(add or []), *(remove or [])]:
        _known_tag(world, tag_id)
    relation.tags = _marked(relation.tags, add or [], remove or [])
    change(relation, personal_tags=personal)
    announce(world, relation, "edit_external_contact")
    return {"tags": relation.tags, "personal_tags": relation.personal_tags}


@area.act("GET", "/tags")
def tags(world: World) -> Answer:
    return {"data": _shown(world.state, [tag for tag in world.state.tags.values() if not tag.deleted], by_id=False)}


@area.act("POST", "/tag-groups")
def create_group(world: World, name: str, tags: list[str]) -> Answer:
    """The admin makes a group with its tags in the console."""
    if _group_named(world.state, name):
        raise Conflict(f"there is a tag group {name} already")
    group = _new_group(world, name, 0, owner="")
    _announce(world, group, "create")
    made = [_created(world, group, one) for one in tags]
    return {"group_id": group.group_id, "tags": [{"id": tag.id, "name": tag.name} for tag in made]}


@area.act("POST", "/tags")
def create_tag(world: World, group_id: str, name: str) -> Answer:
    return {"id": _created(world, _known_group(world, group_id), name).id}


@area.act("PATCH", "/tags/<tag_id>")
def edit_tag(world: World, tag_id: str, name: str = "", order: int | None = None) -> Answer:
    return _edited(world, _known_tag(world, tag_id), name, order)


@area.act("PATCH", "/tag-groups/<group_id>")
def edit_group(world: World, group_id: str, name: str = "", order: int | None = None) -> Answer:
    return _edited(world, _known_group(world, group_id), name, order)


@area.act("DELETE", "/tags/<tag_id>")
def delete_tag(world: World, tag_id: str) -> Answer:
    tag = _known_tag(world, tag_id)
    _delete_tag(world.state, tag)
    _announce(world, tag, "delete")
    return {}


@area.act("DELETE", "/tag-groups/<group_id>")
def delete_group(world: World, group_id: str) -> Answer:
    """The group's tags go with it, without an event each."""
    group = _known_group(world, group_id)
    _delete_group(world.state, group)
    _announce(world, group, "delete")
    return {}


@area.act("POST", "/tag-groups/shuffle")
def shuffle(world: World, group_id: str = "") -> Answer:
    """The admin drags a group's tags, or without `group_id` the groups, into another order."""
    event: dict[str, Value] = {"MsgType": "event", "Event": "change_external_tag", "ChangeType": "shuffle"}
    world.emit("contact", "tags", event | {"Id": group_id, "StrategyId": ""})
    return {}


def _announce(world: World, about: Tag | TagGroup, change: str) -> None:
    kind, wanted = ("tag", about.id) if isinstance(about, Tag) else ("tag_group", about.group_id)
    event: dict[str, Value] = {"MsgType": "event", "Event": "change_external_tag", "Id": wanted}
    world.emit("contact", "tags", event | {"TagType": kind, "ChangeType": change})


def _created(world: World, group: TagGroup, name: str) -> Tag:
    if name in {tag.name for tag in _tags_of(world.state, group)}:
        raise Conflict(f"there is a tag {name} in this group already")
    tag = _new_tag(world, group, name, 0, owner="")
    _announce(world, tag, "create")
    return tag


def _edited(world: World, found: Tag | TagGroup, name: str, order: int | None) -> Answer:
    if name and _taken(world.state, found, name):
        raise Conflict(f"the name {name} is taken")
    _rename(found, name, order)
    _announce(world, found, "update")
    return {}


def _new_group(world: World, name: str, order: int, owner: str) -> TagGroup:
    group = TagGroup(new_id("et"), name, int(world.now()), order, owner=owner)
    world.state.tag_groups[group.group_id] = group
    return group


def _new_tag(world: World, group: TagGroup, name: str, order: int, owner: str) -> Tag:
    tag = Tag(new_id("et"), group.group_id, name, int(world.now()), order, owner=owner)
    world.state.tags[tag.id] = tag
    return tag


def _delete_tag(state: State, tag: Tag) -> None:
    tag.deleted = True
    for member in state.members.values():
        for relation in member.relations.values():
            relation.tags = [one for one in relation.tags if one != tag.id]
    group = state.tag_groups[tag.group_id]
    group.deleted = not _tags_of(state, group)


def _delete_group(state: State, group: TagGroup) -> None:
    group.deleted = True
    for tag in _tags_of(state, group):
        _delete_tag(state, tag)


def _marked(tags: list[str], added: list[str], removed: list[str]) -> list[str]:
    return list(dict.fromkeys([*(one for one in tags if one not in removed), *added]))


def _rename(found: Tag | TagGroup, name: str, order: int | None) -> None:
    title = {"name" if isinstance(found, Tag) else "group_name": name or None}
    change(found, order=order, **title)


def _taken(state: State, found: Tag | TagGroup, name: str) -> bool:
    if isinstance(found, TagGroup):
        return _group_named(state, name) not in (None, found)
    siblings = _tags_of(state, state.tag_groups[found.group_id])
    return any(tag.name == name and tag is not found for tag in siblings)


def _own(call: Call, found: Tag | TagGroup) -> None:
    if found.owner != call.app.secret:
        raise Refused(81011)


def _tags_of(state: State, group: TagGroup) -> list[Tag]:
    return [tag for tag in state.tags.values() if tag.group_id == group.group_id and not tag.deleted]


def _count(state: State) -> int:
    return sum(not tag.deleted for tag in state.tags.values())


def _tag(state: State, tag_id: str) -> Tag | None:
    tag = state.tags.get(tag_id)
    return None if tag is None or tag.deleted else tag


def _group(state: State, group_id: str) -> TagGroup | None:
    group = state.tag_groups.get(group_id)
    return None if group is None or group.deleted else group


def _group_named(state: State, name: str) -> TagGroup | None:
    return next((one for one in state.tag_groups.values() if one.group_name == name and not one.deleted), None)


def _known_tag(world: World, tag_id: str) -> Tag:
    if (tag := _tag(world.state, tag_id)) is None:
        raise NotFound(f"no tag {tag_id}")
    return tag


def _known_group(world: World, group_id: str) -> TagGroup:
    if (group := _group(world.state, group_id)) is None:
        raise NotFound(f"no tag group {group_id}")
    return group


def _shown(state: State, tags: list[Tag], by_id: bool) -> list[Answer]:
    """Tags under their groups, as get_corp_tag_list and add_corp_tag have them; `deleted` only where asked by id."""
    rows: dict[str, list[Answer]] = {}
    for tag in tags:
        row: Answer = {"id": tag.id, "name": tag.name, "create_time": tag.create_time, "order": tag.order}
        rows.setdefault(tag.group_id, []).append(row | ({"deleted": tag.deleted} if by_id else {}))
    groups = [state.tag_groups[group_id] for group_id in rows]
    return [
        {"group_id": group.group_id, "group_name": group.group_name, "create_time": group.create_time,
         "order": group.order, "tag": rows[group.group_id]} | ({"deleted": group.deleted} if by_id else {})
        for group in groups
    ]  # fmt: skip
