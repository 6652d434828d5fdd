"""What points add to what others show: the customer's object, the answer to an order, texts."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from handlers.messaging.placeholders import Reader, placeholder
from handlers.points import statement
from tags.orders.receipts import receipt
from tags.people.cards import facet


@facet("points")
def balances(session: Session, customer_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    return {one: {"balance": points} for one, points in statement.balances(session, customer_ids).items()}


@receipt("points")
def earned(session: Session, order_id: str) -> dict[str, int]:
    return statement.of_order(session, order_id)


@placeholder("points", "积分", most_bytes=20, sample="1,280")
def points(session: Session, reader: Reader) -> str:
    """Her balance, `1,280`."""
    return f"{statement.balance(session, reader.customer_id):,}"
