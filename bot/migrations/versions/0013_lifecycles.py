"""Stages of buyers; those there are get one by the default rules, and are due to be looked at and tagged."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE lifecycles (
            customer_id bigint CONSTRAINT pk_lifecycles PRIMARY KEY
                CONSTRAINT fk_lifecycles_customer_id REFERENCES customers (id),
            stage text NOT NULL,
            tagged text NOT NULL,
            since timestamptz NOT NULL,
            due_at timestamptz
        );
        CREATE INDEX ix_lifecycles_stage ON lifecycles (stage);
        CREATE INDEX ix_lifecycles_due_at ON lifecycles (due_at) WHERE due_at IS NOT NULL;
        INSERT INTO lifecycles (customer_id, stage, tagged, since, due_at)
        SELECT id, CASE
            WHEN NOT EXISTS (SELECT 1 FROM contacts k WHERE k.customer_id = buyer.id) THEN 'stranger'
            WHEN last_at <= now() - interval '180 days' THEN 'lapsed'
            WHEN last_at <= now() - interval '90 days' THEN 'at_risk'
            WHEN orders = 1 THEN 'first_buyer' WHEN orders < 4 THEN 'repeat' ELSE 'loyal' END, '', now(), now()
        FROM (
            SELECT coalesce(c.survivor_id, c.id) AS id, max(b.last_at) AS last_at, sum(b.orders) AS orders
            FROM buyers b JOIN customers c ON c.id = b.customer_id WHERE b.orders > 0 GROUP BY 1
        ) AS buyer;
    """)


def downgrade() -> None:
    op.execute("DROP TABLE lifecycles")
