"""How other processes hear that something waits: a channel of PostgreSQL, a question for SQLite."""

from __future__ import annotations

from sqlalchemy import text

from antiphon.adapters.store.statements import Statement

CHANNEL = "antiphon_queue"
NOTIFY = Statement((), lambda _: text(f"NOTIFY {CHANNEL}"))
"""Told when the transaction commits; any number in one transaction are one."""

# Word for word the condition of the partial index that answers it.
SOMETHING_WAITS = "SELECT EXISTS (SELECT 1 FROM jobs WHERE status = 'Waiting')"
