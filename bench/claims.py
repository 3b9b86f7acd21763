"""What a queue costs as it grows: claiming, listing and counting with 1,000 and with 1,000,000 waiting jobs."""

from __future__ import annotations

import contextlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from antiphon.adapters.store import open_store
from antiphon.adapters.store.statements import Runner, Statement
from antiphon.adapters.store.store import SqlJobStore, SqlTransaction
from antiphon.composition import DATABASE, RunningEngine, build_engine
from antiphon.domain.jobs import JobStatus
from antiphon.domain.queues import Rank
from antiphon.engine.context import EngineContext
from antiphon.engine.queues.policies import set_queue_policy
from antiphon.engine.queues.taking import take
from antiphon.ports.job_store import JobQuery
from bench.http_servers import postgres
from bench.many_jobs import TARGET, fill_with_waiting_jobs
from bench.measure import Row, Spread
from bench.registry import Settings, case

AIM = 1.5
OPERATIONS_A_PASS = 20
SMALL = 1_000

Operation = Callable[[EngineContext, int], object]


def _claim(ctx: EngineContext, _: int) -> object:
    (job,) = take(ctx, TARGET, 1)
    return job


def _looked(look: Callable[[Any], object]) -> Operation:
    def operation(ctx: EngineContext, _: int) -> object:
        with ctx.store.read() as tx:
            found = look(tx)
        if not found:
            raise AssertionError("nothing was found")
        return found

    return operation


OPERATIONS: dict[str, Operation] = {
    "claim": _claim,
    "page of all jobs": _looked(lambda tx: tx.find_jobs(JobQuery("team-7", limit=10))),
    "page by status": _looked(lambda tx: tx.find_jobs(JobQuery("team-7", status=JobStatus.WAITING, limit=10))),
    "page by target": _looked(lambda tx: tx.find_jobs(JobQuery("team-7", target=TARGET, limit=10))),
    "page by both": _looked(
        lambda tx: tx.find_jobs(JobQuery("team-7", status=JobStatus.WAITING, target=TARGET, limit=10))
    ),
    "page by name": _looked(lambda tx: tx.find_jobs(JobQuery("team-7", name="circuit-2", limit=10))),
    "count of a workspace": _looked(lambda tx: tx.count_jobs("team-7")),
    "count of a target": _looked(lambda tx: tx.count_jobs("team-7", target=TARGET)),
    "depths of all queues": _looked(lambda tx: tx.queue_depths()),
    "oldest of a queue": _looked(lambda tx: tx.oldest_waiting([TARGET])),
    "work ahead, up to 40": _looked(lambda tx: tx.work_ahead(TARGET, Rank.STANDARD, "team-7", "user-7", 1.8e9, 40)),
}


@case("claims")
def claims(settings: Settings) -> list[Row]:
    """Each operation with many waiting jobs beside the same with few, on SQLite and on PostgreSQL."""
    large = 20_000 if settings.quick else 1_000_000
    rows: list[Row] = []
    for name, stores in (("SQLite", _on_sqlite), ("PostgreSQL", _on_postgresql)):
        with stores(SMALL) as few, stores(large) as many:
            rows += [
                _compared(f"{name}: {operation}", few.ctx, many.ctx, run, settings.rounds, large)
                for operation, run in OPERATIONS.items()
            ]
            print(f"\nPlans on {name} with {large:,} waiting jobs")
            for line in _plans(many):
                print(line)
    return rows


def _compared(unit: str, few: EngineContext, many: EngineContext, operation: Operation, rounds: int, large: int) -> Row:
    for ctx in (few, many):
        _pass(ctx, operation)  # the caches of both are warm
    ours, theirs = [], []
    for _ in range(rounds):
        theirs.append(_pass(few, operation))
        ours.append(_pass(many, operation))
    return Row(
        "claims",
        unit,
        Spread.of(ours),
        f"{SMALL:,} jobs",
        Spread.of(theirs),
        Spread.of([a / b for a, b in zip(ours, theirs, strict=True)]),
        aim=AIM,
        notes=(f"{large:,} waiting jobs of 20 workspaces with 50 users each, beside {SMALL:,} of as many",),
    )


