"""What is left in the tables of jobs and sessions that were archived: where they went."""

from __future__ import annotations

from sqlalchemy import Column, Double, Table, Text

from antiphon.adapters.store.columns import Id, metadata

archived_subjects = Table(
    "archived_subjects",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace", Id, nullable=False),
    Column("kind", Text, nullable=False),
    Column("archived_at", Double, nullable=False),
    Column("file", Text, nullable=False),
    sqlite_with_rowid=False,
)
