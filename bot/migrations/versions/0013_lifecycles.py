"""Stages of buyers."""

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
    """)


def downgrade() -> None:
    op.execute("DROP TABLE lifecycles")
