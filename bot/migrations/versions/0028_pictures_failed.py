"""When a picture did not come."""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE pictures ADD COLUMN failed_at timestamptz")


def downgrade() -> None:
    op.execute("ALTER TABLE pictures DROP COLUMN failed_at")
