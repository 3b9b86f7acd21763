"""Hand out the queue in its own order, jobs of sessions first; find a session's pending jobs past its ended ones.

With the index of 0001 every claim had to sort the whole queue of a target, and cancelling a session read all its jobs.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Replace the index of the queue and add one for pending jobs."""
    op.drop_index("jobs_waiting", "jobs")
    waiting = sa.text("status = 'Waiting'")
    op.create_index(
        "jobs_waiting",
        "jobs",
        ["target", sa.text("(session_id IS NULL)"), "created_at", "id"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    pending = sa.text("session_id IS NOT NULL AND ended_at IS NULL")
    op.create_index(
        "jobs_pending",
        "jobs",
        ["session_id", "created_at", "id"],
        sqlite_where=pending,
        postgresql_where=pending,
    )
