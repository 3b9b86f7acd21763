"""Identity, limits, webhooks and the Azure protocol; what usage and quotas need of a job as columns."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables of the server."""
    for column in (
        sa.Column("shots", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("execute_s", sa.Double),
        sa.Column("holds", sa.Text),
        sa.Column("trace", sa.Text),
        sa.Column("work_digest", sa.Text),
    ):
        op.add_column("jobs", column)
    _partial("jobs_by_work", "jobs", ["workspace", "work_digest", "created_at"], "work_digest IS NOT NULL")
    _make_identity()
    _make_quotas()
    _make_audit()
    _make_webhooks()
    _make_azure_items()
    _make_azure_storage()


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)


def _make_identity() -> None:
    op.create_table(
        "tenants",
        sa.Column("name", _ID, primary_key=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
    )
    op.create_table(
        "members",
        sa.Column("workspace", _ID, primary_key=True),
        sa.Column("subject", _ID, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("added_at", sa.Double, nullable=False),
        sa.Column("added_by", sa.Text, nullable=False),
    )
    op.create_index("members_by_subject", "members", ["subject"])
    op.create_table(
        "api_keys",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("workspace", _ID, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("secret_hash", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("expires_at", sa.Double),
        sa.Column("revoked_at", sa.Double),
        sa.Column("last_used_at", sa.Double),
    )
    op.create_index("api_keys_by_workspace", "api_keys", ["workspace", "created_at", "id"])


def _make_quotas() -> None:
    op.create_table(
        "quotas",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("workspace", _ID, nullable=False),
        sa.Column("dimension", sa.Text, nullable=False),
        sa.Column("limit", sa.Double, nullable=False),
        sa.Column("period", sa.Text, nullable=False),
        sa.Column("target", _ID),
    )
    what: list[str | sa.TextClause] = ["workspace", "dimension", "period", sa.text("coalesce(target, '')")]
    op.create_index("quotas_by_workspace", "quotas", what, unique=True)
    op.create_table(
        "quota_use",
        sa.Column("quota", _ID, sa.ForeignKey("quotas.id"), primary_key=True),
        sa.Column("period_start", sa.Double, primary_key=True),
        sa.Column("used", sa.Double, nullable=False),
        sa.Column("held", sa.Double, nullable=False),
    )


def _make_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", _SEQUENCE, primary_key=True, autoincrement=True),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("workspace", _ID, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("via", sa.Text, nullable=False),
        sa.Column("action", _ID, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("where", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("details", sa.Text, nullable=False),
    )
    op.create_index("audit_by_workspace", "audit", ["workspace", "seq"])


def _make_webhooks() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("workspace", _ID, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("events", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("secret_version", sa.Integer, nullable=False),
        sa.Column("disabled_at", sa.Double),
        sa.Column("disabled_because", sa.Text, nullable=False),
        sa.Column("rotated_at", sa.Double),
    )
    op.create_index("webhook_endpoints_by_workspace", "webhook_endpoints", ["workspace", "created_at"])
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("workspace", _ID, nullable=False),
        sa.Column("endpoint", _ID, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("subject", _ID, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", sa.Double),
        sa.Column("delivered_at", sa.Double),
        sa.Column("last_status", sa.Integer),
        sa.Column("last_error", sa.Text, nullable=False),
    )
    op.create_index("webhook_deliveries_by_age", "webhook_deliveries", ["workspace", "created_at", "id"])
    op.create_index("webhook_deliveries_by_endpoint", "webhook_deliveries", ["endpoint", "created_at", "id"])
    _partial("webhook_deliveries_due", "webhook_deliveries", ["next_at"], "next_at IS NOT NULL")


def _make_azure_items() -> None:
    op.create_table(
        "azure_items",
        sa.Column("workspace", _ID, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("id", _ID, primary_key=True),
        sa.Column("subject", _ID, nullable=False),
        sa.Column("name", _ID, nullable=False),
        sa.Column("provider", _ID, nullable=False),
        sa.Column("target", _ID, nullable=False),
        sa.Column("session", _ID),
        sa.Column("container", _ID),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("details", sa.Text, nullable=False),
    )
    op.create_index("azure_items_by_age", "azure_items", ["workspace", "created_at", "id", "kind"])
    op.create_index("azure_items_by_subject", "azure_items", ["subject"])
    columns = ["workspace", "session", "created_at", "id", "kind"]
    _partial("azure_items_by_session", "azure_items", columns, "session IS NOT NULL")
    _partial("azure_items_by_container", "azure_items", ["container"], "container IS NOT NULL")


def _make_azure_storage() -> None:
    op.create_table(
        "azure_containers",
        sa.Column("name", _ID, primary_key=True),
        sa.Column("workspace", _ID, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("written", sa.BigInteger, nullable=False),
    )
    op.create_index("azure_containers_by_age", "azure_containers", ["created_at"])
    op.create_table(
        "azure_blobs",
        sa.Column("container", _ID, primary_key=True),
        sa.Column("name", _ID, primary_key=True),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("content_type", sa.Text, nullable=False),
        sa.Column("content_encoding", sa.Text, nullable=False),
        sa.Column("etag", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("modified_at", sa.Double, nullable=False),
    )
    op.create_table(
        "azure_blocks",
        sa.Column("container", _ID, primary_key=True),
        sa.Column("name", _ID, primary_key=True),
        sa.Column("block_id", _ID, primary_key=True),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
    )
