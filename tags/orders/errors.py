"""Refusals about orders."""

from bot.core.errors import Conflict, NotFound, Unacceptable


class OtherContent(Conflict):
    """The id was used before, with other content; `fields` are those that differ."""

    def __init__(self, what: str, name: str, fields: list[str]) -> None:
        super().__init__(f"{what} {name} is known with another {', '.join(fields)}", fields=fields)


class NoOrder(NotFound):
    """No order has this id."""

    def __init__(self, order_id: str) -> None:
        super().__init__(f"there is no order {order_id}")


class MoreThanLeft(Unacceptable):
    """A refund of more than is left of the order."""

    def __init__(self, pointer: str, asked: int, left: int) -> None:
        made = Unacceptable.at(pointer, f"is {asked}, and {left} is left of the order")
        super().__init__(made.detail, made.faults, left=left)
