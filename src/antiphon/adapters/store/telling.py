"""How other processes hear that something waits or has ended: channels of PostgreSQL, a question for SQLite."""

from __future__ import annotations

from sqlalchemy import text

from antiphon.adapters.store.statements import Statement

QUEUED = "antiphon_queue"
ENDED = "antiphon_ended"
"""Its payload is the id of the job; see `triggers`."""

NOTIFY = Statement((), lambda _: text(f"NOTIFY {QUEUED}"))
"""Told when the transaction commits; any number in one transaction are one."""

# Word for word the condition of the partial index that answers it.
SOMETHING_WAITS = "SELECT EXISTS (SELECT 1 FROM jobs WHERE status = 'Waiting')"
