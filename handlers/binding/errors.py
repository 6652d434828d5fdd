"""Refusals of binding; what she is told is the same for whatever did not match, so that nobody learns by trying."""

from bot.core.errors import Conflict, Problem, Unacceptable


class TooOften(Problem):
    """Tried too often, by her, from her address, or on this order, phone or code."""

    status, title = 429, "Tried too often"

    def __init__(self) -> None:
        super().__init__("tried too often; try again later")


class NoMatch(Unacceptable):
    """No order of a stranger has this number, price and phone."""

    def __init__(self) -> None:
        super().__init__("no order without a contact matches")


class WrongCode(Unacceptable):
    """The code is another, was used, or is over."""

    def __init__(self) -> None:
        super().__init__("the code is not right, or over")


class SomebodysOwn(Conflict):
    """The order belongs to somebody who is a contact, or whom a person took apart from her."""

    def __init__(self, order_id: str) -> None:
        super().__init__(f"order {order_id} belongs to somebody who is known; merge the two if they are one person")
