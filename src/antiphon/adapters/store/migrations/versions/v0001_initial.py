"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make every table and index."""
    _make_sessions()
    _make_jobs()
    _make_outcomes()
    _make_logs()


def _make_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("workspace", _ID, nullable=False),
        sa.Column("target", _ID, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("key", _ID),
        sa.Column("failure_policy", sa.Text, nullable=False),
        sa.Column("idle_limit_s", sa.Double, nullable=False),
        sa.Column("total_limit_s", sa.Double, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("accepting_jobs", sa.Boolean, nullable=False),
        sa.Column("jobs", sa.Integer, nullable=False),
        sa.Column("pending", sa.Integer, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.Column("first_job_at", sa.Double),
        sa.Column("last_activity_at", sa.Double),
        sa.Column("ended_at", sa.Double),
        sa.Column("due_at", sa.Double),
        sa.Column("end_reason", sa.Text, nullable=False),
    )
    op.create_index("sessions_by_age", "sessions", ["workspace", "created_at", "id"])
    _partial("sessions_by_key", "sessions", ["workspace", "key", "created_at", "id"], "key IS NOT NULL")
    _partial("sessions_open_key", "sessions", ["workspace", "key"], "key IS NOT NULL AND ended_at IS NULL", unique=True)
    _partial("sessions_due", "sessions", ["due_at"], "due_at IS NOT NULL")


def _make_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("workspace", _ID, nullable=False),
        sa.Column("target", _ID, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("session_id", _ID, sa.ForeignKey("sessions.id")),
        sa.Column("key", _ID),
        sa.Column("request_digest", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.Column("owner", _ID),
        sa.Column("executor", sa.Text, nullable=False),
        sa.Column("queued_at", sa.Double),
        sa.Column("started_at", sa.Double),
        sa.Column("ended_at", sa.Double),
        sa.Column("cancel_requested_at", sa.Double),
        sa.Column("spec", sa.Text, nullable=False),
        sa.Column("stages", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("provenance", sa.Text),
        sa.Column("cost", sa.Text),
    )
    op.create_index("jobs_by_age", "jobs", ["workspace", "created_at", "id", "target"])
    op.create_index("jobs_by_status", "jobs", ["workspace", "status", "created_at", "id", "target"])
    _partial("jobs_by_session", "jobs", ["workspace", "session_id", "created_at", "id"], "session_id IS NOT NULL")
    _partial("jobs_by_key", "jobs", ["workspace", "key"], "key IS NOT NULL", unique=True)
    _partial("jobs_waiting", "jobs", ["target", "created_at", "id"], "status = 'Waiting'")
    _partial("jobs_owned", "jobs", ["owner"], "owner IS NOT NULL")


def _make_outcomes() -> None:
    op.create_table(
        "batch_items",
        sa.Column("job_id", _ID, sa.ForeignKey("jobs.id"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("started_at", sa.Double),
        sa.Column("ended_at", sa.Double),
        sa.Column("error", sa.Text),
        sa.Column("outcome", sa.Text),
        sa.Column("provenance", sa.Text),
    )
    op.create_table(
        "results",
        sa.Column("job_id", _ID, sa.ForeignKey("jobs.id"), primary_key=True),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.Column("body", sa.Text),
        sa.Column("artefact", sa.Text),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "artefacts",
        sa.Column("digest", _ID, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary),
        sa.Column("blob", sa.Text),
        sa.Column("facts", sa.Text),
    )


def _make_logs() -> None:
    op.create_table(
        "events",
        sa.Column("seq", _SEQUENCE, primary_key=True, autoincrement=True),
        sa.Column("subject", _ID, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
    )
    op.create_index("events_by_subject", "events", ["subject", "seq"])
    op.create_table(
        "engines",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("process_started_at", sa.Double, nullable=False),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("heartbeat_at", sa.Double, nullable=False),
    )
    op.create_table(
        "schema_history",
        sa.Column("revision", sa.Text, primary_key=True),
        sa.Column("antiphon_version", sa.Text, nullable=False),
        sa.Column("migrated_at", sa.Text, nullable=False),
    )


def _partial(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)
