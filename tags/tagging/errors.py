"""Refusals about tags."""

from flask_babel import lazy_gettext as _l

from bot.core.errors import Conflict, NotFound


class NoTag(NotFound):
    """There is no such tag, or not any more."""

    title = "Tag not found"

    def __init__(self, tag_id: int) -> None:
        super().__init__(f"there is no tag {tag_id}", words=_l("这个标签已经没有了"))


class NoGroup(NotFound):
    """There is no such tag group, or not any more."""

    title = "Tag group not found"

    def __init__(self, group_id: int) -> None:
        super().__init__(f"there is no tag group {group_id}", words=_l("这个标签组已经没有了"))


class NameTaken(Conflict):
    """Another tag of the group, or group of the kind, has the name."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__(f"there is a {what} named {name} already")


class NotThereYet(Conflict):
    """WeCom has not said yet whether the tag or group exists there."""

    def __init__(self, what: str, id: int) -> None:
        detail = f"{what} {id} is still being made in WeCom; try again in a moment"
        super().__init__(detail, words=_l("企业微信还没有回话，请过一会儿再试"))


class TwoChoices(Conflict):
    """A group can't become single choice while customers have more than one of its tags."""

    def __init__(self, customers: int) -> None:
        words = _l("有 %(count)s 位客户有这一组的不止一个标签，先只留一个", count=customers)
        super().__init__(f"{customers} customers have more than one tag of this group", words=words)


class Computed(Conflict):
    """Computed tags are written by the engine alone (T1)."""

    def __init__(self, what: str, its_id: int) -> None:
        detail = f"{what} {its_id} is computed and can't be changed by hand"
        super().__init__(detail, words=_l("它是系统算出来的，不能手工改"))
