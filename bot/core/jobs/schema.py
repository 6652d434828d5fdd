"""Procrastinate's tables and what a trial showed they need beside them, for our migrations.

Procrastinate's own upgrades are SQL files named by version; a test names the newest, so a release that brings another
is met by a migration of ours and not by surprise. 3.4 to 3.10 brought none.
"""

from procrastinate.schema import SchemaManager

NEWEST = "03.04.00_50_post_add_retry_failed_job_procedure.sql"

# Their index is (id, lock): a fetch behind 5,000 jobs that wait for one lock took 2.2 s, with ours 35 ms. Statistics
# that lag behind cost as much (9 ms a fetch against 0.6), hence the tight autovacuum.
BESIDE = """
    CREATE INDEX ix_procrastinate_jobs_lock ON procrastinate_jobs (lock, priority DESC, id)
        WHERE status IN ('todo', 'doing');
    ALTER TABLE procrastinate_jobs
        SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.01);
    ALTER TABLE procrastinate_events
        SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.01);
    ANALYZE procrastinate_jobs, procrastinate_events;
"""

DROP = """
    DROP TABLE procrastinate_events, procrastinate_periodic_defers, procrastinate_jobs, procrastinate_workers CASCADE;
    DO $$
    DECLARE
        made regprocedure;
    BEGIN
        FOR made IN SELECT oid FROM pg_proc
            WHERE proname LIKE 'procrastinate\\_%' AND pronamespace = current_schema()::regnamespace
        LOOP
            EXECUTE 'DROP FUNCTION ' || made;
        END LOOP;
    END $$;
    DROP TYPE procrastinate_job_to_defer_v1, procrastinate_job_status, procrastinate_job_event_type;
"""


def procrastinate_schema() -> str:
    """SQL that makes Procrastinate's tables, functions and triggers, and ours beside them.

    Run it through the driver's connection without parameters: it holds `%` signs.
    """
    return SchemaManager.get_schema() + BESIDE
