"""When a member was told that a message waits; until now he was told as it began to."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE deliveries ADD COLUMN told_at timestamptz;
        UPDATE deliveries SET told_at = created_at WHERE done_at IS NULL AND member IS NOT NULL;
        CREATE INDEX ix_deliveries_member ON deliveries (member) WHERE done_at IS NULL AND member IS NOT NULL;
    """)


def downgrade() -> None:
    op.execute("DROP INDEX ix_deliveries_member; ALTER TABLE deliveries DROP COLUMN told_at")
