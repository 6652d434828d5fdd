"""Refusals about points."""

from bot.core.errors import Conflict, Unacceptable


class TooFewPoints(Unacceptable):
    """She has fewer points to spend than are asked for (P1)."""

    def __init__(self, pointer: str, wanted: int, spendable: int) -> None:
        made = Unacceptable.at(pointer, f"is {wanted}, and she has {spendable} points to spend")
        super().__init__(made.detail, made.faults, spendable=spendable)


class SpentOtherwise(Conflict):
    """Points were spent for this order already, another number of them."""

    def __init__(self, order_id: str, spent: int) -> None:
        super().__init__(f"{spent} points were spent for order {order_id} already", spent=spent)


class HoldOver(Conflict):
    """The hold was resolved before: committed, released or timed out; once is all (P1)."""

    def __init__(self, order_id: str, state: str) -> None:
        super().__init__(f"the points held for order {order_id} are {state.replace('_', ' ')}", state=state)
