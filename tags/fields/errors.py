"""Refusals about custom fields."""

from bot.core.errors import Conflict, NotFound


class NoField(NotFound):
    """There is no such field, or it was deleted."""

    def __init__(self, field_id: int) -> None:
        super().__init__(f"there is no custom field {field_id}")


class Taken(Conflict):
    """Another field has this key or name."""

    def __init__(self, what: str, value: str) -> None:
        super().__init__(f"another field has the {what} {value}")


class ChoiceTaken(Conflict):
    """Customers have the choice that is to go."""
