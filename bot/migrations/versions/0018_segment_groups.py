"""Segment groups that are edited and closed, routes that wait when full, group chats that are looked at in turn."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE group_chats ADD COLUMN looked_at timestamptz;
        ALTER TABLE segment_groups ADD COLUMN ready_at timestamptz, ADD COLUMN closed_at timestamptz;
        UPDATE segment_groups SET ready_at = created_at;
        ALTER TABLE group_routes
            ADD COLUMN when_full text NOT NULL DEFAULT 'new_chat', ADD COLUMN full_at timestamptz,
            ADD COLUMN removed_at timestamptz, DROP CONSTRAINT uq_group_routes_segment_group_id_place;
        UPDATE group_routes SET when_full = 'wait' WHERE capacity < 200;
        CREATE INDEX ix_group_routes_segment_group_id ON group_routes (segment_group_id, place);
        ALTER TABLE invitations ADD COLUMN promised_at timestamptz;
        DROP INDEX ix_invitations_route_id;
        CREATE INDEX ix_invitations_route_id ON invitations (route_id, state);
    """)


def downgrade() -> None:
    op.execute("""
        DROP INDEX ix_invitations_route_id;
        CREATE INDEX ix_invitations_route_id ON invitations (route_id);
        ALTER TABLE invitations DROP COLUMN promised_at;
        DROP INDEX ix_group_routes_segment_group_id;
        ALTER TABLE group_routes
            DROP COLUMN when_full, DROP COLUMN full_at, DROP COLUMN removed_at,
            ADD CONSTRAINT uq_group_routes_segment_group_id_place UNIQUE (segment_group_id, place);
        ALTER TABLE segment_groups DROP COLUMN ready_at, DROP COLUMN closed_at;
        ALTER TABLE group_chats DROP COLUMN looked_at;
    """)
