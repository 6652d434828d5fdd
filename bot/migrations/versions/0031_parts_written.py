"""Parts of memberships say which transaction wrote them, so that another worker need not read them all."""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE segment_parts ADD COLUMN xid bigint NOT NULL DEFAULT 0;
        CREATE INDEX ix_segment_parts_xid ON segment_parts (xid)
    """)


def downgrade() -> None:
    op.execute("ALTER TABLE segment_parts DROP COLUMN xid")
