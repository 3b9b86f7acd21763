"""Workspaces as tenants of one service."""

from __future__ import annotations

from antiphon.domain.identity import Principal, Tenant
from antiphon.engine.access.audit import note
from antiphon.engine.access.names import LONGEST_NAME, check_workspace_name
from antiphon.engine.access.principals import LOCAL, acting
from antiphon.engine.context import EngineContext
from antiphon.errors import ConflictError, LimitError, NotFoundError
from antiphon.ports.access_store import AccessTransaction

DEFAULT = "default"
"""The workspace that always exists: it is where an embedded workspace's jobs are."""


def ensure_tenant(ctx: EngineContext, name: str = DEFAULT, *, by: Principal | str, where: str = LOCAL) -> bool:
    """Make the workspace unless it exists.

    Returns:
        Whether it is new.

    Raises:
        LimitError: No workspace can be called so (code "name-invalid").
    """
    check_workspace_name(name)
    with ctx.store.read() as tx:
        if tx.tenant(name) is not None:
            return False
    with ctx.store.write() as tx:
        return _add(ctx, tx, Tenant(name=name, created_at=ctx.clock.now(), created_by=_name(by)), by, where)


def create_tenant(ctx: EngineContext, name: str, *, title: str = "", by: Principal | str, where: str = LOCAL) -> Tenant:
    """Make a new workspace.

    Raises:
        LimitError: No workspace can be called so (code "name-invalid").
        ConflictError: There is one of that name (code "workspace-exists").
    """
    check_workspace_name(name)
    if len(title) > LONGEST_NAME or (title and not title.isprintable()):
        raise LimitError(
            f"{title[:80]!r} cannot be the title of a workspace.",
            code="name-invalid",
            cause=f"a title has at most {LONGEST_NAME} printable characters",
            next_step="Choose a shorter one on a single line.",
        )
    tenant = Tenant(name=name, title=title, created_at=ctx.clock.now(), created_by=_name(by))
    with ctx.store.write() as tx:
        if not _add(ctx, tx, tenant, by, where):
            raise ConflictError(
                f"There is a workspace {name} already.",
                code="workspace-exists",
                next_step="Choose another name, or use that one.",
            )
    return tenant


def find_tenant(tx: AccessTransaction, name: str) -> Tenant | None:
    """The workspace of that name; "default" also before anything was written into the store."""
    found = tx.tenant(name)
    if found is None and name == DEFAULT:
        return Tenant(name=DEFAULT, created_at=0.0, created_by=LOCAL)
    return found


def list_tenants(ctx: EngineContext) -> list[Tenant]:
    """All workspaces, by name."""
    with ctx.store.read() as tx:
        known = tx.tenants()
        if all(tenant.name != DEFAULT for tenant in known):
            default = find_tenant(tx, DEFAULT)
            known += [default] if default is not None else []
    return sorted(known, key=lambda tenant: tenant.name)


def require_tenant(tx: AccessTransaction, name: str) -> Tenant:
    """The workspace of that name.

    Raises:
        NotFoundError: There is none (code "workspace-unknown").
    """
    found = find_tenant(tx, name)
    if found is None:
        raise NotFoundError(
            f"There is no workspace {name!r}.",
            code="workspace-unknown",
            next_step="See the workspaces with `antiphon workspaces list`.",
        )
    return found


def _add(ctx: EngineContext, tx: AccessTransaction, tenant: Tenant, by: Principal | str, where: str) -> bool:
    if not tx.add_tenant(tenant):
        return False
    # Only the machine's own user makes workspaces: nobody is a principal of one that is yet to be.
    note(ctx, tx, acting(_name(by), tenant.name), "workspace.create", tenant.name, where=where)
    return True


def _name(by: Principal | str) -> str:
    return by if isinstance(by, str) else by.name
