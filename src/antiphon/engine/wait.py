"""Wait: bounded, interruptible, and woken at once when the job ends in this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from antiphon.domain.jobs import Job, JobStatus, as_told
from antiphon.engine.cancel import missing_job
from antiphon.engine.context import EngineContext
from antiphon.errors import WaitTimeoutError

FIRST_LOOK_S = 0.02
LAST_LOOK_S = 0.5


def wait(
    ctx: EngineContext,
    workspace: str,
    job_id: str,
    timeout: float | None = None,
    watch: Callable[[Job], None] | None = None,
) -> Job:
    """Wait until the job is final and return it. Neither a timeout nor Ctrl-C changes the job.

    The wait itself is the caller's and is kept in real seconds, not on the engine's clock.

    Args:
        watch: Called with the job at every look, for progress.

    Raises:
        NotFoundError: No such job in the workspace.
        WaitTimeoutError: `timeout` seconds passed; says what the job is waiting for.
    """
    with ctx.watching_end(job_id) as ended:
        return _wait(ctx, workspace, job_id, timeout, watch, ended)


def _wait(
    ctx: EngineContext,
    workspace: str,
    job_id: str,
    timeout: float | None,
    watch: Callable[[Job], None] | None,
    ended: threading.Event,
) -> Job:
    deadline = None if timeout is None else time.monotonic() + timeout
    pause = FIRST_LOOK_S
    while True:
        with ctx.store.read() as tx:
            job = tx.job(job_id, workspace=workspace)
            if job is None:
                raise missing_job(tx, workspace, job_id)
        job = as_told(job)
        if watch is not None:
            watch(job)
        if job.status.is_final:
            return job
        remaining = None if deadline is None else deadline - time.monotonic()
        if remaining is not None and remaining <= 0:
            raise _too_late(ctx, job, timeout or 0.0)
        ended.wait(pause if remaining is None else min(pause, remaining))
        pause = min(LAST_LOOK_S, pause * 1.5)


def _too_late(ctx: EngineContext, job: Job, timeout: float) -> WaitTimeoutError:
    if job.owner and job.status is JobStatus.WAITING:
        held = f"it waits for the provider of {job.spec.target} to start it"
    elif job.owner:
        held = f"it runs in engine {job.owner}"
    else:
        with ctx.store.read() as tx:
            engines = [engine for engine in tx.engines() if not ctx.liveness.is_dead(engine)]
        held = (
            f"it waits in the queue of {len(engines)} engine(s)"
            if engines
            else "no engine is running on this workspace; one that is open with dispatch=False takes no jobs"
        )
    return WaitTimeoutError(
        f"Job {job.id} is still {job.status.value} after {timeout:g} s.",
        cause=held,
        next_step=f"It goes on: wait again, or look later with ws.job('{job.id}').",
        details={"job": job.id, "status": job.status.value},
    )
