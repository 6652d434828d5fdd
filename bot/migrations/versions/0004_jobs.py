"""Jobs: Procrastinate's tables, our progress beside them, and when each tick was last done."""

from alembic import op

from bot.core.jobs.schema import DROP, procrastinate_schema

revision = "0004"
down_revision = "0003"
branch_labels = depends_on = None


def upgrade() -> None:
    op.get_bind().connection.driver_connection.execute(procrastinate_schema())
    op.execute("""
        CREATE TABLE job_progress (
            job_id bigint CONSTRAINT pk_job_progress PRIMARY KEY,
            job text NOT NULL,
            state text NOT NULL CONSTRAINT ck_job_progress_state
                CHECK (state IN ('waiting', 'running', 'done', 'failed')),
            done bigint NOT NULL,
            total bigint,
            cursor jsonb,
            error text,
            started_at timestamptz NOT NULL,
            changed_at timestamptz NOT NULL
        );
        CREATE INDEX ix_job_progress_changed_at ON job_progress (changed_at);
        CREATE TABLE ticks (
            name text CONSTRAINT pk_ticks PRIMARY KEY,
            done_at timestamptz NOT NULL,
            failed_at timestamptz,
            error text
        );
    """)


def downgrade() -> None:
    op.execute("DROP TABLE ticks, job_progress")
    op.get_bind().connection.driver_connection.execute(DROP)
