"""Refusals about custom fields."""

from collections.abc import Sequence

from bot.core.errors import Conflict, NotFound
from tags.conditions.kept import Kept


class NoField(NotFound):
    """There is no such field, or it was deleted."""

    def __init__(self, field_id: int) -> None:
        super().__init__(f"there is no custom field {field_id}")


class Taken(Conflict):
    """Another field has this key or name."""

    def __init__(self, what: str, value: str) -> None:
        super().__init__(f"another field has the {what} {value}")


class InUse(Conflict):
    """Conditions ask the field, or customers have the choice: it stays until they don't."""

    def __init__(self, detail: str, users: Sequence[Kept] = ()) -> None:
        super().__init__(detail, used_by=[one.thing for one in users])
