"""How many jobs nobody holds, kept by `triggers` as jobs come, change and go: counting costs the same at any size.

Those that an engine holds are as many as there are workers, and are counted by their own index.
On PostgreSQL each connection counts in rows of its own (`shard` is its process), so that two transactions never wait
for each other's counters; a count is the sum over the shards, of which one alone may be below zero.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, Table, Text

from antiphon.adapters.store.columns import Id, metadata

job_counts = Table(
    "job_counts",
    metadata,
    Column("workspace", Id, primary_key=True),
    Column("target", Id, primary_key=True),
    Column("status", Text, primary_key=True),
    Column("shard", Integer, primary_key=True, autoincrement=False),
    Column("jobs", BigInteger, nullable=False),
    sqlite_with_rowid=False,
    # A counter changes in place as long as its page has room.
    postgresql_with={"fillfactor": 50},
)
