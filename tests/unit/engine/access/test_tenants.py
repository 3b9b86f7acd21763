from __future__ import annotations

import pytest

from antiphon.engine.access.tenants import DEFAULT, create_tenant, ensure_tenant, list_tenants, require_tenant
from antiphon.engine.context import EngineContext
from antiphon.errors import ConflictError, LimitError, NotFoundError
from antiphon.ports.access_store import AuditQuery


def test_default_is_there_before_anything_is_stored(ctx: EngineContext) -> None:
    assert [tenant.name for tenant in list_tenants(ctx)] == [DEFAULT]
    with ctx.store.read() as tx:
        assert require_tenant(tx, DEFAULT).created_by == "local"
        with pytest.raises(NotFoundError) as caught:
            require_tenant(tx, "other")
    assert caught.value.code == "workspace-unknown"


def test_a_workspace_is_made_once(ctx: EngineContext) -> None:
    made = create_tenant(ctx, "team-2", title="Team two", by="root")
    assert (made.name, made.title, made.created_by) == ("team-2", "Team two", "root")
    with pytest.raises(ConflictError) as caught:
        create_tenant(ctx, "team-2", by="root")
    assert caught.value.code == "workspace-exists"
    assert not ensure_tenant(ctx, "team-2", by="root")
    assert ensure_tenant(ctx, DEFAULT, by="root")
    assert not ensure_tenant(ctx, DEFAULT, by="root")
    assert [tenant.name for tenant in list_tenants(ctx)] == [DEFAULT, "team-2"]
    with ctx.store.read() as tx:
        assert [entry.action for entry in tx.audit(AuditQuery("team-2"))] == ["workspace.create"]


@pytest.mark.parametrize("name", ["", "Team", "a b", "é", "x" * 64, "a_b", "a\n", "../b"])
def test_a_name_that_no_workspace_has_is_refused(ctx: EngineContext, name: str) -> None:
    for make in (create_tenant, ensure_tenant):
        with pytest.raises(LimitError) as caught:
            make(ctx, name, by="root")
        assert caught.value.code == "name-invalid"
    assert len(list_tenants(ctx)) == 1
