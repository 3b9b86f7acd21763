"""The tables of the scheduler: how each target's queue is run and where it stands, shares, estimates, the ledger."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, ForeignKey, Index, Integer, Table, Text

from antiphon.adapters.store.columns import Id, Sequence, metadata, partial_index

# What an operator decided; a target without a row has the defaults of `QueuePolicy`.
queue_policies = Table(
    "queue_policies",
    metadata,
    Column("target", Id, primary_key=True),
    Column("slots", Integer),
    Column("access", Text, nullable=False),
    Column("gap_s", Double, nullable=False),
    Column("window_s", Double, nullable=False),
    Column("patience_s", Double, nullable=False),
    Column("aged_every", Integer, nullable=False),
    Column("quantum_s", Double, nullable=False),
    Column("version", Integer, nullable=False),
    Column("updated_at", Double, nullable=False),
    Column("updated_by", Text, nullable=False),
)

# Where each queue stands. Whoever picks from a queue locks its row first, so that two never decide at once.
queue_states = Table(
    "queue_states",
    metadata,
    Column("target", Id, primary_key=True),
    Column("owner", Id),
    Column("fence", Integer, nullable=False),
    Column("held_by", Id),
    Column("held_workspace", Id),
    Column("held_since", Double),
    Column("held_until", Double),
    Column("starts", BigInteger, nullable=False),
)

# The seconds that a workspace (user '') and each of its users have used of a target, faded to `at`.
shares = Table(
    "shares",
    metadata,
    Column("target", Id, primary_key=True),
    Column("workspace", Id, primary_key=True),
    Column("user", Id, primary_key=True),
    Column("used", Double, nullable=False),
    Column("at", Double, nullable=False),
)

allotments = Table(
    "allotments",
    metadata,
    Column("workspace", Id, primary_key=True),
    Column("weight", Double, nullable=False),
)

reservations = Table(
    "reservations",
    metadata,
    Column("id", Id, primary_key=True),
    Column("target", Id, nullable=False),
    Column("workspace", Id, nullable=False),
    Column("starts_at", Double, nullable=False),
    Column("ends_at", Double, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("note", Text, nullable=False),
    Column("cancelled_at", Double),
)
partial_index("reservations_to_come", reservations.c.target, reservations.c.ends_at, where="cancelled_at IS NULL")

# A price list never changes: a new one has a higher version, and a job's cost lines say which counted.
price_lists = Table(
    "price_lists",
    metadata,
    Column("target", Id, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("created_by", Text, nullable=False),
)

# What was estimated of jobs that went through a queue, and what then came: estimates learn from it and are scored by
# it.
outcomes = Table(
    "outcomes",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("target", Id, nullable=False),
    Column("priority", Text, nullable=False),
    Column("job_id", Id, nullable=False),
    Column("ended_at", Double, nullable=False),
    Column("planned_s", Double, nullable=False),
    Column("ahead_s", Double, nullable=False),
    Column("wait_s", Double, nullable=False),
    Column("run_s", Double, nullable=False),
    Column("cost", Double),
    Column("estimate", Text),
)
Index("outcomes_by_target", outcomes.c.target, outcomes.c.seq)

# The ledger: one line for each intent to have a provider run something, written before anything leaves.
submissions = Table(
    "submissions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("job_id", Id, ForeignKey("jobs.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("parent", Id),
    Column("target", Id, nullable=False),
    Column("key", Id, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("intended_at", Double, nullable=False),
    Column("sent_at", Double),
    Column("settled_at", Double),
    Column("provider_id", Text),
    Column("error", Text),
    Column("cost", Text),
)
Index("submissions_by_job", submissions.c.job_id, submissions.c.position, submissions.c.intended_at)
partial_index("submissions_open", submissions.c.target, submissions.c.intended_at, where="settled_at IS NULL")
