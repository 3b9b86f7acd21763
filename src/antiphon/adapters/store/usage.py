"""The part of a transaction that adds up what jobs used."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Double, bindparam, case, cast, func, literal_column, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from antiphon.adapters.store.events import EventTransaction
from antiphon.adapters.store.statements import Statement, given
from antiphon.adapters.store.tables import jobs
from antiphon.domain.jobs import JobStatus
from antiphon.ports.access_store import UsageLine

_c = jobs.c


class _UtcDay(GenericFunction[float]):
    """Begin of the UTC day of a time, in seconds since the epoch."""

    type = Double()
    inherit_cache = True


# SQLite may be built without floor(), and cuts where PostgreSQL rounds; times are after 1970.
@compiles(_UtcDay, "sqlite")
def _cut(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **options)} / 86400.0 AS INTEGER) * 86400.0"


@compiles(_UtcDay, "postgresql")
def _floor(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    return f"floor({compiler.process(element.clauses, **options)} / 86400.0) * 86400.0"


def _count(status: JobStatus) -> Any:
    return _total(case((_c.status == literal_column(f"'{status.value}'"), literal_column("1")), else_=_ZERO))


def _total(value: Any) -> Any:
    return cast(func.sum(value), BigInteger())


_ZERO: Any = literal_column("0")
_DAY = _UtcDay(_c.created_at).label("day")
_USAGE = Statement(
    ("workspace", "since", "until"),
    lambda _: (
        select(
            _DAY,
            _c.target,
            _c.created_by,
            func.count(),
            _count(JobStatus.SUCCEEDED),
            _count(JobStatus.FAILED),
            _count(JobStatus.CANCELLED),
            # What never began used none.
            _total(case((_c.started_at.is_not(None), _c.shots), else_=_ZERO)),
            func.coalesce(func.sum(_c.execute_s), literal_column("0.0")),
        )
        .where(
            _c.workspace == given(jobs, "workspace"),
            _c.created_at >= bindparam("since", type_=_c.created_at.type),
            _c.created_at < bindparam("until", type_=_c.created_at.type),
        )
        .group_by(_DAY, _c.target, _c.created_by)
    ),
)


class UsageTransaction(EventTransaction):
    """Sums over jobs."""

    def usage(self, workspace: str, since: float, until: float) -> list[UsageLine]:
        """What jobs created in [since, until) used, oldest day first, then by target and user."""
        found = [UsageLine(*row) for row in self._runner.rows(_USAGE, (workspace, since, until))]
        return sorted(found, key=lambda line: (line.day, line.target, line.who))
