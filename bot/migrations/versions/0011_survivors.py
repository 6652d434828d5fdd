"""Who a merged customer is in the end, kept beside whom she was merged into: one look instead of a walk."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE customers ADD COLUMN survivor_id bigint
            CONSTRAINT fk_customers_survivor_id REFERENCES customers (id);
        WITH RECURSIVE family AS (
            SELECT id, id AS survivor FROM customers WHERE merged_into IS NULL
            UNION ALL SELECT c.id, f.survivor FROM customers c JOIN family f ON c.merged_into = f.id
        ) UPDATE customers c SET survivor_id = f.survivor FROM family f
        WHERE f.id = c.id AND c.merged_into IS NOT NULL;
        CREATE INDEX ix_customers_survivor_id ON customers (survivor_id) WHERE survivor_id IS NOT NULL;
    """)


def downgrade() -> None:
    op.execute("ALTER TABLE customers DROP COLUMN survivor_id")
