"""Corp tags: groups of tags the corp shares, each owned by the app or the admin console that made it; page 92117."""

from bot.simulator.area import Answer, Area, Call
from bot.simulator.state import State, Tag, TagGroup

area = Area()


@area.api("POST", "externalcontact/get_corp_tag_list", right="contact")
def tag_list(call: Call) -> Answer:
    """All groups, or those asked for by id, deleted ones too; `tag_id` is ignored beside `group_id`."""
    group_ids, tag_ids = call.body.texts("group_id"), call.body.texts("tag_id")
    shown = []
    for group in call.state.tag_groups.values():
        if group_ids:
            tags = group.tags if group.group_id in group_ids else []
        elif tag_ids:
            tags = [tag for tag in group.tags if tag.id in tag_ids]
        else:
            tags = [tag for tag in group.tags if not tag.deleted]
        if tags:
            shown.append(_group(group, tags, bool(group_ids or tag_ids)))
    return {"tag_group": shown}


def tag_named(state: State, tag_id: str) -> tuple[TagGroup, Tag]:
    """A tag and its group. Raises KeyError for one that never was."""
    for group in state.tag_groups.values():
        for tag in group.tags:
            if tag.id == tag_id:
                return group, tag
    raise KeyError(tag_id)


def _group(group: TagGroup, tags: list[Tag], by_id: bool) -> Answer:
    shown: Answer = {
        "group_id": group.group_id, "group_name": group.group_name, "create_time": group.create_time,
        "order": group.order, "tag": [_tag(tag, by_id) for tag in tags],
    }  # fmt: skip
    return shown | ({"deleted": group.deleted} if by_id else {})


def _tag(tag: Tag, by_id: bool) -> Answer:
    shown: Answer = {"id": tag.id, "name": tag.name, "create_time": tag.create_time, "order": tag.order}
    return shown | ({"deleted": tag.deleted} if by_id else {})
