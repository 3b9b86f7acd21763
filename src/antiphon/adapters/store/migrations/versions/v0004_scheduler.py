"""The scheduler: classes of the queue, its policies and state, shares, reservations, prices, estimates, the ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add what the rules look at to jobs and sessions, and make the tables of the scheduler."""
    _change_jobs()
    _change_sessions()
    _make_queues()
    _make_money()
    _make_ledger()
    _count_jobs()
    _make_archive()
    _make_badges()


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)


def _change_jobs() -> None:
    for column in (
        sa.Column("priority", sa.Text, nullable=False, server_default="Standard"),
        sa.Column("rank", sa.Integer, nullable=False, server_default="3"),
        sa.Column("planned_s", sa.Double, nullable=False, server_default="0"),
        sa.Column("yields", sa.Integer, nullable=False, server_default="0"),
        sa.Column("in_doubt", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("estimate", sa.Text),
    ):
        op.add_column("jobs", column)
    # Jobs from before priorities: of a session, or standard.
    op.execute("UPDATE jobs SET rank = 1 WHERE session_id IS NOT NULL AND ended_at IS NULL")
    op.drop_index("jobs_waiting", "jobs")
    by_class = ["target", "rank", "workspace", "created_by", "created_at", "id", "planned_s"]
    _partial("jobs_waiting", "jobs", by_class, "status = 'Waiting'")
    op.drop_index("jobs_owned", "jobs")
    _partial("jobs_owned", "jobs", ["owner", "target"], "owner IS NOT NULL")
    _partial("jobs_waiting_by_age", "jobs", ["target", "rank", "created_at", "id"], "status = 'Waiting'")
    op.drop_index("jobs_by_age", "jobs")
    op.create_index("jobs_by_age", "jobs", ["workspace", "created_at", "id"])
    op.drop_index("jobs_by_session", "jobs")
    _partial("jobs_by_session", "jobs", ["session_id", "created_at", "id"], "session_id IS NOT NULL")
    # Made again to be the younger: of two that serve as well SQLite takes that, and this one is shorter.
    op.drop_index("jobs_pending", "jobs")
    pending = "session_id IS NOT NULL AND ended_at IS NULL"
    _partial("jobs_pending", "jobs", ["session_id", "created_at", "id"], pending)
    op.create_index("jobs_by_target", "jobs", ["workspace", "target", "created_at", "id"])
    op.create_index("jobs_by_name", "jobs", ["workspace", "name", "created_at", "id"])


def _change_sessions() -> None:
    for column in (
        sa.Column("max_jobs", sa.Integer),
        sa.Column("max_seconds", sa.Double),
        sa.Column("max_cost", sa.Double),
        sa.Column("used_seconds", sa.Double, nullable=False, server_default="0"),
        sa.Column("used_cost", sa.Double, nullable=False, server_default="0"),
        sa.Column("holding_since", sa.Double),
        sa.Column("held_s", sa.Double, nullable=False, server_default="0"),
    ):
        op.add_column("sessions", column)


def _make_queues() -> None:
    op.create_table(
        "queue_policies",
        sa.Column("target", _ID, primary_key=True),
        sa.Column("slots", sa.Integer),
        sa.Column("access", sa.Text, nullable=False),
        sa.Column("gap_s", sa.Double, nullable=False),
        sa.Column("window_s", sa.Double, nullable=False),
        sa.Column("patience_s", sa.Double, nullable=False),
        sa.Column("aged_every", sa.Integer, nullable=False),
        sa.Column("quantum_s", sa.Double, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
        sa.Column("updated_by", sa.Text, nullable=False),
    )
    op.create_table(
        "queue_states",
        sa.Column("target", _ID, primary_key=True),
        sa.Column("owner", _ID),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.Column("held_by", _ID),
        sa.Column("held_workspace", _ID),
        sa.Column("held_since", sa.Double),
        sa.Column("held_until", sa.Double),
        sa.Column("starts", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "shares",
        sa.Column("target", _ID, primary_key=True),
        sa.Column("workspace", _ID, primary_key=True),
        sa.Column("user", _ID, primary_key=True),
        sa.Column("used", sa.Double, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
    )
    op.create_table(
        "allotments",
        sa.Column("workspace", _ID, primary_key=True),
        sa.Column("weight", sa.Double, nullable=False),
    )
    op.create_table(
        "reservations",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("target", _ID, nullable=False),
        sa.Column("workspace", _ID, nullable=False),
        sa.Column("starts_at", sa.Double, nullable=False),
        sa.Column("ends_at", sa.Double, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("cancelled_at", sa.Double),
    )
    _partial("reservations_to_come", "reservations", ["target", "ends_at"], "cancelled_at IS NULL")


def _make_money() -> None:
    op.create_table(
        "price_lists",
        sa.Column("target", _ID, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
    )
    op.create_table(
        "outcomes",
        sa.Column("seq", _SEQUENCE, primary_key=True, autoincrement=True),
        sa.Column("target", _ID, nullable=False),
        sa.Column("priority", sa.Text, nullable=False),
        sa.Column("job_id", _ID, nullable=False),
        sa.Column("ended_at", sa.Double, nullable=False),
        sa.Column("planned_s", sa.Double, nullable=False),
        sa.Column("ahead_s", sa.Double, nullable=False),
        sa.Column("wait_s", sa.Double, nullable=False),
        sa.Column("run_s", sa.Double, nullable=False),
        sa.Column("cost", sa.Double),
        sa.Column("estimate", sa.Text),
    )
    op.create_index("outcomes_by_target", "outcomes", ["target", "seq"])


def _make_ledger() -> None:
    op.create_table(
        "submissions",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("job_id", _ID, sa.ForeignKey("jobs.id"), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("parent", _ID),
        sa.Column("target", _ID, nullable=False),
        sa.Column("key", _ID, nullable=False),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("intended_at", sa.Double, nullable=False),
        sa.Column("sent_at", sa.Double),
        sa.Column("settled_at", sa.Double),
        sa.Column("provider_id", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("cost", sa.Text),
    )
    op.create_index("submissions_by_job", "submissions", ["job_id", "position", "intended_at"])
    _partial("submissions_open", "submissions", ["target", "intended_at"], "settled_at IS NULL")


_SQLITE_TRIGGERS = (
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
_POSTGRESQL_TRIGGERS = (
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
    """
    CREATE FUNCTION antiphon_tell_end() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_notify('antiphon_ended', NEW.id);
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER jobs_end AFTER UPDATE OF ended_at ON jobs FOR EACH ROW
    WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL)
    EXECUTE FUNCTION antiphon_tell_end()
    """,
)


def _count_jobs() -> None:
    op.create_table(
        "job_counts",
        sa.Column("workspace", _ID, primary_key=True),
        sa.Column("target", _ID, primary_key=True),
        sa.Column("status", sa.Text, primary_key=True),
        sa.Column("shard", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("jobs", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
        postgresql_with={"fillfactor": 50},
    )
    op.execute(
        "INSERT INTO job_counts SELECT workspace, target, status, 0, count(*) FROM jobs "
        "WHERE owner IS NULL GROUP BY workspace, target, status"
    )
    for trigger in _SQLITE_TRIGGERS if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL_TRIGGERS:
        op.get_bind().exec_driver_sql(trigger)


def _make_archive() -> None:
    op.create_table(
        "archived_subjects",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("workspace", _ID, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("archived_at", sa.Double, nullable=False),
        sa.Column("file", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )


def _make_badges() -> None:
    op.create_table(
        "target_badges",
        sa.Column("target", _ID, primary_key=True),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("antiphon", sa.Text, nullable=False),
        sa.Column("given_at", sa.Double, nullable=False),
        sa.Column("given_by", sa.Text, nullable=False),
        sa.Column("passed", sa.Integer, nullable=False),
        sa.Column("not_applicable", sa.Integer, nullable=False),
        sa.Column("failed", sa.Text, nullable=False),
    )
