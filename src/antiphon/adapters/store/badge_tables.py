"""The table of badges: how each target did when the contract kit was last run against it."""

from __future__ import annotations

from sqlalchemy import Column, Double, Integer, Table, Text

from antiphon.adapters.store.columns import Id, metadata

target_badges = Table(
    "target_badges",
    metadata,
    Column("target", Id, primary_key=True),
    Column("version", Text, nullable=False),
    Column("antiphon", Text, nullable=False),
    Column("given_at", Double, nullable=False),
    Column("given_by", Text, nullable=False),
    Column("passed", Integer, nullable=False),
    Column("not_applicable", Integer, nullable=False),
    Column("failed", Text, nullable=False),
)
