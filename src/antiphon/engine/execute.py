"""Execute: hand a claimed job to its executor and record what comes back, exactly once."""

from __future__ import annotations

import logging
from collections.abc import Callable

from antiphon.domain.jobs import Job
from antiphon.domain.work import JobKind, Plan, Work
from antiphon.engine.batch import BatchRun
from antiphon.engine.context import EngineContext, Finished
from antiphon.engine.faults import unexpected
from antiphon.engine.planning import as_compiling, plan_work
from antiphon.engine.record import record
from antiphon.engine.resolve import resolve_work
from antiphon.engine.results import GONE
from antiphon.engine.tasks import task_id
from antiphon.engine.validate import find_driver
from antiphon.errors import AntiphonError, StoreError
from antiphon.ports.executor import Executor, Report, Task

log = logging.getLogger("antiphon.engine")

INTERRUPTED = "task-interrupted"
"""Code of a report that says the worker was lost, and nothing of the job."""


def run_here(ctx: EngineContext, job: Job, work: Work, plan: Plan) -> Finished:
    """Run a job that this process holds, in the calling thread; returns it as it then stands.

    Whatever is raised, the job is no longer held when this is left: the lease check then puts it back into the queue.

    Raises:
        StoreError: The end could not be stored; the job goes back into the queue when the store can be written again.
    """
    finished: list[Finished] = []
    try:
        _start(ctx, job, work, plan, job.executor, lambda report: finished.append(record(ctx, job, report)))
    finally:
        ctx.held.discard(task_id(job))
    return finished[0]


def start_claimed(ctx: EngineContext, job: Job, done: Callable[[], None]) -> None:
    """Start a job claimed from the queue: read it back, plan it again, run it; `done` is called once it is over.

    If it cannot be read for reasons that pass, or its end cannot be stored, the lease check finds the job held by
    nobody and puts it back into the queue.
    """
    task = task_id(job)

    def let_go() -> None:
        if task in ctx.held:
            ctx.held.discard(task)
            done()

    if ctx.follower is not None and job.spec.target in ctx.providers:
        ctx.follower.take(job, let_go)
        return

    def conclude(report: Report) -> None:
        if report.error is not None and report.error.code == INTERRUPTED:
            ctx.interrupted_at = ctx.clock.now()
        try:
            record(ctx, job, report)
        except AntiphonError as error:
            log.warning("the end of job %s could not be stored, so it will run again: %s", job.id, error)
        except Exception:
            log.exception("the end of job %s could not be stored, so it will run again", job.id)
        finally:
            let_go()

    try:
        with ctx.store.read() as tx:
            work = resolve_work(ctx, tx, job.spec)
        driver = find_driver(ctx.drivers, job.spec.target)
        # Of a batch for a target that compiles, each program is planned when its turn comes.
        plan = None if as_compiling(driver, work) is not None else plan_work(driver, work)
        # Whatever was asked: a job that comes from the queue runs in a worker process, never in the dispatching thread.
        _start(ctx, job, work, plan, "process", conclude)
    except StoreError as error:
        if error.code in GONE:
            conclude(Report(None, error, 0.0))
            return
        log.warning("job %s could not be read and goes back into the queue: %s", job.id, error)
        let_go()
    except AntiphonError as error:
        conclude(Report(None, error, 0.0))
    except Exception as error:  # noqa: BLE001 - whatever a stored program does to a front end fails that job alone
        conclude(Report(None, unexpected(error), 0.0))
    except BaseException:
        let_go()
        raise


def _start(
    ctx: EngineContext, job: Job, work: Work, plan: Plan | None, executor_name: str, conclude: Callable[[Report], None]
) -> None:
    executor: Executor = ctx.executors[executor_name]
    if job.spec.kind is JobKind.BATCH:
        BatchRun(ctx, job, work, plan, executor, conclude).start()
        return
    assert plan is not None
    executor.start(Task(task_id(job), job.spec.target, work, plan.without_texts(), job.spec.max_seconds), conclude)
