"""Refusals about people."""

from bot.core.errors import Conflict, NotFound
from tags.people.selector import Selector


class Unknown(NotFound):
    """Nobody matches the selector."""

    title = "Customer not found"

    def __init__(self, selector: Selector) -> None:
        super().__init__(f"no customer has the {selector}")


class SameCustomer(Conflict):
    """A merge of somebody with herself, or one that was done before."""

    def __init__(self, from_id: int, into_id: int) -> None:
        super().__init__(f"customers {from_id} and {into_id} are one already")


class AlreadyUndone(Conflict):
    """The merge was taken back before."""

    def __init__(self, merge_id: int) -> None:
        super().__init__(f"merge {merge_id} was undone already")


class TwoPeople(Conflict):
    """The value is that of a customer with another WeChat account; only a person can say that both are one."""

    def __init__(self, kind: str, other_id: int) -> None:
        super().__init__(
            f"this {kind} is customer {other_id}'s, who has another unionid or was parted from her by hand; merge the"
            " two first if they are one person", customer_id=str(other_id),
        )  # fmt: skip
