"""What other features add to the answer an order gets.

    @receipt("points")
    def earned(session: Session, order_id: str) -> dict[str, int]: ...     # {"base": 268, "bonus": 0}

The fields and their defaults are `api.OrderAnswer`'s.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from bot.core.feature import Register

Receipt = Callable[[Session, str], Any]
receipts: Register[tuple[str, Receipt]] = Register("receipts")


def receipt(field: str) -> Callable[[Receipt], Receipt]:
    """Mark a function that answers `field` for the shop's order id."""
    return lambda function: receipts.mark(function, (field, function))


def of_order(session: Session, order_id: str) -> dict[str, Any]:
    """What every feature says of an order, by field."""
    return {field: function(session, order_id) for field, function in receipts}
