"""Members of a workspace and their roles: who an OpenID token may act as."""

from __future__ import annotations

from antiphon.domain.identity import Member, Principal, Role
from antiphon.engine.access.audit import note
from antiphon.engine.access.names import check_name
from antiphon.engine.access.principals import LOCAL, acting, check_gift
from antiphon.engine.access.tenants import require_tenant
from antiphon.engine.context import EngineContext
from antiphon.errors import ConflictError, NotFoundError
from antiphon.ports.access_store import AccessTransaction


def save_member(
    ctx: EngineContext,
    *,
    workspace: str,
    subject: str,
    role: Role,
    name: str | None = None,
    by: Principal | str,
    where: str = LOCAL,
) -> tuple[Member, bool]:
    """Add a member, or change its role and name.

    Args:
        subject: The identity that a token proves: "<issuer>#<sub>", or a verified e-mail address.
        name: What to show; None keeps the name it has, or shows the subject.

    Returns:
        The member, and whether it is new.

    Raises:
        NotFoundError: No such workspace.
        PermissionDeniedError: The role, or the one it has now, is above the giver's own.
        ConflictError: It is the last admin (code "last-admin").
        LimitError: A subject or a name that cannot be stored.
    """
    check_name(subject, "the subject of a member")
    if name is not None:
        check_name(name, "the name of a member")
    actor = acting(by, workspace)
    check_gift(actor, role, role.scopes)
    with ctx.store.write() as tx:
        require_tenant(tx, workspace)
        members = tx.members(workspace)
        known = _find(members, subject)
        if known is None:
            member = Member(
                workspace=workspace,
                subject=subject,
                name=name or subject,
                role=role,
                added_at=ctx.clock.now(),
                added_by=actor.name,
            )
        else:
            check_gift(actor, known.role, ())
            if role is not Role.ADMIN:
                _check_not_last_admin(known, members)
            member = Member(
                workspace=workspace,
                subject=subject,
                name=name or known.name,
                role=role,
                added_at=known.added_at,
                added_by=known.added_by,
            )
        if member != known:
            tx.save_member(member)
            facts = {"role": role.value, "name": member.name}
            if known is not None:
                facts["role_before"] = known.role.value
            action = "member.add" if known is None else "member.change"
            note(ctx, tx, actor, action, subject, where=where, details=facts)
    return member, known is None


def remove_member(ctx: EngineContext, *, workspace: str, subject: str, by: Principal | str, where: str = LOCAL) -> None:
    """Take a member out of a workspace; what it submitted stays.

    Raises:
        NotFoundError: It is no member.
        PermissionDeniedError: Its role is above the remover's own.
        ConflictError: It is the last admin of a workspace that has other members (code "last-admin").
    """
    actor = acting(by, workspace)
    with ctx.store.write() as tx:
        members = tx.members(workspace)
        known = _find(members, subject)
        if known is None:
            raise _unknown(subject)
        check_gift(actor, known.role, ())
        if len(members) > 1:
            _check_not_last_admin(known, members)
        tx.remove_member(workspace, subject)
        note(ctx, tx, actor, "member.remove", subject, where=where, details={"role": known.role.value})


def list_members(ctx: EngineContext, workspace: str) -> list[Member]:
    """All members of a workspace, by name.

    Raises:
        NotFoundError: No such workspace.
    """
    with ctx.store.read() as tx:
        require_tenant(tx, workspace)
        return tx.members(workspace)


def get_member(ctx: EngineContext, workspace: str, subject: str) -> Member:
    """One member.

    Raises:
        NotFoundError: It is none.
    """
    with ctx.store.read() as tx:
        return require_member(tx, workspace, subject)


def require_member(tx: AccessTransaction, workspace: str, subject: str) -> Member:
    """One member, in a transaction.

    Raises:
        NotFoundError: It is none.
    """
    known = _find(tx.members(workspace), subject)
    if known is None:
        raise _unknown(subject)
    return known


def _find(members: list[Member], subject: str) -> Member | None:
    return next((member for member in members if member.subject == subject), None)


def _unknown(subject: str) -> NotFoundError:
    return NotFoundError(
        f"{subject!r} is no member of this workspace.", next_step="See them with `antiphon members list`."
    )


def _check_not_last_admin(member: Member, members: list[Member]) -> None:
    if member.role is Role.ADMIN and sum(each.role is Role.ADMIN for each in members) == 1:
        raise ConflictError(
            f"{member.name} is the last admin of the workspace {member.workspace}.",
            code="last-admin",
            next_step="Make somebody else admin first.",
        )
