"""Setting, removing and reading a workspace's quotas; `quotas` has what they do to jobs."""

from __future__ import annotations

import math
from dataclasses import replace

from antiphon.domain.identity import Principal
from antiphon.domain.quotas import Dimension, Period, Quota
from antiphon.engine.access.audit import note
from antiphon.engine.access.principals import LOCAL, acting
from antiphon.engine.access.quotas import Standing, read_standing
from antiphon.engine.access.tenants import require_tenant
from antiphon.engine.conflicts import decided_again
from antiphon.engine.context import EngineContext
from antiphon.engine.ids import new_id
from antiphon.engine.validate import find_driver
from antiphon.errors import LimitError, NotFoundError
from antiphon.ports.access_store import AccessTransaction

LARGEST_LIMIT = 1e15
"""Up to here a float counts every single shot."""


@decided_again
def set_quota(
    ctx: EngineContext,
    *,
    workspace: str,
    dimension: Dimension,
    limit: float,
    period: Period = Period.NONE,
    target: str | None = None,
    by: Principal | str,
    where: str = LOCAL,
) -> tuple[Standing, bool]:
    """Limit a workspace. There is one quota for each dimension, target and period: setting it again changes its limit.

    It counts jobs submitted from now on; those under way before it was set hold nothing of it.

    Returns:
        The quota as it stands, and whether it is new.

    Raises:
        NotFoundError: No such workspace or target.
        LimitError: A limit that is negative or no number, or jobs in flight by period (code "quota-invalid").
    """
    if not (math.isfinite(limit) and 0 <= limit <= LARGEST_LIMIT):
        raise LimitError(
            f"{limit:g} cannot be the limit of a quota.",
            code="quota-invalid",
            next_step=f"Give a number from 0 to {LARGEST_LIMIT:g}.",
        )
    if dimension is Dimension.JOBS_IN_FLIGHT and period is not Period.NONE:
        raise LimitError(
            "Jobs in flight are counted at every moment, not by day or month.",
            code="quota-invalid",
            next_step='Set it with the period "none".',
        )
    if target is not None:
        find_driver(ctx.drivers, target)
    actor = acting(by, workspace)
    with ctx.store.write() as tx:
        require_tenant(tx, workspace)
        same = [
            quota
            for quota in tx.quotas(workspace)
            if (quota.dimension, quota.target, quota.period) == (dimension, target, period)
        ]
        quota = Quota(
            id=new_id("quota"), workspace=workspace, dimension=dimension, limit=limit, period=period, target=target
        )
        facts = {"dimension": dimension.value, "limit": f"{limit:.15g}", "period": period.value}
        if target is not None:
            facts["target"] = target
        if same:
            facts["limit_before"] = f"{same[0].limit:.15g}"
            quota = replace(same[0], limit=limit)
        tx.save_quota(quota)
        note(ctx, tx, actor, "quota.set", quota.id, where=where, details=facts)
        return read_standing(tx, quota, ctx.clock.now()), not same


def remove_quota(ctx: EngineContext, *, workspace: str, quota_id: str, by: Principal | str, where: str = LOCAL) -> None:
    """Limit it no longer, and forget what was used.

    Raises:
        NotFoundError: The workspace has no such quota.
    """
    actor = acting(by, workspace)
    with ctx.store.write() as tx:
        if not tx.remove_quota(workspace, quota_id):
            raise quota_not_found(quota_id)
        note(ctx, tx, actor, "quota.remove", quota_id, where=where)


def list_quotas(ctx: EngineContext, workspace: str) -> list[Standing]:
    """Every quota of a workspace with what is used, held and left now.

    Raises:
        NotFoundError: No such workspace.
    """
    with ctx.store.read() as tx:
        require_tenant(tx, workspace)
        now = ctx.clock.now()
        return [read_standing(tx, quota, now) for quota in tx.quotas(workspace)]


def get_quota(ctx: EngineContext, workspace: str, quota_id: str) -> Standing:
    """One quota of a workspace with what is used, held and left now.

    Raises:
        NotFoundError: The workspace has no such quota.
    """
    with ctx.store.read() as tx:
        return read_standing(tx, _own(tx, workspace, quota_id), ctx.clock.now())


def _own(tx: AccessTransaction, workspace: str, quota_id: str) -> Quota:
    for quota in tx.quotas(workspace):
        if quota.id == quota_id:
            return quota
    raise quota_not_found(quota_id)


def quota_not_found(quota_id: str) -> NotFoundError:
    """What is said of a quota that the workspace does not have."""
    return NotFoundError(
        f"There is no quota {quota_id[:80]} in this workspace.", next_step="See them with `antiphon quotas list`."
    )
