"""What may have moved a customer is noted once a statement, and in a word where it is thousands, as 0022 meant."""

from alembic import op

from bot.migrations.watching import first, note

revision = "0032"
down_revision = "0031"
branch_labels = depends_on = None


def upgrade() -> None:
    op.execute(first(note))  # the clock, read for each row, had made all rows differ


def downgrade() -> None:
    """The version before reads these notes too."""