def _pass(ctx: EngineContext, operation: Operation) -> float:
    samples = []
    for number in range(OPERATIONS_A_PASS):
        start = time.perf_counter()
        operation(ctx, number)
        samples.append(time.perf_counter() - start)
    return statistics.median(samples)


@contextlib.contextmanager
def _on_sqlite(count: int) -> Iterator[RunningEngine]:
    with tempfile.TemporaryDirectory(prefix="antiphon-bench-") as folder, _filled(Path(folder), None, count) as engine:
        yield engine


@contextlib.contextmanager
def _on_postgresql(count: int) -> Iterator[RunningEngine]:
    # The folder of a socket needs a short name.
    with (
        tempfile.TemporaryDirectory(prefix="ab-") as folder,
        postgres(Path(folder) / "pg") as url,
        _filled(Path(folder) / "home", url, count) as engine,
    ):
        yield engine


@contextlib.contextmanager
def _filled(home: Path, url: str | None, count: int) -> Iterator[RunningEngine]:
    home.mkdir(exist_ok=True)
    store = open_store(url or home / DATABASE)
    fill_with_waiting_jobs(store, count)
    store.close()
    engine = build_engine(home, database=url, dispatch=False)
    try:
        # As a scarce target, whose jobs all come through the queue.
        set_queue_policy(engine.ctx, target=TARGET, slots=10_000, by="bench", where="bench")
        yield engine
    finally:
        engine.close()


class _Planner(Runner):
    """Asks how each query would run before it runs it."""

    __slots__ = ("plans",)

    def rows(self, statement: Statement, parameters: Sequence[Any] = ()) -> list[Any]:
        self._explain(statement, parameters)
        return super().rows(statement, parameters)

    def row(self, statement: Statement, parameters: Sequence[Any] = ()) -> Any:
        self._explain(statement, parameters)
        return super().row(statement, parameters)

    def _explain(self, statement: Statement, parameters: Sequence[Any]) -> None:
        ask = "EXPLAIN QUERY PLAN" if self.dialect_name == "sqlite" else "EXPLAIN (COSTS OFF)"
        self._cursor.execute(f"{ask} {statement.text(self._dialect)}", parameters)
        self.plans: list[str]
        self.plans += [f"    {row[-1]}" for row in self._cursor.fetchall()]


def _plans(engine: RunningEngine) -> Iterator[str]:
    store = engine.ctx.store
    assert isinstance(store, SqlJobStore)
    pool = store._database.engine
    connection = pool.raw_connection()
    planner = _Planner(connection.cursor(), pool.dialect, writable=False, translate=lambda error: RuntimeError(error))
    tx = SqlTransaction(planner)
    place = (TARGET, Rank.STANDARD)
    looks: dict[str, Callable[[], object]] = {
        "whether a job of a class waits": lambda: tx.has_waiting(*place, None),
        "the workspaces that wait": lambda: tx.waiting_workspaces(*place),
        "the users of a workspace that wait": lambda: tx.waiting_users(*place, "team-7"),
        "the oldest job of a user": lambda: tx.first_waiting(*place, "team-7", "user-7"),
        "the oldest job of all": lambda: tx.oldest_in_queue(TARGET, None),
        "how many run": lambda: tx.running_on(TARGET),
        "a page by status": lambda: tx.find_jobs(JobQuery("team-7", status=JobStatus.WAITING, limit=10)),
        "a page by target": lambda: tx.find_jobs(JobQuery("team-7", target=TARGET, limit=10)),
        "a page by name": lambda: tx.find_jobs(JobQuery("team-7", name="circuit-2", limit=10)),
        "a count": lambda: tx.count_jobs("team-7"),
    }
    try:
        for name, look in looks.items():
            planner.plans = []
            look()
            yield f"  {name}:"
            yield from planner.plans
    finally:
        connection.close()
