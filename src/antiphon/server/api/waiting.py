"""Long polls: hold a request until the job has got further, or the time is up."""

from __future__ import annotations

import asyncio

from antiphon.domain.identity import Principal
from antiphon.domain.jobs import Job
from antiphon.engine.cancel import job_not_found, missing_job
from antiphon.engine.context import EngineContext
from antiphon.ports.job_store import Transaction
from antiphon.server.api.documents import is_id
from antiphon.server.services import Services


def find_job(ctx: EngineContext, principal: Principal, job_id: str) -> Job:
    """The job as it stands.

    Raises:
        NotFoundError: None of that id in the caller's workspace.
    """
    with ctx.store.read() as tx:
        return find_in(tx, principal, job_id)


def find_in(tx: Transaction, principal: Principal, job_id: str) -> Job:
    """The job as it stands in a transaction; raises as `find_job`."""
    if not is_id(job_id):
        raise job_not_found(job_id)
    found = tx.job(job_id, workspace=principal.workspace)
    if found is None:
        raise missing_job(tx, principal.workspace, job_id)
    return found


async def wait_for_job(
    services: Services, principal: Principal, job_id: str, seconds: float, known_version: int | None = None
) -> Job:
    """The job once it is final or at another version than `known_version`, or as it stands after `seconds`.

    Raises:
        NotFoundError: None of that id in the caller's workspace.
        RateLimitedError: Too many long polls are open.
    """

    async def look() -> Job:
        return await services.look(find_job, services.engine, principal, job_id)

    def is_awaited(job: Job) -> bool:
        return job.status.is_final or (known_version is not None and job.version != known_version)

    job = await look()
    if seconds <= 0 or is_awaited(job):
        return job
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    async with services.hub.watch(job_id, key=principal.caller) as watch:
        while True:
            # Looked at after the watch began, so that nothing falls between the two.
            job = await look()
            left = deadline - loop.time()
            if is_awaited(job) or left <= 0 or services.draining:
                return job
            await watch.changed(left)
