"""The triggers as the newest migration leaves them: they keep `job_counts`, and on PostgreSQL tell of ended jobs.

A test holds the migrations to them, as to the tables.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import event

from antiphon.adapters.store.columns import metadata
from antiphon.adapters.store.telling import ENDED

SQLITE_TRIGGERS = (
    """
    CREATE TRIGGER jobs_come AFTER INSERT ON jobs WHEN NEW.owner IS NULL BEGIN
        INSERT INTO job_counts VALUES (NEW.workspace, NEW.target, NEW.status, 0, 1)
        ON CONFLICT (workspace, target, status, shard) DO UPDATE SET jobs = jobs + 1;
    END
    """,
    """
    CREATE TRIGGER jobs_are_given AFTER UPDATE OF owner, status ON jobs
    WHEN OLD.owner IS NULL AND (NEW.owner IS NOT NULL OR OLD.status <> NEW.status) BEGIN
        UPDATE job_counts SET jobs = jobs - 1
        WHERE workspace = OLD.workspace AND target = OLD.target AND status = OLD.status AND shard = 0;
    END
    """,
    """
    CREATE TRIGGER jobs_come_back AFTER UPDATE OF owner, status ON jobs
    WHEN NEW.owner IS NULL AND (OLD.owner IS NOT NULL OR OLD.status <> NEW.status) BEGIN
        INSERT INTO job_counts VALUES (NEW.workspace, NEW.target, NEW.status, 0, 1)
        ON CONFLICT (workspace, target, status, shard) DO UPDATE SET jobs = jobs + 1;
    END
    """,
    """
    CREATE TRIGGER jobs_go AFTER DELETE ON jobs WHEN OLD.owner IS NULL BEGIN
        UPDATE job_counts SET jobs = jobs - 1
        WHERE workspace = OLD.workspace AND target = OLD.target AND status = OLD.status AND shard = 0;
    END
    """,
)
POSTGRESQL_TRIGGERS = (
    """
    CREATE FUNCTION antiphon_count_jobs() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP <> 'INSERT' AND OLD.owner IS NULL THEN
            INSERT INTO job_counts VALUES (OLD.workspace, OLD.target, OLD.status, pg_backend_pid(), -1)
            ON CONFLICT (workspace, target, status, shard) DO UPDATE SET jobs = job_counts.jobs - 1;
        END IF;
        IF TG_OP <> 'DELETE' AND NEW.owner IS NULL THEN
            INSERT INTO job_counts VALUES (NEW.workspace, NEW.target, NEW.status, pg_backend_pid(), 1)
            ON CONFLICT (workspace, target, status, shard) DO UPDATE SET jobs = job_counts.jobs + 1;
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER jobs_come_and_go AFTER INSERT OR DELETE ON jobs
    FOR EACH ROW EXECUTE FUNCTION antiphon_count_jobs()
    """,
    """
    CREATE TRIGGER jobs_change AFTER UPDATE OF owner, status ON jobs FOR EACH ROW
    WHEN (OLD.status <> NEW.status OR (OLD.owner IS NULL) <> (NEW.owner IS NULL))
    EXECUTE FUNCTION antiphon_count_jobs()
    """,
    f"""
    CREATE FUNCTION antiphon_tell_end() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_notify('{ENDED}', NEW.id);
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER jobs_end AFTER UPDATE OF ended_at ON jobs FOR EACH ROW
    WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL)
    EXECUTE FUNCTION antiphon_tell_end()
    """,
)


def _make_triggers(_: Any, connection: Any, **__: Any) -> None:
    texts = SQLITE_TRIGGERS if connection.dialect.name == "sqlite" else POSTGRESQL_TRIGGERS
    for text in texts:
        connection.exec_driver_sql(text)


event.listen(metadata, "after_create", _make_triggers)
