"""Routes by segment. Going back, one by a segment stays as a route that is nobody's."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE group_routes
            ADD COLUMN segment_id bigint CONSTRAINT fk_group_routes_segment_id REFERENCES segments (id),
            ALTER COLUMN tag_id DROP NOT NULL;
        CREATE INDEX ix_group_routes_segment_id ON group_routes (segment_id) WHERE segment_id IS NOT NULL;
    """)


def downgrade() -> None:
    op.execute("ALTER TABLE group_routes DROP COLUMN segment_id")
