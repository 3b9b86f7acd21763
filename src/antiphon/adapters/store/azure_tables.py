"""The tables of the Azure protocol."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Index, Table, Text

from antiphon.adapters.store.columns import Id, metadata, partial_index

azure_items = Table(
    "azure_items",
    metadata,
    Column("workspace", Id, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("subject", Id, nullable=False),
    Column("name", Id, nullable=False),
    Column("provider", Id, nullable=False),
    Column("target", Id, nullable=False),
    Column("session", Id),
    Column("container", Id),
    Column("created_at", Double, nullable=False),
    Column("details", Text, nullable=False),
)
_azure = azure_items.c
Index("azure_items_by_age", _azure.workspace, _azure.created_at, _azure.id, _azure.kind)
Index("azure_items_by_subject", _azure.subject)
partial_index(
    "azure_items_by_session",
    _azure.workspace,
    _azure.session,
    _azure.created_at,
    _azure.id,
    _azure.kind,
    where="session IS NOT NULL",
)
partial_index("azure_items_by_container", _azure.container, where="container IS NOT NULL")

azure_containers = Table(
    "azure_containers",
    metadata,
    Column("name", Id, primary_key=True),
    Column("workspace", Id, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("written", BigInteger, nullable=False),
)
Index("azure_containers_by_age", azure_containers.c.created_at)

azure_blobs = Table(
    "azure_blobs",
    metadata,
    Column("container", Id, primary_key=True),
    Column("name", Id, primary_key=True),
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
    Column("container", Id, primary_key=True),
    Column("name", Id, primary_key=True),
    Column("block_id", Id, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
)
