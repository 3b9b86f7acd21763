"""The part of a transaction that is about how many jobs there are."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from sqlalchemy import case, func, literal_column, select, text, union_all

from antiphon.adapters.store.count_tables import job_counts
from antiphon.adapters.store.events import EventTransaction
from antiphon.adapters.store.statements import Statement, given
from antiphon.adapters.store.tables import jobs
from antiphon.domain.jobs import JobStatus

_c = job_counts.c

TOLD_STATUS: Any = case(
    (
        (jobs.c.status == literal_column("'Executing'")) & jobs.c.started_at.is_(None),
        literal_column("'Waiting'", jobs.c.status.type),
    ),
    else_=jobs.c.status,
)
"""The status that users are told: see `domain.jobs.as_told`."""


@lru_cache(maxsize=4)
def _count(*, workspace: bool, target: bool) -> Statement:
    names = [name for name, wanted in (("workspace", workspace), ("target", target)) if wanted]
    kept = select(_c.status, func.sum(_c.jobs)).where(*(_c[name] == given(job_counts, name) for name in names))
    # As many as there are workers, by the partial index of owned jobs; what has nothing added to it would be looked up
    # in the far longer index of the workspace.
    held = select(TOLD_STATUS.label("told"), func.count()).where(
        jobs.c.owner.is_not(None), *(literal_column(f"jobs.{name} || ''") == given(jobs, name) for name in names)
    )
    both = union_all(kept.group_by(_c.status), held.group_by(literal_column("told")))
    return Statement((*names, *names), lambda _: both)


_WAITING_BY_TARGET = Statement(
    (),
    lambda _: select(_c.target, func.sum(_c.jobs)).where(_c.status == literal_column("'Waiting'")).group_by(_c.target),
)
# Literal, so that the partial index of owned jobs serves it: as many as there are workers and calls to providers.
_OWNED_BY_TARGET = Statement(
    (),
    lambda _: (
        select(jobs.c.target, TOLD_STATUS.label("told"), func.count())
        .where(jobs.c.owner.is_not(None))
        .group_by(jobs.c.target, literal_column("told"))
    ),
)
# Where connections that are gone have counted. Who is skipped is at work, and folded another time.
_FOLD = Statement(
    (),
    lambda _: text(
        "WITH gone AS (DELETE FROM job_counts WHERE ctid = ANY (ARRAY("
        "SELECT ctid FROM job_counts WHERE shard <> 0 AND shard NOT IN (SELECT pid FROM pg_stat_activity) "
        "FOR UPDATE SKIP LOCKED)) RETURNING workspace, target, status, jobs) "
        "INSERT INTO job_counts SELECT workspace, target, status, 0, sum(jobs) FROM gone "
        "GROUP BY workspace, target, status ORDER BY workspace, target, status "
        "ON CONFLICT (workspace, target, status, shard) DO UPDATE SET jobs = job_counts.jobs + excluded.jobs"
    ),
)


class CountTransaction(EventTransaction):
    """Counts: see `antiphon.ports.job_store.Transaction` for what each method promises."""

    def count_jobs(self, workspace: str | None = None, *, target: str | None = None) -> dict[JobStatus, int]:
        """How many jobs are in each status that users are told; a status without jobs is there with 0."""
        statement = _count(workspace=workspace is not None, target=target is not None)
        rows = self._runner.rows(statement, [value for value in (workspace, target) if value is not None] * 2)
        found = _whole(rows)
        return {status: found.get(status.value, 0) for status in JobStatus}

    def queue_depths(self) -> dict[str, tuple[int, int]]:
        """How many jobs of all workspaces wait and run, as their users are told, by target."""
        counted, owned = self._runner.rows(_WAITING_BY_TARGET), self._runner.rows(_OWNED_BY_TARGET)
        there = [(target, count) for target, told, count in owned if told == JobStatus.WAITING.value]
        waiting = _whole([*counted, *there])
        running = _whole((target, count) for target, told, count in owned if told != JobStatus.WAITING.value)
        depths = {target: (waiting.get(target, 0), running.get(target, 0)) for target in {*waiting, *running}}
        return {target: depth for target, depth in depths.items() if any(depth)}

    def fold_counts(self) -> None:
        """Put together what connections counted that are gone; needed now and then, and by PostgreSQL alone."""
        if self._runner.dialect_name == "postgresql":
            self._runner.change(_FOLD, ())


def _whole(rows: Iterable[Any]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, count in rows:
        # PostgreSQL's sums of large integers are decimals.
        found[name] = found.get(name, 0) + int(count)
    return found
