"""Fill a store with waiting jobs by the hundred thousand, inside the database, so that a million takes a minute."""

from __future__ import annotations

from typing import Any

from antiphon.adapters.store.store import SqlJobStore
from antiphon.adapters.store.tables import jobs
from antiphon.domain.jobs import Job, JobEvent, JobSpec, JobTrigger, PubSpec
from antiphon.domain.work import JobKind

TARGET = "sim.auto"
WORKSPACES, USERS, NAMES = 20, 50, 5

_COPIED = {
    "workspace": f"'team-' || CAST(s.n % {WORKSPACES} AS TEXT)",
    "created_by": f"'user-' || CAST(s.n / {WORKSPACES} % {USERS} AS TEXT)",
    "name": f"'circuit-' || CAST(s.n / {WORKSPACES} % {NAMES} AS TEXT)",
    "created_at": "1700000000.0 + s.n",
    "planned_s": "0.25",
}
_ID = {"sqlite": "printf('job_%026d', s.n)", "postgresql": "'job_' || lpad(s.n::text, 26, '0')"}
_NUMBERS = {
    "sqlite": "(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {count}) SELECT n FROM c) s",
    "postgresql": "generate_series(1, {count}) AS s(n)",
}
# PostgreSQL keeps each state of a counter until the transaction ends: counting one by one would take longer than all.
_BEFORE = {"sqlite": ["PRAGMA cache_size = -400000"], "postgresql": ["SET session_replication_role = replica"]}
_AFTER = {
    "sqlite": ["PRAGMA cache_size = -2000"],
    "postgresql": [
        "DELETE FROM job_counts",
        "INSERT INTO job_counts SELECT workspace, target, status, 0, count(*) FROM jobs GROUP BY 1, 2, 3",
        "SET session_replication_role = origin",
        "VACUUM ANALYZE",
    ],
}


def fill_with_waiting_jobs(store: SqlJobStore, count: int) -> None:
    """Store `count` waiting jobs of one target, of 20 workspaces with 50 users each; the store must have none."""
    pattern = _pattern()
    event = JobEvent(trigger=JobTrigger.SUBMITTED, at=pattern.created_at, who=pattern.created_by)
    with store.write() as tx:
        tx.add_job(pattern, [(1, "submitted", "Waiting", event)])
    engine = store._database.engine
    kind = engine.dialect.name
    values = {column.name: f'pattern."{column.name}"' for column in jobs.columns} | _COPIED | {"id": _ID[kind]}
    names = ", ".join(f'"{name}"' for name in values)
    connection = engine.raw_connection()
    try:
        cursor: Any = connection.cursor()
        for statement in (
            *_BEFORE[kind],
            (
                f"INSERT INTO jobs ({names}) SELECT {', '.join(values.values())} "
                f"FROM {_NUMBERS[kind].format(count=count)}, jobs AS pattern WHERE pattern.id = '{pattern.id}'"
            ),
            f"DELETE FROM jobs WHERE id = '{pattern.id}'",
            *_AFTER[kind],
        ):
            cursor.execute(statement)
    finally:
        connection.close()


def _pattern() -> Job:
    pub = PubSpec("sha256:" + "a" * 64, (), "", 1_000, 7, name="circuit")
    spec = JobSpec(kind=JobKind.SAMPLE, target=TARGET, pubs=(pub,), seed=7, execution="process")
    return Job(
        id="job_pattern",
        workspace="pattern",
        spec=spec,
        name="pattern",
        created_by="pattern",
        created_at=0.0,
        executor="process",
    )
