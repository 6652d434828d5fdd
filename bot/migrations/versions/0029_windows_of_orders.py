"""Lines know who bought them and when, so that what was bought of a category in a window is one look at an index."""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE order_items ADD customer_id bigint, ADD paid_at timestamptz;
        UPDATE order_items i SET customer_id = o.customer_id, paid_at = o.paid_at FROM orders o
        WHERE o.id = i.order_number;
        ALTER TABLE order_items ALTER customer_id SET NOT NULL, ALTER paid_at SET NOT NULL;
        DROP INDEX ix_order_items_sku, ix_order_items_category;
        CREATE INDEX ix_order_items_sku ON order_items (sku, paid_at) INCLUDE (customer_id, order_number);
        CREATE INDEX ix_order_items_category ON order_items (category, paid_at) INCLUDE (customer_id, order_number);
        CREATE INDEX ix_orders_paid_at ON orders USING brin (paid_at);
        CREATE INDEX ix_orders_refunded ON orders (id) WHERE refunded_at IS NOT NULL;
    """)


def downgrade() -> None:
    op.execute("""
        DROP INDEX ix_order_items_sku, ix_order_items_category, ix_orders_paid_at, ix_orders_refunded;
        CREATE INDEX ix_order_items_sku ON order_items (sku);
        CREATE INDEX ix_order_items_category ON order_items (category);
        ALTER TABLE order_items DROP customer_id, DROP paid_at;
    """)
