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
    MetaData,
    Table,
    Text,
    text,
)

SCHEMA_VERSIONS = ("0001", "0002", "0003")
"""Every revision under `migrations/versions`, oldest first; this package reads and writes the last."""

VERSION_TABLE = "antiphon_schema"

# Ids and keys are compared byte by byte everywhere, so that order, cursors and prefixes mean the same in Python, SQLite
# and PostgreSQL, whatever the locale of the server.
_Id = Text().with_variant(Text(collation="C"), "postgresql")
_Sequence = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData()

jobs = Table(
    "jobs",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("workspace", _Id, nullable=False),
    Column("target", _Id, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("session_id", _Id, ForeignKey("sessions.id")),
    Column("key", _Id),
    Column("request_digest", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("owner", _Id),
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
)


def _partial(name: str, *columns: object, where: str, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))  # type: ignore[arg-type]


_job = jobs.c
# `target` comes last in the two listings so that a filter on it, and a count by it, never have to open the rows.
Index("jobs_by_age", _job.workspace, _job.created_at, _job.id, _job.target)
Index("jobs_by_status", _job.workspace, _job.status, _job.created_at, _job.id, _job.target)
_partial(
    "jobs_by_session",
    _job.workspace,
    _job.session_id,
    _job.created_at,
    _job.id,
    where="session_id IS NOT NULL",
)
_partial("jobs_by_key", _job.workspace, _job.key, where="key IS NOT NULL", unique=True)
_partial("jobs_by_work", _job.workspace, _job.work_digest, _job.created_at, where="work_digest IS NOT NULL")
_partial(
    "jobs_waiting",
    _job.target,
    text("(session_id IS NULL)"),
    _job.created_at,
    _job.id,
    where="status = 'Waiting'",
)
_partial("jobs_owned", _job.owner, where="owner IS NOT NULL")
_partial(
    "jobs_pending",
    _job.session_id,
    _job.created_at,
    _job.id,
    where="session_id IS NOT NULL AND ended_at IS NULL",
)

batch_items = Table(
    "batch_items",
    metadata,
    Column("job_id", _Id, ForeignKey("jobs.id"), primary_key=True),
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
    Column("job_id", _Id, ForeignKey("jobs.id"), primary_key=True),
    Column("fence", Integer, nullable=False),
    Column("body", Text),
    Column("artefact", Text),
    sqlite_with_rowid=False,
)

artefacts = Table(
    "artefacts",
    metadata,
    Column("digest", _Id, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("body", LargeBinary),
    Column("blob", Text),
    Column("facts", Text),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("workspace", _Id, nullable=False),
    Column("target", _Id, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("key", _Id),
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
)

_session = sessions.c
Index("sessions_by_age", _session.workspace, _session.created_at, _session.id)
_partial("sessions_by_key", _session.workspace, _session.key, _session.created_at, _session.id, where="key IS NOT NULL")
# A key may be used again once the session under it has ended.
_partial(
    "sessions_open_key", _session.workspace, _session.key, where="key IS NOT NULL AND ended_at IS NULL", unique=True
)
_partial("sessions_due", _session.due_at, where="due_at IS NOT NULL")

# Nothing is ever deleted here, so a plain integer key grows; AUTOINCREMENT would write one more page for each event.
events = Table(
    "events",
    metadata,
    Column("seq", _Sequence, primary_key=True, autoincrement=True),
    Column("subject", _Id, nullable=False),
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
    Column("id", _Id, primary_key=True),
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
    Column("name", _Id, primary_key=True),
    Column("title", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("created_by", Text, nullable=False),
)

members = Table(
    "members",
    metadata,
    Column("workspace", _Id, primary_key=True),
    Column("subject", _Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("added_at", Double, nullable=False),
    Column("added_by", Text, nullable=False),
)
Index("members_by_subject", members.c.subject)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("workspace", _Id, nullable=False),
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
    Column("id", _Id, primary_key=True),
    Column("workspace", _Id, nullable=False),
    Column("dimension", Text, nullable=False),
    Column("limit", Double, nullable=False),
    Column("period", Text, nullable=False),
    Column("target", _Id),
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
    Column("quota", _Id, ForeignKey("quotas.id"), primary_key=True),
    Column("period_start", Double, primary_key=True),
    Column("used", Double, nullable=False),
    Column("held", Double, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", _Sequence, primary_key=True, autoincrement=True),
    Column("at", Double, nullable=False),
    Column("workspace", _Id, nullable=False),
    Column("who", Text, nullable=False),
    Column("via", Text, nullable=False),
    Column("action", _Id, nullable=False),
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
    Column("id", _Id, primary_key=True),
    Column("workspace", _Id, nullable=False),
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
    Column("id", _Id, primary_key=True),
    Column("workspace", _Id, nullable=False),
    Column("endpoint", _Id, nullable=False),
    Column("type", Text, nullable=False),
    Column("subject", _Id, nullable=False),
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
_partial("webhook_deliveries_due", _delivery.next_at, where="next_at IS NOT NULL")

# --- the Azure protocol

azure_items = Table(
    "azure_items",
    metadata,
    Column("workspace", _Id, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("id", _Id, primary_key=True),
    Column("subject", _Id, nullable=False),
    Column("name", _Id, nullable=False),
    Column("provider", _Id, nullable=False),
    Column("target", _Id, nullable=False),
    Column("session", _Id),
    Column("container", _Id),
    Column("created_at", Double, nullable=False),
    Column("details", Text, nullable=False),
)
_azure = azure_items.c
Index("azure_items_by_age", _azure.workspace, _azure.created_at, _azure.id, _azure.kind)
Index("azure_items_by_subject", _azure.subject)
_partial(
    "azure_items_by_session",
    _azure.workspace,
    _azure.session,
    _azure.created_at,
    _azure.id,
    _azure.kind,
    where="session IS NOT NULL",
)
_partial("azure_items_by_container", _azure.container, where="container IS NOT NULL")

azure_containers = Table(
    "azure_containers",
    metadata,
    Column("name", _Id, primary_key=True),
    Column("workspace", _Id, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("written", BigInteger, nullable=False),
)
Index("azure_containers_by_age", azure_containers.c.created_at)

azure_blobs = Table(
    "azure_blobs",
    metadata,
    Column("container", _Id, primary_key=True),
    Column("name", _Id, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("content_encoding", Text, nullable=False),
    Column("etag", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("modified_at", Double, nullable=False),
)

azure_blocks = Table(
    "azure_blocks",
    metadata,
    Column("container", _Id, primary_key=True),
    Column("name", _Id, primary_key=True),
    Column("block_id", _Id, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
)
