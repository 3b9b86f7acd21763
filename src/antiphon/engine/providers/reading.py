"""The work of a job that a provider runs, read back and planned again as it was when it was submitted."""

from __future__ import annotations

from antiphon.domain.jobs import Job
from antiphon.domain.work import Plan, Work
from antiphon.engine.context import EngineContext
from antiphon.engine.planning import plan_work
from antiphon.engine.resolve import resolve_work
from antiphon.engine.validate import find_driver


def read_work(ctx: EngineContext, job: Job) -> tuple[Work, Plan]:
    """What is handed to the provider, and how its driver plans it.

    Raises:
        StoreError: It cannot be read now, or is gone.
        AntiphonError: The front end or the driver refuses it by now.
    """
    with ctx.store.read() as tx:
        work = resolve_work(ctx, tx, job.spec)
    return work, plan_work(find_driver(ctx.drivers, job.spec.target), work)
