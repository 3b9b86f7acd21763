"""The tables, once for every database. What is queried is a column; what is only kept is JSON text.

Every index serves a query of the port; `tests/unit/adapters/store/test_query_plans.py` asks SQLite whether it does.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)

from antiphon.adapters.store.columns import Id, Sequence, metadata, partial_index

SCHEMA_VERSIONS = ("0001", "0002", "0003", "0004")
"""Every revision under `migrations/versions`, oldest first; this package reads and writes the last."""

VERSION_TABLE = "antiphon_schema"

jobs = Table(
    "jobs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace", Id, nullable=False),
    Column("target", Id, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("session_id", Id, ForeignKey("sessions.id")),
    Column("key", Id),
    Column("request_digest", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("owner", Id),
    Column("executor", Text, nullable=False),
    Column("queued_at", Double),
    Column("started_at", Double),
    Column("ended_at", Double),
    Column("cancel_requested_at", Double),
    Column("spec", Text, nullable=False),
    Column("stages", Text),
    Column("error", Text),
    Column("provenance", Text),
    Column("cost", Text),
    Column("shots", BigInteger, nullable=False, server_default="0"),
    Column("execute_s", Double),
    Column("holds", Text),
    Column("trace", Text),
    Column("work_digest", Text),
    Column("priority", Text, nullable=False, server_default="Standard"),
    Column("rank", Integer, nullable=False, server_default="3"),
    Column("planned_s", Double, nullable=False, server_default="0"),
    Column("yields", Integer, nullable=False, server_default="0"),
    Column("in_doubt", Boolean, nullable=False, server_default=text("false")),
    Column("estimate", Text),
)


_job = jobs.c
Index("jobs_by_age", _job.workspace, _job.created_at, _job.id)
Index("jobs_by_target", _job.workspace, _job.target, _job.created_at, _job.id)
Index("jobs_by_name", _job.workspace, _job.name, _job.created_at, _job.id)
# `target` comes last so that a filter on it does not have to open the rows.
Index("jobs_by_status", _job.workspace, _job.status, _job.created_at, _job.id, _job.target)
# The session first: whether a session that is to go still has jobs is asked by its id alone.
partial_index(
    "jobs_by_session",
    _job.session_id,
    _job.created_at,
    _job.id,
    where="session_id IS NOT NULL",
)
partial_index("jobs_by_key", _job.workspace, _job.key, where="key IS NOT NULL", unique=True)
partial_index("jobs_by_work", _job.workspace, _job.work_digest, _job.created_at, where="work_digest IS NOT NULL")
# The queue by classes and shares, for the rules of `policies.pick`; and by age, for the oldest job.
partial_index(
    "jobs_waiting",
    _job.target,
    _job.rank,
    _job.workspace,
    _job.created_by,
    _job.created_at,
    _job.id,
    _job.planned_s,
    where="status = 'Waiting'",
)
partial_index("jobs_waiting_by_age", _job.target, _job.rank, _job.created_at, _job.id, where="status = 'Waiting'")
partial_index("jobs_owned", _job.owner, _job.target, where="owner IS NOT NULL")
partial_index(
    "jobs_pending",
    _job.session_id,
    _job.created_at,
    _job.id,
    where="session_id IS NOT NULL AND ended_at IS NULL",
)

batch_items = Table(
    "batch_items",
    metadata,
    Column("job_id", Id, ForeignKey("jobs.id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("status", Text, nullable=False),
    Column("started_at", Double),
    Column("ended_at", Double),
    Column("error", Text),
    Column("outcome", Text),
    Column("provenance", Text),
)

# The job is the primary key: a second result cannot exist. Without a row id there is one tree to write, not two.
results = Table(
    "results",
    metadata,
    Column("job_id", Id, ForeignKey("jobs.id"), primary_key=True),
    Column("fence", Integer, nullable=False),
    Column("body", Text),
    Column("artefact", Text),
    sqlite_with_rowid=False,
)

artefacts = Table(
    "artefacts",
    metadata,
    Column("digest", Id, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("body", LargeBinary),
    Column("blob", Text),
    Column("facts", Text),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace", Id, nullable=False),
    Column("target", Id, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("key", Id),
    Column("failure_policy", Text, nullable=False),
    Column("idle_limit_s", Double, nullable=False),
    Column("total_limit_s", Double, nullable=False),
    Column("status", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("accepting_jobs", Boolean, nullable=False),
    Column("jobs", Integer, nullable=False),
    Column("pending", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("first_job_at", Double),
    Column("last_activity_at", Double),
    Column("ended_at", Double),
    Column("due_at", Double),
    Column("end_reason", Text, nullable=False),
    Column("max_jobs", Integer),
    Column("max_seconds", Double),
    Column("max_cost", Double),
    Column("used_seconds", Double, nullable=False, server_default="0"),
    Column("used_cost", Double, nullable=False, server_default="0"),
    Column("holding_since", Double),
    Column("held_s", Double, nullable=False, server_default="0"),
)

_session = sessions.c
Index("sessions_by_age", _session.workspace, _session.created_at, _session.id)
partial_index(
    "sessions_by_key", _session.workspace, _session.key, _session.created_at, _session.id, where="key IS NOT NULL"
)
# A key may be used again once the session under it has ended.
partial_index(
    "sessions_open_key", _session.workspace, _session.key, where="key IS NOT NULL AND ended_at IS NULL", unique=True
)
partial_index("sessions_due", _session.due_at, where="due_at IS NOT NULL")

# The newest line is never deleted, so a plain integer key grows; AUTOINCREMENT would write one more page for each.
events = Table(
    "events",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("subject", Id, nullable=False),
    Column("version", Integer, nullable=False),
    Column("event", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("who", Text, nullable=False),
    Column("why", Text, nullable=False),
)
Index("events_by_subject", events.c.subject, events.c.seq)

engines = Table(
    "engines",
    metadata,
    Column("id", Id, primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("process_started_at", Double, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("heartbeat_at", Double, nullable=False),
)

# Which Antiphon brought the schema to which revision; a refusal to open a newer store quotes it.
schema_history = Table(
    "schema_history",
    metadata,
    Column("revision", Text, primary_key=True),
    Column("antiphon_version", Text, nullable=False),
    Column("migrated_at", Text, nullable=False),
)

# --- identity and limits

tenants = Table(
    "tenants",
    metadata,
    Column("name", Id, primary_key=True),
    Column("title", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("created_by", Text, nullable=False),
)

members = Table(
    "members",
    metadata,
    Column("workspace", Id, primary_key=True),
    Column("subject", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("added_at", Double, nullable=False),
    Column("added_by", Text, nullable=False),
)
Index("members_by_subject", members.c.subject)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace", Id, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("secret_hash", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at", Double),
    Column("revoked_at", Double),
    Column("last_used_at", Double),
)
Index("api_keys_by_workspace", api_keys.c.workspace, api_keys.c.created_at, api_keys.c.id)

quotas = Table(
    "quotas",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace", Id, nullable=False),
    Column("dimension", Text, nullable=False),
    Column("limit", Double, nullable=False),
    Column("period", Text, nullable=False),
    Column("target", Id),
)
_quota = quotas.c
Index(
    "quotas_by_workspace",
    _quota.workspace,
    _quota.dimension,
    _quota.period,
    text("coalesce(target, '')"),
    unique=True,
)

quota_use = Table(
    "quota_use",
    metadata,
    Column("quota", Id, ForeignKey("quotas.id"), primary_key=True),
    Column("period_start", Double, primary_key=True),
    Column("used", Double, nullable=False),
    Column("held", Double, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("at", Double, nullable=False),
    Column("workspace", Id, nullable=False),
    Column("who", Text, nullable=False),
    Column("via", Text, nullable=False),
    Column("action", Id, nullable=False),
    Column("subject", Text, nullable=False),
    Column("where", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("details", Text, nullable=False),
)
Index("audit_by_workspace", audit.c.workspace, audit.c.seq)

# --- webhooks

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace", Id, nullable=False),
    Column("url", Text, nullable=False),
    Column("events", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("secret_version", Integer, nullable=False),
    Column("disabled_at", Double),
    Column("disabled_because", Text, nullable=False),
    Column("rotated_at", Double),
)
Index("webhook_endpoints_by_workspace", webhook_endpoints.c.workspace, webhook_endpoints.c.created_at)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace", Id, nullable=False),
    Column("endpoint", Id, nullable=False),
    Column("type", Text, nullable=False),
    Column("subject", Id, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Double),
    Column("delivered_at", Double),
    Column("last_status", Integer),
    Column("last_error", Text, nullable=False),
)
_delivery = webhook_deliveries.c
Index("webhook_deliveries_by_age", _delivery.workspace, _delivery.created_at, _delivery.id)
Index("webhook_deliveries_by_endpoint", _delivery.endpoint, _delivery.created_at, _delivery.id)
partial_index("webhook_deliveries_due", _delivery.next_at, where="next_at IS NOT NULL")
