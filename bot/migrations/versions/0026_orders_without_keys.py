"""Lines, months and buyers lose their foreign keys: they are written beside what they name."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = depends_on = None
KEYS = (
    ("order_items", "order_number", "orders"), ("order_months", "customer_id", "customers"),
    ("buyers", "customer_id", "customers"),
)  # fmt: skip


def upgrade() -> None:
    for table, column, _ in KEYS:
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT fk_{table}_{column}")


def downgrade() -> None:
    for table, column, target in KEYS:
        op.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT fk_{table}_{column} FOREIGN KEY ({column}) REFERENCES {target} (id)"
        )
