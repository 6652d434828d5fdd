"""Refusals about tags."""

from bot.core.errors import Conflict, NotFound


class NoTag(NotFound):
    """There is no such tag, or not any more."""

    title = "Tag not found"

    def __init__(self, tag_id: int) -> None:
        super().__init__(f"there is no tag {tag_id}")


class NoGroup(NotFound):
    """There is no such tag group, or not any more."""

    title = "Tag group not found"

    def __init__(self, group_id: int) -> None:
        super().__init__(f"there is no tag group {group_id}")


class NameTaken(Conflict):
    """Another tag of the group, or group of the kind, has the name."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__(f"there is a {what} named {name} already")


class NotThereYet(Conflict):
    """WeCom has not said yet whether the tag or group exists there."""

    def __init__(self, what: str, id: int) -> None:
        super().__init__(f"{what} {id} is still being made in WeCom; try again in a moment")


class TwoChoices(Conflict):
    """A group can't become single choice while customers have more than one of its tags."""

    def __init__(self, customers: int) -> None:
        super().__init__(f"{customers} customers have more than one tag of this group")


class Computed(Conflict):
    """Computed tags are written by the engine alone (T1)."""

    def __init__(self, what: str, its_id: int) -> None:
        super().__init__(f"{what} {its_id} is computed and can't be changed by hand")
