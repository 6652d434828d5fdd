"""How a query builder counts a condition tree: customers, and one EXISTS or subquery a leaf. Frozen; never tuned."""

from datetime import datetime

from sqlalchemy import Engine, text

TAGS = """
SELECT count(*) FROM customers c
WHERE EXISTS (SELECT 1 FROM tag_assignments t WHERE t.customer_id = c.id AND t.tag_id = :a)
    AND (EXISTS (SELECT 1 FROM tag_assignments t WHERE t.customer_id = c.id AND t.tag_id = :b)
        OR EXISTS (SELECT 1 FROM tag_assignments t WHERE t.customer_id = c.id AND t.tag_id = :c))
    AND NOT EXISTS (SELECT 1 FROM tag_assignments t WHERE t.customer_id = c.id AND t.tag_id = :d)
"""
WINDOW = (
    TAGS
    + """
    AND (SELECT count(DISTINCT o.id) FROM orders o JOIN order_items i ON i.order_number = o.id
        WHERE o.customer_id = c.id AND i.category = :category AND o.paid_at > :since) >= 2
"""
)


def count_tags(engine: Engine, tags: tuple[int, int, int, int]) -> int:
    """Customers with the first tag, and the second or the third, and not the fourth."""
    with engine.connect() as connection:
        return int(connection.execute(text(TAGS), dict(zip("abcd", tags, strict=True))).scalar_one())


def count_window(engine: Engine, tags: tuple[int, int, int, int], category: str, since: datetime) -> int:
    """The same, who moreover bought of a category twice since then."""
    with engine.connect() as connection:
        values = {**dict(zip("abcd", tags, strict=True)), "category": category, "since": since}
        return int(connection.execute(text(WINDOW), values).scalar_one())
