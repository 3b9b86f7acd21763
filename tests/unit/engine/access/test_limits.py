from __future__ import annotations

from typing import Any

import pytest

from antiphon.adapters.clocks import ManualClock
from antiphon.domain.quotas import Dimension, Period
from antiphon.engine.access.limits import get_quota, list_quotas, remove_quota, set_quota
from antiphon.engine.access.quotas import Standing
from antiphon.engine.access.tenants import create_tenant
from antiphon.engine.context import EngineContext
from antiphon.errors import LimitError, NotFoundError
from antiphon.ports.access_store import AuditQuery


def put(ctx: EngineContext, dimension: Dimension, limit: float, **more: Any) -> Standing:
    return set_quota(ctx, **{"workspace": "default", "dimension": dimension, "limit": limit, "by": "root", **more})[0]


def test_a_quota_shows_where_it_stands_and_when_it_resets(ctx: EngineContext, clock: ManualClock) -> None:
    quota = put(ctx, Dimension.SHOTS, 100.0, period=Period.DAY).quota
    with ctx.store.write() as tx:
        tx.change_quota_use(quota.id, Period.DAY.start(clock.now()), used=30.0, held=50.0)
    [standing] = list_quotas(ctx, "default")
    assert (standing.use.used, standing.use.held, standing.remaining) == (30.0, 50.0, 20.0)
    assert standing.resets_at == 1_700_006_400.0  # 2023-11-15T00:00:00Z
    clock.advance(86_400)
    assert get_quota(ctx, "default", quota.id).remaining == 100.0


def test_setting_it_again_changes_its_limit_and_keeps_what_is_used(ctx: EngineContext) -> None:
    first = put(ctx, Dimension.SHOTS, 100.0).quota
    with ctx.store.write() as tx:
        tx.change_quota_use(first.id, 0.0, used=70.0, held=0.0)
    again = put(ctx, Dimension.SHOTS, 50.0)
    assert again.quota.id == first.id
    assert (again.quota.limit, again.use.used, again.remaining) == (50.0, 70.0, 0.0)
    others = [
        put(ctx, Dimension.SHOTS, 9.0, target="sim.auto"),
        put(ctx, Dimension.SHOTS, 9.0, period=Period.MONTH),
        put(ctx, Dimension.COST, 9.0),
    ]
    assert len({standing.quota.id for standing in others} | {first.id}) == 4
    with ctx.store.read() as tx:
        changed = [entry.details for entry in tx.audit(AuditQuery("default", subject=first.id))]
    assert changed[0]["limit_before"] == "100"


def test_a_quota_of_another_workspace_is_not_there(ctx: EngineContext) -> None:
    create_tenant(ctx, "other", by="root")
    quota = put(ctx, Dimension.SHOTS, 1.0, workspace="other").quota
    assert list_quotas(ctx, "default") == []
    with pytest.raises(NotFoundError):
        get_quota(ctx, "default", quota.id)
    with pytest.raises(NotFoundError):
        remove_quota(ctx, workspace="default", quota_id=quota.id, by="root")
    remove_quota(ctx, workspace="other", quota_id=quota.id, by="root")
    assert list_quotas(ctx, "other") == []


@pytest.mark.parametrize("limit", [-1.0, float("nan"), float("inf"), 1e16])
def test_a_limit_that_is_none_is_refused(ctx: EngineContext, limit: float) -> None:
    with pytest.raises(LimitError) as caught:
        put(ctx, Dimension.SHOTS, limit)
    assert caught.value.code == "quota-invalid"


def test_jobs_in_flight_have_no_period_and_targets_must_exist(ctx: EngineContext) -> None:
    with pytest.raises(LimitError):
        put(ctx, Dimension.JOBS_IN_FLIGHT, 1.0, period=Period.DAY)
    with pytest.raises(NotFoundError):
        put(ctx, Dimension.SHOTS, 1.0, target="sim.nowhere")
    assert list_quotas(ctx, "default") == []
