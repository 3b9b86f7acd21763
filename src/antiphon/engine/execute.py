"""Execute: hand a claimed job to its executor and record what comes back, exactly once."""

from __future__ import annotations

import logging
from collections.abc import Callable

from antiphon.domain.jobs import Job
from antiphon.domain.work import JobKind, Plan, Work
from antiphon.engine.batch import BatchRun
from antiphon.engine.context import EngineContext, Finished
from antiphon.engine.record import record
from antiphon.engine.resolve import resolve_work
from antiphon.engine.validate import find_driver, plan_work
from antiphon.errors import AntiphonError, ExecutionError
from antiphon.ports.executor import Report, Task

log = logging.getLogger("antiphon.engine")


def run_here(ctx: EngineContext, job: Job, work: Work, plan: Plan) -> Finished:
    """Run a job that this process holds, in the calling thread; returns it as it then stands.

    Raises:
        StoreError: The end could not be stored; the job goes back into the queue when the store can be written again.
    """
    finished: list[Finished] = []

    def conclude(report: Report) -> None:
        try:
            finished.append(record(ctx, job, report))
        finally:
            ctx.held.discard(job.id)

    _start(ctx, job, work, plan, job.executor, conclude)
    return finished[0]


def start_claimed(ctx: EngineContext, job: Job, done: Callable[[], None]) -> None:
    """Start a job claimed from the queue: read it back, plan it again, run it; `done` is called once it is over.

    If its end cannot be stored, the lease check finds the job held by nobody and puts it back into the queue.
    """

    def conclude(report: Report) -> None:
        try:
            record(ctx, job, report)
        except AntiphonError as error:
            log.warning("the end of job %s could not be stored, so it will run again: %s", job.id, error)
        finally:
            ctx.held.discard(job.id)
            done()

    try:
        with ctx.store.read() as tx:
            work = resolve_work(ctx, tx, job.spec)
        plan = plan_work(find_driver(ctx.drivers, job.spec.target), work)
    except AntiphonError as error:
        conclude(Report(None, error, 0.0))
        return
    except Exception as error:  # noqa: BLE001 - whatever a stored program does to a front end fails that job alone
        conclude(Report(None, unexpected(error), 0.0))
        return
    # Whatever was asked: a job that comes from the queue runs in a worker process, never in the dispatching thread.
    _start(ctx, job, work, plan, "process", conclude)


def _start(
    ctx: EngineContext, job: Job, work: Work, plan: Plan, executor_name: str, conclude: Callable[[Report], None]
) -> None:
    executor = ctx.executors[executor_name]
    if job.spec.kind is JobKind.BATCH:
        BatchRun(ctx, job, work, plan, executor, conclude).start()
        return
    executor.start(Task(job.id, job.spec.target, work, plan, job.spec.max_seconds), conclude)


def unexpected(error: BaseException) -> AntiphonError:
    """An error nobody foresaw, as one that names itself."""
    return ExecutionError(
        "The job could not be prepared for its target.",
        code="engine-error",
        cause=f"{type(error).__name__}: {error}",
        next_step="This is a fault of Antiphon or of the SDK that reads the program; please report it.",
    )
