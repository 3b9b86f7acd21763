from __future__ import annotations

from typing import Any

import pytest

from antiphon.engine.access.tenants import create_tenant
from antiphon.engine.context import EngineContext
from antiphon.engine.queues.allotments import list_allotments, set_allotment
from antiphon.errors import LimitError, NotFoundError
from antiphon.ports.access_store import AuditQuery


def test_a_weight_is_set_changed_and_taken_away(ctx: EngineContext) -> None:
    create_tenant(ctx, "lab", by="op")
    set_allotment(ctx, workspace="lab", weight=2, by="op")
    set_allotment(ctx, workspace="default", weight=0, by="op")
    assert list_allotments(ctx) == {"default": 0.0, "lab": 2.0}
    set_allotment(ctx, workspace="lab", weight=0.5, by="op")
    set_allotment(ctx, workspace="default", weight=None, by="op")
    assert list_allotments(ctx) == {"lab": 0.5}
    with ctx.store.read() as tx:
        found = tx.audit(AuditQuery("default", subject="lab"))
    assert [entry.details for entry in found if entry.action == "queue.allotment"] == [
        {"weight": "0.5"},
        {"weight": "2"},
    ]


@pytest.mark.parametrize("weight", [-1, float("inf"), float("nan"), 2e9, 5e-324, 10**400, "much"])
def test_what_is_no_weight_is_refused(ctx: EngineContext, weight: Any) -> None:
    with pytest.raises(LimitError) as caught:
        set_allotment(ctx, workspace="default", weight=weight, by="op")
    assert caught.value.code == "allotment-invalid"


def test_a_workspace_that_is_not_there(ctx: EngineContext) -> None:
    with pytest.raises(NotFoundError):
        set_allotment(ctx, workspace="nobody", weight=1, by="op")
