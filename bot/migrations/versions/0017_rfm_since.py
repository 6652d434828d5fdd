"""Since when a buyer has her RFM class; of those there are, since she was last scored."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE rfm_scores ADD COLUMN since timestamptz;
        UPDATE rfm_scores SET since = at;
        ALTER TABLE rfm_scores ALTER COLUMN since SET NOT NULL;
    """)


def downgrade() -> None:
    op.execute("ALTER TABLE rfm_scores DROP COLUMN since")
